"""Records: computed from what is stored, written where they differ, each computation an Entry."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate, islice
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from archive import calendars, metrics, policy, rules
from archive.consent import Words
from archive.metrics import Evidence, Known, Metrics, Person, Seen, Taken, Time
from archive.models import (
    Bar,
    Finding,
    Message,
    Participant,
    Recall,
    Record,
    RecordDue,
    RecordVersion,
    Room,
    SeatCopy,
    Signal,
    Source,
)
from archive.services import consents, findings
from archive.services.due import YEARS, Why, mark_months_due
from archive.services.identities import handles_of
from archive.services.seats import Seats
from archive.services.turns import take_turn
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee, Leave

AHEAD = timedelta(hours=24)
CHUNK = 250  # records in one transaction and one Entry, or fewer:
ROWS = 5_000  # messages read at once
PARTS = 20_000  # so many messages sent or received are held in memory at once, unless one person alone has more


@dataclass
class Computed:
    """One person's month, not yet compared with what is stored."""

    employee: Employee
    metrics: Metrics
    evidence: Evidence
    until: date  # last day that the feed speaks for
    last_message_at: datetime | None


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
    computed = compute(list(people.values()), first.month)
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


def covered_to() -> date | None:
    """Return the last day for which any feed speaks, in the firm's zone, never one to come; None before any record."""
    moments = [
        # A message may be said to be sent a little after it was pulled, where clocks differ; more is not believed.
        max(captured, min(sent or captured, captured + AHEAD)) if captured else sent
        for captured, sent in Source.objects.values_list("last_captured_at", "last_sent_at")
        if captured or sent
    ]
    return min(timezone.localdate(max(moments)), timezone.localdate()) if moments else None


def compute(people: list[Employee], month: date, *, months: int = 1) -> list[Computed]:
    """Return the record of each person for the month, or for the ``months`` that begin with it.

    Reads only; the same rows give the same numbers.
    """
    zone, terms = timezone.get_default_timezone(), policy.current()
    last = calendars.last_day(calendars.months_on(month, months - 1))
    begins, ends = calendars.day_begins(month, zone), calendars.day_begins(last + timedelta(1), zone)
    horizon = covered_to()
    if horizon is None or horizon < month:
        return []
    until = min(last, horizon)
    time = Time(begins, ends, month, until)
    ids = [one.pk for one in people]
    taken = _taken(ids, begins, ends, zone)
    handles = handles_of(ids, begins, ends)
    seats = Seats.between(month, until, terms.seat_copy_days)
    usual = _client_sent_before(ids, month) if months == 1 else {}
    bars, leaves, known = _bars(ids, begins, ends), _leaves(ids, month, until), _findings(ids, ends)
    words = Words(
        consents.said_by(
            contact for mine in taken.values() for one in mine.sent + mine.received for contact in one.contacts
        )
    )
    rooms = consents.rooms_of(handles, begins, ends)
    computed = []
    for one in people:
        part, mine, before = taken[one.pk], handles.get(one.pk, set()), usual.get(one.pk, [])
        person = Person(
            handles=mine,
            rooms=rooms.get(one.pk, frozenset()),
            bars=bars.get(one.pk, ()),
            barred_days=calendars.whole_days(bars.get(one.pk, ()), month, until, zone),
            findings=known.get(one.pk, ()),
            working_days=_working_days(one, month, until, terms.firm_calendar, leaves.get(one.pk, ())),
            seat=seats.of(mine),
            client_sent_before=before,
            month_is_covered=until == last,
        )
        found, evidence = metrics.compute(
            part, person, words, time, terms.own_words_weight, terms.addressed_weight, terms.drop_base
        )
        found.silent_seat = rules.is_silent_seat(found, terms)
        spoken = (line.sent_at for line in part.sent + part.received if line.category == "content")
        computed.append(Computed(one, found, evidence, until, max(spoken, default=None)))
    return computed


def _working_days(
    employee: Employee, month: date, until: date, firm_calendar: str, leaves: Iterable[tuple[date, date]]
) -> list[date]:
    """Return the office's working days while the person was employed and not on leave, as far as the feed speaks."""
    first = max(month, employee.joined_on or month)
    last = min(until, employee.left_on or until)
    jurisdiction = employee.office.jurisdiction if employee.office else firm_calendar
    days = calendars.working_days(first, last, jurisdiction)
    return [day for day in days if not any(begins <= day <= ends for begins, ends in leaves)]


def working_days_of(employee: Employee, first: date, last: date) -> list[date]:
    """Return the person's working days: the office's, while employed, without leave."""
    leaves = _leaves([employee.pk], first, last).get(employee.pk, ())
    return _working_days(employee, first, last, policy.current().firm_calendar, leaves)


