"""What the lexicon finds in the words of a batch, looked at in passing: hits are kept, text only where it may be."""

from datetime import datetime, timedelta

from django.conf import settings

from archive import lexicon, policy, rules, sealing
from archive.lexicon import Hit, Lexicon
from archive.models import MessageText, Signal
from archive.models.messages import PartyKind
from archive.services import lexicons
from archive.services.rows import Row, Written
from archive.sources.base import CONTENT, Captured

ROWS = 400  # in one statement
OWN_CARD = "account-offered"  # the lexicon's rule that a handed-over card counts as


def keep_words(written: list[Written], now: datetime) -> None:
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
    if _hands_over_own_card(one) and (rule := words.rule(OWN_CARD)):
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
