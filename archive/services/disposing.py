"""Disposal: one person asks and sees what would go, a second one approves, a job takes it away step by step.

Each step is one transaction that first locks all sources, so that no hold is made and nothing imported beside it, and
then looks anew: a hold made while the job runs counts from the next step on. Position and rows are committed together;
a job that is killed goes on from its last step.
"""

from collections import Counter
from datetime import date

from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import retention
from archive.models import (
    Attachment,
    Conflict,
    Delivery,
    Disposal,
    Finding,
    Message,
    MessageText,
    Participant,
    Recall,
    RecordDue,
    SetAside,
    Signal,
)
from archive.services import forgetting, lines, postings, records
from archive.services.casework import ReasonMissing, SomebodyElses
from archive.services.holding import REASON_LIMIT, lock_sources, refuse_without_permission
from archive.services.looking import Looked, Place, Walk
from archive.services.schedules import note_schedules
from archive.services.turns import take_turn
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Body
from portal.people.models import Employee

COUNT, DISPOSE = "archive.tasks.count_disposal", "archive.tasks.dispose"
COUNTED, TAKEN = 2000, 500  # messages looked at in one step
HELD, REVIEWED = "under_hold", "under_review"
# What held words and handles: swept after a run, so that the freed space does not hold them any more.
SWEPT = (Message, Participant, MessageText, Signal, Attachment, Delivery, Recall, Conflict, Finding, SetAside, Body)


class AnotherIsOpen(RuntimeError):
    """A disposal waits for approval or runs: there is one at a time."""


class NothingToDispose(ValueError):
    """Nothing was over when it was counted."""


class SamePerson(PermissionDenied):
    """Who asked for a disposal may not decide about it."""


class NotWaiting(RuntimeError):
    """The disposal is not counted yet, or was decided before."""


class SchedulesChanged(NotWaiting):
    """What was counted was counted under other schedules than those that count now."""


class NotRunning(RuntimeError):
    """The disposal does not run."""


@transaction.atomic
def ask_disposal(*, as_of: date, reason: str, by: Employee) -> Disposal:
    """Ask for everything to be disposed of whose retention is over on a day; a job counts what that is.

    As of a day to come it is a preview: it is counted, stands in nobody's way, and can never be approved.
    Raises AnotherIsOpen, ReasonMissing, PermissionDenied, retention.BadSchedules.
    """
    refuse_without_permission(by)
    now = timezone.now()
    reason = reason.strip()[:REASON_LIMIT]
    is_preview = as_of > timezone.localdate(now)
    if not reason:
        raise ReasonMissing(_("Say why: a disposal without a reason proves nothing."))
    schedules = note_schedules(by=by.uid)
    lock_sources()
    if not is_preview and Disposal.objects.open().exists():
        raise AnotherIsOpen(_("Another disposal waits for approval or is running. There is one at a time."))
    disposal = Disposal.objects.create(
        state=Disposal.State.PREVIEW if is_preview else Disposal.State.ASKED,
        as_of=as_of,
        schedule_version=schedules.version,
        schedule_digest=schedules.digest,
        reason=reason,
        asked_by=by,
        asked_at=now,
    )
    disposal.count_job = jobs.start(kind=COUNT, key=disposal.uid, by=by)
    disposal.save(update_fields=["count_job"])
    _note("archive.disposal_asked", disposal, by.uid, {"reason": reason})
    return disposal


def count_some(job: Job) -> bool:
    """Count the next messages for the preview. One step of a job; return whether all have been counted."""
    disposal = Disposal.objects.select_for_update(of=("self",)).get(count_job=job)
    if not disposal.is_being_counted:
        return True
    if not job.cursor:
        postings.sync_postings()
        _begin(job, disposal)
        return False
    found, place = _next(job, disposal, COUNTED)
    disposal.preview = tallied(disposal.preview, found, disposal.as_of)
    if place is None:
        disposal.preview["lines"] = lines.count(lines.over(disposal.as_of, retention.current()))
        disposal.counted_at = timezone.now()
        _note("archive.disposal_counted", disposal, forgetting.SYSTEM, {"preview": disposal.preview})
    disposal.save(update_fields=["preview", "counted_at"])
    return place is None


