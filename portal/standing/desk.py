"""The review queue: filters that live in the address, in the order in which things are due."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from archive import casework
from archive.models import Finding, SampleItem
from portal.people.models import Employee, is_on_staff
from portal.standing import open_findings, places

STATES = ("open", "new", "confirmed", "dismissed", "closed", "all")
DUE = ("", "overdue", "week")
WHOSE = ("", "mine", "nobody", "second")
SORTS = {"due": ("due_on", "-severity", "pk"), "newest": ("-opened_at", "-pk"), "weight": ("-severity", "due_on", "pk")}
PEOPLE = Q(employee__isnull=False)


@dataclass(frozen=True)
class Filters:
    """What the page was asked for. Anything unknown is left out rather than refused."""

    state: str = "open"
    kind: str = ""
    due: str = ""
    whose: str = ""
    about: str = ""  # people, those of them on staff, or feeds
    department: int | None = None
    office: int | None = None
    age: str = ""
    sort: str = "due"

    @classmethod
    def from_query(cls, query) -> "Filters":
        def one_of(name: str, choices, default: str = "") -> str:
            value = query.get(name, default)
            return value if value in choices else default

        return cls(
            state=one_of("state", STATES, "open"),
            kind=one_of("kind", Finding.Kind.values),
            due=one_of("due", DUE),
            whose=one_of("whose", WHOSE),
            about=one_of("about", ("people", "staff", "feeds")),
            department=places.in_query(query, "department"),
            office=places.in_query(query, "office"),
            age=one_of("age", ("", *open_findings.AGES)),
            sort=one_of("sort", SORTS, "due"),
        )

    @classmethod
    def of_line(cls, query) -> "Filters":
        """What a manager may ask for: who works on a finding and about whom else there are some is not theirs."""
        return replace(cls.from_query(query), whose="", about="")

    @property
    def query(self) -> str:
        """The filters as an address has them, without those that are as usual."""
        usual = Filters()
        return urlencode({name: value for name, value in vars(self).items() if value != getattr(usual, name)})

    @property
    def has_more(self) -> bool:
        """Whether any is set of those that the page keeps folded."""
        usual = Filters()
        return replace(self, state="open", kind="", due="") != usual

    def with_(self, **changed) -> str:
        return replace(self, **changed).query

    def apply(self, findings: QuerySet[Finding], viewer: Employee, today: date) -> QuerySet[Finding]:
        if self.state == "open":
            findings = findings.filter(state__in=Finding.OPEN)
        elif self.state != "all":
            findings = findings.filter(state=self.state)
        if self.kind:
            findings = findings.filter(kind=self.kind)
        if self.due == "overdue":
            findings = findings.filter(due_on__lt=today, state__in=Finding.OPEN)
        elif self.due == "week":
            findings = findings.filter(due_on__gte=today, due_on__lte=today + timedelta(days=7))
        if self.whose == "mine":
            findings = findings.filter(claimed_by=viewer)
        elif self.whose == "nobody":
            findings = findings.filter(claimed_by=None)
        elif self.whose == "second":
            findings = findings.filter(wants_second_look(viewer))
        if self.about == "staff":
            findings = findings.filter(is_on_staff(today, "employee__"))
        elif self.about:
            findings = findings.filter(employee__isnull=self.about == "feeds")
        if self.department is not None:
            findings = findings.filter(PEOPLE, places.in_department(self.department, "employee__"))
        if self.office is not None:
            findings = findings.filter(PEOPLE, places.in_office(self.office, "employee__"))
        if self.age:
            findings = findings.filter(open_findings.of_age(self.age, today, timezone.get_default_timezone()))
        return findings.order_by(*SORTS[self.sort])


def queue(viewer: Employee, filters: Filters, today: date) -> QuerySet[Finding]:
    rows = filters.apply(Finding.objects.visible_to(viewer), viewer, today)
    return rows.select_related("employee__department", "source", "claimed_by")


def found(rows: QuerySet[Finding], text: str) -> QuerySet[Finding]:
    """Return the findings about whom or what the text names: a person by name or number, or an id of the archive."""
    if not text:
        return rows
    people = Employee.objects.filter(
        Q(name_en__icontains=text) | Q(name_zh__icontains=text) | Q(employee_no__iexact=text)
    )
    by_id = Q(uid=text) | Q(facts__handle__iexact=text) | Q(facts__contact=text) | Q(message__msgid=text)
    return rows.filter(Q(employee__in=people) | by_id)


def line(manager: Employee, filters: Filters, today: date) -> QuerySet[Finding]:
    """Return the findings about the people on staff below a manager: what the tile of their team counts."""
    people = Employee.objects.below(manager).on_staff(today)
    rows = filters.apply(Finding.objects.visible_to(manager).filter(employee__in=people), manager, today)
    return rows.select_related("employee__department", "employee__office")


@dataclass(frozen=True)
class Waiting:
    """What waits for compliance besides findings."""

    silent_feeds: int
    samples: int  # messages of monthly samples that nobody has reviewed


def waiting() -> Waiting:
    """Two queries."""
    silent = Finding.objects.open().filter(kind=Finding.Kind.SOURCE_SILENT)
    return Waiting(
        silent_feeds=silent.values("source").distinct().count(),
        samples=SampleItem.objects.filter(reviewer=None, message__isnull=False).count(),
    )


@dataclass(frozen=True)
class Work:
    """A pile on a reviewer's desk: its filters as an address has them, and how many findings lie there."""

    key: str
    query: str
    findings: int


def work_of(reviewer: Employee, today: date) -> list[Work]:
    """Return what waits for a reviewer, each pile with the filters that list it. One query."""
    piles = {
        "mine": (Filters(whose="mine"), Q(claimed_by=reviewer)),
        "second": (Filters(whose="second"), wants_second_look(reviewer)),
        "overdue": (Filters(due="overdue"), Q(due_on__lt=today)),
        "open": (Filters(), Q()),
    }
    counted = {key: Count("pk", filter=condition) for key, (_filters, condition) in piles.items()}
    found = Finding.objects.visible_to(reviewer).open().order_by().aggregate(**counted)
    return [Work(key, filters.query, found[key]) for key, (filters, _condition) in piles.items()]


def wants_second_look(reviewer: Employee) -> Q:
    """Return the condition of findings that another has confirmed and that need a second pair of eyes."""
    mine = Q(decided_by=reviewer, decided_by__isnull=False)
    return Q(state=Finding.State.CONFIRMED, seconded_by=None, kind__in=casework.NEEDS_SECOND) & ~mine


def after(finding: Finding, viewer: Employee, filters: Filters, today: date) -> Finding | None:
    """Return the next finding of the queue in its own order, after the last the first; None if it is alone."""
    rows = filters.apply(Finding.objects.visible_to(viewer).exclude(pk=finding.pk), viewer, today)
    return rows.filter(_later(finding, SORTS[filters.sort])).first() or rows.first()


def _later(finding: Finding, order: tuple[str, ...]) -> Q:
    """Return the condition of rows that come after the finding in the order."""
    found, same = Q(), Q()
    for field in order:
        name = field.removeprefix("-")
        value = getattr(finding, name)
        found |= same & Q(**{f"{name}__{'lt' if field.startswith('-') else 'gt'}": value})
        same &= Q(**{name: value})
    return found
