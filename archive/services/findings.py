"""Findings: opened once for the same facts, closed on evidence or by a reviewer, each with its Entry."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from archive import calendars, lexicon, policy, rules
from archive.metrics import Metrics
from archive.models import Finding, Message, MessageText, Participant, SelfReport, Signal
from archive.models.messages import PartyKind
from archive.rules import Opening
from archive.services.due import Why, mark_months_due
from portal.ledger import services as ledger
from portal.people.models import Employee


def open_all(openings: Iterable[Opening], *, by: str, now: datetime | None = None) -> list[Finding]:
    """Open those findings whose key is new, in the caller's transaction. Return them."""
    wanted = {one.key: one for one in openings}
    for known in known_keys(wanted):
        del wanted[known]
    now, terms = now or timezone.now(), policy.current()
    about = {one.employee for one in wanted.values() if one.employee}
    people = Employee.objects.select_related("office").in_bulk(about)
    told = told_themselves(about)
    opened = [_finding(one, people.get(one.employee), told, now, terms) for one in wanted.values()]
    Finding.objects.bulk_create(opened, batch_size=100)
    _keep_text_of(opened)
    for finding in opened:
        counts_anew(finding, now)
    for finding in opened:
        body = {"key": finding.key, "severity": finding.severity, "facts": finding.facts}
        _note("archive.finding_opened", finding, by, body)
    return opened


def _finding(
    one: Opening, person: Employee | None, told: set[tuple[int, date]], now: datetime, terms: policy.Policy
) -> Finding:
    calendar = person.office.jurisdiction if person and person.office else terms.firm_calendar
    about_on = one.on or timezone.localdate(now)
    is_lighter = (one.employee, about_on) in told and one.kind in rules.LIGHTER_WHEN_TOLD
    severity = one.severity or terms.findings[one.kind].severity
    return Finding(
        kind=one.kind,
        key=one.key,
        severity=rules.weigh(severity) if is_lighter else severity,
        is_self_reported=is_lighter,
        employee=person,
        source_id=one.source,
        message_id=one.message,
        about_on=about_on,
        opened_at=now,
        due_on=terms.due_on(one.kind, timezone.localdate(now), calendar),
        facts=one.facts,
        policy_version=terms.version,
    )


def told_themselves(employees: Collection[int]) -> set[tuple[int, date]]:
    """Return (employee, day) for every day around which the person has told of a slip of their own."""
    reports = SelfReport.objects.filter(employee__in=employees).values_list("employee_id", "happened_on")
    around = range(-rules.TOLD_DAYS, rules.TOLD_DAYS + 1)
    return {(who, day + timedelta(days=n)) for who, day in reports for n in around}


def counts_anew(finding: Finding, now: datetime) -> None:
    """A record counts findings by when they were opened and closed, and signals by the day of the words."""
    if finding.employee_id:
        on = {calendars.month_of(timezone.localdate(now)), calendars.month_of(finding.about_on)}
        mark_months_due(((finding.employee_id, month) for month in on), Why.FINDING)


def known_keys(keys: Iterable[str]) -> set[str]:
    """Return those keys under which a finding was opened before, whatever became of it."""
    ordered, known = sorted(keys), set()
    for at in range(0, len(ordered), 1000):
        known |= set(Finding.objects.filter(key__in=ordered[at : at + 1000]).values_list("key", flat=True))
    return known


def lock(about: Q) -> None:
    """Lock the open findings and then the kept words they are about, always in one order.

    For a transaction with several Entries: after its first one it must not have to wait for a row any more.
    """
    rows = Finding.objects.open().filter(about).select_for_update().order_by("pk")
    messages = [message for message in rows.values_list("message_id", flat=True) if message]
    for at in range(0, len(messages), 1000):
        texts = MessageText.objects.filter(message__in=messages[at : at + 1000]).select_for_update().order_by("pk")
        list(texts.values_list("pk", flat=True))


