"""Packs: asked for, approved by another where the whole firm is concerned, fetched, and forgotten after a while."""

from datetime import date, datetime, timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from archive.calendars import day_begins
from portal.evidence.models import Pack
from portal.jobs import services as jobs
from portal.ledger import services as ledger
from portal.people.models import Department, Employee

MAKE = "portal.evidence.tasks.make_pack"
SYSTEM = "system:evidence"
KEPT = timedelta(days=30)  # a file that was made; it can be asked for again and is the same


class ReasonMissing(ValueError):
    """Evidence about people leaves for a reason that can be told."""


class NotThatDay(ValueError):
    """The day has not come, or nothing was written down by then."""


class NotYours(PermissionError):
    """Whoever asked for it cannot approve it."""


class AlreadyDecided(RuntimeError):
    """It was approved or refused before."""


@transaction.atomic
def ask(
    *, scope: str, day: date, reason: str, by: Employee, person: Employee | None = None,
    department: Department | None = None,
) -> Pack:  # fmt: skip
    """Ask for a pack as at the end of a day, or as of now if it is today, and return it.

    One about the whole firm waits for somebody else's approval. Raises ReasonMissing, NotThatDay.
    """
    now, reason = timezone.now(), reason.strip()
    if not reason:
        raise ReasonMissing(_("Say what it is for."))
    as_at = _moment(day, now)
    upto = ledger.seq_at(as_at)
    if not upto:
        raise NotThatDay(_("Nothing had been written down by that day."))
    pack = Pack(scope=scope, person=person, department=department, day=day, upto=upto, as_at=as_at)
    pack.reason, pack.asked_by, pack.asked_at = reason[:500], by, now
    pack.state = Pack.State.ASKED if pack.needs_approval else Pack.State.MAKING
    pack.job = None if pack.needs_approval else _begin(pack)
    pack.save(force_insert=True)
    body = {"pack": pack.uid, "scope": scope, "day": day.isoformat(), "upto": upto, "reason": pack.reason}
    body |= {"person": person.uid if person else None, "department": department.name if department else None}
    ledger.append(verb="evidence.pack_asked", actor=by.uid, subject=SYSTEM, body=body)
    return pack


def _moment(day: date, now: datetime) -> datetime:
    """Return the last moment of the day in the firm's zone, or now if the day is not over. Raises NotThatDay."""
    zone = timezone.get_default_timezone()
    if day > timezone.localdate(now, zone):
        raise NotThatDay(_("That day has not come."))
    return min(day_begins(day + timedelta(days=1), zone) - timedelta.resolution, now)


def _begin(pack: Pack):
    return jobs.start(kind=MAKE, key=pack.uid, by=pack.asked_by, params={"pack": pack.uid})


@transaction.atomic
def decide(*, pack: Pack, approve: bool, reason: str, by: Employee) -> Pack:
    """Approve or refuse a pack that another has asked for. Raises NotYours, AlreadyDecided, ReasonMissing."""
    pack = Pack.objects.select_for_update(of=("self",)).select_related("asked_by").get(pk=pack.pk)
    if pack.state != Pack.State.ASKED:
        raise AlreadyDecided(_("It has been decided already."))
    if pack.asked_by_id == by.pk:
        raise NotYours(_("You asked for it, so a colleague must decide."))
    if not approve and not reason.strip():
        raise ReasonMissing(_("Say why it is refused."))
    pack.decided_by, pack.decided_at, pack.decided_why = by, timezone.now(), reason.strip()[:500]
    pack.state = Pack.State.MAKING if approve else Pack.State.REFUSED
    pack.job = _begin(pack) if approve else None
    pack.save(update_fields=["decided_by", "decided_at", "decided_why", "state", "job"])
    verb = "evidence.pack_approved" if approve else "evidence.pack_refused"
    body = {"pack": pack.uid, "asked_by": pack.asked_by.uid, "reason": pack.decided_why}
    ledger.append(verb=verb, actor=by.uid, subject=SYSTEM, body=body)
    return pack


@transaction.atomic
def note_download(*, pack: Pack, by: Employee) -> None:
    """Write down that a pack is being fetched, before a byte of it goes out."""
    body = {"pack": pack.uid, "sha256": pack.sha256}
    ledger.append(verb="evidence.pack_downloaded", actor=by.uid, subject=SYSTEM, body=body)


@transaction.atomic
def note_reading(*, seq: int, reason: str, by: Employee) -> None:
    """Write down that somebody reads what an Entry says, and why. Raises ReasonMissing."""
    if not reason.strip():
        raise ReasonMissing(_("Say why you need to read it."))
    body = {"entry": seq, "reason": reason.strip()[:500]}
    ledger.append(verb="evidence.entry_read", actor=by.uid, subject=SYSTEM, body=body)


def forget_old(*, now: datetime | None = None) -> int:
    """Delete the files of packs that were made long ago; the rows stay. Return how many."""
    old = Pack.objects.filter(state=Pack.State.READY, made_at__lt=(now or timezone.now()) - KEPT)
    return sum(_forget(pk) for pk in list(old.values_list("pk", flat=True)[:500]))


@transaction.atomic
def _forget(pk: int) -> bool:
    pack = Pack.objects.select_for_update(of=("self",)).get(pk=pk)
    if pack.state != Pack.State.READY:
        return False
    default_storage.delete(pack.file.name)
    pack.state, pack.file = Pack.State.FORGOTTEN, ""
    pack.save(update_fields=["state", "file"])
    ledger.append(verb="evidence.pack_forgotten", actor=SYSTEM, subject=SYSTEM, body={"pack": pack.uid})
    return True
