"""A difference made so: one person a call, the verbs of the room below, their Entries beside."""

import hashlib
from collections.abc import Mapping
from datetime import date

from django.db import transaction
from django.utils.text import slugify

from portal.hr.comparing import Kind, joined
from portal.people import rules, services
from portal.people.models import Department, Employee, Office, Tag

BESIDE = ("manager_no", "tags")  # written by services of their own, with Entries of their own


class Stale(RuntimeError):
    """The person is not any more as the difference shows them: somebody changed them in between."""


@transaction.atomic
def write(*, kind: str, person: int | None, before: Mapping[str, str], after: Mapping[str, str], by: str) -> Employee:
    """Add or change one person, all but their manager. Raises Stale."""
    if person is None:
        return _add(after, by)
    employee = Employee.objects.select_for_update(of=("self",)).select_related("department", "office").get(pk=person)
    if any(text(employee, name) != told for name, told in before.items() if name != "manager_no"):
        raise Stale(employee.pk)
    fields = _fields(after)
    told = {name: value for name, value in after.items() if name in before and name not in BESIDE}
    if told:
        told_before = {name: before[name] for name in told}
        services.save_person(
            employee=employee, fields=fields, told=told, before=told_before, verb="people.changed", by=by
        )
    _set_tags(employee, after, by)
    if kind == Kind.RETURNS:
        services.set_active(employee=employee, active=True, by=by, reason="is on HR's list again")
    return employee


def _add(after: Mapping[str, str], by: str) -> Employee:
    number = after.get("employee_no")
    if number and Employee.objects.filter(employee_no=number).exists():
        raise Stale(number)
    told = {name: value for name, value in after.items() if name not in BESIDE}
    employee = Employee(**_fields(after))
    employee.set_unusable_password()
    services.save_person(employee=employee, fields={}, told=told, before={}, verb="people.added", by=by)
    _set_tags(employee, after, by)
    return employee


def _set_tags(employee: Employee, after: Mapping[str, str], by: str) -> None:
    """Give the person the tags that the difference names, and no other of HR's. One that is not there is made."""
    if "tags" not in after:
        return
    slugs = [_slug(name, by) for name in after["tags"].split("; ") if name]
    services.set_tags(employee=employee, tags=slugs, by=by)


def _slug(name: str, by: str) -> str:
    found = Tag.objects.filter(name=name, of_directory=False).first()
    if found:
        return found.slug
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    slug = slugify(name)[:40].strip("-") or f"tag-{mark}"
    if Tag.objects.filter(slug=slug).exists():
        slug = f"{slug}-{mark}"
    return services.make_tag(slug=slug, name=name, by=by).slug


def set_manager(*, employee_no: str, manager_no: str, by: str) -> bool:
    """Let one person report to another, or to nobody. Return False if that would make a circle."""
    employee = Employee.objects.select_related("manager").get(employee_no=employee_no)
    manager = Employee.objects.get(employee_no=manager_no) if manager_no else None
    if employee.manager_id == (manager.pk if manager else None):
        return True
    try:
        services.set_manager(employee=employee, manager=manager, by=by)
    except rules.ManagerCycle:
        return False
    return True


def text(employee: Employee, name: str) -> str:
    if name == "unit":
        return employee.department.name if employee.department else ""
    if name == "office":
        return employee.office.code if employee.office else ""
    if name == "tags":
        return joined(employee.tags.filter(of_directory=False).values_list("name", flat=True))
    value = getattr(employee, name)
    return value.isoformat() if isinstance(value, date) else value or ""


def _fields(told: Mapping[str, str]) -> dict:
    """Return the fields of Employee for texts under the names of the columns; manager and tags are left out."""
    fields: dict = {}
    for name, text in told.items():
        if name == "unit":
            fields["department"] = Department.objects.get_or_create(name=text)[0] if text else None
        elif name == "office":
            fields["office"] = Office.objects.get(code=text) if text else None
        elif name in ("joined_on", "left_on"):
            fields[name] = date.fromisoformat(text) if text else None
        elif name == "employee_no":
            fields[name] = text or None
        elif name not in BESIDE:
            fields[name] = text
    return fields
