"""What follows small deliveries, which were answered as soon as they were stored: findings, records, their end.

One job a source looks at all that wait, however many came meanwhile. A machine that pushes four times a minute would
otherwise have everybody's month computed four times a minute.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Min, QuerySet
from django.utils import timezone

from archive.models import Import, RecordDue, Source
from archive.services import consent_missing, findings, judging, piecemeal, records
from archive.services.running import ring_the_roof
from archive.services.staff_list import sync_identities
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger

TASK = "archive.tasks.judge_deliveries"
MOST = 50  # deliveries judged before the records they touched are computed


def waiting() -> QuerySet[Import]:
    """Small deliveries that are stored and not yet judged to the end, oldest first."""
    return Import.objects.filter(ended_at=None, state=Import.State.JUDGING).exclude(via=Import.Via.FILE).order_by("pk")


def ring(source: Source, run: Import) -> None:
    """See to it that a job looks at the delivery, in the transaction that stores it, with the source locked.

    A job that is not ended will find it: it ends under the same lock, and only when it has found nothing.
    """
    alive = Job.objects.filter(kind=TASK, key__startswith=f"{source.pk}:", state__in=_ALIVE)
    if not alive.exists():
        jobs.start(kind=TASK, key=f"{source.pk}:{run.uid}", params={"source": source.pk})


_ALIVE = (Job.State.WAITING, Job.State.RUNNING)


def ring_again() -> None:
    """Ring for the deliveries that still wait because the job behind them was given up."""
    for source_id in set(waiting().order_by().values_list("source_id", flat=True)):
        with transaction.atomic():
            source = Source.objects.select_for_update(no_key=True).get(pk=source_id)
            if run := waiting().filter(source=source).first():
                ring(source, run)


def judge_some(job: Job) -> bool:
    """Do one step of the job: judge a piece of one delivery, or compute some records, or end what was judged.

    ``cursor["judged"]`` holds the imports that were judged and are not ended. Judging one again does no harm. The
    source is locked for the steps that need it, never while records are computed: machines go on pushing.
    """
    now, judged = timezone.now(), job.cursor.get("judged", [])
    if not job.cursor.get("synced"):
        findings.open_for_signals(sync_identities(by=_BY, now=now), by=_BY, now=now)
        job.cursor = {"synced": True, "judged": judged}
        return False
    here = waiting().filter(source=job.params["source"]).exclude(pk__in=judged)
    if len(judged) < MOST and here.exists():
        source = _locked(job)
        run = here.first()
        run.source = source
        piecemeal.judge_piece(run, by=_BY, now=now)
        run.save(update_fields=["judging"])
        if piecemeal.is_judged(run):
            job.cursor = {**job.cursor, "judged": [*judged, run.pk]}
        return False
    if judged and RecordDue.objects.exists():
        records.recompute_some(by=_BY, now=now)  # takes the turn: after it the source must not be locked any more
        return False
    if judged and _judge_consent(job, judged, now):
        return False
    _locked(job)
    _end(judged, now)
    job.cursor, job.result = {}, {"deliveries": job.result.get("deliveries", 0) + len(judged)}
    return not here.exists()


def _locked(job: Job) -> Source:
    return Source.objects.select_for_update(no_key=True).get(pk=job.params["source"])


_BY = "system:archive"


def _judge_consent(job: Job, judged: list[int], now: datetime) -> bool:
    """Look at the words on consent of some people, if messages came that are older than those that are looked at every
    hour. Return whether anybody is left.
    """
    oldest = Import.objects.filter(pk__in=judged).aggregate(oldest=Min("first_sent_at"))["oldest"]
    after = job.cursor.get("consent", 0)
    if oldest is None or oldest >= now - judging.LATELY or after is None:
        return False
    job.cursor = {**job.cursor, "consent": consent_missing.judge_some(since=oldest, after=after, by=_BY, now=now)}
    return True


def _end(judged: list[int], now: datetime) -> None:
    """End the imports, each with its Entry."""
    runs = list(Import.objects.filter(pk__in=judged).select_related("source", "started_by", "token").order_by("pk"))
    Import.objects.filter(pk__in=judged).update(state=Import.State.DONE, ended_at=now)
    for run in runs:
        ledger.append(
            verb="archive.imported",
            actor=run.started_by.uid if run.started_by else "system:push",
            subject="system:archive",
            body={
                "import": run.uid,
                "source": run.source.name,
                "via": run.via,
                "token": run.token.hint if run.token else None,
                "feed": run.digest,
                "counts": run.counts,
            },
        )
    if runs:
        transaction.on_commit(ring_the_roof)
