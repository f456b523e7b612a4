"""Days of leave, told by HR: they are no working days, so the records of their months are computed again."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TextIO

from django.db import transaction
from django.utils.translation import gettext as _

from archive import calendars
from archive.models import Record
from archive.services.due import Why, mark_months_due
from portal.people import services as people
from portal.people.models import Employee

COLUMNS = ("employee_no", "first_on", "last_on")


class NotALeaveList(ValueError):
    """The file has not the columns that it needs."""


@dataclass(frozen=True)
class Told:
    """One line of HR's list. ``fault`` says what is wrong with it, empty where nothing is."""

    line: int
    employee: Employee | None
    first_on: date | None
    last_on: date | None
    fault: str = ""


def read_leaves(file: TextIO) -> list[Told]:
    """Return what each line of the list says. Raises NotALeaveList."""
    rows = csv.DictReader(file)
    if missing := [name for name in COLUMNS if name not in (rows.fieldnames or ())]:
        raise NotALeaveList(_("The file has no column %(names)s.") % {"names": ", ".join(missing)})
    lines = list(enumerate(rows, start=2))
    numbers = {(row["employee_no"] or "").strip() for _line, row in lines}
    by_number = {one.employee_no: one for one in Employee.objects.filter(employee_no__in=numbers)}
    return [_told(line, row, by_number) for line, row in lines]


def _told(line: int, row: dict, by_number: dict[str, Employee]) -> Told:
    number = (row["employee_no"] or "").strip()
    if number not in by_number:
        return Told(line, None, None, None, _("Nobody has the number %(number)s.") % {"number": number or "–"})
    try:
        first, last = (date.fromisoformat((row[name] or "").strip()) for name in ("first_on", "last_on"))
    except ValueError:
        return Told(line, None, None, None, _("A day is not written like 2026-10-01."))
    if last < first:
        return Told(line, None, None, None, _("The leave ends before it begins."))
    return Told(line, by_number[number], first, last)


@transaction.atomic
def take_leaves(*, told: Iterable[Told], by: str) -> int:
    """Keep these leaves and mark the records of their months. Return how many were new or changed."""
    changed = 0
    for one in told:
        if one.fault:
            continue
        before = people.set_leave(employee=one.employee, first_on=one.first_on, last_on=one.last_on, by=by)
        if before != one.last_on:
            changed += 1
            mark_months_due(_months(one, before), Why.LEAVE)
    return changed


def _months(one: Told, before: date | None) -> Iterator[tuple[int, date]]:
    """Yield the months that the leave touches now or touched before, where there is a record of them."""
    last = max(one.last_on, before or one.last_on)
    rows = Record.objects.filter(
        employee=one.employee, month__gte=calendars.month_of(one.first_on), month__lte=calendars.month_of(last)
    )
    yield from rows.values_list("employee_id", "month")
