"""What a list of people would change here: plain values in, plain values out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.hr.columns import DAYS

LONGEST = {
    "employee_no": 64, "email": 254, "name_en": 120, "name_zh": 60, "wecom_userid": 64, "unit": 120,
    "title": 120, "title_zh": 60,
}  # fmt: skip
LONGEST_TAG = 60
_BETWEEN_TAGS = re.compile(r"[;,|；，、]")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?|(\d{4})(\d\d)(\d\d)")


class Kind(models.TextChoices):
    ADDED = "added", _("New")
    CHANGED = "changed", _("Changed")
    RETURNS = "returns", _("Comes back")
    LEAVES = "leaves", _("Leaves")
    REFUSED = "refused", _("Refused")


class Wrong(models.TextChoices):
    """Why a line is refused. What it needs to be said stands in ``Change.about``."""

    NO_NUMBER = "no_number", _("The employee number or the name is empty.")
    TWICE = "twice", _("This number stands on line %(about)s already.")
    TOO_LONG = "too_long", _("The column %(about)s is too long.")
    BAD_EMAIL = "bad_email", _("The e-mail address is not one.")
    EMAIL_TAKEN = "email_taken", _("Somebody else has this e-mail address: %(about)s.")
    USERID_TAKEN = "userid_taken", _("Somebody else has this WeCom userid: %(about)s.")
    NO_OFFICE = "no_office", _("There is no office with the code %(about)s.")
    BAD_DATE = "bad_date", _("%(about)s is not a date like 2026-03-31.")
    LEFT_BEFORE_JOINING = "left_before_joining", _("The last day lies before the first.")
    NO_MANAGER = "no_manager", _("There is no employee %(about)s to report to.")
    OWN_MANAGER = "own_manager", _("Nobody reports to themselves.")
    CIRCLE = "circle", _("Reporting to %(about)s would make a circle.")


@dataclass(frozen=True)
class Person:
    """Somebody who is here, as text under the names of the columns. ``pk``: the row."""

    pk: int
    values: Mapping[str, str]
    has_left: bool = False


@dataclass
class Change:
    """One line's effect. ``before`` and ``after`` hold only the columns that differ; ``line`` 0: not in the file."""

    kind: Kind
    line: int
    employee_no: str
    person: int | None = None
    before: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    wrong: str = ""
    about: str = ""


@dataclass(frozen=True)
class Difference:
    changes: Sequence[Change]
    unchanged: int
    staff: int  # on it before the file

    @property
    def lines(self) -> int:
        """How many lines the file has below its headings."""
        return self.unchanged + sum(change.line > 0 for change in self.changes)

    def count(self, kind: Kind) -> int:
        return sum(change.kind == kind for change in self.changes)


class _Refused(ValueError):
    def __init__(self, wrong: Wrong, about: object = "") -> None:
        super().__init__(wrong)
        self.wrong, self.about = wrong, str(about)


def compare(
    lines: Iterable[tuple[int, Mapping[str, str]]],
    people: Mapping[str, Person],
    *,
    offices: AbstractSet[str],
    is_complete: bool,
    today: date,
    tags: Mapping[str, str] = MappingProxyType({}),
    without_number: Mapping[str, Person | None] = MappingProxyType({}),
) -> Difference:
    """Return what these lines change about the people, who are told by employee number.

    ``tags``: {what a tag may be called, in lower case: its name; empty if it is not HR's to give}.
    ``without_number``: {address: who has it and no number yet, and gets one by this list; None for who is not HR's}.

    A column that a line does not have is left alone. A number that is not known but whose address belonged to somebody
    who has left is that person, back again. With ``is_complete`` who is on staff and not in the file leaves today;
    without it only a last day in the file makes somebody leave.
    """
    lines = list(lines)
    listed = {row.get("employee_no", "") for _line, row in lines}
    former = {
        p.values["email"].casefold(): p for p in people.values() if p.has_left and p.values["employee_no"] not in listed
    }
    seen: dict[str, int] = {}
    wanted: list[tuple[int, dict[str, str], Person | None]] = []
    refused: list[Change] = []
    for line, row in lines:
        try:
            values = _checked(row, seen, offices, tags)
        except _Refused as no:
            refused.append(_refusal(line, row.get("employee_no", ""), no))
            continue
        seen[values["employee_no"]] = line
        person = people.get(values["employee_no"]) or _back(values, former, today)
        wanted.append((line, values, person or without_number.get(values["email"])))
    wanted, more = _without_clashes(wanted, people, without_number)
    refused += more
    wanted, more = _without_lost_managers(wanted, people)
    refused += more
    changes = [change for line, values, person in wanted if (change := _change(line, values, person, today))]
    if is_complete:
        there = {person.pk for _line, _values, person in wanted if person}
        told_of = {number for change in refused for number in (change.employee_no, change.about)}
        there |= {people[number].pk for number in told_of & people.keys()}
        changes += [
            _leaves(person, today) for person in people.values() if not person.has_left and person.pk not in there
        ]
    changes += sorted(refused, key=lambda change: change.line)
    staff = sum(not person.has_left for person in people.values())
    return Difference(changes, len(wanted) - sum(c.line > 0 and c.kind != Kind.REFUSED for c in changes), staff)