def _note(verb: str, finding: Finding, by: str, body: dict) -> None:
    subject = finding.employee.uid if finding.employee else "system:archive"
    ledger.append(verb=verb, actor=by, subject=subject, body={"finding": finding.uid, "kind": finding.kind, **body})


def _keep_text_of(findings: list[Finding]) -> None:
    """The words that a finding is about stay until it is settled."""
    messages = [one.message_id for one in findings if one.message_id]
    MessageText.objects.filter(message__pk__among=messages).update(delete_after=None)


def close_on_evidence(finding: Finding, *, why: str, by: str, now: datetime | None = None) -> bool:
    """Close an open finding because the facts have changed, in the caller's transaction. Return whether it was open."""
    finding = Finding.objects.select_for_update(of=("self",)).select_related("employee").get(pk=finding.pk)
    if not finding.is_open:
        return False
    finding.state, finding.closed_at, finding.closed_why = Finding.State.CLOSED, now or timezone.now(), why
    finding.closed_how = Finding.How.FACTS
    finding.save(update_fields=["state", "closed_at", "closed_why", "closed_how"])
    let_go_of_text(finding, finding.closed_at)
    counts_anew(finding, finding.closed_at)
    _note("archive.finding_closed", finding, by, {"why": why})
    return True


def worsen(finding: Finding, *, severity: int, facts: dict, by: str) -> None:
    """Write anew what an open finding says, for its facts have grown, in the caller's transaction."""
    before = {"severity": finding.severity, "facts": finding.facts}
    finding.severity, finding.facts = severity, facts
    finding.save(update_fields=["severity", "facts"])
    _note("archive.finding_grown", finding, by, {"before": before, "severity": severity, "facts": facts})


def reopen(finding: Finding, *, reason: str, by: str, now: datetime | None = None) -> Finding:
    """Open a finding again because what closed it was undone, in the caller's transaction. An open one stays."""
    finding = Finding.objects.select_for_update(of=("self",)).select_related("employee").get(pk=finding.pk)
    if finding.is_open:
        return finding
    before = {"state": finding.state, "why": finding.closed_why, "how": finding.closed_how}
    finding.state, finding.closed_at, finding.closed_why, finding.closed_how = Finding.State.NEW, None, "", ""
    finding.decided_by = finding.decided_at = finding.seconded_by = finding.seconded_at = None
    finding.save()
    counts_anew(finding, now or timezone.now())
    _note("archive.finding_reopened", finding, by, {"before": before, "reason": reason})
    return finding


def let_go_of_text(finding: Finding, now: datetime) -> None:
    if finding.message_id is None or Finding.objects.open().filter(message=finding.message).exists():
        return
    kept = MessageText.objects.filter(message=finding.message, why=MessageText.Why.SIGNAL)
    kept.update(delete_after=now + timedelta(days=policy.current().text_days))


def close_what_is_settled(month: date, found: Mapping[int, Metrics], *, by: str, now: datetime) -> None:
    """Close findings of the month whose facts are gone: the silent were heard, a seat was there after all."""
    terms = policy.current()
    for finding in Finding.objects.open().filter(employee__in=found, kind__in=_SETTLED_BY_FACTS):
        metrics = found[finding.employee_id]
        if finding.facts.get("month") != f"{month:%Y-%m}":
            continue
        if finding.kind == Finding.Kind.UNSEATED_CLIENT_TALK and not metrics.sent_unseated:
            close_on_evidence(finding, why="a seat was there", by=by, now=now)
        elif finding.kind == Finding.Kind.MEDIA_MISSING and not metrics.client_media_missing:
            close_on_evidence(finding, why="the files were fetched", by=by, now=now)
        elif finding.kind == Finding.Kind.SILENT_SEAT and _was_heard(finding, metrics, terms):
            close_on_evidence(finding, why="messages were captured", by=by, now=now)


_SETTLED_BY_FACTS = (Finding.Kind.SILENT_SEAT, Finding.Kind.UNSEATED_CLIENT_TALK, Finding.Kind.MEDIA_MISSING)


