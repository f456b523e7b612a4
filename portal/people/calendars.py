"""Days where people work: which are working days by an office's calendar, and when a day begins and which it is."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings
from django.utils import timezone

# Office.jurisdiction -> the calendar that its people work by.
COUNTRIES = {"CN": ("CN", None), "HK": ("HK", None), "US": ("US", None), "UK": ("GB", "ENG"), "SG": ("SG", None)}


@lru_cache(maxsize=16)
def _calendar(jurisdiction: str) -> holidays.HolidayBase:
    if jurisdiction == "EU":
        return holidays.financial_holidays("XECB")
    country, part = COUNTRIES[jurisdiction]
    return holidays.country_holidays(country, subdiv=part)


@lru_cache(maxsize=20_000)
def is_working_day(day: date, jurisdiction: str) -> bool:
    """Return whether offices there work on that day: a weekday that is no holiday, or a weekend day made up for one.

    Where nobody works ("": a person without an office), every weekday is a working day.
    """
    if not jurisdiction:
        return day.weekday() < 5
    calendar = _calendar(jurisdiction)
    if day in calendar:
        return False
    return day.weekday() < 5 or day in calendar.weekend_workdays


def working_days(first: date, last: date, jurisdiction: str) -> list[date]:
    """Return the working days from ``first`` to ``last``, both included."""
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return [day for day in days if is_working_day(day, jurisdiction)]


@lru_cache(maxsize=20_000)
def after_working_days(day: date, count: int, jurisdiction: str) -> date:
    """Return the working day that is ``count`` of them after ``day``."""
    while count:
        day += timedelta(1)
        count -= is_working_day(day, jurisdiction)
    return day


def day_begins(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day in the zone, in UTC."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_at(moment: datetime, time_zone: str) -> date:
    """Return which day it is in the zone at that moment."""
    return moment.astimezone(ZoneInfo(time_zone)).date()


def zone_name(employee) -> str:
    """Return the time zone in which an employee's days begin and end: the office's, or the firm's without one."""
    return employee.office.time_zone if employee.office_id else settings.TIME_ZONE


def local_day(employee, moment: datetime | None = None) -> date:
    """Return which day it is where the employee works, at that moment or now. Reads the office."""
    return day_at(moment or timezone.now(), zone_name(employee))
