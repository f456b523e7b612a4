"""Are the rows that people rely on what the log says they must be? Every room may have that asked of its own tables.

A room describes a table by two functions: ``fold`` is pure, and says what the Entries about one person make of that
person's rows; ``rows`` reads the rows that are there. Both are compared, some people at a time. Named are rows that say
something else, rows that no Entry tells of, and rows that are told of and not there.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from portal.ledger import rules
from portal.ledger.findings import Fault
from portal.ledger.models import Entry

AT_A_TIME = 100  # people
MOST_NAMED = 100  # disagreements that are kept; of those beyond, only how many
LOOKS = 5  # at people whose rows changed while they were looked at

Key = tuple[str, ...]


class Told(NamedTuple):
    """An Entry that can still be read. ``said``: its Body."""

    seq: int
    at: datetime
    verb: str
    said: Mapping[str, Any]


@dataclass
class Record:
    """What Entries say of one row. ``fields``: {name: (what it must be, number of the Entry that says so)}.

    A field that no Entry tells of is not in it, and not compared. ``seq``: the Entry with which the row began.
    """

    seq: int
    fields: dict[str, tuple[Any, int]] = field(default_factory=dict)

    def tell(self, seq: int, **fields: object) -> None:
        self.fields |= {name: (value, seq) for name, value in fields.items()}


class Row(NamedTuple):
    """A row as it is stored: about whom, its name within that person's rows, what it says."""

    subject: str
    key: Key
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Near:
    """A moment that an Entry tells only by its own: the row was written within so much of it."""

    at: datetime
    within: timedelta

    def fits(self, found: datetime | None) -> bool:
        return found is not None and abs(found - self.at) <= self.within


@dataclass(frozen=True)
class Items:
    """A list of which older Entries told less than newer ones: what is told of each item must be so."""

    told: Sequence[Mapping[str, Any]]

    def fits(self, found: Sequence[Mapping[str, Any]]) -> bool:
        return len(found) == len(self.told) and all(
            name in row and row[name] == value
            for told, row in zip(self.told, found, strict=True)
            for name, value in told.items()
        )


@dataclass(frozen=True)
class Table:
    """``name``: one of findings.TABLES. ``begins``: verbs with which a row begins; ``goes_on``: verbs that change one.

    ``fold`` gets the Entries of these verbs about one person, in their order. ``rows`` gets the opaque ids of people.
    ``owners`` yields the ids of everybody who has a row.
    """

    name: str
    begins: tuple[str, ...]
    goes_on: tuple[str, ...]
    fold: Callable[[Sequence[Told]], dict[Key, Record]]
    rows: Callable[[Collection[str]], Iterable[Row]]
    owners: Callable[[], Iterable[str]]

    @property
    def verbs(self) -> tuple[str, ...]:
        return self.begins + self.goes_on


def compare(told: Mapping[Key, Record], rows: Mapping[Key, Mapping], *, lost: int, is_partial: bool) -> Iterator[Fault]:
    """Compare one person's rows with what the Entries say. A Fault of number 0 is a row that no Entry tells of.

    ``lost``: how many Entries that began a row can no longer be read, for what they said was disposed of by an order in
    the log. So many rows may be there untold. ``is_partial``: an Entry that changed a row cannot be read; what the rows
    say is not compared then.
    """
    for key, record in told.items():
        if key not in rows:
            yield Fault(record.seq, "row_gone", {"row": " ".join(key)})
            continue
        fields = {} if is_partial else record.fields
        wrong = {name: seq for name, (value, seq) in fields.items() if not _fits(value, rows[key].get(name))}
        if wrong:
            yield Fault(min(wrong.values()), "row_differs", {"row": " ".join(key), "fields": ", ".join(sorted(wrong))})
    untold = [key for key in rows if key not in told]
    if len(untold) > lost:
        yield from (Fault(0, "row_alone", {"row": " ".join(key)}) for key in untold)


def _fits(value: object, found: object) -> bool:
    return value.fits(found) if isinstance(value, Near | Items) else value == found