def _was_heard(finding: Finding, metrics: Metrics, terms: policy.Policy) -> bool:
    """Return whether none of the ways in which the person was silent holds any more."""
    was = finding.facts.get("why", [])
    still = {
        "nothing": metrics.silent_seat,
        "pause": metrics.longest_silence >= terms.silence_days,
        "drop": metrics.drop_percent is not None and metrics.drop_percent < terms.drop_percent,
    }
    return not any(still[why] for why in was)


def open_for_signals(messages: QuerySet | Iterable[int], *, by: str, now: datetime | None = None) -> list[Finding]:
    """Open what the signals of these messages call for. Taking a message back soon after makes its signals heavier."""
    pks = sorted(set(messages))
    opened: list[Finding] = []
    for at in range(0, len(pks), 500):
        opened += open_all(signal_openings(pks[at : at + 500]), by=by, now=now)
    return opened


def signal_openings(pks: list[int]) -> list[Opening]:
    """Return what the signals of these messages call for, a few hundred at a time."""
    terms = policy.current()
    hits: dict[int, list[dict]] = defaultdict(list)
    for one in Signal.objects.filter(message__in=pks, is_forwarded=False).order_by("message_id", "-weight", "rule"):
        hit = {"rule": one.rule, "kind": one.kind, "weight": one.weight, "start": one.start, "end": one.end}
        hits[one.message_id].append({**hit, "language": one.language, "version": one.lexicon_version})
    messages = Message.objects.in_bulk(hits)
    parties: dict[int, list[Participant]] = defaultdict(list)
    for party in Participant.objects.filter(message__in=messages).select_related("employee").order_by("pk"):
        parties[party.message_id].append(party)
    recalled = _taken_back_soon(messages.values(), terms.recall_minutes)
    openings = []
    for pk, message in messages.items():
        heavier = lexicon.BEFORE_RECALL if pk in recalled else 0
        sender, addressed = _whom(message, parties[pk])
        openings += rules.signal_openings(
            message=pk,
            seq=message.seq,
            ref=f"{message.channel}:{message.msgid}",
            source=message.source_id,
            on=timezone.localdate(message.sent_at) if message.sent_at else None,
            hits=[{**hit, "weight": hit["weight"] + heavier} for hit in hits[pk]],
            sender=sender,
            addressed=addressed,
            policy=terms,
        )
    return openings


def _whom(message: Message, parties: list[Participant]) -> tuple[tuple[int, str] | None, tuple[int, str] | None]:
    """Return (the employee who wrote it, or else the first employee whom a contact wrote to)."""
    people = {
        role: [(p.employee_id, p.employee.uid) for p in parties if p.role == role and p.employee_id]
        for role in (Participant.Role.SENDER, Participant.Role.RECIPIENT)
    }
    sender = next(iter(people[Participant.Role.SENDER]), None)
    from_contact = message.sender_kind == PartyKind.CONTACT
    addressed = next(iter(people[Participant.Role.RECIPIENT]), None) if from_contact else None
    return sender, addressed


def _taken_back_soon(messages: Iterable[Message], minutes: int) -> set[int]:
    """Return those messages whose sender took something back within the minutes after, or that say so themselves."""
    timed = [one for one in messages if one.sent_at]
    if not timed:
        return set()
    soon = timedelta(minutes=minutes)
    senders = Participant.objects.filter(role=Participant.Role.SENDER)
    # By handle and time, message by message: of the span of them all somebody may have written very much.
    after = senders.filter(
        handle_folded=OuterRef("handle_folded"),
        sent_at__gte=OuterRef("sent_at"),
        sent_at__lte=OuterRef("sent_at") + soon,
        message__category=Message.Category.RECALL,
    )
    told = {one.pk for one in timed if one.recalled_at and one.sent_at <= one.recalled_at <= one.sent_at + soon}
    theirs = senders.filter(Exists(after), message__in=[one.pk for one in timed])
    return told | set(theirs.values_list("message_id", flat=True))


def open_about(source, kind: str) -> QuerySet:
    """Open findings of one kind about a source."""
    return Finding.objects.open().filter(source=source, kind=kind)
