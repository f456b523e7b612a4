"""What the firm's page shows, and its files and the API with it: each table is read once and told alike."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from archive.models import Finding, Record, Source
from portal.people.models import Employee, Office
from portal.shares import percent
from portal.standing import knowledge, open_findings, outlook, past, people_table, places, rules, trend

SHOWN = 6  # of the open findings, the soonest due


@dataclass(frozen=True)
class Share:
    """One department or office. ``pk`` None: people in none; ``depth``: how far down in the tree of departments."""

    pk: int | None
    name: str
    depth: int
    people: int
    current: int
    lapsed: int
    barred: int
    open_findings: int

    @property
    def current_percent(self) -> int:
        return percent(self.current, self.people) or 0

    @property
    def in_address(self) -> int:
        return places.NOWHERE if self.pk is None else self.pk


@dataclass(frozen=True)
class Scope:
    """Which part of the firm the page is narrowed to. None: all of it; places.NOWHERE: who is in none."""

    department: int | None = None
    office: int | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "Scope":
        """Anything that is no number is left out rather than refused."""
        return cls(places.in_query(query, "department"), places.in_query(query, "office"))

    @property
    def is_narrowed(self) -> bool:
        return self != Scope()

    @property
    def of_department(self) -> str:
        """As it goes on in an address, empty where there is nothing to say. Likewise ``of_office`` and ``more``."""
        return "" if self.department is None else f"&department={self.department}"

    @property
    def of_office(self) -> str:
        return "" if self.office is None else f"&office={self.office}"

    @property
    def more(self) -> str:
        return self.of_department + self.of_office

    @property
    def query(self) -> str:
        return f"?{self.more[1:]}" if self.more else ""

    def conditions(self, of: str = "") -> Q:
        """Return the condition of people in it, for rows that reach them by ``of``."""
        found = Q()
        if self.department is not None:
            found &= places.in_department(self.department, of)
        if self.office is not None:
            found &= places.in_office(self.office, of)
        return found


WHOLE = Scope()


def page_of(viewer: Employee, today: date, scope: Scope = WHOLE) -> dict:
    """Return what the firm's page shows: everybody on staff, by department and office, and what is open.

    Narrowed to a part of the firm it shows the people of that part, and the findings about them.
    """
    people = Employee.objects.visible_to(viewer).on_staff(today).filter(scope.conditions())
    findings = Finding.objects.visible_to(viewer)
    if scope.is_narrowed:
        findings = findings.filter(scope.conditions("employee__"), employee__isnull=False)
    found = people_table.groups(people, today)
    opened = open_findings.groups(findings, today, timezone.get_default_timezone())
    by_place = open_findings.by_place(opened)
    by_state, tiles = people_table.counts(found), people_table.tiles(found, by_place.total())
    records = Record.objects.visible_to(viewer).filter(scope.conditions("employee__"))
    points = trend.points(None, trend.now_of(by_state, tiles.barred), today)
    silent = findings.open().filter(kind=Finding.Kind.SOURCE_SILENT, source=OuterRef("pk"))
    offices, tree = {one.pk: str(one) for one in Office.objects.all()}, places.Tree()
    return {
        "scope": scope,
        "every_department": tree.options(set(tree.names)),
        "every_office": sorted(offices.items(), key=lambda one: one[1]),
        "tiles": tiles,
        "forecast": outlook.forecast(found, today),
        "points": points,
        "chart": trend.chart(points),
        "reach": outlook.reach(people_table.heads(found), offices, records, today),
        "reach_month": outlook.reach_month(today),
        "ages": open_findings.ages(opened),
        "knowledge": knowledge.newest(),
        "first": past.first_day(),
        "matrix": people_table.matrix(by_state, people_table.Filters()),
        "columns": [rules.ArchiveState(column) for column in rules.COLUMNS],
        "departments": by_department(found, by_place, tree, scope.department),
        "offices": by_office(found, by_place, offices),
        "findings": findings.open().for_list()[:SHOWN],
        "finding_count": sum(group.findings for group in opened),
        "overdue_count": sum(group.findings for group in opened if group.is_overdue),
        "by_kind": open_findings.by_kind(opened, findings),
        "sources": Source.objects.annotate(is_silent=Exists(silent)).order_by("name"),
        "today": today,
    }


Groups = Iterable[people_table.Group]


def by_department(
    found: Groups, opened: Mapping[open_findings.Place, int], tree: places.Tree, top: int | None = None
) -> list[Share]:
    """Return each department with everybody in it and under it, the largest first, and under it its own.

    ``top``: the department to begin with; None: those at the top of the tree.
    """
    people, findings = defaultdict(list), Counter()
    for group in found:
        for pk in tree.up(group.department) or [None]:
            people[pk].append(group)
    for (department, _office), n in opened.items():
        for pk in tree.up(department) or [None]:
            findings[pk] += n

    def rows(pks: Iterable[int], depth: int) -> Iterable[Share]:
        shares = [_share(pk, tree.names[pk], depth, people[pk], findings[pk]) for pk in pks if pk in people]
        for share in sorted(shares, key=_largest):
            yield share
            yield from rows(tree.children(share.pk), depth + 1)

    nowhere = [_share(None, places.NO_NAME, 0, people[None], findings[None])] if None in people else []
    return [*rows([top] if top else tree.children(None), 0), *nowhere]


def by_office(found: Groups, opened: Mapping[open_findings.Place, int], names: Mapping[int, str]) -> list[Share]:
    """Return each office with its people by state, the largest first."""
    people, findings = defaultdict(list), Counter()
    for group in found:
        people[group.office].append(group)
    for (_department, office), n in opened.items():
        findings[office] += n
    shares = [_share(pk, names.get(pk, places.NO_NAME), 0, mine, findings[pk]) for pk, mine in people.items()]
    return sorted(shares, key=_largest)


def _largest(share: Share) -> tuple[int, str]:
    return -share.people, share.name


def _share(pk: int | None, name: str, depth: int, mine: Groups, findings: int) -> Share:
    return Share(
        pk=pk,
        name=name,
        depth=depth,
        people=sum(group.people for group in mine),
        current=sum(group.people for group in mine if group.training in rules.ROWS["current"]),
        lapsed=sum(group.people for group in mine if group.training in people_table.LATE),
        barred=sum(group.people for group in mine if group.may_message is False),
        open_findings=findings,
    )
