"""The review queue: filters that live in the address, in the order in which things are due."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.models import Finding
from portal.people.models import Employee
from portal.standing import outlook

STATES = ("open", "new", "confirmed", "dismissed", "closed", "all")
DUE = ("", "overdue", "week")
WHOSE = ("", "mine", "nobody", "second")
SORTS = {"due": ("due_on", "-severity", "pk"), "newest": ("-opened_at", "-pk"), "weight": ("-severity", "due_on", "pk")}


@dataclass(frozen=True)
class Filters:
    """What the page was asked for. Anything unknown is left out rather than refused."""

    state: str = "open"
    kind: str = ""
    due: str = ""
    whose: str = ""
    about: str = ""  # people or feeds
    department: int | None = None
    office: int | None = None
    age: str = ""
    sort: str = "due"

    @classmethod
    def from_query(cls, query) -> "Filters":
        def one_of(name: str, choices, default: str = "") -> str:
            value = query.get(name, default)
            return value if value in choices else default

        def whole(name: str) -> int | None:
            value = query.get(name, "")
            return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None

        return cls(
            state=one_of("state", STATES, "open"),
            kind=one_of("kind", Finding.Kind.values),
            due=one_of("due", DUE),
            whose=one_of("whose", WHOSE),
            about=one_of("about", ("people", "feeds")),
            department=whole("department"),
            office=whole("office"),
            age=one_of("age", ("", *outlook.AGES)),
            sort=one_of("sort", SORTS, "due"),
        )

    @property
    def query(self) -> str:
        """The filters as an address has them, without those that are as usual."""
        usual = Filters()
        return urlencode({name: value for name, value in vars(self).items() if value != getattr(usual, name)})

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
            second = Q(state="confirmed", seconded_by=None, kind__in=("off_channel", "deletion_request"))
            findings = findings.filter(second).exclude(decided_by=viewer)
        if self.about:
            findings = findings.filter(employee__isnull=self.about == "feeds")
        if self.department:
            in_it = Q(employee__department=self.department) | Q(employee__department__parent=self.department)
            findings = findings.filter(in_it)
        if self.office:
            findings = findings.filter(employee__office=self.office)
        if self.age:
            findings = findings.filter(outlook.of_age(self.age, today, timezone.get_default_timezone()))
        return findings.order_by(*SORTS[self.sort])


def queue(viewer: Employee, filters: Filters, today: date) -> QuerySet[Finding]:
    rows = filters.apply(Finding.objects.visible_to(viewer), viewer, today)
    return rows.select_related("employee__department", "source", "claimed_by")


def after(finding: Finding, viewer: Employee, filters: Filters, today: date) -> Finding | None:
    """Return the next finding of the queue to look at, in the order of what is due; None at the end."""
    rows = filters.apply(Finding.objects.visible_to(viewer).exclude(pk=finding.pk), viewer, today)
    later = rows.filter(Q(due_on__gt=finding.due_on) | Q(due_on=finding.due_on, pk__gt=finding.pk))
    return later.order_by("due_on", "pk").first() or rows.order_by("due_on", "pk").first()
