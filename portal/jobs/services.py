import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from portal.jobs.models import Job

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)
MOST_ATTEMPTS = 5
PAUSE = timedelta(seconds=20)  # before the second attempt; doubled for each further one


class LeaseLost(RuntimeError):
    """Another worker has taken the job over: what this one did since its last step is rolled back."""


class Postponed(Exception):
    """Raised by a step that cannot go on just now, though nothing is wrong: it is tried again after ``pause``."""

    def __init__(self, why: str, pause: timedelta = timedelta(seconds=30)) -> None:
        super().__init__(why)
        self.pause = pause


@transaction.atomic
def start(
    *, kind: str, key: str, by=None, params: dict | None = None, total: int | None = None, may_stop: bool = False
) -> Job:
    """Return the job of this kind and key, made if there is none yet, and ring for it on commit.

    One that had been given up goes on from where it stood. ``may_stop``: whoever started it may stop it.
    """
    fresh = {"started_by": by, "params": params or {}, "total": total, "may_stop": may_stop, "due_at": timezone.now()}
    job, made = Job.objects.get_or_create(kind=kind, key=key, defaults=fresh)
    if made:
        transaction.on_commit(partial(ring, job.kind, job.pk))
    elif job.state == Job.State.FAILED:
        retry(job=job)
        job.refresh_from_db()
    return job


@transaction.atomic
def retry(*, job: Job) -> bool:
    """Let a job that was given up or stopped wait for a worker again. Return False if it was neither."""
    fresh = {"state": Job.State.WAITING, "ended_at": None, "attempts": 0, "error": "", "due_at": timezone.now()}
    revived = Job.objects.filter(pk=job.pk, state__in=[Job.State.FAILED, Job.State.STOPPED]).update(**fresh)
    if revived:
        transaction.on_commit(partial(ring, job.kind, job.pk))
    return bool(revived)


def stop(*, job: Job) -> bool:
    """Stop a job that may be stopped. Return False if it may not, or has ended.

    A worker loses the lease, and with it the step that it was at: what was committed before it stays.
    """
    live = Job.objects.filter(pk=job.pk, may_stop=True, state__in=[Job.State.WAITING, Job.State.RUNNING])
    return bool(live.update(state=Job.State.STOPPED, lease_until=None, lease_token=""))


def hold(job: Job) -> None:
    """Keep others from working on the job until this step's transaction ends: for steps that write files.

    Raises LeaseLost if another worker has it by now, or somebody stopped it.
    """
    if not Job.objects.select_for_update().filter(pk=job.pk, lease_token=job.lease_token).exists():
        raise LeaseLost(job.pk)


def ring(kind: str, job_id: int) -> None:
    """Tell a worker. If the broker is away the sweeper rings later, so nothing is lost."""
    try:
        current_app.send_task(kind, args=[job_id])
    except Exception:
        logger.warning("could not ring for job %s", job_id, exc_info=True)


def work(job_id: int, step: Callable[[Job], bool], *, prepare: Callable[[Job], None] | None = None) -> Job | None:
    """Work on a job step by step until it is done. Return it, or None if another worker has it or it has ended.

    ``step(job)`` does one small piece in a transaction of its own and sets job.cursor, job.done, job.total and
    job.result; it returns True when nothing is left. What it wrote and how far it came are committed together, so a
    worker that is killed loses at most one step, and the next one goes on from there.

    ``prepare(job)`` runs before each step, under the lease but outside of its transaction: what takes long and may be
    done twice belongs there, since SQLite has one writer. It must take less than LEASE.
    """
    token = _claim(job_id)
    if token is None:
        return None
    job = Job.objects.get(pk=job_id)
    try:
        if prepare:
            prepare(job)
        while not _one_step(job, step, token):
            if prepare:
                prepare(job)
    except LeaseLost:
        logger.warning("job %s was taken over", job_id)
        return None
    except Postponed as reason:
        _postponed(job, token, reason.pause)
    except Exception as error:
        logger.exception("job %s failed", job_id)
        _failed(job, token, error)
    job.refresh_from_db()
    return job


def sweep() -> int:
    """Ring again for every job that waits or whose worker has gone. Return how many."""
    due = list(Job.objects.due(timezone.now()).values_list("kind", "pk")[:500])
    for kind, job_id in due:
        ring(kind, job_id)
    return len(due)


def _claim(job_id: int) -> str | None:
    """Take the lease by one conditional update. Return its token, or None if there is nothing to take."""
    now, token = timezone.now(), uuid.uuid4().hex
    with transaction.atomic():
        job = Job.objects.due(now).filter(pk=job_id).select_for_update().first()
        if job is None:
            return None
        if job.attempts >= MOST_ATTEMPTS:  # its workers died without a word each time
            ended = {"state": Job.State.FAILED, "lease_until": None, "lease_token": "", "ended_at": now}
            Job.objects.filter(pk=job_id).update(error=job.error or "its workers stopped without a word", **ended)
            return None
        Job.objects.filter(pk=job_id).update(
            state=Job.State.RUNNING, lease_until=now + LEASE, lease_token=token, attempts=job.attempts + 1
        )
    return token


def _one_step(job: Job, step: Callable[[Job], bool], token: str) -> bool:
    with transaction.atomic():
        finished = step(job)
        now = timezone.now()
        state = {"state": Job.State.DONE, "lease_until": None, "lease_token": "", "ended_at": now}
        if not finished:
            state = {"lease_until": now + LEASE}
        held = Job.objects.filter(pk=job.pk, lease_token=token).update(
            cursor=job.cursor, done=job.done, total=job.total, result=job.result, attempts=1, error="", **state
        )
        if not held:
            raise LeaseLost(job.pk)
    return finished


def _postponed(job: Job, token: str, pause: timedelta) -> None:
    """Give the lease back without counting an attempt."""
    fresh = {"state": Job.State.WAITING, "due_at": timezone.now() + pause, "lease_until": None, "lease_token": ""}
    held = Job.objects.filter(pk=job.pk, lease_token=token)
    held.update(attempts=Greatest(F("attempts") - 1, 0), **fresh)


def _failed(job: Job, token: str, error: Exception) -> None:
    """Note the failure: another attempt later, or the end after MOST_ATTEMPTS without a step forward."""
    now = timezone.now()
    attempts = Job.objects.values_list("attempts", flat=True).get(pk=job.pk)
    state = {"state": Job.State.WAITING, "due_at": now + PAUSE * 2 ** (attempts - 1)}
    if attempts >= MOST_ATTEMPTS:
        state = {"state": Job.State.FAILED, "ended_at": now}
    Job.objects.filter(pk=job.pk, lease_token=token).update(
        lease_until=None, lease_token="", error=type(error).__name__, **state
    )
