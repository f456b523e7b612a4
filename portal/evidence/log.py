"""The whole log for those who may read it: filtered, newest first, in words, however long it is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.calendars import day_begins
from portal.evidence import labels, words
from portal.evidence.timeline import KINDS
from portal.ledger import rules
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee

SHOWN = 50
ROOMS = ("people", "hr", "scim", "training", "quizzes", "archive", "standing", "evidence", "ledger")


@dataclass(frozen=True)
class Filters:
    """What the address asks for; empty: anything. ``about`` and ``by`` are opaque ids, ``kind`` a kind or a room."""

    kind: str = ""
    about: str = ""
    by: str = ""
    first: date | None = None
    last: date | None = None
    before: int | None = None

    @classmethod
    def from_query(cls, query) -> "Filters":
        before = query.get("before", "")
        return cls(
            kind=query.get("kind", "") if query.get("kind") in (*KINDS, *ROOMS) else "",
            about=query.get("about", "")[:64],
            by=query.get("by", "")[:64],
            first=_day(query.get("from", "")),
            last=_day(query.get("to", "")),
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None,
        )

    def query(self, **change: object) -> str:
        told = {"kind": self.kind, "about": self.about, "by": self.by, "from": self.first, "to": self.last}
        return urlencode({name: value for name, value in (told | change).items() if value})

    @property
    def is_set(self) -> bool:
        return bool(self.query())


@dataclass(frozen=True)
class Row:
    entry: Entry
    sentence: str
    who: str
    about: str


def entries(filters: Filters) -> QuerySet[Entry]:
    """Return the Entries that fit, newest first. Every filter has an index, days become numbers."""
    rows = Entry.objects.order_by("-seq")
    if filters.kind in KINDS:
        rows = rows.filter(verb__in=KINDS[filters.kind][1])
    elif filters.kind:
        rows = rows.filter(verb__startswith=f"{filters.kind}.")
    if filters.about:
        rows = rows.filter(subject=filters.about)
    if filters.by:
        rows = rows.filter(actor=filters.by)
    if filters.first:
        rows = rows.filter(seq__gt=ledger.seq_at(_begins(filters.first) - timedelta.resolution))
    if filters.last:
        rows = rows.filter(seq__lte=ledger.seq_at(_begins(filters.last + timedelta(days=1)) - timedelta.resolution))
    if filters.before is not None:
        rows = rows.filter(seq__lt=filters.before)
    return rows


def page(filters: Filters, viewer: Employee) -> tuple[list[Row], int | None]:
    """Return a page of the log, and the number before which the next page begins, None at the end."""
    found = list(entries(filters).select_related("body")[: SHOWN + 1])
    more = found[SHOWN - 1].seq if len(found) > SHOWN else None
    return told(found[:SHOWN], viewer), more


def told(found: list[Entry], viewer: Employee) -> list[Row]:
    """Return Entries in words, with the names of who did it and about whom."""
    said = {one.seq: rules.read(bytes(one.body.content)) if hasattr(one, "body") else None for one in found}
    titles = words.titles_for(body for body in said.values() if body)
    names = labels.names({uid for one in found for uid in (one.actor, one.subject)}, viewer)
    return [
        Row(
            entry=one,
            sentence=str(labels.LABELS.get(one.verb) or words.say(one.verb, said[one.seq], titles)),
            who=names.get(one.actor, one.actor),
            about=names.get(one.subject, one.subject),
        )
        for one in found
    ]


def person(text: str, viewer: Employee) -> Employee | None:
    """Return who has the employee number or e-mail, if the viewer may see them."""
    text = text.strip()
    people = Employee.objects.visible_to(viewer)
    return people.filter(Q(employee_no=text) | Q(email__iexact=text)).first() if text else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(2000, 1, 1) <= day < date(2200, 1, 1) else None


def _begins(day: date) -> datetime:
    return day_begins(day, timezone.get_default_timezone())
