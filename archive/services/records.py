"""Records: written where what was computed differs from them, each computation an Entry."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from itertools import accumulate

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from archive import calendars, policy, rules
from archive.models import (
    Participant,
    Record,
    RecordDue,
    RecordVersion,
)
from archive.services import computing, findings, marking
from archive.services.computing import Computed
from archive.services.due import Why, mark_months_due
from archive.services.turns import take_turn
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee

CHUNK = 250  # records in one transaction and one Entry, or fewer:
PARTS = 200_000  # so many messages sent or received are read in one transaction, unless one person alone has more


def recompute_due(*, by: str, now: datetime | None = None) -> int:
    """Compute every record that is due, month by month. Return how many were looked at."""
    done = 0
    while step := recompute_some(by=by, now=now):
        done += step
    return done


@transaction.atomic
def recompute_some(*, by: str, now: datetime | None = None) -> int:
    """Compute one chunk of the earliest month that is due. Return its size, 0 when nothing is left."""
    take_turn()
    now = now or timezone.now()
    first = RecordDue.objects.order_by("month", "employee_id").first()
    if first is None:
        return 0
    due = list(RecordDue.objects.select_for_update().filter(month=first.month).order_by("employee_id")[:CHUNK])
    due = due[: _how_many_fit([one.employee_id for one in due], first.month)]
    # Away before anything is read: what comes meanwhile, or from here, makes it due again.
    RecordDue.objects.filter(pk__in=[one.pk for one in due]).delete()
    people = Employee.objects.select_related("office").in_bulk([one.employee_id for one in due])
    frozen = _frozen(people, first.month)
    for who in frozen:
        del people[who]
    computed = computing.compute(list(people.values()), first.month)
    findings.lock(Q(employee__in=people))
    _write(computed, first.month, {one.employee_id: one.why for one in due}, now, by)
    openings = [
        opening
        for one in computed
        for opening in rules.record_openings(
            employee=one.employee.pk,
            uid=one.employee.uid,
            month=first.month,
            until=one.until,
            metrics=one.metrics,
            evidence=one.evidence,
            policy=policy.current(),
        )
    ]
    findings.open_all(openings, by=by, now=now)
    findings.close_what_is_settled(first.month, {one.employee.pk: one.metrics for one in computed}, by=by, now=now)
    if frozen:
        _note_left_alone(frozen.values(), first.month, by)
    return len(due)


def _frozen(employees: Iterable[int], month: date) -> dict[int, Record]:
    """Return the records of the month that stand for ever, by employee: their messages were disposed of."""
    rows = Record.objects.filter(month=month, employee__in=employees, frozen_by__isnull=False)
    return {one.employee_id: one for one in rows.select_related("employee", "frozen_by")}


def _note_left_alone(frozen: Iterable[Record], month: date, by: str) -> None:
    """Say in the ledger that something called for a new computation and why there is none."""
    told = [{"employee": one.employee.uid, "disposal": one.frozen_by.uid, "version": one.version} for one in frozen]
    body = {"month": month.isoformat(), "why": "messages of the month were disposed of", "records": told}
    ledger.append(verb="archive.records_left", actor=by, subject="system:archive", body=body)


def _how_many_fit(ids: list[int], month: date) -> int:
    """Return how many of the people, from the first on, can be computed at once."""
    begins, ends = calendars.month_bounds(month, timezone.get_default_timezone())
    theirs = Participant.objects.filter(employee__in=ids, sent_at__gte=begins, sent_at__lt=ends)
    counted = dict(theirs.values("employee_id").annotate(count=Count("pk")).values_list("employee_id", "count"))
    parts = accumulate(counted.get(one, 0) for one in ids)
    return max(1, sum(upto <= PARTS for upto in parts))


def _write(computed: Iterable[Computed], month: date, why: Mapping[int, str], now: datetime, by: str) -> None:
    """Store the records that differ from what is stored, under one Entry that says them in full.

    What a final record said before stays beside it as a version, with the reason of the change.
    """
    computed = list(computed)
    made, changed, replaced = _differing(computed, month, why, now)
    if not made and not changed:
        return
    marking.look_at_later_months([record.employee_id for record in made + changed], month)
    entry = _note(made + changed, month, by)
    for record in made + changed:
        record.entry_seq = entry.seq
    Record.objects.bulk_create(made, batch_size=50)
    Record.objects.bulk_update(changed, [*_FIELDS, "version", "version_why", "entry_seq"], batch_size=40)
    RecordVersion.objects.bulk_create(replaced, batch_size=50)


def _differing(
    computed: list[Computed], month: date, why: Mapping[int, str], now: datetime
) -> tuple[list[Record], list[Record], list[RecordVersion]]:
    """Return (records to make, records to change, versions that these replace).

    Those to change are locked and have what was computed set on them. A record whose messages were disposed of stands.
    """
    is_final = calendars.is_final(month, timezone.localdate(now))
    mine = Record.objects.select_for_update(of=("self",)).select_related("employee").order_by("pk")
    stored = {
        one.employee_id: one for one in mine.filter(month=month, employee__in=[one.employee.pk for one in computed])
    }
    made, changed, replaced = [], [], []
    for one in computed:
        record = stored.get(one.employee.pk)
        fields = _fields(one, is_final)
        if record is None:
            made.append(Record(employee=one.employee, month=month, **fields))
        elif record.frozen_by_id is not None:
            continue
        elif differing := [name for name, value in fields.items() if getattr(record, name) != value]:
            if record.is_final and "metrics" in differing:
                replaced.append(_version(record, why[one.employee.pk], now))
                record.version, record.version_why = record.version + 1, why[one.employee.pk]
            for name in differing:
                setattr(record, name, fields[name])
            changed.append(record)
    return made, changed, replaced


def _version(record: Record, why: str, now: datetime) -> RecordVersion:
    return RecordVersion(
        record=record,
        version=record.version,
        metrics=record.metrics,
        policy_version=record.policy_version,
        entry_seq=record.entry_seq,
        replaced_at=now,
        replaced_why=why,
    )


def _note(changed: list[Record], month: date, by: str) -> Entry:
    return ledger.append(
        verb="archive.records_computed",
        actor=by,
        subject="system:archive",
        body={
            "month": month.isoformat(),
            "policy": policy.current().version,
            "records": [
                {
                    "employee": record.employee.uid,
                    "version": record.version,
                    "final": record.is_final,
                    "why": record.version_why,
                    "covered_to": record.covered_to.isoformat(),
                    "metrics": record.metrics,
                }
                for record in changed
            ],
        },
    )


_FIELDS = (
    "is_final",
    "sent",
    "received",
    "captured",
    "client_captured",
    "client_sent",
    "active_days",
    "unknown_contacts",
    "is_silent_seat",
    "metrics",
    "covered_to",
    "last_message_at",
    "policy_version",
)


def _fields(one: Computed, is_final: bool) -> dict:
    found = one.metrics
    return {
        "is_final": is_final,
        "sent": found.sent,
        "received": found.received,
        "captured": found.captured,
        "client_captured": found.client_captured,
        "client_sent": found.client_sent,
        "active_days": found.active_days,
        "unknown_contacts": found.unknown,
        "is_silent_seat": found.silent_seat,
        "metrics": found.as_dict(),
        "covered_to": one.until,
        "last_message_at": one.last_message_at,
        "policy_version": policy.current().version,
    }


@transaction.atomic
def note_policy(*, by: str) -> bool:
    """Write down thresholds that are new, and let the months that are not final be computed under them.

    Return whether they were new. What is final stays as it was judged, under the version that it names.
    """
    terms = policy.current()
    last = Entry.objects.filter(verb=POLICY_CHANGED).order_by("-seq").first()
    known = (ledger.body_of(last) or {}).get("digest") if last else None
    if known == terms.digest:
        return False
    open_months = Record.objects.filter(is_final=False, frozen_by=None)
    mark_months_due(open_months.values_list("employee_id", "month"), Why.POLICY)
    body = {"version": terms.version, "digest": terms.digest, "before": known, "thresholds": _as_data(terms)}
    ledger.append(verb=POLICY_CHANGED, actor=by, subject="system:archive", body=body)
    return True


POLICY_CHANGED = "archive.policy_changed"


def _as_data(terms: policy.Policy) -> dict:
    return {name: value for name, value in asdict(terms).items() if name not in ("version", "digest")}
