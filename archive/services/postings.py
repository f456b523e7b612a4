"""Under which law employees worked when: kept in step with the offices that HR names."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from archive.models import Posting
from portal.people.models import Employee

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK = 5000


@transaction.atomic
def sync_postings(*, now: datetime | None = None) -> int:
    """Note where everybody works as of now, where that is news. Return how many moved.

    Run hourly and before each disposal: a move counts from when it was seen here. Who has no office keeps what was
    known.
    """
    now = now or timezone.now()
    newest = Posting.objects.filter(employee=OuterRef("pk")).order_by("-since")
    people = (
        Employee.objects.filter(office__isnull=False)
        .annotate(was=Subquery(newest.values("jurisdiction")[:1]))
        .filter(Q(was=None) | ~Q(was=F("office__jurisdiction")))
    )
    moved = [
        Posting(employee_id=pk, jurisdiction=place, since=now if was else BEGINNING)
        for pk, place, was in people.values_list("pk", "office__jurisdiction", "was").iterator(chunk_size=CHUNK)
    ]
    Posting.objects.bulk_create(moved, ignore_conflicts=True, batch_size=400)
    return len(moved)


def at(who: str, moment: str) -> Coalesce:
    """Return the expression for where an employee worked at a moment, both named as fields of the row.

    The newest posting that had begun; before the first look, the present office.
    """
    begun = Posting.objects.filter(employee=OuterRef(who), since__lte=OuterRef(moment)).order_by("-since")
    return Coalesce(Subquery(begun.values("jurisdiction")[:1]), F(f"{who}__office__jurisdiction"))


@dataclass(frozen=True)
class Places:
    """Where some employees worked when."""

    spans: dict[int, list[tuple[datetime, str]]]  # newest first
    present: dict[int, str | None]  # by the office now, for who has no posting

    @classmethod
    def of(cls, employees: Iterable[int]) -> "Places":
        ids = sorted(set(employees))
        spans: dict[int, list[tuple[datetime, str]]] = defaultdict(list)
        rows = Posting.objects.filter(employee__in=ids).order_by("-since")
        for who, since, place in rows.values_list("employee_id", "since", "jurisdiction"):
            spans[who].append((since, place))
        untold = [one for one in ids if one not in spans]
        present = Employee.objects.filter(pk__in=untold).values_list("pk", "office__jurisdiction")
        return cls(dict(spans), dict(present))

    def on(self, employee: int, moment: datetime) -> str | None:
        """Return the jurisdiction, None where none is known."""
        if employee not in self.spans:
            return self.present.get(employee)
        return next((place for since, place in self.spans[employee] if since <= moment), None)


def in_use() -> set[str]:
    """Return the jurisdictions under which anybody has ever worked."""
    told = set(Posting.objects.values_list("jurisdiction", flat=True).distinct())
    return told | set(untold().values_list("office__jurisdiction", flat=True).distinct())


def untold() -> QuerySet[Employee]:
    """People with an office of whom no posting is noted yet."""
    return Employee.objects.filter(~Exists(Posting.objects.filter(employee=OuterRef("pk"))), Q(office__isnull=False))
