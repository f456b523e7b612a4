"""What can be done to people: one function a verb, each with its Entry."""

from collections.abc import Collection, Mapping
from datetime import date

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people import rules
from portal.people.models import Employee, EmployeeTag, Leave, ReportingLine, Tag
from portal.people.ringing import ring_changed
from portal.people.roles import PERMISSIONS


def rebuild_reporting_lines() -> int:
    """Write the closure of everybody's manager anew. Return the number of lines. Raises rules.ManagerCycle."""
    manager_of = dict(Employee.objects.values_list("pk", "manager_id"))
    with transaction.atomic():
        lines = [ReportingLine(manager_id=m, report_id=r, depth=d) for m, r, d in rules.reporting_lines(manager_of)]
        ReportingLine.objects.all().delete()
        ReportingLine.objects.bulk_create(lines, batch_size=2000)
    return len(lines)


@transaction.atomic
def set_leave(*, employee: Employee, first_on: date, last_on: date, by: str) -> date | None:
    """Keep that the person is away from ``first_on`` to ``last_on``. Return the last day known before, or None.

    The same first day again changes the last day.
    """
    before = Leave.objects.select_for_update().filter(employee=employee, first_on=first_on).first()
    if before is not None and before.last_on == last_on:
        return last_on
    Leave.objects.update_or_create(employee=employee, first_on=first_on, defaults={"last_on": last_on})
    days = {"first_on": first_on.isoformat(), "last_on": last_on.isoformat()}
    told = before.last_on.isoformat() if before else None
    ledger.append(verb="people.leave_set", actor=by, subject=employee.uid, body={**days, "last_on_before": told})
    ring_changed([employee.pk])
    return before.last_on if before else None


@transaction.atomic
def set_manager(*, employee: Employee, manager: Employee | None, by: str) -> None:
    """Move a person, with everybody below, under another manager. Raises rules.ManagerCycle."""
    _lock_upward({employee.pk} | ({manager.pk} if manager else set()))
    employee = Employee.objects.get(pk=employee.pk)
    moved = {employee.pk: 0} | dict(employee.lines_down.values_list("report", "depth"))
    if manager and manager.pk in moved:
        raise rules.ManagerCycle(f"{manager.pk} is below {employee.pk}")
    before = employee.manager.uid if employee.manager else None
    employee.manager = manager
    employee.save(update_fields=["manager"])
    ReportingLine.objects.filter(report__in=moved).exclude(manager__in=moved).delete()
    if manager:
        above = {manager.pk: 1} | {pk: depth + 1 for pk, depth in manager.lines_up.values_list("manager", "depth")}
        ReportingLine.objects.bulk_create(
            ReportingLine(manager_id=up, report_id=down, depth=above[up] + moved[down])
            for up in above
            for down in moved
        )
    ledger.append(
        verb="people.manager_set",
        actor=by,
        subject=employee.uid,
        body={"before": before, "after": manager.uid if manager else None},
    )


def _lock_upward(people: set[int]) -> None:
    """Lock these people and everybody above them. Two moves that could meet share one of them, so one waits.

    While we waited the lines above may have changed: read again, until nobody stands there who is not locked.
    """
    locked: set[int] = set()
    above = ReportingLine.objects.filter(report__in=people).values_list("manager", flat=True)
    while missing := (people | set(above.all())) - locked:
        list(Employee.objects.select_for_update(no_key=True).filter(pk__in=missing).order_by("pk"))
        locked |= missing


@transaction.atomic
def set_active(*, employee: Employee, active: bool, by: str, reason: str) -> None:
    """Suspend a person or let them in again: effective on their next request, at every door."""
    employee = Employee.objects.select_for_update(of=("self",)).get(pk=employee.pk)
    if employee.is_active == active:
        return
    employee.is_active = active
    employee.save(update_fields=["is_active"])
    if not active:
        end_sessions(employee)
    verb = "people.readmitted" if active else "people.suspended"
    ledger.append(verb=verb, actor=by, subject=employee.uid, body={"reason": reason})
    ring_changed([employee.pk])


def retire_leavers(*, today: date, by: str = "system:people") -> int:
    """Suspend everybody whose last day has passed. Return how many. Safe to run at any time."""
    leavers = list(Employee.objects.left_before(today))
    for employee in leavers:
        set_active(employee=employee, active=False, by=by, reason=f"left on {employee.left_on.isoformat()}")
    return len(leavers)


