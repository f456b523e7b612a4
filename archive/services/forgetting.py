"""What one step of a disposal does with the messages that may go: in the caller's transaction, under its locks.

Rows of the message go with everything that hangs on it; a tombstone stays for each leaf; findings lose what names the
message; the records of the months are frozen; the Entry says what was done by whose order under which rule.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.db.models import Q
from django.utils import timezone

from archive import calendars, merkle, rules
from archive.models import (
    Batch,
    Conflict,
    Delivery,
    Disposal,
    Finding,
    Message,
    Participant,
    Recall,
    Record,
    SampleItem,
    Source,
    Tombstone,
)
from archive.models.messages import PartyKind
from archive.retention import Schedule
from archive.services import bulk, findings, holding
from archive.services.looking import Looked, findings_with_lists
from archive.services.tombstones import id_digest, leaf_of
from portal.ledger import services as ledger
from portal.ledger.models import Body, Entry

# What a finding may go on saying when its message is gone: numbers, days and codes, no id of a message, no handle.
FACTS_THAT_STAY = {
    *("month", "since", "count", "recalls", "sent", "seat_days", "longest_silence", "why"),
    *("direction", "hits", "conflict", "messages", "disposed"),
}
SYSTEM = "system:archive"


@dataclass
class Forgotten:
    """What a step has taken away and changed, for its Entry."""

    removed: Counter = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    frozen: list[list[str]] = field(default_factory=list)
    samples: int = 0  # items of monthly samples that lost their message; their fingerprint and review stay


def forget(disposal: Disposal, doomed: Sequence[Looked], *, kept: dict[str, int]) -> Entry:
    """Take the messages away and return the Entry. All are of one source. ``kept``: what kept others back, counted."""
    pks, told = [one.pk for one in doomed], Forgotten()
    pairs, months = _pairs(pks), _months_touched(pks)
    people = {who for who, _month in months}
    findings.lock(Q(message__in=pks) | Q(employee__in=people))
    told.frozen = _freeze(disposal, months)
    stones, batches = _stones(disposal, doomed)
    _strip_findings(disposal, doomed, told)
    told.samples = SampleItem.objects.filter(message__in=pks).count()
    told.removed["conflict"] = Conflict.objects.filter(first__in=pks).delete()[0]
    for label, count in Message.objects.filter(pk__in=pks).delete()[1].items():
        told.removed[label.partition(".")[2].lower()] += count
    _strip_findings_of_gone(disposal, pairs, told)
    entry = _note(disposal, doomed, merkle.root([leaf_of(batches[one.batch_id], one) for one in stones]), told, kept)
    for one in stones:
        one.entry_seq = entry.seq
    Tombstone.objects.bulk_create(stones, batch_size=400)
    _forget_in_ledger(disposal, told.findings, entry)
    return entry


def _pairs(pks: Sequence[int]) -> dict[str, set[int]]:
    """Return {contact, folded: the employees who took part where the contact did}."""
    parties: dict[int, tuple[set[str], set[int]]] = defaultdict(lambda: (set(), set()))
    rows = Participant.objects.filter(message__in=pks).filter(Q(kind=PartyKind.CONTACT) | Q(employee__isnull=False))
    for message, folded, who in rows.values_list("message_id", "handle_folded", "employee_id"):
        contacts, employees = parties[message]
        contacts.add(folded) if who is None else employees.add(who)
    pairs: dict[str, set[int]] = defaultdict(set)
    for contacts, employees in parties.values():
        for contact in contacts:
            pairs[contact] |= employees
    return pairs


def _months_touched(pks: Sequence[int]) -> set[tuple[int, date]]:
    """Return (employee, month) of everybody whose record counts one of these messages, or a recall of one."""
    recalls = list(Recall.objects.filter(original__in=pks).values_list("message_id", flat=True))
    rows = Participant.objects.filter(
        message__in={*pks, *recalls}, employee__isnull=False, sent_at__isnull=False
    ).values_list("employee_id", "sent_at")
    return {(who, calendars.month_of(timezone.localdate(at))) for who, at in rows}


def _freeze(disposal: Disposal, months: set[tuple[int, date]]) -> list[list[str]]:
    """Freeze the records of these months. Return (employee's uid, month) of those that were not frozen before."""
    rows = Record.objects.filter(
        employee__in={who for who, _month in months}, month__in={month for _who, month in months}, frozen_by=None
    )
    found = [
        one
        for one in rows.select_related("employee").select_for_update(of=("self",)).order_by("pk")
        if (one.employee_id, one.month) in months
    ]
    Record.objects.filter(pk__in=[one.pk for one in found]).update(frozen_by=disposal)
    return [[one.employee.uid, f"{one.month:%Y-%m}"] for one in found]


def _stones(disposal: Disposal, doomed: Sequence[Looked]) -> tuple[list[Tombstone], dict[int, int]]:
    """Return a tombstone for every leaf, in the order of leaves, and the ledger number of each batch's root."""
    digests = {one.pk: id_digest(one.channel, one.msgid) for one in doomed}
    rows = [(one.pk, one.source, one.batch, one.leaf, one.seq, one.fingerprint) for one in doomed]
    copies = Delivery.objects.filter(message__in=digests)
    rows += copies.values_list("message_id", "source_id", "batch_id", "leaf", "seq", "fingerprint")
    batches = dict(Batch.objects.filter(pk__in={row[2] for row in rows}).values_list("pk", "entry_seq"))
    stones = [
        Tombstone(
            disposal=disposal,
            source_id=source,
            batch_id=batch,
            leaf=leaf,
            seq=seq,
            id_digest=digests[pk],
            fingerprint=bytes(fingerprint),
        )
        for pk, source, batch, leaf, seq, fingerprint in rows
    ]
    return sorted(stones, key=lambda one: (batches[one.batch_id], one.leaf)), batches


def _strip_findings(disposal: Disposal, doomed: Sequence[Looked], told: Forgotten) -> None:
    """Take from the findings about these messages all that names them, and from lists of messages those that go."""
    going = {one.msgid for one in doomed}
    named = {f"{Finding.Kind.TEXT_REPAIRED}:{one.source}:{one.msgid}" for one in doomed}  # of a feed without numbers
    pks = [one.pk for one in doomed]
    about = list(Finding.objects.filter(Q(message__in=pks) | Q(key__in=named)).order_by("pk"))
    for one in findings_with_lists(doomed).exclude(pk__in=[one.pk for one in about]).order_by("pk"):
        listed = one.facts.get("messages")
        if isinstance(listed, list) and not going.isdisjoint(listed):
            stay = [msgid for msgid in listed if msgid not in going]
            gone = one.facts.get("disposed", 0) + len(listed) - len(stay)
            one.facts = {**one.facts, "messages": stay, "disposed": gone}
            one.save(update_fields=["facts"])
            told.findings.append(one)
    for one in about:
        _strip(one, disposal, told)


def _strip_findings_of_gone(disposal: Disposal, pairs: Mapping[str, set[int]], told: Forgotten) -> None:
    """When a contact's last message has gone, settled findings about the lack of their consent do not name them."""
    gone = bulk.without_row(Participant._meta.get_field("handle_folded"), pairs)
    people = set().union(*(pairs[contact] for contact in gone))
    settled = Finding.objects.filter(kind=Finding.Kind.CONSENT_MISSING, employee__in=people)
    for one in settled.exclude(state__in=Finding.OPEN).order_by("pk"):
        if rules.fold(one.facts.get("contact", "")) in gone:
            _strip(one, disposal, told)


def _strip(finding: Finding, disposal: Disposal, told: Forgotten) -> None:
    digest = hashlib.sha256(finding.key.encode()).hexdigest()
    finding.message, finding.facts = None, {**_plain(finding.facts), "disposal": disposal.uid}
    finding.key = f"{finding.kind}:disposed:{digest}"
    finding.save(update_fields=["message", "facts", "key"])
    told.findings.append(finding)


def _plain(facts: dict) -> dict:
    """Return what stays of a finding's facts: of a list of messages how many there were."""
    stay = {name: value for name, value in facts.items() if name in FACTS_THAT_STAY}
    if isinstance(stay.get("messages"), list):
        stay["messages"] = len(stay["messages"]) + stay.pop("disposed", 0)
    return stay


def _note(disposal: Disposal, doomed: Sequence[Looked], root: bytes, told: Forgotten, kept: dict[str, int]) -> Entry:
    by_rule = Counter(one.verdict.schedule.id for one in doomed)
    rules_used = {one.verdict.schedule.id: one.verdict.schedule for one in doomed}
    source = Source.objects.get(pk=doomed[0].source)
    return ledger.append(
        verb="archive.disposed",
        actor=SYSTEM,
        subject=SYSTEM,
        body={
            "disposal": disposal.uid,
            "as_of": disposal.as_of.isoformat(),
            "asked_by": disposal.asked_by.uid,
            "approved_by": disposal.decided_by.uid,
            "schedules": {"version": disposal.schedule_version, "digest": disposal.schedule_digest},
            "rules": [{**_cited(rules_used[name]), "messages": count} for name, count in sorted(by_rule.items())],
            "source": source.name,
            "first_sent": doomed[0].sent_at,
            "last_sent": doomed[-1].sent_at,
            "messages": len(doomed),
            "kept": kept,
            "count": told.removed["message"] + told.removed["delivery"],
            "root": root.hex(),
            "removed": dict(told.removed),
            "samples": told.samples,
            "findings": [{"finding": one.uid, "kind": one.kind, "facts": _plain(one.facts)} for one in told.findings],
            "records_frozen": told.frozen,
        },
    )


def _cited(rule: Schedule) -> dict:
    return {"id": rule.id, "rule": rule.rule["en"], "cites": rule.cites, "link": rule.link}


def _forget_in_ledger(disposal: Disposal, stripped: Iterable[Finding], step: Entry) -> None:
    """Dispose of what the Entries said that opened these findings: they name the message. ``step`` says the rest.

    What a hold on the person keeps is left: the hold is about other messages of theirs, and beats everything.
    """
    names: dict[str, set[str]] = {}
    for one in stripped:
        names.setdefault(one.employee.uid if one.employee else SYSTEM, set()).add(one.uid)
    seqs = []
    for subject, uids in names.items():
        opened = Entry.objects.filter(verb="archive.finding_opened", subject=subject)
        bodies = Body.objects.filter(entry__in=opened).values_list("entry_id", "content")
        seqs += [seq for seq, content in bodies.iterator() if json.loads(bytes(content))["finding"] in uids]
    ledger.dispose(
        seqs=set(seqs) - holding.entries_held(seqs),
        rule="archive.disposed",
        citation=f"the retention rules that Entry {step.seq} names",
        asked_by=disposal.asked_by.uid,
        approved_by=disposal.decided_by.uid,
        by=SYSTEM,
    )
