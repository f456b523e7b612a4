"""Days: which are working days where, and where a month begins and ends in the firm's zone."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

# Office.jurisdiction -> the calendar that its people work by.
COUNTRIES = {"CN": ("CN", None), "HK": ("HK", None), "US": ("US", None), "UK": ("GB", "ENG"), "SG": ("SG", None)}
FINAL_AFTER = timedelta(days=5)  # of the pull window; a month is final from the sixth day after it


@lru_cache(maxsize=16)
def _calendar(jurisdiction: str) -> holidays.HolidayBase:
    if jurisdiction == "EU":
        return holidays.financial_holidays("XECB")
    country, part = COUNTRIES[jurisdiction]
    return holidays.country_holidays(country, subdiv=part)


@lru_cache(maxsize=20_000)
def is_working_day(day: date, jurisdiction: str) -> bool:
    """Return whether offices there work on that day: a weekday that is no holiday, or a weekend day made up for one."""
    calendar = _calendar(jurisdiction)
    if day in calendar:
        return False
    return day.weekday() < 5 or day in calendar.weekend_workdays


def working_days(first: date, last: date, jurisdiction: str) -> list[date]:
    """Return the working days from ``first`` to ``last``, both included."""
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return [day for day in days if is_working_day(day, jurisdiction)]


def after_working_days(day: date, count: int, jurisdiction: str) -> date:
    """Return the working day that is ``count`` of them after ``day``."""
    while count:
        day += timedelta(1)
        count -= is_working_day(day, jurisdiction)
    return day


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


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day in the zone, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def month_bounds(month: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first moment of the month and the first moment after it, in UTC."""
    return day_begins(month, zone), day_begins(next_month(month), zone)
