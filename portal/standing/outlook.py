"""What the firm and a team should expect, and how far the archive reaches: counts, each with the rows behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Count, Q, QuerySet, Sum

from archive import calendars
from archive.models import Finding, Record
from portal.people.models import Employee
from portal.standing.models import Standing, Stock
from training import services as training

HORIZONS = (30, 60, 90)  # days
AGES: dict[str, tuple[int, int | None]] = {  # days since a finding was opened, both included
    "week": (0, 7),
    "month": (8, 30),
    "quarter": (31, 90),
    "older": (91, None),
}


@dataclass(frozen=True)
class Lapses:
    days: int
    until: date
    people: int


def forecast(people: QuerySet[Employee], today: date) -> list[Lapses]:
    """Return how many are trained today and will not be within 30, 60 and 90 days if nobody does anything.

    Each counts those of the shorter ones too. One query.
    """
    ends = {days: today + timedelta(days) for days in HORIZONS}
    ahead = Standing.objects.filter(employee__in=people, lapses_on__gt=today, lapses_on__lte=max(ends.values()))
    counted = ahead.aggregate(**{f"in_{days}": Count("pk", filter=Q(lapses_on__lte=end)) for days, end in ends.items()})
    return [Lapses(days, end, counted[f"in_{days}"]) for days, end in ends.items()]


@dataclass(frozen=True)
class Age:
    key: str
    findings: int
    overdue: int


def ages(findings: QuerySet[Finding], today: date, zone) -> list[Age]:
    """Return how many of the open findings are how old, and how many of those are beyond their due date. One query."""
    asked = {}
    for key in AGES:
        asked[key] = Count("pk", filter=of_age(key, today, zone))
        asked[f"{key}_overdue"] = Count("pk", filter=of_age(key, today, zone) & Q(due_on__lt=today))
    counted = findings.open().order_by().aggregate(**asked)
    return [Age(key, counted[key], counted[f"{key}_overdue"]) for key in AGES]


def of_age(key: str, today: date, zone) -> Q:
    """Return the condition of findings opened so long ago, by the firm's days."""
    least, most = AGES[key]
    opened = Q(opened_at__lt=calendars.day_begins(today - timedelta(least - 1), zone))
    return opened if most is None else opened & Q(opened_at__gte=calendars.day_begins(today - timedelta(most), zone))


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
    def percent(self) -> int:
        return self.kept * 100 // self.people if self.people else 0


def reach(
    heads: Mapping[int | None, int], names: dict[int, str], people: QuerySet[Employee], month: date
) -> list[Reach]:
    """Return for each office what the month's records say of its people, largest first. One query.

    ``heads``: how many of these people each office has today.
    """
    said = Record.objects.filter(month=month, employee__in=people).order_by().values("employee__office")
    rows = {
        row["employee__office"]: row
        for row in said.annotate(
            kept=Count("pk", filter=Q(captured__gt=0)),
            silent=Count("pk", filter=Q(is_silent_seat=True)),
            messages=Sum("captured"),
            with_clients=Sum("client_captured"),
        )
    }
    none = {"kept": 0, "silent": 0, "messages": 0, "with_clients": 0}
    return [
        Reach(pk, names.get(pk, "–"), people, *(rows.get(pk, none)[key] for key in none))
        for pk, people in sorted(heads.items(), key=lambda head: (-head[1], names.get(head[0], "")))
    ]


@dataclass(frozen=True)
class Known:
    """How a module's first tries went in the whole firm."""

    title: str
    tried: int
    passed: int
    percent: int | None

    @property
    def passed_percent(self) -> int | None:
        return self.passed * 100 // self.tried if self.tried else None


def take_stock(today: date) -> bool:
    """Count what is counted once a day. Return whether it was not counted yet today."""
    if Stock.objects.filter(on=today).exists():
        return False
    rows = [
        {"slug": one.slug, "tried": one.tried, "passed": one.passed, "percent": one.percent}
        for one in training.first_tries()
    ]
    return Stock.objects.get_or_create(on=today, defaults={"first_tries": rows})[1]


def knowledge() -> tuple[date | None, list[Known]]:
    """Return (day of the count, each module of today's course in its order); (None, []) before the first count."""
    stock = Stock.objects.order_by("-on").first()
    if stock is None:
        return None, []
    counted = {one["slug"]: one for one in stock.first_tries}
    named = zip(training.module_slugs(), training.module_titles(), strict=True)
    return stock.on, [
        Known(title, one["tried"], one["passed"], one["percent"]) for slug, title in named if (one := counted.get(slug))
    ]