def of_people(table: Table, subjects: Collection[str]) -> Iterator[Fault]:
    """Compare the rows of these people. What changes meanwhile is looked at again: every change has its Entry."""
    waiting = set(subjects)
    for _look in range(LOOKS):
        before = _newest(table, waiting)
        found = list(_looked_at(table, waiting))
        after = _newest(table, waiting) if found else before
        moved = {one.detail["of"] for one in found} & {who for who in waiting if before.get(who) != after.get(who)}
        yield from (one for one in found if one.detail["of"] not in moved)
        waiting = moved
        if not waiting:
            return


def _newest(table: Table, subjects: Collection[str]) -> dict[str, int]:
    """Return {person: the newest Entry about them of the table's verbs}."""
    rows = Entry.objects.filter(subject__in=subjects, verb__in=table.verbs).order_by("seq")
    return dict(rows.values_list("subject", "seq"))


def _looked_at(table: Table, subjects: Collection[str]) -> Iterator[Fault]:
    entries = Entry.objects.filter(subject__in=subjects, verb__in=table.verbs).order_by("seq")
    told: defaultdict[str, list[Told]] = defaultdict(list)
    unread: defaultdict[str, list[str]] = defaultdict(list)
    columns = ("seq", "at", "verb", "subject", "body__content")
    for seq, at, verb, subject, content in entries.values_list(*columns):
        if content is None:
            unread[subject].append(verb)
        else:
            told[subject].append(Told(seq, at, verb, rules.read(bytes(content))))
    rows: defaultdict[str, dict[Key, Mapping]] = defaultdict(dict)
    for row in table.rows(subjects):
        rows[row.subject][row.key] = row.fields
    for subject in sorted(told.keys() | rows.keys()):
        lost = sum(verb in table.begins for verb in unread[subject])
        about = {"lost": lost, "is_partial": len(unread[subject]) > lost}
        for fault in compare(table.fold(told[subject]), rows[subject], **about):
            yield Fault(fault.seq, fault.code, {"table": table.name, "of": subject, **fault.detail})


class Comparison:
    """All tables that LEDGER_TABLES names, some people at a time; can be put down and taken up again.

    ``after``: only people about whom there are Entries after this one; 0: everybody, and rows without any Entry.
    """

    def __init__(self, after: int, state: dict | None = None) -> None:
        state = state or {"table": 0, "person": "", "named": [], "count": 0}
        self.after = after
        self.table, self.person, self.count = state["table"], state["person"], state["count"]
        self.named = [Fault(**one) for one in state["named"]]
        self._waiting: list[str] | None = None

    def state(self) -> dict:
        named = [{"seq": one.seq, "code": one.code, "detail": one.detail} for one in self.named]
        return {"table": self.table, "person": self.person, "named": named, "count": self.count}

    @property
    def is_finished(self) -> bool:
        return self.table >= len(settings.LEDGER_TABLES)

    def advance(self) -> int:
        """Compare the next people, and return how many they were."""
        table: Table = import_string(settings.LEDGER_TABLES[self.table])
        if self._waiting is None:
            self._waiting = [who for who in self._everybody(table) if who > self.person]
        people, self._waiting = self._waiting[:AT_A_TIME], self._waiting[AT_A_TIME:]
        for fault in of_people(table, people):
            self.count += 1
            self.named.append(fault)
        self.named = sorted(self.named, key=lambda one: (one.seq == 0, one.seq))[:MOST_NAMED]
        if self._waiting:
            self.person = people[-1]
        else:
            self.table, self.person, self._waiting = self.table + 1, "", None
        return len(people)

    def _everybody(self, table: Table) -> list[str]:
        """Return whom to look at, in order. One id a person is held, however long the log is."""
        entries = Entry.objects.filter(verb__in=table.verbs, seq__gt=self.after)
        found = set(entries.order_by().values_list("subject", flat=True).distinct().iterator())
        return sorted(found if self.after else found | set(table.owners()))

    def fault(self) -> Fault | None:
        """Return the first disagreement, with the others in its detail; None if there is none."""
        if not self.named:
            return None
        first, *others = self.named
        more = [{"seq": one.seq, "code": one.code, **one.detail} for one in others]
        return Fault(first.seq, first.code, {**first.detail, "count": self.count, "more": more})
