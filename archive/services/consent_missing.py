"""Pairs of an employee and an outside contact that have talked for days without a word on being archived."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from archive import calendars, policy, rules
from archive.consent import UNKNOWN, Words
from archive.models import Finding, Participant, Record
from archive.rules import Opening
from archive.services import consents
from archive.services.identities import handles_of
from archive.services.plans import Plan, carry_out
from archive.services.turns import take_turn

PEOPLE = 250  # looked at in one transaction


def judge_consent(*, since: datetime | None, by: str, now: datetime) -> None:
    """Open ``consent_missing`` for pairs that have talked for so many days without a word; close it when one comes.

    Looks at the months from ``since`` on; older ones have been looked at when they were new. None: only this month.
    """
    after: int | None = 0
    while after is not None:
        after = judge_some(since=since, after=after, by=by, now=now)


@transaction.atomic
def judge_some(*, since: datetime | None, after: int, by: str, now: datetime) -> int | None:
    """Do so for the next employees whose pk is over ``after``. Return the last of them, None if nobody is left."""
    take_turn()
    rows = Record.objects.filter(unknown_contacts__gt=0, frozen_by=None)
    rows = rows.filter(month__gte=calendars.month_of(timezone.localdate(since or now)))
    still = Finding.objects.open().filter(kind=Finding.Kind.CONSENT_MISSING)
    people = sorted(_next(rows, after) | _next(still, after))[:PEOPLE]
    if people:
        plan = _plan(rows.filter(employee__in=people), still.filter(employee__in=people), now)
        carry_out([plan], by=by, now=now)
    return people[-1] if len(people) == PEOPLE else None


def _next(rows: QuerySet, after: int) -> set[int]:
    people = rows.filter(employee__gt=after).order_by("employee_id").values_list("employee_id", flat=True)
    return set(people.distinct()[:PEOPLE])


def _plan(rows: QuerySet[Record], still: QuerySet[Finding], now: datetime) -> Plan:
    terms, today, uids = policy.current(), timezone.localdate(now), {}
    waiting: dict[tuple[int, str], datetime] = {}
    for who, uid, metrics in rows.values_list("employee_id", "employee__uid", "metrics").iterator():
        uids[who] = uid
        for contact, moment in metrics["unknown_since"].items():
            first = datetime.fromisoformat(moment)
            waiting[who, contact] = min(waiting.get((who, contact), first), first)
    due = {
        pair: first for pair, first in waiting.items() if rules.consent_is_due(timezone.localdate(first), today, terms)
    }
    opened = {(one.employee_id, one.facts["contact"]): one.pk for one in still}
    known = _words_between({*due, *opened}, now)
    openings = []
    for (who, contact), first in due.items():
        if known[who, contact] == UNKNOWN:
            facts = {"contact": contact, "since": first.isoformat()}
            key = f"consent_missing:{uids[who]}:{contact}"
            on = timezone.localdate(first) + timedelta(days=terms.consent_days)
            openings.append(Opening("consent_missing", key, who, None, None, facts, on))
    closings = {pk: f"the contact {known[pair]}" for pair, pk in opened.items() if known[pair] != UNKNOWN}
    return Plan(openings=openings, closings=closings)


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