def barred_days_of(employee: Employee, first: date, last: date) -> frozenset[date]:
    """Return the days of which the whole was barred."""
    zone = timezone.get_default_timezone()
    begins, ends = calendars.day_begins(first, zone), calendars.day_begins(last + timedelta(1), zone)
    return calendars.whole_days(_bars([employee.pk], begins, ends).get(employee.pk, ()), first, last, zone)


def _bars(ids: list[int], begins: datetime, ends: datetime) -> dict[int, list[tuple[datetime, datetime | None]]]:
    """Return the times in which each person might not message clients, as far as they touch the time."""
    found = defaultdict(list)
    rows = Bar.objects.filter(Q(ends_at=None) | Q(ends_at__gt=begins), employee__in=ids, begins_at__lt=ends)
    for who, since, till in rows.order_by("begins_at").values_list("employee_id", "begins_at", "ends_at"):
        found[who].append((since, till))
    return found


def _leaves(ids: list[int], first: date, last: date) -> dict[int, list[tuple[date, date]]]:
    found = defaultdict(list)
    rows = Leave.objects.filter(employee__in=ids, first_on__lte=last, last_on__gte=first)
    for who, begins, ends in rows.values_list("employee_id", "first_on", "last_on"):
        found[who].append((begins, ends))
    return found


def _findings(ids: list[int], before: datetime) -> dict[int, list[Known]]:
    """Return each person's findings that were opened before the moment."""
    found = defaultdict(list)
    columns = ("employee_id", "kind", "about_on", "opened_at", "closed_at", "due_on", "state")
    for who, *rest in Finding.objects.filter(employee__in=ids, opened_at__lt=before).values_list(*columns):
        found[who].append(Known(*rest))
    return found


def period(employee: Employee, last_month: date, months: int) -> Metrics | None:
    """Return the metrics of the ``months`` that end with ``last_month``, from their messages; None before any feed.

    What was disposed of since is not in them: there is a record of each month, which stands.
    """
    first = calendars.months_on(last_month, 1 - months)
    found = compute([employee], first, months=months)
    return found[0].metrics if found else None


def _taken(ids: list[int], begins: datetime, ends: datetime, zone: ZoneInfo) -> dict[int, Taken]:
    """Return {employee: the part they took in the month}. Each message is read once, whoever took part in it."""
    theirs = Participant.objects.filter(employee__in=ids, sent_at__gte=begins, sent_at__lt=ends)
    messages = _messages(theirs, ids, begins, ends, zone)
    found: dict[int, Taken] = defaultdict(Taken)
    for who, role, pk in theirs.values_list("employee_id", "role", "message_id").iterator(chunk_size=5000):
        taken = found[who]
        (taken.sent if role == Participant.Role.SENDER else taken.received).append(messages[pk])
    return found


def _messages(
    theirs: QuerySet[Participant], ids: list[int], begins: datetime, ends: datetime, zone: ZoneInfo
) -> dict[int, Seen]:
    promises = dict(Source.objects.values_list("pk", "expected_latency_seconds"))
    recalls = _recalls(ids, begins, ends)
    rows = Message.objects.filter(pk__in=theirs.values("message")).values_list(*_COLUMNS).iterator(chunk_size=ROWS)
    found: dict[int, Seen] = {}
    while some := list(islice(rows, ROWS)):
        signals = _signals([pk for pk, *_rest in some])
        outside = _outside({row[6] for row in some if row[6]})
        for pk, msgid, category, kind, sent_at, sender, room, contacts, latency, pulled, is_known, *rest in some:
            media, missing, source, forwards_room = rest
            original_sent_at, original_had_signal = recalls.get(pk, (None, False))
            found[pk] = Seen(
                pk=pk,
                msgid=msgid,
                category=category,
                msgtype=kind,
                sent_at=sent_at,
                day=sent_at.astimezone(zone).date(),
                sender=sender,
                room=room,
                contacts=tuple(contacts),
                latency=latency,
                promise=promises[source],
                clocks_differ=is_known and pulled is not None and latency is None,
                media_refs=media,
                media_missing=missing,
                forwards_room=forwards_room,
                is_in_outside_room=room in outside,
                signal=signals.get(pk, 0),
                original_sent_at=original_sent_at,
                original_had_signal=original_had_signal,
            )
    return found


_COLUMNS = (
    "pk",
    "msgid",
    "category",
    "msgtype",
    "sent_at",
    "sender",
    "room",
    "contacts",
    "latency_seconds",
    "captured_at",
    "sent_at_is_known",
    "media_refs",
    "media_missing",
    "source_id",
    "forwards_room",
)


