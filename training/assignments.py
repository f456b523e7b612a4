"""Who owes a course: rules, assignments, exemptions. One function a verb, each with its Entry."""

import logging
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from training import rules
from training.models import Assignment, Completion, Course, Exemption, Rule

logger = logging.getLogger(__name__)

BATCH = 200  # people assigned in one transaction


def ring_standing() -> None:
    """After the commit, tell the roof that something changed. Lost without harm: it looks by itself each minute."""
    transaction.on_commit(_ring_standing)


def _ring_standing() -> None:
    try:
        current_app.send_task(settings.STANDING_CATCH_UP_TASK)
    except Exception:
        logger.warning("could not ring for the standings", exc_info=True)


def lock_person(employee_id: int) -> Employee:
    """Lock a person: the first lock of everything that this room changes about them."""
    return Employee.objects.select_for_update(of=("self",), no_key=True).get(pk=employee_id)


@transaction.atomic
def set_rule(*, course: Course, name: str, due_days: int, starts_on: date, is_active: bool = True, by: str) -> Rule:
    """Make the rule of this name, or make it what is said here, and return it. Unchanged: no Entry."""
    wanted = {"course": course, "due_days": due_days, "starts_on": starts_on, "is_active": is_active}
    rule = Rule.objects.select_for_update(of=("self",)).filter(name=name).first() or Rule(name=name)
    if rule.pk and all(getattr(rule, field) == value for field, value in wanted.items()):
        return rule
    for field, value in wanted.items():
        setattr(rule, field, value)
    rule.save()
    body = {"rule": name, "course": course.slug, "due_days": due_days, "starts_on": starts_on.isoformat()}
    ledger.append(verb="training.rule_set", actor=by, subject="system:training", body=body | {"is_active": is_active})
    return rule


@transaction.atomic
def assign(*, employee: Employee, course: Course, due_on: date, rule: Rule | None = None, by: str) -> Assignment:
    """Assign a course to a person and return the assignment: the next cycle, or the one that is open already.

    An open one stays as it is, its due date too: nobody gets more time by being assigned twice.
    """
    lock_person(employee.pk)
    cycles = Assignment.objects.filter(employee=employee, course=course)
    if open_one := cycles.open().first():
        return open_one
    ring_standing()
    return _next_cycle(employee, course, cycles.count() + 1, due_on, rule, by)


def _next_cycle(employee: Employee, course: Course, cycle: int, due_on: date, rule: Rule | None, by: str) -> Assignment:
    """Write the assignment and its Entry. The person is locked and owes nothing in this course."""
    assignment = Assignment.objects.create(
        employee=employee, course=course, cycle=cycle, due_on=due_on, rule=rule, assigned_on=timezone.localdate()
    )
    body = {"course": course.slug, "cycle": cycle, "due_on": due_on.isoformat(), "rule": rule.name if rule else None}
    ledger.append(verb="training.assigned", actor=by, subject=employee.uid, body=body)
    return assignment


def apply_rules(*, today: date, by: str = "system:rules") -> int:
    """Assign every course to everybody on staff who owes it, renewals too. Return how many were assigned.

    Safe to run at any time: who has been assigned owes nothing more. In batches, each of which stands for itself.
    """
    active = Rule.objects.filter(is_active=True, starts_on__lte=today).select_related("course").order_by("pk")
    return sum(_apply(rule, today, by) for rule in active)


def _apply(rule: Rule, today: date, by: str) -> int:
    people = list(owing(rule.course, today).values_list("pk", flat=True))
    return sum(_assign_all(rule, batch, today, by) for batch in _batches(people))


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


@transaction.atomic
def _assign_all(rule: Rule, people: Sequence[int], today: date, by: str) -> int:
    # Lock first, then look again: another worker may have assigned them in between.
    list(Employee.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=people).order_by("pk"))
    still = list(owing(rule.course, today).filter(pk__in=people))
    of_course = {"course": rule.course, "employee__in": still}
    cycles = dict(Assignment.objects.filter(**of_course).order_by("cycle").values_list("employee", "cycle"))
    ends = dict(
        Completion.objects.filter(edition__course=rule.course, employee__in=still)
        .order_by("expires_on")
        .values_list("employee", "expires_on")
    )
    for employee in still:
        due_on = _due_on(rule, employee, ends.get(employee.pk), today)
        _next_cycle(employee, rule.course, cycles.get(employee.pk, 0) + 1, due_on, rule, by)
    if still:
        ring_standing()
    return len(still)


def _due_on(rule: Rule, employee: Employee, expires_on: date | None, today: date) -> date:
    if expires_on:
        return rules.renewal_due_on(expires_on=expires_on, today=today)
    return rules.first_due_on(
        joined_on=employee.joined_on, starts_on=rule.starts_on, due_days=rule.due_days, today=today
    )


def owing(course: Course, today: date) -> QuerySet[Employee]:
    """Return who must be assigned the course now, by id: on staff, not exempt, nothing open, nothing that lasts."""
    lasting = today + timedelta(days=rules.RENEWAL_DAYS)
    of_course = Assignment.objects.filter(course=course)
    exempt = Exemption.objects.filter(course=course, starts_on__lte=today, ends_on__gte=today)
    return (
        Employee.objects.on_staff()
        .filter(Q(joined_on=None) | Q(joined_on__lte=today))
        .exclude(pk__in=of_course.open().values("employee"))
        .exclude(pk__in=of_course.filter(completion__expires_on__gt=lasting).values("employee"))
        .exclude(pk__in=exempt.values("employee"))
        .order_by("pk")
    )


@transaction.atomic
def exempt(
    *, employee: Employee, course: Course, reason: str, starts_on: date, ends_on: date, approved_by: Employee, by: str
) -> Exemption:
    """Free a person from a course from the first to the last day, and return the exemption. Never oneself."""
    lock_person(employee.pk)
    exemption = Exemption.objects.create(
        employee=employee,
        course=course,
        reason=reason,
        starts_on=starts_on,
        ends_on=ends_on,
        approved_by=approved_by,
    )
    body = {
        "course": course.slug,
        "reason": reason,
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
        "approved_by": approved_by.uid,
    }
    ledger.append(verb="training.exempted", actor=by, subject=employee.uid, body=body)
    ring_standing()
    return exemption
