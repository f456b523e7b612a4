"""What the list of imports was asked for, as it stands in its address."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import F, QuerySet
from django.http import QueryDict
from django.utils import timezone

from archive import calendars
from archive.models import Import, Intake

WAYS = (Import.Via.FILE, Import.Via.REPAIR)  # listed one by one; pushes are too many, and are folded by day


@dataclass(frozen=True)
class Filters:
    """Anything unknown is left out rather than refused."""

    source: str = ""
    way: str = ""
    state: str = ""
    on: date | None = None
    has_open_lines: bool = False

    @classmethod
    def from_query(cls, query: QueryDict) -> "Filters":
        source, way, state = (query.get(name, "") for name in ("source", "way", "state"))
        return cls(
            source=source[:50],
            way=way if way in Import.Via.values else "",
            state=state if state in Import.State.values else "",
            on=_day(query.get("on", "")),
            has_open_lines=bool(query.get("lines")),
        )

    @property
    def is_narrowed(self) -> bool:
        return self != Filters()

    @property
    def folds(self) -> bool:
        """Whether days are listed rather than imports: pushes, of no day in particular, in whatever state and
        with whatever lines."""
        return self.way == Import.Via.PUSH and self.on is None and not self.state and not self.has_open_lines

    def imports(self, imports: QuerySet[Import]) -> QuerySet[Import]:
        if self.way:
            imports = imports.filter(via=self.way)
        elif not self.has_open_lines:
            imports = imports.filter(via__in=WAYS)
        if self.has_open_lines:
            imports = imports.filter(set_aside__gt=F("asides_settled"))
        if self.source:
            imports = imports.filter(source__name=self.source)
        if self.state:
            imports = imports.filter(state=self.state)
        if self.on:
            zone = timezone.get_default_timezone()
            begins, ends = (calendars.day_begins(day, zone) for day in (self.on, self.on + timedelta(days=1)))
            imports = imports.filter(started_at__gte=begins, started_at__lt=ends)
        return imports

    def days(self) -> QuerySet[Intake]:
        """Return what was pushed by day and source, newest first."""
        days = Intake.objects.filter(via=Import.Via.PUSH).select_related("source").order_by("-day", "source__name")
        return days.filter(source__name=self.source) if self.source else days


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None
