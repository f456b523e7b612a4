"""What a person's month is, computed from what is stored. Reads only: the same rows give the same numbers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet
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
    Room,
    Signal,
    Source,
)
from archive.services import consents
from archive.services.identities import handles_of
from archive.services.seats import Seats
from portal.people.models import Employee, Leave

AHEAD = timedelta(hours=24)
ROWS = 5_000  # messages read at once


@dataclass
class Computed:
    """One person's month, not yet compared with what is stored."""

    employee: Employee
    metrics: Metrics
    evidence: Evidence
    until: date  # last day that the feed speaks for
    last_message_at: datetime | None


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
    everybody = {handle for mine in handles.values() for handle in mine}
    seats = Seats.between(month, until, terms.seat_copy_days, handles=everybody)
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
