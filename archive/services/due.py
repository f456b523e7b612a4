"""Which records must be computed again, and why."""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils import timezone

from archive import calendars
from archive.models import RecordDue

YEARS = range(2000, 2100)  # a message said to be of another year is kept, but makes no record
Why = RecordDue.Why


def mark_due(moments: Iterable[tuple[int, datetime]], why: Why = Why.MESSAGES) -> None:
    """Mark each employee's month in which the moment lies, in the firm's zone."""
    zone = timezone.get_default_timezone()
    mark_months_due({(employee, calendars.month_of(at.astimezone(zone).date())) for employee, at in moments}, why)


def mark_months_due(months: Iterable[tuple[int, date]], why: Why = Why.MESSAGES) -> None:
    """Mark months of employees. Of several reasons the first stands."""
    rows = [
        RecordDue(employee_id=who, month=month, why=why) for who, month in sorted(set(months)) if month.year in YEARS
    ]
    RecordDue.objects.bulk_create(rows, ignore_conflicts=True, batch_size=400)
