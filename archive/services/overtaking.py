"""Copies of messages that are here: each is kept as a Delivery, and of all copies the best one is the message."""

from collections.abc import Iterable

from archive.models import Attachment, Batch, Delivery, Message, MessageText, Participant, Recall, Signal, Source
from archive.models.messages import PartyKind
from archive.services import bulk, holding, joining
from archive.services.due import mark_due
from archive.services.identities import forget_unmatched
from archive.services.rows import Written
from archive.sources.base import CONSENT, Captured


def overtake(better: dict[int, Written]) -> None:
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


def keep_copies(copies: Iterable[tuple[int, Source, Batch, int, Captured]]) -> None:
    _deliveries(
        (pk, source.pk, batch.pk, leaf, one.place.line, one.seq, one.fingerprint, one.captured_at, one.error)
        for pk, source, batch, leaf, one in copies
    )


def _deliveries(rows: Iterable[tuple]) -> None:
    columns = ("message", "source", "batch", "leaf", "line_no", "seq", "fingerprint", "captured_at", "error_code")
    bulk.insert(Delivery, columns, rows)
