"""The table of people that managers, HR and compliance read: training beside the archive, person by person."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from archive.models import Finding
from portal.people.models import Employee, ReportingLine
from portal.shares import percent
from portal.standing import outlook, places, rules
from portal.standing.models import Standing
from training import services as training
from training.rules import State


@dataclass(frozen=True)
class ModuleTitle:
    title: str
    short: str  # its number, for the head of a narrow column


def module_titles() -> list[ModuleTitle]:
    """Return the modules of the course that heads the table, in order."""
    return [ModuleTitle(title, str(n)) for n, title in enumerate(training.module_titles(), start=1)]


@dataclass(frozen=True)
class Row:
    employee: Employee
    standing: Standing | None
    marks: list["training.ModuleMark"]


@dataclass(frozen=True)
class Cell:
    row: str
    column: str
    count: int
    tone: str
    is_chosen: bool


LATE, SOON = (State.OVERDUE, State.EXPIRED), (State.DUE_SOON,)
TRAINING: dict[str, tuple[str, ...]] = {**rules.ROWS, "late": LATE, "soon": SOON}  # what the table can be narrowed to


@dataclass(frozen=True)
class Filters:
    """What the page was asked for. Anything unknown is left out rather than refused.

    ``text`` may be a name, so it comes in the body of a request and never stands in an address.
    """

    text: str = ""
    row: str = ""
    column: str = ""
    department: int | None = None
    office: int | None = None
    lapses: int | None = None  # within so many days
    kept: str = ""  # what the archive holds of the last full month: yes, no, silent
    may: str = ""  # no: those who may not message clients
    finding: str = ""  # a kind of which something is open about them
    below: str = ""  # the uid of somebody to whom they report, directly or through others

    @classmethod
    def from_query(cls, query, *, text: str, sees_archive: bool) -> "Filters":
        row, column = query.get("training", ""), query.get("archive", "")
        lapses = places.in_query(query, "lapses")
        return cls(
            text=text.strip()[:80],
            row=row if row in TRAINING else "",
            column=column if column in rules.COLUMNS and sees_archive else "",
            department=places.in_query(query, "department"),
            office=places.in_query(query, "office"),
            lapses=lapses if lapses in outlook.HORIZONS else None,
            kept=kept if (kept := query.get("kept", "")) in outlook.KEPT and sees_archive else "",
            may="no" if query.get("may") == "no" and sees_archive else "",
            finding=kind if (kind := query.get("finding", "")) in Finding.Kind.values and sees_archive else "",
            below=query.get("below", "")[:32],
        )

    @property
    def is_narrowed(self) -> bool:
        return self != Filters()

    @property
    def has_more(self) -> bool:
        """Whether any is set of those that the page keeps folded."""
        return bool(self.lapses or self.kept or self.finding or self.below) or self.office is not None

    def apply(self, people: QuerySet[Employee]) -> QuerySet[Employee]:
        if self.text:
            people = people.filter(
                Q(name_en__icontains=self.text) | Q(name_zh__icontains=self.text) | Q(employee_no__iexact=self.text)
            )
        if self.row:
            people = people.filter(standing__training_state__in=TRAINING[self.row])
        if self.column:
            people = people.filter(standing__archive_state=self.column)
        if self.department is not None:
            people = people.filter(places.in_department(self.department))
        if self.office is not None:
            people = people.filter(places.in_office(self.office))
        if self.lapses:
            people = people.filter(outlook.lapses_within(self.lapses, timezone.localdate(), "standing__"))
        if self.kept:
            people = people.filter(outlook.is_kept(self.kept, timezone.localdate()))
        if self.may:
            people = people.filter(standing__may_message=False)
        if self.finding:
            about = Finding.objects.open().filter(employee=OuterRef("pk"), kind=self.finding)
            people = people.filter(Exists(about))
        if self.below:
            lines = ReportingLine.objects.filter(report=OuterRef("pk"), manager__uid=self.below)
            people = people.filter(Exists(lines))
        return people


TONES = {
    ("current", "clean"): "good",
    ("current", "attention"): "warn",
    ("current", "no_data"): "none",
    ("due", "clean"): "good",
    ("due", "attention"): "warn",
    ("due", "no_data"): "none",
    ("lapsed", "clean"): "warn",
    ("lapsed", "no_data"): "warn",
}


def rows(people: Iterable[Employee]) -> list[Row]:
    """Return a row for each of a page of people, in constant queries."""
    people = list(people)
    standings = {s.employee_id: s for s in Standing.objects.filter(employee__in=people)}
    marks = training.module_marks([person.pk for person in people])
    return [Row(person, standings.get(person.pk), marks.get(person.pk, [])) for person in people]


@dataclass(frozen=True)
class Group:
    """So many people of one department and office who stand the same. ``may_message`` None: no standing yet."""

    department: int | None
    office: int | None
    training: str | None
    archive: str | None
    may_message: bool | None
    people: int
    lapses: tuple[int, ...]  # how many of them will lapse within each of outlook.HORIZONS


def groups(people: QuerySet[Employee], today: date) -> list[Group]:
    """Return everybody, counted by where they are and how they stand: every figure of a page adds these up. One query,
    however many people.
    """
    by = ("department", "office", "standing__training_state", "standing__archive_state", "standing__may_message")
    ahead = {
        f"in_{days}": Count("pk", filter=outlook.lapses_within(days, today, "standing__")) for days in outlook.HORIZONS
    }
    counted = people.order_by().values_list(*by).annotate(people=Count("pk"), **ahead)
    return [Group(*row[: -len(ahead)], lapses=row[-len(ahead) :]) for row in counted]


def heads(found: Iterable[Group]) -> Counter[int | None]:
    """Return how many of these people each office has."""
    by_office: Counter[int | None] = Counter()
    for group in found:
        by_office[group.office] += group.people
    return by_office


def counts(found: Iterable[Group]) -> dict[tuple[str, str], int]:
    """Return how many of these people are in each (training state, archive state)."""
    by_state: dict[tuple[str, str], int] = defaultdict(int)
    for group in found:
        if group.training is not None:
            by_state[group.training, group.archive] += group.people
    return dict(by_state)


def matrix(by_state: dict[tuple[str, str], int], chosen: Filters) -> list[tuple[str, list[Cell]]]:
    """Return the rows of the matrix, training downward and the archive across."""

    def cell(row: str, column: str) -> Cell:
        count = sum(by_state.get((state, column), 0) for state in rules.ROWS[row])
        tone = TONES.get((row, column), "bad") if count else "none"
        return Cell(row, column, count, tone, (chosen.row, chosen.column) == (row, column))

    return [(row, [cell(row, column) for column in rules.COLUMNS]) for row in rules.ROWS]


@dataclass(frozen=True)
class Tiles:
    people: int
    current: int
    current_percent: int | None  # None for nobody
    lapsed: int
    due_soon: int
    barred: int
    open_findings: int  # that this viewer may see


def tiles(found: Collection[Group], open_findings: int) -> Tiles:
    """Return the figures over these people. ``open_findings``: those that the viewer may see."""

    def having(*states: str) -> int:
        return sum(group.people for group in found if group.training in states)

    total = sum(group.people for group in found)
    current = having(*rules.ROWS["current"])
    return Tiles(
        people=total,
        current=current,
        current_percent=percent(current, total),
        lapsed=having(*LATE),
        due_soon=having(*SOON),
        barred=sum(group.people for group in found if group.may_message is False),
        open_findings=open_findings,
    )
