"""Verification as long work: hourly from the last Seal, once a day in full. Its Job is passed in by the room above."""

import logging
from datetime import datetime, timedelta
from importlib import import_module

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from portal.ledger import disposal, outside, verifying
from portal.ledger.models import Verification

logger = logging.getLogger(__name__)

TASK = "portal.ledger.tasks.verify"
AT_A_TIME = 200_000  # Entries between two signs of life
FULL_FROM, FULL_EVERY = 2, timedelta(hours=20)  # hour of the firm's night; a full one is never further apart than a day
KEPT = timedelta(days=400)


def key_of(now: datetime) -> str:
    """Return the key of the Job that is due: in full once a night, or when a night was missed; otherwise hourly."""
    local = timezone.localtime(now)
    last = Verification.objects.filter(is_full=True).order_by("ended_at").last()
    age, hour = now - last.began_at if last else timedelta.max, f"{local:%Y-%m-%dT%H}"
    is_due = age > timedelta(days=1) or (age > FULL_EVERY and local.hour >= FULL_FROM)
    is_done = last and f"{timezone.localtime(last.began_at):%Y-%m-%dT%H}" == hour
    return f"full:{hour}" if is_due or is_done else f"new:{hour}"


def ask(*, now: datetime, by: Model) -> Model:
    """Start a full verification that somebody has asked for, at most one an hour, and return its Job."""
    key = f"full:asked:{timezone.localtime(now):%Y-%m-%dT%H}"
    return import_module(settings.LEDGER_JOBS).start(kind=TASK, key=key, by=by)


def ahead(job: Model) -> None:
    """Read the next part. No transaction is open, so nobody waits for it."""
    walk = getattr(job, "walk", None) or _taken_up(job)
    walk.advance(AT_A_TIME)
    job.walk = walk


def step(job: Model) -> bool:
    """Note how far the reading came, and at its end what it found. Return True at the end."""
    walk: verifying.Walk = job.walk
    job.cursor = {**walk.state(), "copies_after": job.copies_after}
    job.done, job.total = walk.seq - walk.after, walk.upto - walk.after
    if not walk.is_finished:
        return False
    found = verifying.told(walk)
    job.result = {"sound": walk.fault is None, "upto": walk.seq, "fault_seq": walk.fault.seq if walk.fault else None}
    now = timezone.now()
    Verification.objects.create(is_full=_is_full(job), began_at=job.created_at, ended_at=now, **found)
    Verification.objects.filter(ended_at__lt=now - KEPT).delete()
    if walk.fault:
        logger.critical("the evidence log is not what was written: entry %s, %s", walk.fault.seq, walk.fault.code)
    if _is_full(job):
        disposal.erase_on_commit()
    return True


def _is_full(job: Model) -> bool:
    return job.key.startswith("full:")


def _taken_up(job: Model) -> verifying.Walk:
    if job.cursor:
        job.copies_after = job.cursor["copies_after"]
        copies = outside.in_folder(after=job.copies_after, upto=job.cursor["seals"]["last"])
        return verifying.Walk(outside=copies, state=job.cursor)
    begin = None if _is_full(job) else verifying.last_verified_seal()
    job.copies_after = begin.number if begin else 0
    copies = list(outside.in_folder(after=job.copies_after))
    return verifying.Walk.since(begin, outside=copies) if begin else verifying.Walk(outside=copies)
