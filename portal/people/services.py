"""What can be done to people: one function a verb, each with its Entry."""

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TextIO

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.ledger import services as ledger
from portal.people import rules
from portal.people.models import Department, Employee, EmployeeTag, Leave, Office, ReportingLine, Tag
from portal.people.ringing import ring_changed
from portal.people.roles import PERMISSIONS

PEOPLE_COLUMNS = {"employee_no", "name_en", "email"}  # a file without these is not a list of people


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
    """Make these the person's tags, and no others. Raises UnknownTag."""
    known = {tag.slug: tag for tag in Tag.objects.filter(slug__in=tags)}
    if unknown := set(tags) - known.keys():
        raise UnknownTag(", ".join(sorted(unknown)))
    employee = Employee.objects.select_for_update(of=("self",)).get(pk=employee.pk)
    before, after = sorted(employee.tags.values_list("slug", flat=True)), sorted(known)
    if before == after:
        return
    EmployeeTag.objects.filter(employee=employee).exclude(tag__slug__in=after).delete()
    EmployeeTag.objects.bulk_create(
        EmployeeTag(employee=employee, tag=known[slug]) for slug in after if slug not in before
    )
    body = {"before": before, "after": after}
    ledger.append(verb="people.tags_set", actor=by, subject=employee.uid, body=body)
    ring_changed([employee.pk])


@transaction.atomic
def make_tag(*, slug: str, name: str, name_zh: str = "", by: str) -> Tag:
    """Make the tag of this slug, or name it anew, and return it."""
    tag, is_new = Tag.objects.get_or_create(slug=slug, defaults={"name": name, "name_zh": name_zh})
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


@dataclass
class PeopleDifference:
    """What an HR file would change. ``errors`` holds (line, reason); a line with an error changes nothing."""

    added: list[dict] = field(default_factory=list)
    changed: list[tuple[dict, dict]] = field(default_factory=list)  # (before, after), only the columns that differ
    unchanged: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)


class NotAListOfPeople(ValueError):
    """The file lacks a column that every list of people has."""


def read_people(stream: TextIO) -> list[tuple[int, dict]]:
    """Return (line, row) of an HR file. Raises NotAListOfPeople."""
    reader = csv.DictReader(stream)
    missing = PEOPLE_COLUMNS - set(reader.fieldnames or [])
    if missing:
        raise NotAListOfPeople(_("The file has no column %(names)s.") % {"names": ", ".join(sorted(missing))})
    return [(reader.line_num, {k: (v or "").strip() for k, v in row.items() if k}) for row in reader]


@transaction.atomic
def import_people(*, rows: Iterable[tuple[int, dict]], write: bool, by: str) -> PeopleDifference:
    """Compare HR's rows with the people here, by employee number; with ``write`` also make it so.

    Columns: employee_no, name_en, email, and if there: name_zh, userid, unit, office, title, title_zh, manager_no,
    joined_on, left_on (ISO dates). A column that is not in the file is left alone. People who are not in the file
    are left alone too: leaving is told by left_on.
    """
    difference, parsed, touched = PeopleDifference(), [], []
    known = {e.employee_no: e for e in Employee.objects.filter(employee_no__isnull=False).select_related("manager")}
    offices = {office.code: office for office in Office.objects.all()}
    departments = {department.name: department for department in Department.objects.all()}
    seen: dict[str, int] = {}
    for line, row in rows:
        try:
            values = _checked(row, offices, seen, line)
        except ValueError as error:
            difference.errors.append((line, str(error)))
            continue
        parsed.append((line, row, values))
    for line, _row, values in parsed:
        employee = known.get(values["employee_no"])
        before = {} if employee is None else _as_hr_tells(employee, values.keys())
        after = {k: v for k, v in values.items() if before.get(k) != v}
        if clash := _clash(values, employee):
            difference.errors.append((line, clash))
        elif employee is None:
            difference.added.append(values)
            if write:
                known[values["employee_no"]] = _save(Employee(), values, departments, by, "people.added", {})
                touched.append(known[values["employee_no"]].pk)
        elif after:
            difference.changed.append(({k: before.get(k) for k in after}, after))
            if write:
                _save(employee, after, departments, by, "people.changed", before)
                touched.append(employee.pk)
        else:
            difference.unchanged += 1
    if write:
        _set_managers(parsed, known, difference, by)
        ring_changed(touched)
    return difference