def _outside(rooms: set[str]) -> set[str]:
    """Return those of the rooms that somebody outside the firm is in."""
    return set(Room.objects.filter(room__among=rooms, is_outside=True).values_list("room", flat=True))


def _signals(messages: list[int]) -> dict[int, int]:
    """Return {message: weight of its heaviest signal in own words}. Few messages have any."""
    rows = Signal.objects.filter(message__pk__among=messages, is_forwarded=False)
    return dict(rows.values("message_id").annotate(heaviest=Max("weight")).values_list("message_id", "heaviest"))


def _recalls(ids: list[int], begins: datetime, ends: datetime) -> dict[int, tuple[datetime | None, bool]]:
    """Return {recall record: (when the original was sent, whether that was client talk with a signal)}."""
    mine = Participant.objects.filter(
        employee__in=ids,
        role=Participant.Role.SENDER,
        sent_at__gte=begins,
        sent_at__lt=ends,
        message__category=Message.Category.RECALL,
    )
    rows = list(
        Recall.objects.filter(message__in=mine.values("message")).values_list(
            "message_id", "original_id", "original__sent_at", "original__is_external"
        )
    )
    originals = [original for _pk, original, _at, is_external in rows if original and is_external]
    least = policy.current().own_words_weight
    signalled = set(
        Signal.objects.filter(message__in=originals, is_forwarded=False, weight__gte=least).values_list(
            "message_id", flat=True
        )
    )
    return {pk: (at, original in signalled) for pk, original, at, _is_external in rows}


def _client_sent_before(ids: list[int], month: date) -> dict[int, list[int]]:
    """Return what each person sent to clients in the three final months before, where all three are there."""
    found = defaultdict(list)
    before = calendars.months_before(month, 3)
    rows = Record.objects.filter(employee__in=ids, month__in=before, is_final=True)
    for who, sent in rows.values_list("employee_id", "client_sent"):
        found[who].append(sent)
    return found


def _write(computed: Iterable[Computed], month: date, why: Mapping[int, str], now: datetime, by: str) -> None:
    """Store the records that differ from what is stored, under one Entry that says them in full.

    What a final record said before stays beside it as a version, with the reason of the change.
    """
    computed = list(computed)
    made, changed, replaced = _differing(computed, month, why, now)
    if not made and not changed:
        return
    _look_at_later_months([record.employee_id for record in made + changed], month)
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


def _look_at_later_months(employees: list[int], month: date) -> None:
    """A month is compared with the three before it: what changed here may change the next three."""
    later, at = [], month
    for _n in range(3):
        at = calendars.next_month(at)
        later.append(at)
    rows = Record.objects.filter(employee__in=employees, month__in=later, frozen_by=None)
    mark_months_due(rows.values_list("employee_id", "month"), Why.MONTHS)


def mark_stale_due(now: datetime) -> None:
    """Mark what the passing of time changes: months that become final, and months that the feed has grown into."""
    today, horizon = timezone.localdate(now), covered_to()
    if horizon is None:
        return
    open_months = Record.objects.filter(is_final=False, frozen_by=None)
    ripe = [
        month
        for month in open_months.order_by("month").values_list("month", flat=True).distinct()
        if calendars.is_final(month, today)
    ]
    mark_months_due(open_months.filter(month__in=ripe).values_list("employee_id", "month"), Why.TIME)
    behind = open_months.filter(covered_to__lt=horizon)
    grown = behind.values_list("employee_id", "month", "covered_to")
    mark_months_due(((who, month) for who, month, reached in grown if reached < calendars.last_day(month)), Why.TIME)


def mark_seated_due(since: date) -> None:
    """Mark the months from then on of everybody with a seat, so that those who say nothing have a record of it too."""
    for month in seated_months(since):
        mark_seated_in(month)


def seated_months(since: date) -> list[date]:
    """Return the months from then on of which a list of seats and a feed speak."""
    horizon, first_list = covered_to(), SeatCopy.objects.order_by("holds_from").first()
    months: list[date] = []
    if horizon is None or first_list is None:
        return months
    month = calendars.month_of(max(since, first_list.holds_from))
    while month <= horizon and month.year in YEARS:
        months.append(month)
        month = calendars.next_month(month)
    return months


def mark_seated_in(month: date) -> int:
    """Mark the month of everybody who had a seat in it and has no record up to now. Return how many people."""
    until = min(calendars.last_day(month), covered_to() or month)
    seated = Seats.between(month, until, policy.current().seat_copy_days).people()
    known = Record.objects.filter(month=month, employee__in=seated)
    known = known.filter(Q(covered_to__gte=until) | Q(frozen_by__isnull=False))
    waiting = seated - set(known.values_list("employee_id", flat=True))
    mark_months_due(((who, month) for who in waiting), Why.SEATS)
    return len(waiting)
