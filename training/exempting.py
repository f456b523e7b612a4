"""Exemptions: one person asks, another decides; what ends soon."""

from datetime import date, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from training.assignments import apply_to_people, exempt, lock_person
from training.models import Course, Exemption, ExemptionAsk

SOON = timedelta(days=30)


class SamePerson(Exception):
    """An exemption is decided by somebody who neither asked for it nor is exempt by it."""


class Decided(Exception):
    """It was decided before: a decision does not change."""


@transaction.atomic
def ask(
    *, employee: Employee, course: Course, reason: str, starts_on: date, ends_on: date, by: Employee
) -> ExemptionAsk:
    """Ask that a person be exempt from a course from the first to the last day, and return what was asked."""
    lock_person(employee.pk)
    told = {"employee": employee, "course": course, "reason": reason, "starts_on": starts_on, "ends_on": ends_on}
    row = ExemptionAsk.objects.create(**told, asked_by=by, asked_at=timezone.now())
    body = {
        "ask": row.uid,
        "course": course.slug,
        "reason": reason,
        "starts_on": starts_on.isoformat(),
        "ends_on": ends_on.isoformat(),
    }
    ledger.append(verb="training.exemption_asked", actor=by.uid, subject=employee.uid, body=body)
    return row


@transaction.atomic
def decide(*, ask: ExemptionAsk, by: Employee, refused_why: str = "") -> ExemptionAsk:
    """Approve what was asked, or with a reason refuse it. Raises SamePerson, Decided."""
    lock_person(ask.employee_id)
    ask = ExemptionAsk.objects.select_for_update(of=("self",)).select_related("employee", "course").get(pk=ask.pk)
    if ask.decided_at:
        raise Decided(ask.uid)
    if by.pk in (ask.asked_by_id, ask.employee_id):
        raise SamePerson(ask.uid)
    ask.decided_by, ask.decided_at, ask.refused_why = by, timezone.now(), refused_why
    if refused_why:
        body = {"ask": ask.uid, "course": ask.course.slug, "reason": refused_why}
        ledger.append(verb="training.exemption_refused", actor=by.uid, subject=ask.employee.uid, body=body)
    else:
        told = {"reason": ask.reason, "starts_on": ask.starts_on, "ends_on": ask.ends_on}
        ask.exemption = exempt(employee=ask.employee, course=ask.course, **told, approved_by=by, by=by.uid)
    ask.save()
    if ask.exemption:
        apply_to_people(employee_ids=[ask.employee_id], today=timezone.localdate())
    return ask


def in_force(viewer: Employee, today: date) -> QuerySet[Exemption]:
    """Return the exemptions that are not over, the soonest to end first."""
    people = Employee.objects.visible_to(viewer)
    rows = Exemption.objects.filter(employee__in=people, ends_on__gte=today)
    return rows.select_related("employee", "course", "approved_by").order_by("ends_on", "pk")