def end_sessions(employee: Employee) -> int:
    """Delete every session of a person, so that none works again if they are let in once more. Return how many.

    Sessions do not name their person in a column, so those that have not run out are read; they last twelve hours.
    """
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator():
        if session.get_decoded().get(SESSION_KEY) == str(employee.pk):
            session.delete()
            ended += 1
    return ended


@transaction.atomic
def give_roles(*, employee: Employee, roles: Collection[str], by: str, reason: str) -> None:
    """Make these the person's roles, and no others. Effective on their next request. Raises UnknownRole."""
    if unknown := set(roles) - PERMISSIONS.keys():
        raise UnknownRole(", ".join(sorted(unknown)))
    employee = Employee.objects.select_for_update(of=("self",)).get(pk=employee.pk)
    before, after = sorted(employee.groups.values_list("name", flat=True)), sorted(set(roles))
    if before == after:
        return
    employee.groups.set(Group.objects.filter(name__in=after))
    body = {"before": before, "after": after, "reason": reason}
    ledger.append(verb="people.roles_given", actor=by, subject=employee.uid, body=body)
    ring_changed([employee.pk])


@transaction.atomic
def set_tags(*, employee: Employee, tags: Collection[str], by: str) -> None:
    """Make these the tags that HR keeps of the person, and no others. Raises UnknownTag.

    Tags that come from a group of the directory are not HR's: they stay, and naming one changes nothing.
    """
    known = dict(Tag.objects.filter(slug__in=tags).values_list("slug", "of_directory"))
    if unknown := set(tags) - known.keys():
        raise UnknownTag(", ".join(sorted(unknown)))
    kept = {slug for slug, of_directory in known.items() if not of_directory}
    borne = set(employee.tags.filter(of_directory=False).values_list("slug", flat=True))
    change_tags(employee=employee, add=kept - borne, drop=borne - kept, by=by)


@transaction.atomic
def change_tags(*, employee: Employee, add: Collection[str] = (), drop: Collection[str] = (), by: str) -> None:
    """Give the person tags and take others away; all others stay. The slugs are those of tags that there are."""
    employee = Employee.objects.select_for_update(of=("self",)).get(pk=employee.pk)
    before = set(employee.tags.values_list("slug", flat=True))
    after = (before | set(add)) - set(drop)
    if before == after:
        return
    EmployeeTag.objects.filter(employee=employee, tag__slug__in=before - after).delete()
    EmployeeTag.objects.bulk_create(
        EmployeeTag(employee=employee, tag=tag) for tag in Tag.objects.filter(slug__in=after - before)
    )
    body = {"before": sorted(before), "after": sorted(after)}
    ledger.append(verb="people.tags_set", actor=by, subject=employee.uid, body=body)
    ring_changed([employee.pk])


@transaction.atomic
def make_tag(*, slug: str, name: str, name_zh: str = "", of_directory: bool = False, by: str) -> Tag:
    """Make the tag of this slug, or name it anew, and return it. Whose it is stays as it was made."""
    told = {"name": name, "name_zh": name_zh, "of_directory": of_directory}
    tag, is_new = Tag.objects.get_or_create(slug=slug, defaults=told)
    if not is_new and (tag.name, tag.name_zh) == (name, name_zh):
        return tag
    tag.name, tag.name_zh = name, name_zh
    tag.save()
    ledger.append(verb="people.tag_made", actor=by, subject="system:people", body={"slug": slug, "name": name})
    return tag


class UnknownTag(ValueError):
    """No tag has this slug."""


class UnknownRole(ValueError):
    """No role has this name: see roles.PERMISSIONS."""


@transaction.atomic
def save_person(
    *,
    employee: Employee,
    fields: Mapping[str, object],
    told: Mapping[str, str],
    before: Mapping[str, str],
    verb: str,
    by: str,
) -> None:
    """Set the fields and keep the person, new or not. The Entry says what was told, as text, and what was so before."""
    for name, value in fields.items():
        setattr(employee, name, value)
    employee.save()
    ledger.append(verb=verb, actor=by, subject=employee.uid, body={"before": dict(before), "after": dict(told)})
