"""One batch of lines into the database: messages, who took part, what they point at. Few queries a batch."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings

from archive import merkle, policy, rules, sealing
from archive.models import Attachment, Batch, Conflict, Import, Message, Participant, SetAside, Source, Unmatched
from archive.services import bulk, hearing, holes, joining
from archive.services.due import mark_due
from archive.services.flagging import keep_words
from archive.services.identities import known, ways_of
from archive.services.overtaking import keep_copies, overtake
from archive.services.rows import COLUMNS, Row, Written, built, values_of
from archive.services.sorting import Id, Sorted, id_of, sort
from archive.sources.base import CONSENT, CONTENT, RECALL, Aside, Captured
from portal.ledger import services as ledger

ROWS = 400  # of the wide tables in one statement; the database wrapper makes it less where it must


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
    keep_words(written, now)
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
        map(rules.fold, {handle for one in kept for handle in (one.sender, *one.recipients) if handle}),
        channels={one.channel or source.channel for one in kept},
        lacks_zeros=ways.lacks_zeros,
    )
    written = [built(source, batch, leaf, one, people, ways) for leaf, one in enumerate(kept)]
    for one, pk in zip(written, bulk.next_pks(Message, len(fresh)), strict=False):
        one.row.pk = pk
    bulk.insert(Message, COLUMNS, (values_of(one.row) for one in written[: len(fresh)]))
    overtake(dict(zip(overtaken, written[len(fresh) :], strict=True)))
    keep_copies((pk, source, batch, leaf, one) for leaf, (pk, one) in enumerate(copies, start=len(kept)))
    return batch, written


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
