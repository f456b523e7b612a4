"""What an import, or the passing of time, brings to light about sources and people."""

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from archive import calendars, policy, rules
from archive.consent import UNKNOWN, Words
from archive.models import (
    Conflict,
    Finding,
    Import,
    Message,
    MessageText,
    Participant,
    Record,
    SetAside,
    Signal,
    Source,
    Unmatched,
)
from archive.models.messages import PartyKind
from archive.retention import BadSchedules
from archive.rules import Opening
from archive.services import (
    consents,
    findings,
    holding,
    integrity,
    months,
    postings,
    records,
    sampling,
    schedules,
    silence,
)
from archive.services.holes import judge_holes
from archive.services.identities import handles_of, sync_identities
from archive.services.turns import take_turn
from portal.ledger import services as ledger

logger = logging.getLogger(__name__)

LISTED = 20  # people or lines that a finding names
LATELY = timedelta(days=35)  # how far back the passing of a day is looked at


@transaction.atomic
def judge_import(run: Import, *, by: str, now: datetime) -> None:
    """Open and close what this import calls for, but for the records, which services.records judges."""
    take_turn()
    source = run.source
    first = timezone.localdate(run.first_sent_at) if run.first_sent_at else None
    if first:
        records.mark_seated_due(first)  # before any Entry: a push into another source may hold the same rows
    findings.lock(Q(source=source) | Q(kind=Finding.Kind.UNMATCHED_IDENTITY))
    judge_holes(source, by=by, now=now)
    silence.close_what_ended(source, by=by, now=now)
    judge_unmatched(source, by=by, now=now)
    for other in _with_strangers_told(source):
        judge_unmatched(other, by=by, now=now)
    _judge_unreadable(source, by=by, now=now)
    openings = [*_new_kinds(source), *_conflicts(run), *_repaired(run)]
    if first:
        openings += _late_days(source, first, timezone.localdate(run.last_sent_at), now)
    findings.open_all(openings, by=by, now=now)
    findings.open_for_signals(_messages_with_signals(run), by=by, now=now)


def _with_strangers_told(source: Source) -> Iterable[Source]:
    """Return the other sources that told of strangers: a better copy of their message may name those no more."""
    told = Finding.objects.open().filter(kind=Finding.Kind.UNMATCHED_IDENTITY).exclude(source=source)
    return Source.objects.filter(pk__in=told.values("source")).order_by("pk")


def _messages_with_signals(run: Import) -> set[int]:
    """Return the messages to look at: those of this import, and those that one of its recalls may make heavier."""
    terms = policy.current()
    mine = set(Signal.objects.filter(message__batch__run=run).values_list("message_id", flat=True))
    if run.source.kind == Source.Kind.CSV:  # its rows say of messages that are here that they were taken back
        back = Signal.objects.filter(message__recalled_at__isnull=False, weight__lte=terms.addressed_weight)
        mine |= set(back.values_list("message_id", flat=True))
    recalls = Message.objects.filter(batch__run=run, category=Message.Category.RECALL).aggregate(
        first=Min("sent_at"), last=Max("sent_at")
    )
    if recalls["first"]:
        since = recalls["first"] - timedelta(minutes=terms.recall_minutes)
        light = Signal.objects.filter(message__sent_at__gte=since, message__sent_at__lte=recalls["last"])
        mine |= set(light.filter(weight__lte=terms.addressed_weight).values_list("message_id", flat=True))
    return mine


def judge_unmatched(source: Source, *, by: str, now: datetime) -> None:
    """One finding for each handle that looks internal and matches nobody; closed when it is matched."""
    still = {one.handle_folded: one.handle for one in Unmatched.objects.filter(source=source)}
    known = Finding.objects.filter(source=source, kind=Finding.Kind.UNMATCHED_IDENTITY)
    told = set()  # still open, or declared to be no person
    for finding in known.exclude(state=Finding.State.CLOSED):
        told.add(finding.facts["folded"])
        if finding.is_open and finding.facts["folded"] not in still:
            findings.close_on_evidence(finding, why="the handle was matched", by=by, now=now)
    new = {folded: handle for folded, handle in still.items() if folded not in told}
    findings.open_all((_unmatched(source, folded, handle) for folded, handle in new.items()), by=by, now=now)


