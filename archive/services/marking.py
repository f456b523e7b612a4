"""Which months have to be computed because time passes, others changed, or somebody had a seat."""

from datetime import date, datetime

from django.db.models import Q
from django.utils import timezone

from archive import calendars, policy
from archive.models import (
    Record,
    SeatCopy,
)
from archive.services import computing
from archive.services.due import YEARS, Why, mark_months_due
from archive.services.seats import seated_people


def look_at_later_months(employees: list[int], month: date) -> None:
    """A month is compared with the three before it: what changed here may change the next three."""
    later, at = [], month
    for _n in range(3):
        at = calendars.next_month(at)
        later.append(at)
    rows = Record.objects.filter(employee__in=employees, month__in=later, frozen_by=None)
    mark_months_due(rows.values_list("employee_id", "month"), Why.MONTHS)


def mark_stale_due(now: datetime) -> None:
    """Mark what the passing of time changes: months that become final, and months that the feed has grown into."""
    today, horizon = timezone.localdate(now), computing.covered_to()
    if horizon is None:
        return
    open_months = Record.objects.filter(is_final=False, frozen_by=None)
    ripe = [
        month
        for month in open_months.order_by("month").values_list("month", flat=True).distinct()
        if calendars.is_final(month, today)
    ]
    mark_months_due(open_months.filter(month__in=ripe).values_list("employee_id", "month"), Why.TIME)
    behind = open_months.filter(covered_to__lt=horizon)
    grown = behind.values_list("employee_id", "month", "covered_to")
    mark_months_due(((who, month) for who, month, reached in grown if reached < calendars.last_day(month)), Why.TIME)


def mark_seated_due(since: date) -> None:
    """Mark the months from then on of everybody with a seat, so that those who say nothing have a record of it too."""
    for month in seated_months(since):
        mark_seated_in(month)


def seated_months(since: date) -> list[date]:
    """Return the months from then on of which a list of seats and a feed speak."""
    horizon, first_list = computing.covered_to(), SeatCopy.objects.order_by("holds_from").first()
    months: list[date] = []
    if horizon is None or first_list is None:
        return months
    month = calendars.month_of(max(since, first_list.holds_from))
    while month <= horizon and month.year in YEARS:
        months.append(month)
        month = calendars.next_month(month)
    return months


def mark_seated_in(month: date) -> int:
    """Mark the month of everybody who had a seat in it and has no record up to now. Return how many people."""
    until = min(calendars.last_day(month), computing.covered_to() or month)
    seated = seated_people(month, until, policy.current().seat_copy_days)
    known = Record.objects.filter(month=month, employee__in=seated)
    known = known.filter(Q(covered_to__gte=until) | Q(frozen_by__isnull=False))
    waiting = seated - set(known.values_list("employee_id", flat=True))
    mark_months_due(((who, month) for who in waiting), Why.SEATS)
    return len(waiting)