def _checked(row: dict, offices: dict, seen: dict[str, int], line: int) -> dict:
    """Return the row's values in the types of Employee, with ``unit`` and ``manager_no`` as told. Raises ValueError."""
    if not row.get("employee_no") or not row.get("name_en"):
        raise ValueError(_("The number or the name is empty."))
    number = row["employee_no"]
    if number in seen:
        raise ValueError(
            _("Number %(number)s stands on line %(line)s already.") % {"number": number, "line": seen[number]}
        )
    try:
        validate_email(row.get("email", ""))
    except ValidationError as error:
        raise ValueError(_("The e-mail address is not one.")) from error
    if row.get("office") and row["office"] not in offices:
        raise ValueError(_("There is no office %(code)s.") % {"code": row["office"]})
    values: dict = {"employee_no": number, "name_en": row["name_en"], "email": row["email"].lower()}
    for column in ("name_zh", "title", "title_zh", "unit"):
        if column in row:
            values[column] = row[column]
    if "userid" in row:
        values["wecom_userid"] = row["userid"]
    if row.get("office"):
        values["office"] = offices[row["office"]]
    for column in ("joined_on", "left_on"):
        if row.get(column):
            try:
                values[column] = date.fromisoformat(row[column])
            except ValueError as error:
                raise ValueError(_("%(column)s is not a date like 2026-03-31.") % {"column": column}) from error
    seen[number] = line
    return values


def _as_hr_tells(employee: Employee, columns: Iterable[str]) -> dict:
    return {
        column: (employee.department.name if employee.department else "")
        if column == "unit"
        else getattr(employee, column)
        for column in columns
    }


def _clash(values: dict, employee: Employee | None) -> str:
    others = Employee.objects.exclude(pk=employee.pk if employee else None)
    if others.filter(email__iexact=values["email"]).exists():
        return _("Somebody else has this e-mail address.")
    userid = values.get("wecom_userid")
    if userid and others.filter(wecom_userid__iexact=userid).exists():
        return _("Somebody else has this WeCom userid.")
    return ""


def _save(employee: Employee, values: dict, departments: dict, by: str, verb: str, before: dict) -> Employee:
    for column, value in values.items():
        if column == "unit":
            if value and value not in departments:
                departments[value] = Department.objects.create(name=value)
            employee.department = departments.get(value)
        else:
            setattr(employee, column, value)
    if employee.pk is None:
        employee.set_unusable_password()
    employee.save()
    told = {k: None if v is None else str(v) for k, v in values.items()}
    was = {k: None if before.get(k) is None else str(before[k]) for k in values} if before else {}
    ledger.append(verb=verb, actor=by, subject=employee.uid, body={"before": was, "after": told})
    return employee


def _set_managers(parsed: list, known: dict, difference: PeopleDifference, by: str) -> None:
    for line, row, values in parsed:
        if "manager_no" not in row or values["employee_no"] not in known:
            continue
        employee, wanted = known[values["employee_no"]], row["manager_no"]
        manager = known.get(wanted)
        if wanted and manager is None:
            difference.errors.append((line, _("There is no employee %(number)s to report to.") % {"number": wanted}))
        elif employee.manager_id != (manager.pk if manager else None):
            try:
                set_manager(employee=employee, manager=manager, by=by)
            except rules.ManagerCycle:
                message = _("Reporting to %(number)s would make a circle.") % {"number": wanted}
                difference.errors.append((line, message))
