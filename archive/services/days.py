"""One person's month, day by day: what was captured, and where nothing was though a seat was there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from archive import calendars, policy, rules
from archive.models import Hole, Message, Participant
from archive.services import computing
from archive.services.identities import handles_of
from archive.services.seats import Seats
from portal.people.models import Employee


@dataclass(frozen=True)
class Day:
    """A day of the firm's calendar. ``kind`` is one of rules.DAY_KINDS; counts are of messages."""

    on: date
    kind: str
    sent: int = 0
    received: int = 0
    with_clients: int = 0
    is_barred: bool = False  # the whole of it

    @property
    def captured(self) -> int:
        return self.sent + self.received


def days_of(employee: Employee, month: date) -> list[Day]:
    """Return every day of the month. A message to oneself counts as sent. Six queries."""
    zone, terms = timezone.get_default_timezone(), policy.current()
    last = calendars.last_day(month)
    begins, ends = calendars.month_bounds(month, zone)
    horizon = computing.covered_to() or month - timedelta(1)
    handles = handles_of([employee.pk], begins, ends).get(employee.pk, set())
    seat = Seats.between(month, last, terms.seat_copy_days, handles=handles).of(handles)
    working = set(computing.working_days_of(employee, month, last))
    barred = computing.barred_days_of(employee, month, last)
    counts = _counts(employee, month, last)
    days = []
    for day in (month + timedelta(n) for n in range((last - month).days + 1)):
        sent, all_of_it, with_clients = counts.get(day, (0, 0, 0))
        kind = rules.day_kind(
            captured=all_of_it, is_covered=day <= horizon, is_working=day in working, has_seat=seat.get(day)
        )
        days.append(Day(day, kind, sent, all_of_it - sent, with_clients, day in barred))
    return days


def _counts(employee: Employee, first: date, last: date) -> Mapping[date, tuple[int, int, int]]:
    """Return {day: (sent, captured, with clients)} of content messages, each counted once."""
    zone = timezone.get_default_timezone()
    mine = Participant.objects.filter(
        employee=employee,
        sent_at__gte=calendars.day_begins(first, zone),
        sent_at__lt=calendars.day_begins(last + timedelta(1), zone),
        message__category=Message.Category.CONTENT,
    )
    rows = (
        mine.annotate(day=TruncDate("sent_at", tzinfo=zone))
        .values("day")
        .annotate(
            sent=Count("message", filter=Q(role=Participant.Role.SENDER), distinct=True),
            captured=Count("message", distinct=True),
            with_clients=Count("message", filter=Q(message__is_external=True), distinct=True),
        )
    )
    return {row["day"]: (row["sent"], row["captured"], row["with_clients"]) for row in rows}


def holes_in(month: date) -> list[Hole]:
    """Return the holes of all feeds that may lie in the month: whose neighbours were sent in it or around it.

    They are the feeds', nobody's: whose messages are missing cannot be known.
    """
    begins, ends = calendars.month_bounds(month, timezone.get_default_timezone())
    around = Q(before_at=None) | Q(before_at__lt=ends)
    since = Q(after_at=None) | Q(after_at__gte=begins)
    known = Q(before_at__isnull=False) | Q(after_at__isnull=False)
    return list(Hole.objects.filter(around, since, known).select_related("source").order_by("before_at", "first")[:50])
