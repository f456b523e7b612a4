"""What one person's page says of how long a month's messages are kept, and how many are under a hold."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Max, QuerySet
from django.utils import timezone

from archive import calendars, retention
from archive.models import Hold, Message, Participant, Record
from archive.services import holding, postings
from archive.services.sealed import Sealed, sealed
from portal.people.models import Employee

VIEW = "archive.view_keeping"


@dataclass(frozen=True)
class KeepingFacts:
    """``retention_until``: the latest day until which a message of the month is kept; None: no message, or for ever.

    While the schedules cannot be used nothing can be disposed of: then ``for_ever`` holds, too.

    ``holds``: names of the holds, None where the viewer may not know them.
    """

    messages: int
    retention_until: date | None
    for_ever: bool
    held: int
    holds: tuple[str, ...] | None
    sealed: Sealed


def keeping_facts(employee: Employee, month: date, viewer: Employee | None = None) -> KeepingFacts:
    """Return the facts of the messages that the person sent or was sent in the month, in at most 16 queries."""
    begins, ends = calendars.month_bounds(calendars.month_of(month), timezone.get_default_timezone())
    theirs = Participant.objects.filter(employee=employee, sent_at__gte=begins, sent_at__lt=ends)
    until, for_ever = _kept_until(theirs)
    record = Record.objects.filter(employee=employee, month=calendars.month_of(month))
    record_entry = record.values_list("entry_seq", flat=True).first()
    found = holding.active_holds()
    held = _held(theirs, found) if found else []
    names = None
    if viewer is not None and viewer.is_active and viewer.has_perm(VIEW):
        uids = {uid for one in held for uid in one}
        names = tuple(Hold.objects.filter(uid__in=uids).order_by("name").values_list("name", flat=True))
    return KeepingFacts(
        messages=theirs.values("message").distinct().count(),
        retention_until=None if for_ever else until,
        for_ever=for_ever,
        held=len(held),
        holds=names,
        sealed=sealed(theirs, record_entry=record_entry),
    )


def _kept_until(theirs: QuerySet[Participant]) -> tuple[date | None, bool]:
    """Return (latest day until which one of these messages is kept, whether any is kept for ever).

    Of each jurisdiction the youngest message is kept longest, so the database need only name that.
    """
    try:
        schedules = retention.current()
    except retention.BadSchedules:
        return None, theirs.exists()
    everybody = Participant.objects.filter(message__in=theirs.values("message"), employee__isnull=False)
    youngest = everybody.annotate(place=postings.at("employee", "sent_at")).values("place").annotate(at=Max("sent_at"))
    verdicts = [
        schedules.verdict(timezone.localdate(at), {place})
        for place, at in youngest.order_by().values_list("place", "at")
    ]
    ends = [one.until for one in verdicts if one.until]
    return max(ends, default=None), len(ends) < len(verdicts)


def _held(theirs: QuerySet[Participant], found: holding.Holds) -> list[list[str]]:
    parts = holding.parts_of(Message.objects.filter(pk__in=theirs.values("message")), found)
    return [names for part in parts.values() if (names := found.on(part))]
