"""How the firm, and each manager's line, stood at the end of each month: counted from history, once and for good."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from archive import calendars
from portal.people.models import Employee
from portal.shares import percent
from portal.standing import history, rules
from portal.standing.models import MonthEnd, StandingChange

MONTHS = 12  # that a page shows, and that are counted if they have not been yet
FIRM = None


@dataclass
class Count:
    """People on staff, and how many of them were in each state."""

    people: int = 0
    current: int = 0
    lapsed: int = 0
    clean: int = 0
    breach: int = 0
    barred: int = 0

    def add(self, training: str, archive: str, may_message: bool) -> None:
        self.people += 1
        self.current += training in rules.ROWS["current"]
        self.lapsed += training in rules.ROWS["lapsed"]
        self.clean += archive == rules.ArchiveState.CLEAN
        self.breach += archive == rules.ArchiveState.BREACH
        self.barred += not may_message


def take(today: date) -> int:
    """Count the ends of the last months that are not counted yet. Return how many were.

    Nothing is counted of a time before the first standing. Two at once, or one that is killed, do no harm.
    """
    months = calendars.months_before(calendars.month_of(today), MONTHS)
    known = set(MonthEnd.objects.filter(manager=FIRM, month__in=months).values_list("month", flat=True))
    missing = sorted(set(months) - known)
    return sum(_count(month) for month in missing)


@transaction.atomic
def _count(month: date) -> bool:
    moment = calendars.day_begins(calendars.next_month(month), timezone.get_default_timezone()) - timedelta.resolution
    if not StandingChange.objects.filter(at__lte=moment).exists():
        return False
    counts: dict[int | None, Count] = defaultdict(Count)
    rows = list(
        history.at(moment).values_list(
            "employee_id", "manager_id", "is_on_staff", "training_state", "archive_state", "may_message"
        )
    )
    above = {who: manager for who, manager, *_rest in rows}
    for who, _manager, is_on_staff, *states in rows:
        if is_on_staff:
            for one in _line_up(who, above):
                counts[one].add(*states)
    MonthEnd.objects.bulk_create(
        [
            MonthEnd(month=month, manager_id=who, **dict(zip(_FIELDS, astuple(count), strict=True)))
            for who, count in counts.items()
        ],
        batch_size=100,
        ignore_conflicts=True,
    )
    return True


_FIELDS = ("people", "current", "lapsed", "clean", "breach", "barred")


def _line_up(who: int, above: dict[int, int | None]) -> Iterator[int | None]:
    """Yield the firm and everybody above the person. A circle, which reporting lines never have, would end."""
    yield FIRM
    seen, at = {who}, above.get(who)
    while at is not None and at not in seen:
        yield at
        seen.add(at)
        at = above.get(at)


# --- what the pages show


@dataclass(frozen=True)
class Point:
    """One month, or today (``month`` None). Shares in whole percent, None where there was nobody."""

    month: date | None
    people: int
    current: int
    lapsed: int
    clean: int
    breach: int
    barred: int

    @property
    def last_day(self) -> date | None:
        """The day whose page shows the people behind the figures."""
        return calendars.last_day(self.month) if self.month else None

    @property
    def current_percent(self) -> int | None:
        return percent(self.current, self.people)

    @property
    def barred_percent(self) -> int | None:
        return percent(self.barred, self.people)


def points(manager: Employee | None, now: Count, today: date) -> list[Point]:
    """Return the counted ends of the last twelve months, oldest first, and ``now`` at the end. One query."""
    months = calendars.months_before(calendars.month_of(today), MONTHS)
    counted = MonthEnd.objects.filter(manager=manager, month__in=months).order_by("month")
    rows = [Point(one.month, *(getattr(one, name) for name in _FIELDS)) for one in counted]
    return [*rows, Point(None, *astuple(now))]


def now_of(by_state: dict[tuple[str, str], int], barred: int) -> Count:
    """Return the count of today from (training state, archive state) → people."""
    found = Count()
    for (training, archive), people in by_state.items():
        one = Count()
        one.add(training, archive, may_message=True)
        for name in _FIELDS:
            setattr(found, name, getattr(found, name) + getattr(one, name) * people)
    found.barred = barred
    return found


WIDTH, HEIGHT, TOP, BASE = 560, 150, 12, 128


@dataclass(frozen=True)
class Line:
    """One line of the chart: ``path`` for an SVG polyline, and (x, y) of each point."""

    name: str
    path: str
    dots: list[tuple[int, int]]


@dataclass(frozen=True)
class Chart:
    lines: list[Line]
    ticks: list[tuple[int, int]]  # (percent, y)
    months: list[tuple[int, date | None]]  # (x, month)
    width: int = WIDTH
    height: int = HEIGHT


def chart(found: list[Point]) -> Chart | None:
    """Return the two shares as lines over time; None while there is but one point."""
    if len(found) < 2:
        return None
    step = (WIDTH - 70) / (len(found) - 1)
    xs = [round(40 + step * n) for n in range(len(found))]
    lines = []
    for name in ("current", "barred"):
        shares = [getattr(one, f"{name}_percent") for one in found]
        dots = [(x, _y(share)) for x, share in zip(xs, shares, strict=True) if share is not None]
        lines.append(Line(name, " ".join(f"{x},{y}" for x, y in dots), dots))
    every = max(1, -(-len(found) // 7))  # a label to every second month or so; today has one anyway
    named = [
        (x, one.month) for n, (x, one) in enumerate(zip(xs, found, strict=True)) if (len(found) - 1 - n) % every == 0
    ]
    return Chart(lines, [(percent, _y(percent)) for percent in (0, 50, 100)], named)


def _y(percent: int) -> int:
    return round(BASE - (BASE - TOP) * percent / 100)
