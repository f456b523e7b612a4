"""Moments as mails and tables write them."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from archive.sources.wecom import AHEAD, moment

EARLIEST_YEAR = 1990  # an earlier Date is a clock that was never set
EXCEL_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a count of days has no zone until it is a moment
EXCEL_DAYS = (20_000, 80_000)  # the years 1954 to 2119: what a cell that holds a day may count

_NUMBER = re.compile(r"\d+(\.\d+)?\Z")
_DAY_AND_TIME = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?\Z"
)


class Unreadable(ValueError):
    """The text is no moment that can be told without guessing."""


def of_mail(text: str, zone: ZoneInfo) -> datetime | None:
    """Return what a Date field says, None if it says nothing. Without an offset it is in ``zone``; -0000 is UTC."""
    try:
        told = parsedate_to_datetime(text[:200])
        if told.tzinfo is None:
            told = told.replace(tzinfo=UTC if text.rstrip().endswith("-0000") else zone)
        return told.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def told(text: str, zone: ZoneInfo, date_format: str = "") -> datetime | None:
    """Return the moment that a cell or header says, None if it is empty. Raises Unreadable.

    Taken: ``date_format`` if the source has one, ISO 8601 and the same with / or 年月日, a mail's Date, seconds or
    milliseconds since 1970, and Excel's count of days. 01/02/2026 is not: nobody can say which month it is.
    """
    text = text.strip()
    if not text:
        return None
    try:
        if date_format:
            return _in_zone(datetime.strptime(text, date_format), zone)  # noqa: DTZ007 - the zone is the source's
        if _NUMBER.match(text):
            return _of_number(text, zone)
        if found := _DAY_AND_TIME.match(text):
            return _of_parts(found, zone)
    except (ValueError, OverflowError) as error:
        raise Unreadable(text[:40]) from error
    if (date := of_mail(text, zone)) is None:
        raise Unreadable(text[:40])
    return date


def _in_zone(naive: datetime, zone: ZoneInfo) -> datetime:
    return (naive if naive.tzinfo else naive.replace(tzinfo=zone)).astimezone(UTC)


def _of_number(text: str, zone: ZoneInfo) -> datetime:
    number = float(text)
    if EXCEL_DAYS[0] <= number < EXCEL_DAYS[1]:
        return _in_zone(EXCEL_DAY_ZERO + timedelta(seconds=round(number * 86400)), zone)
    whole = moment(int(number)) if 9 <= len(text.partition(".")[0]) <= 13 else None
    if whole is None:
        raise Unreadable(text[:40])
    return whole


def _of_parts(found: re.Match, zone: ZoneInfo) -> datetime:
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    micro = int((fraction or "0").ljust(6, "0")[:6])
    naive = datetime(  # noqa: DTZ001 - the zone follows
        int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), micro
    )
    if offset and offset != "Z":
        hours, minutes = int(offset[1:3]), int(offset[-2:])
        shift = timedelta(hours=hours, minutes=minutes)
        return (naive - shift if offset[0] == "+" else naive + shift).replace(tzinfo=UTC)
    return naive.replace(tzinfo=UTC) if offset else _in_zone(naive, zone)


def settled(sent_at: datetime | None, captured_at: datetime | None) -> tuple[datetime | None, bool, datetime | None]:
    """Return (sent at, whether that was told, captured at): what cannot be is not believed.

    A record cannot be captured in the future nor sent a day after it was captured, and neither before EARLIEST_YEAR.
    """
    now = datetime.now(UTC)
    if captured_at and not (captured_at.year >= EARLIEST_YEAR and captured_at <= now + AHEAD):
        captured_at = None
    is_known = sent_at is not None and sent_at.year >= EARLIEST_YEAR and sent_at <= (captured_at or now) + AHEAD
    return (sent_at if is_known else captured_at), is_known, captured_at
