"""Which records must be computed again, and why."""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils import timezone

from archive import calendars
from archive.models import RecordDue
from archive.services import bulk

YEARS = range(2000, 2100)  # a message said to be of another year is kept, but makes no record
Why = RecordDue.Why


def mark_due(moments: Iterable[tuple[int, datetime]], why: Why = Why.MESSAGES) -> None:
    """Mark each employee's month in which the moment lies, in the firm's zone."""
    zone = timezone.get_default_timezone()
    months: set[tuple[int, date]] = set()
    begins = ends = month = None
    for employee, at in moments:
        if begins is None or not begins <= at < ends:  # moments that follow each other share their month
            month = calendars.month_of(at.astimezone(zone).date())
            begins, ends = calendars.month_bounds(month, zone)
        months.add((employee, month))
    mark_months_due(months, why)


def mark_months_due(months: Iterable[tuple[int, date]], why: Why = Why.MESSAGES) -> None:
    """Mark months of employees. Of several reasons the first stands."""
    rows = [(who, month, why) for who, month in sorted(set(months)) if month.year in YEARS]
    bulk.insert(RecordDue, ("employee", "month", "why"), rows, skip_known=True)
