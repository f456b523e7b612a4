"""What the firm and a team should expect, and how far the archive reaches: counts, each with the rows behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from archive import calendars
from archive.models import Record
from portal.people.models import is_on_staff
from portal.shares import percent
from portal.standing import places

HORIZONS = (30, 60, 90)  # days
KEPT = ("yes", "no", "silent")  # what the archive holds of somebody in the last full month


@dataclass(frozen=True)
class Lapses:
    days: int
    until: date
    people: int


class Counted(Protocol):
    lapses: tuple[int, ...]  # within each of HORIZONS


def lapses_within(days: int, today: date, of: str = "") -> Q:
    """Return the condition of whose training is in order today and will not be within so many days by itself."""
    return Q(**{f"{of}lapses_on__gt": today, f"{of}lapses_on__lte": today + timedelta(days)})


def forecast(found: Iterable[Counted], today: date) -> list[Lapses]:
    """Return whose training is in order today, and of how many not within 30, 60 and 90 days if nobody does anything.

    Each counts those of the shorter ones too.
    """
    found = list(found)
    return [
        Lapses(days, today + timedelta(days), sum(group.lapses[n] for group in found))
        for n, days in enumerate(HORIZONS)
    ]


@dataclass(frozen=True)
class Reach:
    """How far the archive reaches in one office, in one month."""

    pk: int | None
    name: str
    people: int  # on staff today
    kept: int  # of them, with messages kept in the month
    silent: int  # of them, with a seat and silent in a way that calls for a question
    messages: int  # sent or received by them; one between two of them counts for both
    with_clients: int

    @property
    def kept_percent(self) -> int:
        return percent(self.kept, self.people) or 0


def reach_month(today: date) -> date:
    """Return the month that is asked how far the archive reaches: the last full one."""
    return calendars.months_before(calendars.month_of(today), 1)[0]


def is_kept(kept: str, today: date) -> Q:
    """Return the condition of people of whom the archive holds messages of that month, none, or a silent seat."""
    mine = Record.objects.filter(employee=OuterRef("pk"), month=reach_month(today))
    if kept == "silent":
        return Q(Exists(mine.filter(is_silent_seat=True)))
    has_some = Exists(mine.filter(captured__gt=0))
    return Q(has_some) if kept == "yes" else ~Q(has_some)


def reach(
    heads: Mapping[int | None, int], names: Mapping[int, str], records: QuerySet[Record], today: date
) -> list[Reach]:
    """Return for each office what the month's records say of its staff, largest first. One query.

    ``heads``: how many people are on the staff of each office today.
    """
    said = records.filter(is_on_staff(today, "employee__"), month=reach_month(today)).order_by()
    # Nothing but the columns of the index archive_record_reach, so that it alone is read.
    rows = {
        row["employee__office"]: row
        for row in said.values("employee__office").annotate(
            kept=Count("employee", filter=Q(captured__gt=0)),
            silent=Count("employee", filter=Q(is_silent_seat=True)),
            messages=Sum("captured"),
            with_clients=Sum("client_captured"),
        )
    }
    none = {"kept": 0, "silent": 0, "messages": 0, "with_clients": 0}
    return [
        Reach(pk, names.get(pk, places.NO_NAME), people, *(rows.get(pk, none)[key] for key in none))
        for pk, people in sorted(heads.items(), key=lambda head: (-head[1], names.get(head[0], "")))
    ]