def tallied(preview: dict, found: list[Looked], as_of: date) -> dict:
    """Return the preview with these messages counted: what would go by rule and month, and what keeps the others."""
    going: dict[str, dict[str, int]] = preview.get("going", {})
    kept, holds = Counter(preview.get("kept", {})), Counter(preview.get("holds", {}))
    for one in found:
        if one.may_go(as_of):
            months = going.setdefault(one.verdict.schedule.id, {})
            months[f"{one.sent_on:%Y-%m}"] = months.get(f"{one.sent_on:%Y-%m}", 0) + 1
        elif why := why_kept(one, as_of):
            kept[why] += 1
            holds.update(one.holds if one.verdict.is_over(as_of) else ())
    return {
        "looked_at": preview.get("looked_at", 0) + len(found),
        "going": going,
        "kept": dict(kept),
        "holds": dict(holds),
    }


def why_kept(one: Looked, as_of: date) -> str:
    """Return why a message stays: its period runs, nothing speaks for it, a hold, or a finding that is open."""
    if not one.verdict.is_over(as_of):
        return one.verdict.why or "period"
    if one.holds:
        return HELD
    return REVIEWED if one.under_review else ""


@transaction.atomic
def decide_disposal(*, disposal: Disposal, approve: bool, reason: str = "", by: Employee) -> Disposal:
    """Approve what was counted, or refuse it with a reason. Never the person who asked.

    Raises SamePerson, NotWaiting, NothingToDispose, ReasonMissing, PermissionDenied, retention.BadSchedules.
    """
    refuse_without_permission(by)
    schedules = note_schedules(by=by.uid) if approve else None
    disposal = Disposal.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=disposal.pk)
    if disposal.asked_by_id == by.pk:
        raise SamePerson
    if disposal.state != Disposal.State.ASKED or (approve and disposal.counted_at is None):
        raise NotWaiting(disposal.state)
    if approve and disposal.finds_nothing:
        raise NothingToDispose(_("Nothing was over when it was counted, so there is nothing to approve."))
    if schedules and schedules.digest != disposal.schedule_digest:
        raise SchedulesChanged(_("The retention schedules have changed since it was counted. Refuse it and ask anew."))
    reason = reason.strip()[:REASON_LIMIT]
    if not approve and not reason:
        raise ReasonMissing(_("Say why it is refused."))
    now = timezone.now()
    disposal.decided_by, disposal.decided_at, disposal.decided_why = by, now, reason
    if approve:
        disposal.state = Disposal.State.APPROVED
        disposal.job = jobs.start(kind=DISPOSE, key=disposal.uid, by=by)
    else:
        disposal.state, disposal.ended_at = Disposal.State.REFUSED, now
    disposal.save()
    verb = "archive.disposal_approved" if approve else "archive.disposal_refused"
    _note(verb, disposal, by.uid, {"asked_by": disposal.asked_by.uid, "reason": reason})
    return disposal


@transaction.atomic
def withdraw_disposal(*, disposal: Disposal, by: Employee) -> Disposal:
    """Take back what one has asked for oneself and nobody has decided. Raises SomebodyElses, NotWaiting."""
    refuse_without_permission(by)
    disposal = Disposal.objects.select_for_update(of=("self",)).get(pk=disposal.pk)
    if disposal.asked_by_id != by.pk:
        raise SomebodyElses(_("Only who asked for it can withdraw it."))
    if disposal.state != Disposal.State.ASKED:
        raise NotWaiting(disposal.state)
    disposal.state, disposal.ended_at = Disposal.State.WITHDRAWN, timezone.now()
    disposal.save(update_fields=["state", "ended_at"])
    _note("archive.disposal_withdrawn", disposal, by.uid, {})
    return disposal


@transaction.atomic
def stop_disposal(*, disposal: Disposal, reason: str, by: Employee) -> Disposal:
    """End a running disposal after the step it is at. What has gone is gone. Raises NotRunning, ReasonMissing."""
    refuse_without_permission(by)
    reason = reason.strip()[:REASON_LIMIT]
    if not reason:
        raise ReasonMissing(_("Say why it is stopped."))
    disposal = Disposal.objects.select_for_update(of=("self",)).get(pk=disposal.pk)
    if disposal.state != Disposal.State.APPROVED:
        raise NotRunning(disposal.state)
    _end(disposal, Disposal.State.STOPPED, by.uid, reason)
    jobs.retry(job=disposal.job)  # where it had been given up: the traces on disk are still to be swept
    return disposal


