"""When something is owed: plain values in, plain values out, ``today`` an argument.

Every date is the last day on which one is on time, in the office of the person. Nothing here knows a zone or a row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.people.calendars import after_working_days, working_days
from training import rules
from training.audiences import Days, Membership

DAY = timedelta(days=1)
LEAST_WORKING_DAYS = 5  # rules.LEAST_DAYS, where a rule counts working days
LONG_LEAVE = 10  # working days: a leave of that many moves a due date by its days, a shorter one does not


class DueKind(models.TextChoices):
    DAYS = "days", _("so many days after joining or the start of the rule")
    WORKING_DAYS = "working_days", _("so many working days of the office after joining or the start of the rule")
    DATE = "date", _("on a date; who joins later has so many days")


class RenewalKind(models.TextChoices):
    COUNTED = "counted", _("so many months after each completion")
    ROLLING = "rolling", _("so many months on, and finishing early inside the window keeps the anniversary")
    SEASON = "season", _("each year in a fixed season")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a version of a rule says, but whom it is for.

    ``renewal_months``: None: as the course says. ``window_days``: a renewal opens that long before the completion
    lapses. ``season``: (first, last), each (month, day). ``applied_on``: the day on which everybody was last looked at.
    """

    rule: int
    name: str
    version: int
    starts_on: date
    due_kind: str = DueKind.DAYS
    due_days: int = 30
    due_date: date | None = None
    renewal_kind: str = RenewalKind.COUNTED
    renewal_months: int | None = None
    window_days: int = rules.RENEWAL_DAYS
    season: tuple[tuple[int, int], tuple[int, int]] | None = None
    grace_days: int = 0
    applied_on: date | None = None
    asks: Membership = field(default=lambda person: True, compare=False)


# --- the first time ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A due date with what it was reckoned from. ``what``: joined, start, entered, material, lapses, season, rejoined.

    ``is_least``: the date would have been sooner, but nobody is late on the day they are told.
    """

    due_on: date
    what: str
    counted_on: date
    is_least: bool = False


def first_due(terms: Terms, *, joined_on: date | None, created_on: date, jurisdiction: str, today: date) -> Reckoned:
    """Return when somebody who owes the course for the first time owes it by, told today.

    Counted from joining or from the rule's start, whichever is later. Somebody at whom the rule has already been
    looking, and who is in its audience only now, moved into it: for them it is counted from today.
    """
    what, begins = "start", terms.starts_on
    if joined_on and joined_on > begins:
        what, begins = "joined", joined_on
    seen = terms.applied_on
    if seen and created_on < seen and begins < seen:
        what, begins = "entered", today
    return counted(terms, what, begins, jurisdiction, today)


def counted(terms: Terms, what: str, begins: date, jurisdiction: str, today: date) -> Reckoned:
    """Return the due date that the rule gives when it is counted from ``begins``, never sooner than the least time."""
    n = terms.due_days
    if terms.due_kind == DueKind.WORKING_DAYS:
        due = after_working_days(begins, n, jurisdiction)
        least = after_working_days(today, min(n, LEAST_WORKING_DAYS), jurisdiction)
    else:
        due, least = begins + n * DAY, today + min(n, rules.LEAST_DAYS) * DAY
        if terms.due_kind == DueKind.DATE:
            due = terms.due_date if what == "start" else max(terms.due_date, due)
    return Reckoned(max(due, least), what, begins, due < least)


# --- again -------------------------------------------------------------------------------------------------------


def season_from(day: date, first: tuple[int, int], last: tuple[int, int]) -> Days:
    """Return the season that is on that day, or else the next one. It may run over the end of a year."""
    for year in (day.year - 1, day.year, day.year + 1, day.year + 2):
        ends = _on(year + (last < first), last)
        if ends >= day:
            return _on(year, first), ends
    raise AssertionError(day)  # a season ends in each year


def _on(year: int, month_day: tuple[int, int]) -> date:
    """29 February is the 28th in a year that has none."""
    try:
        return date(year, *month_day)
    except ValueError:
        return date(year, month_day[0], 28)


def expires_on(completed_on: date, months: int, terms: Terms | None = None, lapses_on: date | None = None) -> date:
    """Return the last day on which a completion counts. ``lapses_on``: of the completion before it; None: none.

    rolling   inside the window the anniversary is kept: it counts ``months`` on from the day the old one would have
              lapsed. Earlier or later than that it counts from the day of completion, as it does for ``counted``.
    season    what is completed in a season, or inside the window before it, counts until the end of the next one;
              what is completed between seasons counts until the end of the coming one.
    """
    if terms is None:
        return rules.expires_on(completed_on, months)
    if terms.renewal_kind == RenewalKind.SEASON and terms.season:
        first, last = season_from(completed_on, *terms.season)
        is_served = completed_on >= first - terms.window_days * DAY
        return season_from(last + DAY, *terms.season)[1] if is_served else last
    months = terms.renewal_months or months
    is_rolling = terms.renewal_kind == RenewalKind.ROLLING
    if is_rolling and lapses_on and lapses_on - terms.window_days * DAY <= completed_on <= lapses_on:
        return rules.expires_on(lapses_on + DAY, months)
    return rules.expires_on(completed_on, months)


def opens_on(terms: Terms, lapses_on: date) -> date:
    """Return the day on which the renewal of a completion that counts until ``lapses_on`` is assigned."""
    if terms.renewal_kind == RenewalKind.SEASON and terms.season:
        first, _last = season_from(lapses_on, *terms.season)
        if first <= lapses_on:
            return first
    return lapses_on - terms.window_days * DAY


def renewal_due(terms: Terms, lapses_on: date, today: date) -> Reckoned:
    """Return when the renewal is due: when the completion lapses, never sooner than LEAST_DAYS from today."""
    what = "season" if terms.renewal_kind == RenewalKind.SEASON else "lapses"
    due = rules.renewal_due_on(expires_on=lapses_on, today=today)
    return Reckoned(due, what, lapses_on, due > lapses_on)


# --- away --------------------------------------------------------------------------------------------------------


def after_leave(due_on: date, assigned_on: date, leaves: Iterable[Days], jurisdiction: str) -> tuple[date, int]:
    """Return (the due date moved by long leaves, by how many working days).

    A leave counts if it is of LONG_LEAVE working days or more, begins by the due date as moved so far, and is not over
    when the cycle begins; then the date moves by its working days from that beginning on. Who comes back has as many
    working days left as they had when they went.
    """
    moved = 0
    for first, last in sorted(leaves):
        if first > due_on or last < assigned_on or len(working_days(first, last, jurisdiction)) < LONG_LEAVE:
            continue
        away = len(working_days(max(first, assigned_on), last, jurisdiction))
        due_on, moved = after_working_days(due_on, away, jurisdiction), moved + away
    return due_on, moved


# --- which of several rules --------------------------------------------------------------------------------------


def earliest(found: Sequence[tuple[Reckoned, Terms]]) -> tuple[Reckoned, Terms]:
    """Return what gives the earliest due date; of the same date, the older rule."""
    return min(found, key=lambda pair: (pair[0].due_on, pair[1].rule))
