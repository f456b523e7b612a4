"""A list of people and the people here, both as text under the same names."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import BinaryIO

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from portal.hr import columns, sheets
from portal.hr.comparing import Difference, Person, compare, joined
from portal.people.models import Employee, EmployeeTag, Office, Tag


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
    told = {"offices": offices, "tags": tag_names(), "is_complete": is_complete, "today": today}
    return compare(lines(stream, mapping), people(today), without_number=without_number(today), **told)


def tag_names() -> dict[str, str]:
    """Return {what a tag may be called, in lower case: its name}; the name is empty for one that is not HR's to give.

    Where two are called alike, the one that is HR's is meant.
    """
    found: dict[str, str] = {}
    for slug, name, name_zh, of_directory in Tag.objects.order_by("-of_directory", "-pk").values_list(
        "slug", "name", "name_zh", "of_directory"
    ):
        found |= {called.casefold(): "" if of_directory else name for called in (name_zh, name, slug) if called}
    return found


def people(today: date) -> dict[str, Person]:
    """Return everybody on HR's list, past and present, by employee number. Two queries."""
    listed = Employee.objects.filter(employee_no__isnull=False)
    return {person.values["employee_no"]: person for person, _is_ours in _read(listed, today)}


def without_number(today: date) -> dict[str, Person | None]:
    """Return who is not on HR's list, by address: None for who runs this site, whom no list changes. Two queries."""
    others = Employee.objects.filter(employee_no=None)
    return {person.values["email"]: None if is_ours else person for person, is_ours in _read(others, today)}


def _read(found: QuerySet[Employee], today: date) -> Iterator[tuple[Person, bool]]:
    """Yield (person, whether they run this site)."""
    tags: dict[int, list[str]] = {}
    borne = EmployeeTag.objects.filter(tag__of_directory=False)
    for pk, name in borne.values_list("employee", "tag__name").iterator(chunk_size=5000):
        tags.setdefault(pk, []).append(name)
    rows = found.values_list(
        "pk", "is_superuser", "employee_no", "name_en", "email", "name_zh", "wecom_userid", "department__name",
        "office__code", "title", "title_zh", "manager__employee_no", "joined_on", "left_on", "is_active",
    )  # fmt: skip
    names = [column.name for column in columns.COLUMNS]
    for pk, is_ours, *texts, joined_on, left_on, is_active in rows.iterator(chunk_size=5000):
        days = [day.isoformat() if day else "" for day in (joined_on, left_on)]
        told = [*(text or "" for text in texts), *days, joined(tags.get(pk, ()))]
        has_left = left_on is not None and (left_on < today or not is_active)
        yield Person(pk, dict(zip(names, told, strict=True)), has_left), is_ours
