"""What a hold holds: plain functions of what is known of a message, or of a line that could not be read."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Terms:
    """The criteria of one hold. All that are given must be met; an empty one is met by anything.

    ``handles``: the person's own, folded: one that was not matched when the message came is held all the same.
    ``begins`` is the first moment, ``ends`` the first moment after.
    """

    employee: int | None = None
    handles: frozenset[str] = frozenset()
    room: str = ""
    contact: str = ""  # folded
    begins: datetime | None = None
    ends: datetime | None = None


@dataclass(slots=True)
class Part:
    """What of a message decides whether it is held: when, where, and who took part."""

    sent_at: datetime | None
    room: str = ""
    employees: set[int] = field(default_factory=set)
    handles: set[str] = field(default_factory=set)  # folded, of everybody
    strangers: set[str] = field(default_factory=set)  # folded, of those who were matched to no employee


def meets(terms: Terms, part: Part) -> bool:
    """Return whether the message meets every criterion. A message without a time is within every time."""
    if terms.employee is not None and not (terms.employee in part.employees or terms.handles & part.strangers):
        return False
    if terms.room and terms.room != part.room:
        return False
    if terms.contact and terms.contact not in part.handles:
        return False
    if part.sent_at is None:
        return True
    return (terms.begins is None or terms.begins <= part.sent_at) and (terms.ends is None or part.sent_at < terms.ends)


def may_be_of(terms: Terms, first: datetime | None, last: datetime) -> bool:
    """Return whether a line that could not be read may be of a message that is held.

    It is known only that it came in a file whose messages were sent from ``first`` (None: since ever) to ``last``.
    Who wrote it and where cannot be told, so the time alone decides: a hold keeps every such line of its time.
    """
    if terms.begins is not None and last < terms.begins:
        return False
    return terms.ends is None or first is None or first < terms.ends


class Holds:
    """Many holds at once: each message is tried by those alone that name one of its people, its room or a contact."""

    def __init__(self, terms: Mapping[str, Terms]) -> None:
        self.terms = dict(terms)
        self.by_employee: dict[int, list[str]] = defaultdict(list)
        self.by_handle: dict[str, list[str]] = defaultdict(list)
        self.by_room: dict[str, list[str]] = defaultdict(list)
        self.by_time: list[str] = []
        for name, one in self.terms.items():
            if one.contact:
                self.by_handle[one.contact].append(name)
            elif one.employee is not None:
                self.by_employee[one.employee].append(name)
                for handle in one.handles:
                    self.by_handle[handle].append(name)
            elif one.room:
                self.by_room[one.room].append(name)
            else:
                self.by_time.append(name)

    def __bool__(self) -> bool:
        return bool(self.terms)

    def on(self, part: Part) -> list[str]:
        """Return the names of the holds that hold the message, in order."""
        near = {*self.by_time, *self.by_room.get(part.room, ())}
        for person in part.employees:
            near.update(self.by_employee.get(person, ()))
        for handle in part.handles:
            near.update(self.by_handle.get(handle, ()))
        return sorted(name for name in near if meets(self.terms[name], part))

    def on_line(self, first: datetime | None, last: datetime) -> list[str]:
        """Return the names of the holds that may hold a line which could not be read."""
        return sorted(name for name, one in self.terms.items() if may_be_of(one, first, last))

    @property
    def employees(self) -> set[int]:
        return {one.employee for one in self.terms.values() if one.employee is not None}

    @property
    def handles(self) -> set[str]:
        return set().union(*({one.contact, *one.handles} - {""} for one in self.terms.values()))