def _unmatched(source: Source, folded: str, handle: str) -> Opening:
    theirs = Participant.objects.filter(
        handle_folded=folded, kind=PartyKind.UNKNOWN, message__source=source, message__category=Message.Category.CONTENT
    )
    seen = theirs.aggregate(first=Min("sent_at"), last=Max("sent_at"), messages=Count("message", distinct=True))
    partners = (
        Participant.objects.filter(message__in=theirs.values("message"), employee__isnull=False)
        .values_list("employee__uid", flat=True)
        .distinct()
        .order_by("employee__uid")
    )
    facts = {
        "handle": handle,
        "folded": folded,
        "first": seen["first"].isoformat() if seen["first"] else None,
        "last": seen["last"].isoformat() if seen["last"] else None,
        "messages": seen["messages"],
        "talked_with": list(partners[:LISTED]),
    }
    on = timezone.localdate(seen["first"]) if seen["first"] else None
    # With the day in the key a handle that was matched and means nobody again, as a leaver's, is a new fact.
    return Opening(
        "unmatched_identity", f"unmatched_identity:{source.pk}:{folded}:{on}", None, source.pk, None, facts, on
    )


def _judge_unreadable(source: Source, *, by: str, now: datetime) -> None:
    """One finding for each key version under which records could not be decrypted; closed when all came readable."""
    dark = Message.objects.filter(source=source, error_code__isnull=False)
    found = {
        row["publickey_ver"]: row
        for row in dark.values("publickey_ver").annotate(count=Count("pk"), first=Min("seq"), last=Max("seq"))
    }
    already = set()
    for finding in findings.open_about(source, "unreadable"):
        version = finding.facts["publickey_ver"]
        if version not in found:
            findings.close_on_evidence(finding, why="the records came readable", by=by, now=now)
        already.add(version)
    findings.open_all(
        (
            Opening("unreadable", f"unreadable:{source.pk}:{version}:{row['first']}", None, source.pk, None, dict(row))
            for version, row in found.items()
            if version not in already
        ),
        by=by,
        now=now,
    )


def unknown_kinds(source: Source) -> list[str]:
    """Return the kinds of message in the source that no documentation names."""
    rows = Message.objects.filter(source=source, is_known_kind=False, error_code=None)
    return sorted(set(rows.values_list("msgtype", flat=True)))


def _new_kinds(source: Source) -> Iterable[Opening]:
    for kind in unknown_kinds(source):
        yield Opening("unknown_kind", f"unknown_kind:{source.pk}:{kind}", None, source.pk, None, {"msgtype": kind})


def _conflicts(run: Import) -> Iterable[Opening]:
    for one in Conflict.objects.filter(run=run).select_related("first"):
        facts = {
            "conflict": one.kind,
            "msgid": one.msgid,
            "seq": one.seq,
            "line": one.line_no,
            "import": run.uid,
            "first_seq": one.first.seq if one.first else None,
        }
        key = f"conflict:{one.source_id}:{one.msgid}:{one.seq}:{bytes(one.fingerprint).hex()}"
        yield Opening("conflict", key, None, one.source_id, one.first_id, facts)


def _repaired(run: Import) -> Iterable[Opening]:
    rows = Message.objects.filter(batch__run=run, was_repaired=True).order_by("seq", "line_no")
    if found := list(rows.values_list("seq", "line_no", "msgid")[: LISTED + 1]):
        seqs, lines = [seq for seq, _line, _msgid in found if seq], [line for _seq, line, _msgid in found]
        facts = {"import": run.uid, "seqs": seqs[:LISTED], "lines": lines[:LISTED], "more": len(found) > LISTED}
        first = seqs[0] if seqs else found[0][2]  # a feed without numbers names the message
        yield Opening("text_repaired", f"text_repaired:{run.source_id}:{first}", None, run.source_id, None, facts)


