"""What the archive says of people, in a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from archive import calendars, policy, rules
from archive.models import Finding, Identity, Record
from archive.rules import OpenFinding, Reason
from archive.services import records
from archive.services.identities import CHANNEL, handles_of
from archive.services.seats import Seats


@dataclass(frozen=True)
class ArchiveFacts:
    """How well one person's messages are kept, as of today. ``state`` is one of rules.NO_DATA … rules.BREACH.

    ``next_change_on``: the next day on which the state may change by itself.
    """

    state: str
    next_change_on: date
    reasons: tuple[Reason, ...] = ()
    findings: tuple[OpenFinding, ...] = ()  # that are open
    open_findings: int = 0
    to_review: int = 0
    confirmed: int = 0
    overdue: int = 0
    last_message_at: datetime | None = None
    has_seat: bool | None = None  # None: no permit list speaks for the last day of the feed
    record: Record | None = field(default=None, compare=False)  # of the newest month there is


def facts_for(employee_ids: Iterable[int], *, today: date | None = None) -> dict[int, ArchiveFacts]:
    """Return the facts of each person. The number of queries does not depend on how many they are."""
    ids, today, terms = list(employee_ids), today or timezone.localdate(), policy.current()
    if not ids:
        return {}
    horizon = records.covered_to() or today
    recent = _recent_records(ids, calendars.months_before(calendars.month_of(today), 1)[0])
    findings, settled = _findings(ids)
    matched = set(Identity.objects.filter(employee__in=ids, channel=CHANNEL).values_list("employee_id", flat=True))
    zone = timezone.get_default_timezone()
    day = calendars.day_begins(horizon, zone)
    handles = handles_of(ids, day, day + timedelta(days=1))
    seats = Seats.between(horizon, horizon, terms.seat_copy_days, set().union(*handles.values()))
    facts = {}
    for who in ids:
        mine, open_now = recent.get(who, []), findings.get(who, [])
        newest = mine[0] if mine else None
        has_seat = seats.of(handles.get(who, set())).get(horizon)
        state, reasons = rules.archive_state(
            has_identity=who in matched or any(one.captured for one in mine),  # or matched by an address
            has_seat=has_seat,
            captured_lately=any(one.captured for one in mine),
            findings=[one for _state, one in open_now],
            is_silent=newest is not None and newest.is_silent_seat and (who, f"{newest.month:%Y-%m}") not in settled,
            is_late=newest is not None and _is_late(newest),
            today=today,
        )
        facts[who] = ArchiveFacts(
            state=state,
            next_change_on=rules.next_change_on([one for _state, one in open_now], today),
            reasons=tuple(reasons),
            findings=tuple(one for _state, one in open_now),
            open_findings=len(open_now),
            to_review=sum(state == Finding.State.NEW for state, _one in open_now),
            confirmed=sum(one.is_confirmed for _state, one in open_now),
            overdue=sum(one.due_on < today for _state, one in open_now),
            last_message_at=next((one.last_message_at for one in mine if one.last_message_at), None),
            has_seat=has_seat,
            record=newest,
        )
    return facts


def _recent_records(ids: list[int], since: date) -> dict[int, list[Record]]:
    """Return the records of the last full month and of this one, newest first."""
    found = defaultdict(list)
    for one in Record.objects.filter(employee__in=ids, month__gte=since).order_by("-month"):
        found[one.employee_id].append(one)
    return found


def _findings(ids: list[int]) -> tuple[dict[int, list[tuple[str, OpenFinding]]], set[tuple[int, str]]]:
    """Return open findings by person, and (person, month) of silences that somebody or something has explained."""
    found, settled = defaultdict(list), set()
    rows = Finding.objects.filter(
        Q(state__in=Finding.OPEN) | Q(kind=Finding.Kind.SILENT_SEAT), employee__in=ids
    ).values_list("employee_id", "state", "kind", "severity", "due_on", "is_self_reported", "facts")
    for who, state, kind, severity, due_on, is_told, facts in rows:
        if state in Finding.OPEN:
            found[who].append((state, OpenFinding(kind, severity, state == Finding.State.CONFIRMED, due_on, is_told)))
        else:
            settled.add((who, facts.get("month", "")))
    return found, settled


def _is_late(record: Record) -> bool:
    """Return whether over one message in twenty came later than the source promises: p95 over the promise."""
    p95, promised = record.metrics.get("latency_p95"), record.metrics.get("promised_latency")
    return p95 is not None and promised is not None and p95 > promised
