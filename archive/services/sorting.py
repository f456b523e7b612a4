"""What each line of a batch is, beside what is stored and what stood before it: new, known, or contradicting."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from archive.models import Conflict, Message, Source
from archive.sources.base import UNREADABLE, Aside, Captured


@dataclass(slots=True)
class Stored:
    """A message that is in the database already."""

    pk: int
    seq: int
    msgid: str
    category: str
    fingerprint: bytes
    captured_at: datetime | None


@dataclass
class Sorted:
    """The lines of one batch by what becomes of them. Every line is in exactly one count."""

    asides: list[Aside] = field(default_factory=list)
    fresh: dict[str, Captured] = field(default_factory=dict)  # by msgid: to be stored
    readable_at_last: dict[int, Captured] = field(default_factory=dict)  # by pk: was unreadable, is not any more
    pulled_earlier: dict[int, datetime] = field(default_factory=dict)  # by pk: a duplicate that was pulled before
    contradictions: list[tuple[str, Captured, int | str]] = field(default_factory=list)  # with pk or msgid of the first
    seqs: set[int] = field(default_factory=set)  # numbers that are present, whatever became of their line
    stored_categories: list[str] = field(default_factory=list)
    duplicates: int = 0

    @property
    def counts(self) -> dict[str, int]:
        kinds = {"content": "content", "recall": "recalls", "consent": "consents", "control": "control"}
        by_kind = {name: self.stored_categories.count(category) for category, name in kinds.items()}
        stored, asides, conflicts = len(self.stored_categories), len(self.asides), len(self.contradictions)
        return {
            "lines": stored + self.duplicates + conflicts + asides,
            "stored": stored,
            "duplicates": self.duplicates,
            "conflicts": conflicts,
            "set_aside": asides,
            **by_kind,
            "unreadable": self.stored_categories.count(UNREADABLE),
        }


def sort(source: Source, items: Iterable[Captured | Aside]) -> Sorted:
    """Sort the lines of a batch, in order. Reads the database twice, however long the batch."""
    items = list(items)
    lines = [one for one in items if isinstance(one, Captured)]
    sorting = _Sorting(source, lines)
    sorting.result.asides = [one for one in items if isinstance(one, Aside)]
    for one in lines:
        sorting.take(one)
    return sorting.result


class _Sorting:
    def __init__(self, source: Source, lines: list[Captured]) -> None:
        self.result = Sorted()
        columns = ("pk", "seq", "msgid", "category", "fingerprint", "captured_at")
        mine = Message.objects.filter(source=source)
        found = {
            row[0]: Stored(*row[:4], bytes(row[4]), row[5])
            for wanted in ({"msgid__in": {one.msgid for one in lines}}, {"seq__in": {one.seq for one in lines}})
            for row in mine.filter(**wanted).values_list(*columns)
        }
        self.by_msgid = {one.msgid: one for one in found.values()}
        self.taken = {one.seq: one.pk for one in found.values()}  # seq -> pk, or msgid of a line before in this batch

    def take(self, one: Captured) -> None:
        self.result.seqs.add(one.seq)
        if (before := self.result.fresh.get(one.msgid)) is not None:
            self._beside_fresh(one, before)
        elif (stored := self.by_msgid.get(one.msgid)) is not None:
            self._beside_stored(one, stored)
        elif one.seq in self.taken:
            self._contradicts(Conflict.Kind.NUMBER, one, self.taken[one.seq])
        else:
            self.result.fresh[one.msgid] = one
            self.taken[one.seq] = one.msgid
            self.result.stored_categories.append(one.category)

    def _beside_fresh(self, one: Captured, before: Captured) -> None:
        if one.category == UNREADABLE or one.fingerprint == before.fingerprint:
            self.result.duplicates += 1
            self.result.fresh[one.msgid] = earlier(before, one.captured_at)
        elif before.category == UNREADABLE:
            self.result.fresh[one.msgid] = replace(earlier(one, before.captured_at), seq=before.seq)
            self.result.stored_categories.append(one.category)
        else:
            self._contradicts(Conflict.Kind.CONTENT, one, one.msgid)

    def _beside_stored(self, one: Captured, stored: Stored) -> None:
        upgraded = self.result.readable_at_last.get(stored.pk)
        if one.category == UNREADABLE or one.fingerprint == (upgraded or stored).fingerprint:
            self.result.duplicates += 1
            if one.captured_at and (stored.captured_at is None or one.captured_at < stored.captured_at):
                stored.captured_at = self.result.pulled_earlier[stored.pk] = one.captured_at
        elif stored.category == UNREADABLE and upgraded is None:
            self.result.readable_at_last[stored.pk] = replace(earlier(one, stored.captured_at), seq=stored.seq)
            self.result.stored_categories.append(one.category)
        else:
            self._contradicts(Conflict.Kind.CONTENT, one, stored.pk)

    def _contradicts(self, kind: str, one: Captured, first: int | str) -> None:
        self.result.contradictions.append((kind, one, first))


def earlier(one: Captured, captured_at: datetime | None) -> Captured:
    """Return the record as first pulled: of two deliveries of one message the earlier moment counts."""
    if captured_at is None or (one.captured_at is not None and one.captured_at <= captured_at):
        return one
    sent_at = one.sent_at if one.sent_at_is_known else captured_at
    return replace(one, captured_at=captured_at, sent_at=sent_at)
