"""What a person's month is, computed from what is stored. Reads only: the same rows give the same numbers."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from archive import calendars, policy, rules
from archive.consent import Words
from archive.metrics import Evidence, Known, Metrics, Person, Time
from archive.models import (
    Bar,
    Finding,
    Record,
    Source,
)
from archive.services import consents, parts
from archive.services.identities import handles_of
from archive.services.seats import Seats
from archive.tally import Tally
from portal.people.models import Employee, Leave

AHEAD = timedelta(hours=24)


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
    handles = handles_of(ids, begins, ends)
    everybody = {handle for mine in handles.values() for handle in mine}
    seats = Seats.between(month, until, terms.seat_copy_days, handles=everybody)
    usual = _client_sent_before(ids, month) if months == 1 else {}
    bars, leaves, known = _bars(ids, begins, ends), _leaves(ids, month, until), _findings(ids, ends)
    words, rooms = Words(), consents.rooms_of(handles, begins, ends)
    tallies: dict[int, Tally] = {}
    for one in people:
        mine = handles.get(one.pk, set())
        person = Person(
            handles=mine,
            rooms=rooms.get(one.pk, frozenset()),
            bars=bars.get(one.pk, ()),
            barred_days=calendars.whole_days(bars.get(one.pk, ()), month, until, zone),
            findings=known.get(one.pk, ()),
            working_days=_working_days(one, month, until, terms.firm_calendar, leaves.get(one.pk, ())),
            seat=seats.of(mine),
            client_sent_before=usual.get(one.pk, []),
            month_is_covered=until == last,
        )
        tallies[one.pk] = Tally(person, words, terms.own_words_weight, terms.addressed_weight)
    parts.add_all(tallies, words, begins, ends, zone)
    computed = []
    for one in people:
        tally = tallies[one.pk]
        found, evidence = tally.result(time, drop_base=terms.drop_base)
        found.silent_seat = rules.is_silent_seat(found, terms)
        computed.append(Computed(one, found, evidence, until, tally.last_at))
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


def _client_sent_before(ids: list[int], month: date) -> dict[int, list[int]]:
    """Return what each person sent to clients in the three final months before, where all three are there."""
    found = defaultdict(list)
    before = calendars.months_before(month, 3)
    rows = Record.objects.filter(employee__in=ids, month__in=before, is_final=True)
    for who, sent in rows.values_list("employee_id", "client_sent"):
        found[who].append(sent)
    return found
