"""Founds the demo firm: offices, departments, HR's files, and the few accounts that can sign in."""

import csv
from collections.abc import Iterable
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from portal.demo.people import (
    ACCOUNTS,
    AUDITOR_NAME,
    DEPARTMENTS,
    OFFICES,
    PASSWORD,
    SECOND_AUTHOR,
    SECOND_NAME,
    Account,
    Person,
)
from portal.hr import columns, reading
from portal.hr import services as hr
from portal.hr.comparing import Kind
from portal.ledger.models import Entry
from portal.people import services as people
from portal.people.models import Department, Employee, Office

BY = "system:demo"
BEGUN, FINISHED = "demo.begun", "demo.finished"  # verbs of the Entries around the story


class Refused(RuntimeError):
    """HR's own file was not taken as it is."""


def is_built() -> bool:
    return Entry.objects.filter(verb=FINISHED, subject=BY).exists()


@transaction.atomic
def found() -> None:
    """Set up the offices and the tree of departments, before HR's first file names them."""
    for code, (name, name_zh, zone, jurisdiction) in OFFICES.items():
        Office.objects.create(code=code, name=name, name_zh=name_zh, time_zone=zone, jurisdiction=jurisdiction)
    made: dict[str, Department] = {}
    for name, (name_zh, parent) in DEPARTMENTS.items():
        made[name] = Department.objects.create(name=name, name_zh=name_zh, parent=made.get(parent))


def hire(newcomers: Iterable[Person], path: Path) -> int:
    """Write HR's file of these people and read it as any other. Return how many came. Raises Refused."""
    rows = [person.hr_row() for person in newcomers]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with path.open("rb") as stream:
        mapping = columns.guess(reading.headings(stream))
        found = reading.difference(stream, mapping, is_complete=False, today=timezone.localdate())
    if refused := [change for change in found.changes if change.kind == Kind.REFUSED]:
        raise Refused(f"{path.name}: {refused[:3]}")
    hr.write_at_once(found=found, by=BY)
    return found.count(Kind.ADDED)


def open_accounts() -> None:
    """Give the printed sign-ins their password and their roles. Everybody else cannot sign in."""
    Employee.objects.create_user("auditor@example.com", name_en=AUDITOR_NAME, title="Auditor")
    Employee.objects.create_user("compliance2@example.com", name_en=SECOND_NAME, title="Group compliance")
    Employee.objects.create_user("author2@example.com", name_en=SECOND_AUTHOR, title="Learning and development")
    for account in ACCOUNTS:
        _open(account)


def _open(account: Account) -> None:
    employee = Employee.objects.get(email=account.email)
    employee.set_password(PASSWORD)  # takes its time on purpose, so not while the ledger is held
    with transaction.atomic():
        employee.is_staff = employee.is_superuser = account.is_administrator
        employee.save(update_fields=["password", "is_staff", "is_superuser"])
        people.give_roles(employee=employee, roles=account.groups, by=BY, reason="A sign-in of the demonstration")