def dispose_some(job: Job) -> bool:
    """Do the next step of a disposal. Return whether it has ended.

    First whatever records are due, since they cannot be computed when their messages have gone; then some messages
    after the other; then, outside of any transaction (see ``sweep``), the traces on disk. A stopped one goes on to
    these at once.
    """
    rows = Disposal.objects.select_related("asked_by", "decided_by")
    disposal = rows.select_for_update(of=("self",)).get(job=job)
    if "sweep" in job.cursor:
        return _swept(disposal, job)
    if disposal.state == Disposal.State.APPROVED and RecordDue.objects.exists():
        records.recompute_some(by=forgetting.SYSTEM)
        return False
    lock_sources()
    take_turn()
    if disposal.state == Disposal.State.APPROVED and retention.current().digest != disposal.schedule_digest:
        why = "the retention schedules changed after it was approved"
        _end(disposal, Disposal.State.STOPPED, forgetting.SYSTEM, why)
    if disposal.state != Disposal.State.APPROVED:
        job.cursor = _TO_SWEEP
    elif not job.cursor:
        _begin(job, disposal)
    else:
        found, place = _next(job, disposal, TAKEN)
        _take(disposal, found)
        job.result = {"disposed": disposal.disposed, "kept_back": disposal.kept_back}
        if place is None:
            job.result["lines"] = lines.dispose_of_lines(disposal, retention.current())
            job.cursor = _TO_SWEEP
    return False


_TO_SWEEP = {"sweep": [model._meta.db_table for model in SWEPT]}


def _begin(job: Job, disposal: Disposal) -> None:
    walk = Walk.until(disposal.as_of, retention.current())
    job.cursor, job.total = {"walk": walk.as_json(), "place": Place().as_json()}, walk.size()


def _next(job: Job, disposal: Disposal, limit: int) -> tuple[list[Looked], Place | None]:
    """Return the next messages of the job's walk, judged as of now, and move its cursor past them."""
    walk = Walk.again(disposal.as_of, retention.current(), job.cursor["walk"])
    found, place = walk.next(Place.of(job.cursor["place"]), limit)
    job.done += len(found)
    if place:
        job.cursor = {**job.cursor, "place": place.as_json()}
    return found, place


def _take(disposal: Disposal, found: list[Looked]) -> None:
    doomed = [one for one in found if one.may_go(disposal.as_of)]
    kept = Counter(why for one in found if (why := why_kept(one, disposal.as_of)) in (HELD, REVIEWED))
    if doomed:
        forgetting.forget(disposal, doomed, kept=dict(kept))
    disposal.disposed += len(doomed)
    disposal.kept_back += kept[HELD]
    disposal.save(update_fields=["disposed", "kept_back"])


def sweep(job: Job) -> None:
    """Make it true on disk, one table at a time, once the messages have gone: before a step, outside its transaction.

    SQLite overwrites what it deletes (secure_delete), but its log still holds the old pages until it is emptied into
    the database and cut. PostgreSQL gives dead rows up when a table is vacuumed.
    """
    if job.cursor.get("sweep"):
        job.cursor = {"sweep": _sweep_some(job.cursor["sweep"])}


def _sweep_some(tables: list[str]) -> list[str]:
    """Sweep the first of these tables, or all at once, and return those that are left.

    Raises jobs.Postponed while somebody still reads from SQLite's log.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"VACUUM {connection.ops.quote_name(tables[0])}")
            return tables[1:]
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        is_busy, _pages, _moved = cursor.fetchone()
    if is_busy:
        raise jobs.Postponed("somebody reads from the log")
    return []


def _swept(disposal: Disposal, job: Job) -> bool:
    if job.cursor["sweep"]:
        return False
    if disposal.state == Disposal.State.APPROVED:
        _end(disposal, Disposal.State.DONE, forgetting.SYSTEM, "")
    return True


def _end(disposal: Disposal, state: str, by: str, why: str) -> None:
    disposal.state, disposal.ended_at = state, timezone.now()
    disposal.decided_why = why or disposal.decided_why
    disposal.save(update_fields=["state", "ended_at", "decided_why"])
    verb = "archive.disposal_done" if state == Disposal.State.DONE else "archive.disposal_stopped"
    _note(verb, disposal, by, {"disposed": disposal.disposed, "kept_back": disposal.kept_back, "reason": why})


def _note(verb: str, disposal: Disposal, by: str, body: dict) -> None:
    told = {
        "disposal": disposal.uid,
        "as_of": disposal.as_of.isoformat(),
        "schedules": {"version": disposal.schedule_version, "digest": disposal.schedule_digest},
    }
    ledger.append(verb=verb, actor=by, subject=forgetting.SYSTEM, body={**told, **body})
