"""Of whom a pack speaks, and what they were then: as at an Entry, so that the answer never changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Max, QuerySet

from portal.evidence.models import Pack
from portal.ledger import rules
from portal.ledger.models import Body, Entry
from portal.people.models import Department, Employee, Office
from portal.standing.models import StandingChange

NAMES = ("employee_no", "name_en", "name_zh")
TOLD_BY_HR = ("people.added", "people.changed")


@dataclass(frozen=True)
class Person:
    """A person as at an Entry. ``standing``: None before the first one was told."""

    uid: str
    pk: int
    employee_no: str
    name_en: str
    name_zh: str
    standing: StandingChange | None

    @property
    def name(self) -> str:
        return f"{self.name_en} {self.name_zh}".strip()


def standing_at(upto: int) -> QuerySet[StandingChange]:
    """Return for each person the change of standing that was the last until the Entry."""
    until = StandingChange.objects.filter(entry_seq__lte=upto)
    last = until.order_by().values("employee").annotate(seq=Max("entry_seq")).values("seq")
    return StandingChange.objects.filter(entry_seq__in=last)


def uids(pack: Pack) -> list[str]:
    """Return whom the pack is about, only whom its asker may see, in an order that never changes.

    It is that in which the archive's figures are computed, so that people who stand in one Entry come together.
    A department or the firm: who was on staff then. Departments lie in each other as they do now.
    """
    seen = Employee.objects.visible_to(pack.asked_by)
    if pack.scope == Pack.Scope.PERSON:
        return list(seen.filter(pk=pack.person_id).values_list("uid", flat=True))
    then = standing_at(pack.upto).filter(is_on_staff=True, employee__in=seen)
    if pack.scope == Pack.Scope.DEPARTMENT:
        then = then.filter(department__in=and_below(pack.department))
    return list(then.order_by("employee").values_list("employee__uid", flat=True))


def and_below(department: Department) -> set[int]:
    """Return the ids of a department and of all below it. One query."""
    children: dict[int | None, list[int]] = {}
    for pk, parent in Department.objects.values_list("pk", "parent"):
        children.setdefault(parent, []).append(pk)
    found, ahead = set(), [department.pk]
    while ahead:
        if (pk := ahead.pop()) not in found:
            found.add(pk)
            ahead += children.get(pk, [])
    return found


def people_at(chosen: Sequence[str], upto: int) -> list[Person]:
    """Return these people as at the Entry, in the order given: the names that HR had told of them by then."""
    rows = {one.uid: one for one in Employee.objects.filter(uid__in=chosen)}
    names = _names_at(rows, upto)
    changes = standing_at(upto).filter(employee__uid__in=chosen)
    standing = {one.employee_id: one for one in changes.select_related("manager", "department", "office")}
    return [Person(uid, rows[uid].pk, **names[uid], standing=standing.get(rows[uid].pk)) for uid in chosen]


def _names_at(rows: dict[str, Employee], upto: int) -> dict[str, dict[str, str]]:
    """Return {uid: names}: as last told until the Entry, else as they were before they were first changed after it."""
    names = {uid: {name: getattr(row, name) or "" for name in NAMES} for uid, row in rows.items()}
    later: set[tuple[str, str]] = set()
    for seq, subject, said in _told(rows, upto):
        before, after = said.get("before") or {}, said.get("after") or {}
        for name in NAMES:
            if seq <= upto and name in after:
                names[subject][name] = after[name] or ""
                later.add((subject, name))
            elif seq > upto and name in before and (subject, name) not in later:
                names[subject][name] = before[name] or ""
                later.add((subject, name))
    return names


def _told(chosen: Iterable[str], upto: int) -> Iterable[tuple[int, str, dict]]:
    """Yield what HR has told of these people: first what was told until the Entry, then what came after it."""
    entries = Entry.objects.filter(subject__in=list(chosen), verb__in=TOLD_BY_HR).order_by("seq")
    subjects = dict(entries.values_list("seq", "subject"))
    for body in Body.objects.filter(entry__in=subjects).order_by("entry"):
        yield body.entry_id, subjects[body.entry_id], rules.read(bytes(body.content))


def names_of_places() -> dict[str, dict[int, str]]:
    """Return the English names of departments and offices, as they are now."""
    departments = dict(Department.objects.values_list("pk", "name"))
    return {"department": departments, "office": dict(Office.objects.values_list("pk", "name"))}