def _back(values: Mapping[str, str], former: Mapping[str, Person], today: date) -> Person | None:
    """Return who has left and is on the list again under another number, told by the address."""
    person = former.get(values["email"].casefold())
    return person if person and _is_back(values, person, today) else None


def _refusal(line: int, number: str, no: _Refused) -> Change:
    return Change(Kind.REFUSED, line, number[:64], wrong=no.wrong, about=no.about[:120])


def _checked(
    row: Mapping[str, str], seen: Mapping[str, int], offices: AbstractSet[str], tags: Mapping[str, str]
) -> dict[str, str]:
    """Return the row with its days as ISO dates, and its tags by name in their order. Raises _Refused."""
    values = dict(row)
    number = values.get("employee_no", "")
    if not number or not values.get("name_en"):
        raise _Refused(Wrong.NO_NUMBER)
    if number in seen:
        raise _Refused(Wrong.TWICE, seen[number])
    for column, longest in LONGEST.items():
        if len(values.get(column, "")) > longest:
            raise _Refused(Wrong.TOO_LONG, column)
    values["email"] = values.get("email", "").lower()
    try:
        validate_email(values["email"])
    except ValidationError as error:
        raise _Refused(Wrong.BAD_EMAIL) from error
    if values.get("office") and values["office"] not in offices:
        raise _Refused(Wrong.NO_OFFICE, values["office"])
    for column in DAYS:
        if values.get(column):
            values[column] = _day(values[column])
    if values.get("tags"):
        values["tags"] = _tags(values["tags"], tags)
    if values.get("joined_on") and values.get("left_on") and values["left_on"] < values["joined_on"]:
        raise _Refused(Wrong.LEFT_BEFORE_JOINING)
    if values.get("manager_no") == number:
        raise _Refused(Wrong.OWN_MANAGER)
    return values


def _day(told: str) -> str:
    """Return a day as ISO date, however an office writes it: 2026-03-31, 2026/3/31, 2026年3月31日, 20260331."""
    found = _DAY.fullmatch(told)
    try:
        return date(*(int(part) for part in found.groups() if part)).isoformat()
    except (AttributeError, ValueError) as error:
        raise _Refused(Wrong.BAD_DATE, told) from error


def _tags(told: str, known: Mapping[str, str]) -> str:
    """Return the names of tags as a cell tells them, by name or short name, put as ``joined`` puts them."""
    names = {one.strip() for one in _BETWEEN_TAGS.split(told)} - {""}
    if any(len(name) > LONGEST_TAG for name in names):
        raise _Refused(Wrong.TOO_LONG, "tags")
    return joined(known.get(name.casefold(), name) for name in names)


def joined(tags: Iterable[str]) -> str:
    """Return the names of tags as one text, always in the same order."""
    return "; ".join(sorted({name for name in tags if name}))


Wanted = list[tuple[int, dict[str, str], Person | None]]


