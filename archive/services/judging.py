"""What the passing of time brings to light about sources and people."""

import logging
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from archive import calendars
from archive.models import MessageText, SetAside, Source
from archive.retention import BadSchedules
from archive.services import (
    findings,
    holding,
    holes,
    integrity,
    marking,
    months,
    piecemeal,
    postings,
    records,
    sampling,
    schedules,
    silence,
    strangers,
)
from archive.services.consent_missing import judge_consent
from archive.services.plans import carry_out
from archive.services.staff_list import sync_identities
from archive.services.turns import take_turn
from portal.ledger import services as ledger

logger = logging.getLogger(__name__)

LATELY = timedelta(days=35)  # how far back the passing of a day is looked at


def refresh_findings(*, today: date | None = None, by: str = "system:archive") -> None:
    """Bring everything up to date that changes without an import: HR's list, passing days, ripe months, old text.

    ``today`` is for asking what another day brings. Safe to run at any time and twice: each part is a transaction of
    its own and finds nothing left to do.
    """
    now = timezone.now()
    if today is not None and today != timezone.localdate(now):
        now = calendars.day_begins(today, timezone.get_default_timezone())
    postings.sync_postings(now=now)
    try:
        schedules.note_schedules(by=by)
    except BadSchedules:  # nothing can be disposed of until it is mended, and everything else goes on
        logger.exception("the retention schedules cannot be used")
    records.note_policy(by=by)
    lately = timezone.localdate(now) - LATELY
    with transaction.atomic():
        touched = sync_identities(by=by, now=now)
        findings.open_for_signals(touched, by=by, now=now)
        for source in Source.objects.exclude(last_sent_at=None):
            last = piecemeal.last_day_over(source, timezone.localdate(now), now)
            openings, _messages = piecemeal.late_days(source, lately, last)
            findings.open_all(openings, by=by, now=now)
    _judge_strangers(by=by, now=now)
    _let_go_of_holes(by=by, now=now)
    with transaction.atomic():  # of its own: after an Entry it must not wait for rows that an import holds
        take_turn()
        marking.mark_seated_due(lately)
        marking.mark_stale_due(now)
        integrity.judge_log(by=by, now=now)
    silence.judge_silence(by=by, now=now)
    records.recompute_due(by=by, now=now)
    judge_consent(since=now - LATELY, by=by, now=now)
    months.count_due(now=now)
    sampling.draw_due(by=by, now=now)
    dispose_of_text(by=by, now=now)


def _judge_strangers(*, by: str, now: datetime) -> None:
    """Bring the findings about unmatched handles up to date in all sources, some at a time."""
    after, sources = 0, list(Source.objects.values_list("pk", flat=True))
    while after is not None:
        with transaction.atomic():
            take_turn()
            plan = strangers.matched(after, piecemeal.PIECE)
            carry_out([plan], by=by, now=now)
        after = plan.after
    after = 0
    while after is not None:
        with transaction.atomic():
            take_turn()
            plan = strangers.unmatched(sources, max(1, piecemeal.PIECE // 10))
            carry_out([plan], by=by, now=now)
        after = plan.after


def _let_go_of_holes(*, by: str, now: datetime) -> None:
    """Close what is still open about holes of sources whose numbers skip normally, some at a time."""
    for source in Source.objects.filter(is_contiguous=False):
        after = 0
        while after is not None:
            with transaction.atomic():
                take_turn()
                plan = holes.of_skipping(source, piecemeal.PIECE)
                carry_out([plan], by=by, now=now)
            after = plan.after


@transaction.atomic
def dispose_of_text(*, by: str, now: datetime) -> int:
    """Delete the words of messages and the bytes of set-aside lines whose time is over. Return how many messages.

    The messages, their proofs, and what is known of the lines stay. What a hold holds stays too and is looked at again
    a day later; of a line nobody knows whose it is, so a hold keeps all of its time.
    """
    holding.lock_sources()
    texts, asides = MessageText.objects.filter(delete_after__lt=now), SetAside.objects.filter(delete_after__lt=now)
    held = list(holding.held_among(texts.values_list("pk", flat=True)))
    for at in range(0, len(held), 1000):
        MessageText.objects.filter(pk__in=held[at : at + 1000]).update(delete_after=now + holding.A_DAY)
    held = holding.lines_held(asides)
    for at in range(0, len(held), 1000):
        SetAside.objects.filter(pk__in=held[at : at + 1000]).update(delete_after=now + holding.A_DAY)
    count, _by_model = texts.all().delete()
    lines = asides.all().update(sealed=None, key_id="", delete_after=None)
    if count or lines:
        body = {"messages": count, "set_aside": lines}
        ledger.append(verb="archive.text_disposed", actor=by, subject="system:archive", body=body)
    return count