def _late_days(source: Source, first: date, last: date, now: datetime) -> Iterable[Opening]:
    """Days that are over, by the clock or by what the feed tells, and of whose messages too many came late."""
    terms, zone = policy.current(), timezone.get_default_timezone()
    told = source.last_captured_at or source.last_sent_at or now
    last = min(last, max(timezone.localdate(told), timezone.localdate(now)) - timedelta(1))
    days = (
        Message.objects.content()
        .filter(
            source=source,
            sent_at__gte=calendars.day_begins(first, zone),
            sent_at__lt=calendars.day_begins(last + timedelta(1), zone),
        )
        .annotate(day=TruncDate("sent_at"))
        .values("day")
        .annotate(
            messages=Count("pk"),
            late=Count("pk", filter=Q(latency_seconds__gt=source.expected_latency_seconds)),
            longest=Max("latency_seconds"),
        )
        .order_by("day")
    )
    for row in days:
        if row["late"] * 100 > terms.late_percent * row["messages"]:
            day = row["day"]
            facts = {**row, "day": day.isoformat(), "promised": source.expected_latency_seconds}
            yield Opening("capture_late", f"capture_late:{source.pk}:{day}", None, source.pk, None, facts, day)


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
    with transaction.atomic():
        touched = sync_identities(by=by, now=now)
        findings.open_for_signals(touched, by=by, now=now)
        for source in Source.objects.filter(
            Q(findings__kind="unmatched_identity") | Q(unmatched__isnull=False)
        ).distinct():
            judge_unmatched(source, by=by, now=now)
        lately = timezone.localdate(now) - LATELY
        for source in Source.objects.exclude(last_sent_at=None):
            findings.open_all(_late_days(source, lately, timezone.localdate(now), now), by=by, now=now)
    with transaction.atomic():  # of its own: after an Entry it must not wait for rows that an import holds
        take_turn()
        records.mark_seated_due(lately)
        records.mark_stale_due(now)
        integrity.judge_log(by=by, now=now)
    silence.judge_silence(by=by, now=now)
    records.recompute_due(by=by, now=now)
    judge_consent(since=now - LATELY, by=by, now=now)
    months.count_due(now=now)
    sampling.draw_due(by=by, now=now)
    dispose_of_text(by=by, now=now)


@transaction.atomic
def judge_consent(*, since: datetime | None, by: str, now: datetime) -> None:
    """Open ``consent_missing`` for pairs that have talked for so many days without a word; close it when one comes.

    Looks at the months from ``since`` on; older ones have been looked at when they were new. None: only close.
    """
    take_turn()
    terms, today = policy.current(), timezone.localdate(now)
    waiting: dict[tuple[int, str], datetime] = {}
    first_month = calendars.month_of(timezone.localdate(since or now))
    rows = Record.objects.filter(unknown_contacts__gt=0, month__gte=first_month, frozen_by=None)
    uids = {}
    for who, uid, metrics in rows.values_list("employee_id", "employee__uid", "metrics").iterator():
        uids[who] = uid
        for contact, moment in metrics["unknown_since"].items():
            first = datetime.fromisoformat(moment)
            waiting[who, contact] = min(waiting.get((who, contact), first), first)
    due = {
        pair: first for pair, first in waiting.items() if rules.consent_is_due(timezone.localdate(first), today, terms)
    }
    still = Finding.objects.open().filter(kind=Finding.Kind.CONSENT_MISSING)
    opened = {(one.employee_id, one.facts["contact"]): one for one in still}
    known = _words_between({*due, *opened}, now)
    for pair, finding in opened.items():
        if known[pair] != UNKNOWN:
            findings.close_on_evidence(finding, why=f"the contact {known[pair]}", by=by, now=now)
    openings = []
    for (who, contact), first in due.items():
        if known[who, contact] == UNKNOWN:
            facts = {"contact": contact, "since": first.isoformat()}
            key = f"consent_missing:{uids[who]}:{contact}"
            on = timezone.localdate(first) + timedelta(days=terms.consent_days)
            openings.append(Opening("consent_missing", key, who, None, None, facts, on))
    findings.open_all(openings, by=by, now=now)


def _words_between(pairs: set[tuple[int, str]], now: datetime) -> dict[tuple[int, str], str]:
    """Return what each contact last said to each employee, up to now, in whatever room they shared."""
    said = consents.said_by((contact for _who, contact in pairs), until=now)
    handles = handles_of({who for who, _contact in pairs}, datetime.min.replace(tzinfo=now.tzinfo), now)
    shared = consents.rooms_of(handles, ends=now)
    rooms = {one.room for one in said if one.room and not one.employee}
    rows = Participant.objects.filter(employee__in={who for who, _contact in pairs}, message__room__in=rooms)
    for who, room in rows.values_list("employee_id", "message__room").distinct():
        shared.setdefault(who, set()).add(room)
    words = Words(said)
    return {
        (who, contact): words.between(handles.get(who, set()), shared.get(who, set()), contact)
        for who, contact in pairs
    }


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
