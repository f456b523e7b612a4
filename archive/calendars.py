"""Months: where one begins and ends in the firm's zone. Which days are working days, people.calendars knows."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.people.calendars import COUNTRIES, after_working_days, day_begins, is_working_day, working_days

__all__ = [
    "COUNTRIES",
    "after_working_days",
    "day_begins",
    "is_final",
    "is_working_day",
    "last_day",
    "month_bounds",
    "month_of",
    "months_before",
    "months_on",
    "next_month",
    "whole_days",
    "working_days",
]

FINAL_AFTER = timedelta(days=5)  # of the pull window; a month is final from the sixth day after it


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def months_on(month: date, count: int) -> date:
    """Return the month ``count`` months later; earlier where the count is negative."""
    number = month.year * 12 + month.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)


def months_before(month: date, count: int) -> list[date]:
    """Return the ``count`` months before, newest first."""
    found = []
    while len(found) < count:
        month = month_of(month - timedelta(1))
        found.append(month)
    return found


def last_day(month: date) -> date:
    return next_month(month) - timedelta(1)


def is_final(month: date, today: date) -> bool:
    """A month is final from the sixth day after its end."""
    return today > last_day(month) + FINAL_AFTER


def whole_days(
    times: Iterable[tuple[datetime, datetime | None]], first: date, last: date, zone: ZoneInfo
) -> frozenset[date]:
    """Return the days from ``first`` to ``last`` that lie in one of the times from their first moment to their last."""
    found: set[date] = set()
    for begins, ends in times:
        day = max(first, begins.astimezone(zone).date())
        while day <= last and (ends is None or day_begins(day + timedelta(1), zone) <= ends):
            if begins <= day_begins(day, zone):
                found.add(day)
            day += timedelta(1)
    return frozenset(found)


def month_bounds(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first moment of the month and the first moment after it, in UTC."""
    return day_begins(month, zone), day_begins(next_month(month), zone)
