"""What each line of a batch is, beside what is stored and what stood before it: new, known, or contradicting."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from archive import rules
from archive.models import Conflict, Delivery, Message, Source
from archive.services import bulk, tombstones  # noqa: F401 - bulk brings the lookup among
from archive.sources.base import UNREADABLE, Aside, Captured

Id = tuple[str, str]  # what names a message for ever: its channel and its id there


def id_of(one: Captured, source: Source) -> Id:
    return one.channel or source.channel, one.msgid


@dataclass(slots=True)
class Stored:
    """A message that is in the database already, and the copies of it that this source has delivered before."""

    pk: int
    source: int
    source_kind: str
    channel: str
    msgid: str
    category: str
    captured_at: datetime | None
    mine: dict[bytes, bool] = field(default_factory=dict)  # fingerprint -> is readable


@dataclass
class Sorted:
    """The lines of one batch by what becomes of them. Every line is in exactly one count."""

    asides: list[Aside] = field(default_factory=list)
    fresh: dict[Id, Captured] = field(default_factory=dict)  # to be stored
    overtaken: dict[int, Captured] = field(default_factory=dict)  # by pk: this copy is the one to keep from now on
    copies: list[tuple[int, Captured]] = field(default_factory=list)  # with pk: another copy of what is here
    pulled_earlier: dict[int, datetime] = field(default_factory=dict)  # by pk: a duplicate that was pulled before
    recalled: dict[int, datetime] = field(default_factory=dict)  # by pk: a copy says that it was taken back then
    # With pk or id of the first; None: that was disposed of.
    contradictions: list[tuple[str, Captured, int | Id | None]] = field(default_factory=list)
    seqs: set[int] = field(default_factory=set)  # numbers that are present, whatever became of their line
    stored_categories: list[str] = field(default_factory=list)
    duplicates: int = 0
    became: list[str] = field(default_factory=list)  # of each line that is no aside, in order: stored, duplicate …

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
    """Sort the lines of a batch, in order. Reads the database five to seven times, however long the batch."""
    items = list(items)
    lines = [one for one in items if isinstance(one, Captured)]
    sorting = _Sorting(source, lines)
    sorting.result.asides = [one for one in items if isinstance(one, Aside)]
    for one in lines:
        sorting.result.became.append(sorting.take(one))
    return sorting.result


class _Sorting:
    def __init__(self, source: Source, lines: list[Captured]) -> None:
        self.source, self.result = source, Sorted()
        ids, seqs = {id_of(one, source) for one in lines}, {one.seq for one in lines} - {None}
        channels, msgids = {channel for channel, _msgid in ids}, {msgid for _channel, msgid in ids}
        columns = ("pk", "source_id", "source__kind", "channel", "msgid", "category", "captured_at")
        self.by_id: dict[Id, Stored] = {}
        self.taken: dict[int, int | Id] = {}  # seq -> pk, or id of a line before in this batch
        self.gone, self.gone_seqs = tombstones.disposed_of(source, ids, seqs)
        same_id = Message.objects.filter(channel__in=channels, msgid__among=msgids)
        for *row, seq, fingerprint in same_id.values_list(*columns, "seq", "fingerprint"):
            stored = Stored(*row)
            self.by_id[stored.channel, stored.msgid] = stored
            if stored.source == source.pk:
                stored.mine[bytes(fingerprint)] = stored.category != UNREADABLE
                self._take(seq, stored.pk)
        by_pk = {one.pk: one for one in self.by_id.values()}
        copies = Delivery.objects.filter(message__in=by_pk, source=source)
        for pk, seq, fingerprint, error in copies.values_list("message_id", "seq", "fingerprint", "error_code"):
            by_pk[pk].mine[bytes(fingerprint)] = error is None
            self._take(seq, pk)
        seqs = {seq for seq in seqs if seq <= (source.last_seq or 0)}  # a number above it has never come
        for model, key in ((Message, "pk"), (Delivery, "message_id")) if seqs else ():
            for seq, pk in model.objects.filter(source=source, seq__among=seqs).values_list("seq", key):
                self._take(seq, pk)

    def _take(self, seq: int | None, by: int | Id) -> None:
        if seq is not None:
            self.taken.setdefault(seq, by)

    def take(self, one: Captured) -> str:
        """Sort one line. Return what became of it: stored, duplicate or conflict."""
        result = self.result
        before = len(result.stored_categories), result.duplicates
        self._take_in(one)
        if len(result.stored_categories) > before[0]:
            return "stored"
        return "duplicate" if result.duplicates > before[1] else "conflict"

    def _take_in(self, one: Captured) -> None:
        if one.seq is not None:
            self.result.seqs.add(one.seq)
        key = id_of(one, self.source)
        if key in self.gone:
            self.result.duplicates += 1  # it was disposed of and does not come back
        elif (before := self.result.fresh.get(key)) is not None:
            self._beside_fresh(key, one, before)
        elif (stored := self.by_id.get(key)) is not None:
            self._beside_stored(one, stored)
        elif one.seq in self.taken:
            self._contradicts(Conflict.Kind.NUMBER, one, self.taken[one.seq])
        elif one.seq in self.gone_seqs:
            self._contradicts(Conflict.Kind.NUMBER, one, None)
        else:
            self.result.fresh[key] = one
            self._take(one.seq, key)
            self.result.stored_categories.append(one.category)

    def _beside_fresh(self, key: Id, one: Captured, before: Captured) -> None:
        if one.category == UNREADABLE or one.fingerprint == before.fingerprint:
            self.result.duplicates += 1
            self.result.fresh[key] = _recalled_by(earlier(before, one.captured_at), one.recalled_at)
        elif before.category == UNREADABLE:
            self.result.fresh[key] = replace(earlier(one, before.captured_at), seq=before.seq)
            self.result.stored_categories.append(one.category)
        else:
            self._contradicts(Conflict.Kind.CONTENT, one, key)

    def _beside_stored(self, one: Captured, stored: Stored) -> None:
        """Its first copy by this source, its first readable one, one delivered before, or a contradiction."""
        is_readable = one.category != UNREADABLE
        if one.recalled_at:
            self.result.recalled[stored.pk] = min(one.recalled_at, self.result.recalled.get(stored.pk, one.recalled_at))
        if one.fingerprint in stored.mine or (stored.mine and not is_readable):
            self.result.duplicates += 1
            self._pulled(one, stored)
        elif any(stored.mine.values()):
            self._contradicts(Conflict.Kind.CONTENT, one, stored.pk)
        elif self.taken.get(one.seq, stored.pk) != stored.pk:
            self._contradicts(Conflict.Kind.NUMBER, one, self.taken[one.seq])
        else:
            self._one_more_copy(one, stored, is_readable)

    def _one_more_copy(self, one: Captured, stored: Stored, is_readable: bool) -> None:
        stored.mine[one.fingerprint] = is_readable
        self._take(one.seq, stored.pk)
        was_dark = stored.category == UNREADABLE
        better = rules.outranks(self.source.kind, self.source.pk, stored.source_kind, stored.source)
        if is_readable and was_dark and stored.source == self.source.pk:
            self.result.stored_categories.append(one.category)  # the message is read at last
        else:
            self.result.duplicates += 1
        if is_readable and (was_dark or better):
            self.result.overtaken[stored.pk] = earlier(one, stored.captured_at)
            stored.category, stored.source, stored.source_kind = one.category, self.source.pk, self.source.kind
            stored.captured_at = self.result.overtaken[stored.pk].captured_at
        else:
            self.result.copies.append((stored.pk, one))
            self._pulled(one, stored)

    def _pulled(self, one: Captured, stored: Stored) -> None:
        if one.captured_at and (stored.captured_at is None or one.captured_at < stored.captured_at):
            stored.captured_at = one.captured_at
            if stored.pk in self.result.overtaken:
                self.result.overtaken[stored.pk] = earlier(self.result.overtaken[stored.pk], one.captured_at)
            else:
                self.result.pulled_earlier[stored.pk] = one.captured_at

    def _contradicts(self, kind: str, one: Captured, first: int | Id | None) -> None:
        self.result.contradictions.append((kind, one, first))


def _recalled_by(one: Captured, at: datetime | None) -> Captured:
    return one if at is None or (one.recalled_at and one.recalled_at <= at) else replace(one, recalled_at=at)


def earlier(one: Captured, captured_at: datetime | None) -> Captured:
    """Return the record as first pulled: of two deliveries of one message the earlier moment counts."""
    if captured_at is None or (one.captured_at is not None and one.captured_at <= captured_at):
        return one
    sent_at = one.sent_at if one.sent_at_is_known else captured_at
    return replace(one, captured_at=captured_at, sent_at=sent_at)
