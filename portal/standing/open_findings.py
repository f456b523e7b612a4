"""The open findings that somebody may see, counted once: every figure about them on a page adds these up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.db.models import BooleanField, Case, CharField, Count, Q, QuerySet, Value, When

from archive import calendars
from archive.models import Finding
from portal.people.models import is_on_staff

AGES: dict[str, tuple[int, int | None]] = {  # days since a finding was opened, both included
    "week": (0, 7),
    "month": (8, 30),
    "quarter": (31, 90),
    "older": (91, None),
}
Place = tuple[int | None, int | None]  # department, office


@dataclass(frozen=True)
class Group:
    """So many open findings of one kind and age. ``is_staff``: about somebody on staff, whose place it is."""

    kind: str
    department: int | None
    office: int | None
    is_staff: bool
    age: str
    is_overdue: bool
    findings: int


def groups(findings: QuerySet[Finding], today: date, zone: ZoneInfo) -> list[Group]:
    """Return the open ones of the findings, counted by what they are, whom they are about and how old. One query."""
    by = {
        "is_staff": Case(When(is_on_staff(today, "employee__"), then=True), default=False, output_field=BooleanField()),
        "age": Case(
            *(When(of_age(key, today, zone), then=Value(key)) for key in AGES),
            default=Value("week"),  # opened later than today ends: clocks that disagree
            output_field=CharField(),
        ),
        "is_overdue": Case(When(due_on__lt=today, then=True), default=False, output_field=BooleanField()),
    }
    counted = findings.open().order_by().annotate(**by)
    rows = counted.values_list("kind", "employee__department", "employee__office", *by).annotate(n=Count("pk"))
    return [Group(*row) for row in rows]


def of_age(key: str, today: date, zone: ZoneInfo) -> Q:
    """Return the condition of findings opened so long ago, by the firm's days."""
    least, most = AGES[key]
    opened = Q(opened_at__lt=calendars.day_begins(today - timedelta(least - 1), zone))
    return opened if most is None else opened & Q(opened_at__gte=calendars.day_begins(today - timedelta(most), zone))


@dataclass(frozen=True)
class Age:
    key: str
    findings: int
    overdue: int


def ages(found: Iterable[Group]) -> list[Age]:
    """Return how many of the open findings are how old, and how many of those are beyond their due date."""
    every: Counter[str] = Counter()
    overdue: Counter[str] = Counter()
    for group in found:
        every[group.age] += group.findings
        overdue[group.age] += group.findings if group.is_overdue else 0
    return [Age(key, every[key], overdue[key]) for key in AGES]


def by_place(found: Iterable[Group]) -> Counter[Place]:
    """Return how many are open about the staff of each department and office."""
    counted: Counter[Place] = Counter()
    for group in found:
        if group.is_staff:
            counted[group.department, group.office] += group.findings
    return counted


@dataclass(frozen=True)
class Kind:
    kind: str
    label: str
    open: int
    ever: int


def by_kind(found: Iterable[Group], findings: QuerySet[Finding]) -> list[Kind]:
    """Return each kind of finding that there has been, most open first. One query, which the index of kinds answers."""
    opened: Counter[str] = Counter()
    for group in found:
        opened[group.kind] += group.findings
    ever = findings.order_by().values_list("kind").annotate(n=Count("*"))
    rows = [Kind(kind, str(Finding.Kind(kind).label), opened[kind], n) for kind, n in ever]
    return sorted(rows, key=lambda one: (-one.open, -one.ever, one.kind))
