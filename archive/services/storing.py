"""One batch of lines into the database: messages, who took part, what they point at. Few queries a batch."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple

from django.conf import settings

from archive import lexicon, merkle, policy, rules, sealing
from archive.lexicon import Hit, Lexicon
from archive.models import (
    Attachment,
    Batch,
    Conflict,
    Delivery,
    Import,
    Message,
    MessageText,
    Participant,
    Recall,
    SetAside,
    Signal,
    Source,
    Unmatched,
)
from archive.models.messages import PartyKind
from archive.services import bulk, hearing, holding, holes, joining, lexicons
from archive.services.due import mark_due
from archive.services.identities import Known, Ways, forget_unmatched, known, ways_of
from archive.services.sorting import Id, Sorted, id_of, sort
from archive.sources.base import CONSENT, CONTENT, RECALL, Aside, Captured
from portal.ledger import services as ledger

OWN_CARD = "account-offered"  # the lexicon's rule that a handed-over card counts as
ROWS = 400  # of the wide tables in one statement; the database wrapper makes it less where it must


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


_values = attrgetter(*(column.name for column in fields(Row)))
_COLUMNS = ["id" if column.name == "pk" else column.name.removesuffix("_id") for column in fields(Row)]


@dataclass(slots=True)
class Written:
    """A message row and the line it came from."""

    row: Row
    line: Captured
    parties: list[Party] = field(default_factory=list)
    keeps_words: bool = False  # those that were kept before stay, for a hold holds them


def store(run: Import, source: Source, items: list[Captured | Aside], *, by: str, now: datetime) -> Sorted:
    """Store one batch in the caller's transaction and return what became of its lines.

    ``run`` and ``source`` are locked; what they count and how far they reach is set on them but not yet saved.
    """
    sorting = sort(source, items)
    _asides(run, sorting.asides, now)
    batch, written = _messages(run, source, sorting, items)
    pks = {id_of(one.line, source): one.row.pk for one in written}
    _conflicts(run, source, sorting, pks)
    _participants(source, written)
    _attachments(written)
    _words(written, now)
    joining.join(source, [one.row for one in written], {one.row.pk: one.line for one in written})
    joining.pulled_earlier(sorting.pulled_earlier)
    joining.told_recalled(sorting.recalled)
    _due(written)
    _reach(run, source, [one.row for one in written], [one for _pk, one in sorting.copies])
    holes.make_present(source, sorting.seqs)
    if batch:
        _seal(run, source, batch, by)
    return sorting


def _asides(run: Import, asides: Iterable[Aside], now: datetime) -> None:
    """Keep where each line is and why it was not taken; its bytes as long as flagged words, if the firm keeps any."""
    seal = sealing.seal if settings.ARCHIVE_TEXT != "none" else lambda _raw: (None, "")
    until = now + timedelta(days=policy.current().text_days) if settings.ARCHIVE_TEXT == "flagged" else None
    SetAside.objects.bulk_create(
        [
            SetAside(
                run=run,
                line_no=one.place.line,
                offset=one.place.offset,
                length=one.length,
                reason=one.reason,
                **dict(zip(("sealed", "key_id"), seal(one.raw), strict=True)),
                digest=hashlib.sha256(one.raw).hexdigest(),
                delete_after=until,
                maybe_seq=one.maybe_seq,
            )
            for one in asides
        ],
        batch_size=50,
    )


def _messages(
    run: Import, source: Source, sorting: Sorted, items: list[Captured | Aside]
) -> tuple[Batch | None, list[Written]]:
    """Write the batch, its messages and its copies of others. Return it and the messages; None and [] of nothing new.

    Every delivered record that is new is a leaf: the messages that are new, those whose better copy this is, and the
    copies of what is here.
    """
    fresh, overtaken, copies = list(sorting.fresh.values()), sorting.overtaken, sorting.copies
    leaves = [*fresh, *overtaken.values(), *(one for _pk, one in copies)]
    if not leaves:
        return None, []
    batch = Batch.objects.create(
        run=run,
        number=run.batch_no,
        first_line=items[0].place.line,
        last_line=items[-1].place.line,
        count=len(leaves),
        root=merkle.root([one.fingerprint for one in leaves]),
        entry_seq=0,
    )
    kept = leaves[: len(fresh) + len(overtaken)]
    ways = ways_of(source, run.uid)
    people = known(
        (rules.fold(handle) for one in kept for handle in (one.sender, *one.recipients) if handle),
        channels={one.channel or source.channel for one in kept},
        lacks_zeros=ways.lacks_zeros,
    )
    written = [_built(source, batch, leaf, one, people, ways) for leaf, one in enumerate(kept)]
    for one, pk in zip(written, bulk.next_pks(Message, len(fresh)), strict=False):
        one.row.pk = pk
    bulk.insert(Message, _COLUMNS, (_values(one.row) for one in written[: len(fresh)]))
    _overtake(dict(zip(overtaken, written[len(fresh) :], strict=True)))
    _copies((pk, source, batch, leaf, one) for leaf, (pk, one) in enumerate(copies, start=len(kept)))
    return batch, written


def _overtake(better: dict[int, Written]) -> None:
    """Let each message be what its better copy says. What was kept of it so far becomes a Delivery."""
    if not better:
        return
    before = Message.objects.in_bulk(better)
    _deliveries(
        (
            pk,
            old.source_id,
            old.batch_id,
            old.leaf,
            old.line_no,
            old.seq,
            old.fingerprint,
            old.captured_at,
            old.error_code,
        )
        for pk, old in before.items()
    )
    parties = Participant.objects.filter(message__in=better)
    strangers = set(parties.filter(kind=PartyKind.UNKNOWN).values_list("message__source", "handle_folded"))
    mark_due(set(parties.exclude(employee=None).exclude(sent_at=None).values_list("employee_id", "sent_at")))
    for old in before.values():
        if old.category == CONSENT:
            joining.unsay(old)
    texts, held = MessageText.objects.filter(message__in=better), holding.held_among(better)
    kept = set(texts.filter(message__in=held).values_list("pk", flat=True))
    for rows in (parties, *(model.objects.filter(message__in=better) for model in _OF_ITS_WORDS)):
        rows.delete()
    texts.exclude(pk__in=kept).delete()
    for pk, one in better.items():
        told = [at for at in (before[pk].recalled_at, one.row.recalled_at) if at]
        one.row.pk, one.row.recalled_at, one.keeps_words = pk, min(told, default=None), pk in kept
        one.row.as_message.save(force_update=True)
    forget_unmatched(strangers)


_OF_ITS_WORDS = (Signal, Attachment, Recall)  # written anew from the better copy, and so are words that no hold keeps


def _copies(copies: Iterable[tuple[int, Source, Batch, int, Captured]]) -> None:
    _deliveries(
        (pk, source.pk, batch.pk, leaf, one.place.line, one.seq, one.fingerprint, one.captured_at, one.error)
        for pk, source, batch, leaf, one in copies
    )


def _deliveries(rows: Iterable[tuple]) -> None:
    columns = ("message", "source", "batch", "leaf", "line_no", "seq", "fingerprint", "captured_at", "error_code")
    bulk.insert(Delivery, columns, rows)


def _seal(run: Import, source: Source, batch: Batch, by: str) -> None:
    """Write the Entry of the batch: last, for every writer of the ledger waits for this one until it has ended."""
    entry = ledger.append(
        verb="archive.batch_imported",
        actor=by,
        subject="system:archive",
        body={
            "source": source.name,
            "import": run.uid,
            "feed": run.digest,
            "batch": run.batch_no,
            "lines": [batch.first_line, batch.last_line],
            "count": batch.count,
            "root": batch.root.hex(),
        },
    )
    Batch.objects.filter(pk=batch.pk).update(entry_seq=entry.seq)


def _built(source: Source, batch: Batch, leaf: int, one: Captured, people: Known, ways: Ways) -> Written:
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
    at, fold, who, parties = one.sent_at, rules.fold, people.who, []
    seen: set[str] = set()
    if one.sender:
        parties.append(Party(SENDER, one.sender, fold(one.sender), *who(one.sender, at, channel, ways)))
    for handle in one.recipients:
        folded = fold(handle)
        if folded not in seen:
            seen.add(folded)
            parties.append(Party(RECIPIENT, handle, folded, *who(handle, at, channel, ways)))
    return parties


def _conflicts(run: Import, source: Source, sorting: Sorted, pks: dict[Id, int]) -> None:
    Conflict.objects.bulk_create(
        [
            Conflict(
                kind=kind,
                source=source,
                run=run,
                line_no=one.place.line,
                offset=one.place.offset,
                msgid=one.msgid,
                seq=one.seq,
                msgtype=one.msgtype,
                sender=one.sender,
                sent_at=one.sent_at,
                fingerprint=one.fingerprint,
                first_id=first if isinstance(first, int) else pks.get(first),
            )
            for kind, one, first in sorting.contradictions
        ],
        ignore_conflicts=True,  # the same contradiction again is the same
        batch_size=ROWS,
    )


def _participants(source: Source, written: list[Written]) -> None:
    strangers: dict[str, Unmatched] = {}
    rows, ready = [], bulk.ready_moments()
    for one in written:
        pk, sent_at = one.row.pk, ready(one.row.sent_at)
        for party in one.parties:
            rows.append((pk, *party, sent_at))
            if party.kind == "unknown" and party.folded not in strangers:
                strangers[party.folded] = Unmatched(source=source, handle=party.handle, handle_folded=party.folded)
    columns = ("message", "role", "handle", "handle_folded", "kind", "employee", "sent_at")
    bulk.insert(Participant, columns, rows, are_ready=True)
    Unmatched.objects.bulk_create(strangers.values(), ignore_conflicts=True, batch_size=ROWS)


def _attachments(written: list[Written]) -> None:
    rows = (
        (one.row.pk, number, file.media_type, file.size, file.digest)
        for one in written
        for number, file in enumerate(one.line.files, start=1)
    )
    bulk.insert(Attachment, ("message", "number", "media_type", "size", "digest"), rows)


def _words(written: list[Written], now: datetime) -> None:
    """Look at the words in passing: keep the hits, and the text only where the firm's setting says so."""
    words, signals, texts = lexicons.active(), [], []
    keeps_flagged_only = settings.ARCHIVE_TEXT != "all"
    for one in written:
        if one.line.category != CONTENT:
            continue
        kept: list[tuple[Hit, bool]] = []
        if one.row.sender_kind != PartyKind.ROBOT:
            kept += [(hit, False) for hit in lexicon.signals(_hits(one, words))]
            if one.line.forwarded_text:
                kept += [(hit, True) for hit in lexicon.signals(words.judge(one.line.forwarded_text))]
        elif not one.line.whole:
            continue
        if not kept and keeps_flagged_only and not one.line.whole:
            continue
        signals += [_signal(one.row, hit, forwarded, words.version) for hit, forwarded in kept]
        if not one.keeps_words and (why := _why_keep(one.line, any(not forwarded for _hit, forwarded in kept))):
            sealed, key_id = sealing.seal(one.line.whole or (one.line.own_text or one.line.forwarded_text).encode())
            # Without a finding it goes after a while; services.findings lets it stay where one opens.
            until = now + timedelta(days=policy.current().text_days) if why == MessageText.Why.SIGNAL else None
            texts.append(MessageText(message_id=one.row.pk, sealed=sealed, key_id=key_id, why=why, delete_after=until))
    Signal.objects.bulk_create(signals, batch_size=ROWS)
    MessageText.objects.bulk_create(texts, batch_size=ROWS)


