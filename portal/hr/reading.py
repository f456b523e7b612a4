"""A list of people and the people here, both as text under the same names."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import BinaryIO

from django.utils.translation import gettext as _

from portal.hr import columns, sheets
from portal.hr.comparing import Difference, Person, compare
from portal.people.models import Employee, Office


def headings(stream: BinaryIO) -> list[str]:
    """Return the first row of a file. Raises sheets.NotATable."""
    for _line, cells in sheets.rows(stream):
        return cells
    raise sheets.NotATable(_("The file is empty."))


def lines(stream: BinaryIO, mapping: Mapping[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, {our column: text}) of every row below the headings. Raises sheets.NotATable."""
    at: dict[str, int] | None = None
    for line, cells in sheets.rows(stream):
        if at is None:
            at = {name: cells.index(header) for name, header in mapping.items() if header in cells}
            if lost := columns.missing(at):
                names = {"names": ", ".join(lost)}
                raise sheets.NotATable(_("The file has no column %(names)s.") % names)
        else:
            yield line, {name: cells[place] if place < len(cells) else "" for name, place in at.items()}


def difference(stream: BinaryIO, mapping: Mapping[str, str], *, is_complete: bool, today: date) -> Difference:
    """Return what a file would change. Raises sheets.NotATable."""
    offices = set(Office.objects.values_list("code", flat=True))
    return compare(lines(stream, mapping), people(today), offices=offices, is_complete=is_complete, today=today)


def people(today: date) -> dict[str, Person]:
    """Return everybody on HR's list, past and present, by employee number. One query."""
    rows = Employee.objects.filter(employee_no__isnull=False).values_list(
        "pk", "employee_no", "name_en", "email", "name_zh", "wecom_userid", "department__name", "office__code",
        "title", "title_zh", "manager__employee_no", "joined_on", "left_on", "is_active",
    )  # fmt: skip
    names = [column.name for column in columns.COLUMNS]
    found = {}
    for pk, *texts, joined_on, left_on, is_active in rows.iterator(chunk_size=5000):
        days = [day.isoformat() if day else "" for day in (joined_on, left_on)]
        values = dict(zip(names, [*(text or "" for text in texts), *days], strict=True))
        has_left = left_on is not None and (left_on < today or not is_active)
        found[values["employee_no"]] = Person(pk, values, has_left)
    return found