def _without_clashes(
    wanted: Wanted, people: Mapping[str, Person], without_number: Mapping[str, Person | None]
) -> tuple[Wanted, list[Change]]:
    """Refuse who claims an address or a userid that somebody else bears now, or that an earlier line claims.

    That the other gives it up by the same list does not help: their own line may be refused. The list given once more
    is then followed further.
    """
    refused: list[Change] = []
    for column, wrong in (("email", Wrong.EMAIL_TAKEN), ("wecom_userid", Wrong.USERID_TAKEN)):
        owner = {p.values[column].casefold(): p.values["employee_no"] for p in people.values() if p.values[column]}
        if column == "email":
            owner |= {address: "" if person else "–" for address, person in without_number.items()}
        kept: Wanted = []
        for line, values, person in wanted:
            now = person.values["employee_no"] if person else values["employee_no"]
            told = values.get(column, "").casefold()
            if told and owner.setdefault(told, now) != now:
                refused.append(_refusal(line, values["employee_no"], _Refused(wrong, owner[told])))
            else:
                kept.append((line, values, person))
        wanted = kept
    return wanted, refused


def _without_lost_managers(wanted: Wanted, people: Mapping[str, Person]) -> tuple[Wanted, list[Change]]:
    """Refuse who would report to nobody that is known, or in a circle. Refusing one may leave another without."""
    refused: list[Change] = []
    while True:
        manager_of = {p.values["employee_no"]: p.values["manager_no"] for p in people.values()}
        for _line, values, person in wanted:
            if person and person.values["employee_no"] != values["employee_no"]:
                manager_of.pop(person.values["employee_no"], None)
            old = person.values["manager_no"] if person else ""
            manager_of[values["employee_no"]] = values.get("manager_no", old)
        in_circle = _in_circles(manager_of)
        kept: Wanted = []
        for line, values, person in wanted:
            manager = values.get("manager_no", "")
            if manager and manager not in manager_of:
                refused.append(_refusal(line, values["employee_no"], _Refused(Wrong.NO_MANAGER, manager)))
            elif values["employee_no"] in in_circle and "manager_no" in values:
                refused.append(_refusal(line, values["employee_no"], _Refused(Wrong.CIRCLE, manager)))
            else:
                kept.append((line, values, person))
        if len(kept) == len(wanted):
            return kept, refused
        wanted = kept


def _in_circles(manager_of: Mapping[str, str]) -> set[str]:
    """Return everybody who stands above themselves."""
    found: set[str] = set()
    done: set[str] = set()
    for start in manager_of:
        path: dict[str, int] = {}
        one = start
        while one and one not in done and one not in path:
            path[one] = len(path)
            one = manager_of.get(one, "")
        if one in path:
            found |= {number for number, at in path.items() if at >= path[one]}
        done |= path.keys()
    return found


def _change(line: int, values: dict[str, str], person: Person | None, today: date) -> Change | None:
    number = values["employee_no"]
    if person is None:
        return Change(Kind.ADDED, line, number, after={k: v for k, v in values.items() if v})
    comes_back = person.has_left and _is_back(values, person, today)
    if comes_back:
        values = values | {"left_on": values.get("left_on", "") if _ahead(values, today) else ""}
    after = {k: v for k, v in values.items() if person.values.get(k, "") != v}
    if not after and not comes_back:
        return None
    before = {k: person.values.get(k, "") for k in after}
    leaves = not person.has_left and after.get("left_on")
    kind = Kind.RETURNS if comes_back else Kind.LEAVES if leaves else Kind.CHANGED
    return Change(kind, line, number, person.pk, before, after)


def _ahead(values: Mapping[str, str], today: date) -> bool:
    return values.get("left_on", "") >= today.isoformat()


def _is_back(values: Mapping[str, str], person: Person, today: date) -> bool:
    """Return whether somebody who has left is on the list again.

    They are if the list gives no last day, or one to come, where it tells last days; otherwise if they joined after
    they had left.
    """
    if "left_on" in values:
        return not values["left_on"] or _ahead(values, today)
    return values.get("joined_on", "") > (person.values["left_on"] or today.isoformat())


def _leaves(person: Person, today: date) -> Change:
    told = {"left_on": person.values["left_on"]}
    return Change(Kind.LEAVES, 0, person.values["employee_no"], person.pk, told, {"left_on": today.isoformat()})