def _hits(one: Written, words: Lexicon) -> list[Hit]:
    hits = words.judge(one.line.own_text, with_contact=one.row.is_external) if one.line.own_text else []
    rule = words.rule(OWN_CARD)
    if rule and _hands_over_own_card(one):
        hits.append(words.without_words(rule, with_contact=one.row.is_external))
    return hits


def _hands_over_own_card(one: Written) -> bool:
    """An employee gave an outside contact the card of an account outside the firm that is nobody's here."""
    card, row = one.line.card_of, one.row
    return (
        bool(card)
        and row.sender_kind == PartyKind.EMPLOYEE
        and row.is_external
        and rules.kind_by_shape(card) == PartyKind.CONTACT
        and card not in row.contacts
    )


def _signal(row: Row, hit: Hit, is_forwarded: bool, version: str) -> Signal:
    return Signal(
        message_id=row.pk,
        sent_at=row.sent_at,
        rule=hit.rule,
        kind=hit.kind,
        weight=hit.weight,
        start=hit.start,
        end=hit.end,
        language=hit.language,
        is_forwarded=is_forwarded,
        lexicon_version=version,
    )


def _why_keep(line: Captured, has_signal: bool) -> str | None:
    if not (line.own_text or line.forwarded_text or line.whole) or settings.ARCHIVE_TEXT == "none":
        return None
    if line.whole:
        return MessageText.Why.UNKNOWN
    if settings.ARCHIVE_TEXT == "all":
        return MessageText.Why.POLICY
    return MessageText.Why.SIGNAL if has_signal and line.own_text else None


def _due(written: list[Written]) -> None:
    mark_due(
        (party.employee, one.row.sent_at)
        for one in written
        if one.row.sent_at and one.row.category in (CONTENT, RECALL, CONSENT)
        for party in one.parties
        if party.employee
    )


def _reach(run: Import, source: Source, rows: list[Row], copies: list[Captured]) -> None:
    """Move what the import says of its messages' first and last moments, and the source of all that it delivered."""
    both = [*rows, *copies]
    captured = [one.captured_at for one in both if one.captured_at]
    for about, ones in ((run, rows), (source, both)):
        sent = [one.sent_at for one in ones if one.sent_at and one.category == CONTENT]
        about.first_sent_at = min((at for at in (about.first_sent_at, *sent) if at), default=None)
        about.last_sent_at = max((at for at in (about.last_sent_at, *sent) if at), default=None)
    hearing.hear(source, (one.sent_at for one in both if one.sent_at))
    source.last_captured_at = max((at for at in (source.last_captured_at, *captured) if at), default=None)
