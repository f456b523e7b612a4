"""Whom a manager should talk to first, and why: the few of a line for whom it is most urgent."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from portal.people.models import Employee
from portal.standing import rules, words
from portal.standing.models import Nudge, Standing

MOST = 5
SOON = timedelta(days=14)
LAPSED = rules.ROWS["lapsed"]
WEIGHT = {rules.ArchiveState.BREACH: 0, rules.ArchiveState.ATTENTION: 1}

# Who has no course assigned cannot do anything about it: they come after those who can.
IS_FOR_HR = Case(When(training_state="not_assigned", then=Value(1)), default=Value(0), output_field=IntegerField())


@dataclass(frozen=True)
class Talk:
    employee: Employee
    sentences: list[str]
    may_remind: bool  # training is what a reminder is about
    is_reminded: bool  # today, by whomever


def first(people: QuerySet[Employee], today: date) -> list[Talk]:
    """Return at most five, the most urgent first. Three queries.

    Urgent is who may not message clients, then an open breach, then training that has lapsed or lapses within 14 days,
    then what needs attention in the archive. Whoever is none of these is not named.
    """
    soon = today + SOON
    archive_weight = Case(
        *(When(archive_state=state, then=Value(weight)) for state, weight in WEIGHT.items()),
        default=Value(2),
        output_field=IntegerField(),
    )
    urgent = (
        Q(may_message=False) | Q(training_state__in=LAPSED) | Q(lapses_on__lte=soon) | Q(archive_state__in=list(WEIGHT))
    )
    standings = (
        Standing.objects.filter(urgent, employee__in=people, is_on_staff=True)
        .select_related("employee__department", "employee__office")
        .annotate(archive_weight=archive_weight, is_for_hr=IS_FOR_HR)
        .order_by("may_message", "archive_weight", "is_for_hr", "lapses_on", "since", "pk")[:MOST]
    )
    rows = list(standings)
    reminded = set(
        Nudge.objects.filter(employee__in=[one.employee_id for one in rows], on=today).values_list(
            "employee", flat=True
        )
    )
    return [
        Talk(
            employee=one.employee,
            sentences=[words.say(reason) for reason in one.reasons],
            may_remind=is_due(one, today),
            is_reminded=one.employee_id in reminded,
        )
        for one in rows
    ]


def is_due(standing: Standing, today: date) -> bool:
    """Return whether a reminder has something to say: a course to finish now or within 14 days."""
    owes = standing.training_state in (*LAPSED, *rules.ROWS["due"]) and standing.training_state != "not_assigned"
    return owes or (standing.lapses_on is not None and standing.lapses_on <= today + SOON)
