"""What a delivered record becomes: the row of its message and who took part, as plain values."""

from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from archive import rules
from archive.models import Batch, Message, Participant, Source
from archive.services.identities import Known, Ways
from archive.sources.base import Captured

# Plain text: what sqlite3 must look up the type of for every value is slow.
SENDER, RECIPIENT = Participant.Role.SENDER.value, Participant.Role.RECIPIENT.value


class Party(NamedTuple):
    role: str
    handle: str
    folded: str
    kind: str
    employee: int | None


@dataclass(slots=True)
class Row:
    """A row of Message, column by column: a model instance of each would cost as much as inserting it."""

    source_id: int
    batch_id: int
    leaf: int
    line_no: int
    channel: str
    seq: int | None
    msgid: str
    category: str
    msgtype: str
    is_known_kind: bool
    sender: str
    sender_kind: str
    room: str
    sent_at: datetime | None
    sent_at_is_known: bool
    captured_at: datetime | None
    latency_seconds: int | None
    is_external: bool
    contacts: list[str]
    fingerprint: bytes
    publickey_ver: int | None
    media_refs: int
    media_missing: int
    error_code: int | None
    was_repaired: bool
    forwards_room: bool
    recalled_at: datetime | None = None
    pk: int = 0

    @property
    def as_message(self) -> Message:
        return Message(**{column.name: getattr(self, column.name) for column in fields(self)})


values_of = attrgetter(*(column.name for column in fields(Row)))
COLUMNS = ["id" if column.name == "pk" else column.name.removesuffix("_id") for column in fields(Row)]


@dataclass(slots=True)
class Written:
    """A message row and the line it came from."""

    row: Row
    line: Captured
    parties: list[Party] = field(default_factory=list)
    keeps_words: bool = False  # those that were kept before stay, for a hold holds them


def built(source: Source, batch: Batch, leaf: int, one: Captured, people: Known, ways: Ways) -> Written:
    channel = one.channel or source.channel
    parties = _parties(one, channel, people, ways)
    contacts = list(dict.fromkeys([party.handle for party in parties if party.kind == "contact"]))
    sender_kind = parties[0].kind if parties and parties[0].role == SENDER else "unknown"
    row = Row(
        source_id=source.pk,
        batch_id=batch.pk,
        leaf=leaf,
        line_no=one.place.line,
        channel=channel,
        seq=one.seq,
        msgid=one.msgid,
        category=one.category,
        msgtype=one.msgtype,
        is_known_kind=one.is_known_kind,
        sender=one.sender,
        sender_kind=sender_kind,
        room=one.room,
        sent_at=one.sent_at,
        sent_at_is_known=one.sent_at_is_known,
        captured_at=one.captured_at,
        latency_seconds=rules.latency_seconds(one.sent_at if one.sent_at_is_known else None, one.captured_at),
        is_external=bool(contacts),
        contacts=contacts,
        fingerprint=one.fingerprint,
        publickey_ver=one.publickey_ver,
        media_refs=min(one.media_refs, 32767),
        media_missing=min(one.media_missing, 32767),
        recalled_at=one.recalled_at,
        error_code=one.error,
        was_repaired=one.was_repaired,
        forwards_room=one.forwards_room,
    )
    return Written(row, one, parties)


def _parties(one: Captured, channel: str, people: Known, ways: Ways) -> list[Party]:
    at, fold, settled, parties = one.sent_at, rules.fold, people.settled(channel, ways), []
    seen: set[str] = set()
    if handle := one.sender:
        kind, employee = settled.get(handle) or people.who(handle, at, channel, ways)
        parties.append(Party(SENDER, handle, fold(handle), kind, employee))
    for handle in one.recipients:
        folded = fold(handle)
        if folded not in seen:
            seen.add(folded)
            kind, employee = settled.get(handle) or people.who(handle, at, channel, ways)
            parties.append(Party(RECIPIENT, handle, folded, kind, employee))
    return parties
