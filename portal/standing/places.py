"""Departments as a tree and offices: a department's figures are those of everybody in it and in what is under it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from portal.people.models import Department

NOWHERE = 0  # in an address: people who are in no department, or in no office
NO_NAME = "–"


@dataclass(frozen=True)
class Place:
    """A department or an office in a list. ``pk`` None: people in none; ``depth`` 0: at the top."""

    pk: int | None
    name: str
    depth: int = 0

    @property
    def indented(self) -> str:
        """The name as an option of a select shows it."""
        return "\u2003" * self.depth + self.name


class Tree:
    """All departments. One query. A circle, which HR's list never has, would end all the same."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self._below: dict[int | None, list[int]] = defaultdict(list)
        self._above: dict[int, int | None] = {}
        for one in Department.objects.order_by("name"):
            self.names[one.pk] = str(one)
            self._below[one.parent_id].append(one.pk)
            self._above[one.pk] = one.parent_id

    def children(self, pk: int | None) -> list[int]:
        return self._below.get(pk, [])

    def under(self, pk: int) -> set[int]:
        """Return the department and everything under it."""
        found, todo = {pk}, [pk]
        while todo:
            for child in self.children(todo.pop()):
                if child not in found:
                    found.add(child)
                    todo.append(child)
        return found

    def up(self, pk: int | None) -> list[int]:
        """Return the department and everything above it, the nearest first."""
        found: list[int] = []
        while pk is not None and pk not in found:
            found.append(pk)
            pk = self._above.get(pk)
        return found

    def options(self, of: set[int | None]) -> list[Place]:
        """Return the departments in which these are, and those above them, each under its own."""
        wanted = {above for pk in of for above in self.up(pk)}
        found: list[Place] = []
        todo = [(pk, 0) for pk in reversed(self.children(None))]
        while todo:
            pk, depth = todo.pop()
            if pk in wanted:
                found.append(Place(pk, self.names[pk], depth))
                todo += [(child, depth + 1) for child in reversed(self.children(pk))]
        return found


def in_department(pk: int, of: str = "") -> Q:
    """Return the condition of people in a department or under it, for rows that reach them by ``of``. One query."""
    if pk == NOWHERE:
        return Q(**{f"{of}department": None})
    return Q(**{f"{of}department__in": Tree().under(pk)})


def in_office(pk: int, of: str = "") -> Q:
    return Q(**{f"{of}office": None if pk == NOWHERE else pk})


def in_query(query: Mapping[str, str], name: str) -> int | None:
    """Return the place that an address names; None where it names none, or no number."""
    value = query.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else None
