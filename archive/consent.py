"""What a contact last said about being archived. Three values: agreed, refused, unknown; silence stays unknown."""

from collections import defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime

AGREED, REFUSED, UNKNOWN = "agreed", "refused", "unknown"


@dataclass(frozen=True, slots=True)
class Said:
    """One piece of evidence. ``employee`` is a folded handle, empty where it was said to a whole room."""

    employee: str
    contact: str
    room: str
    word: str
    said_at: datetime


class Words:
    """All evidence at hand, by contact. The newest wins; of two at one moment, the refusal."""

    def __init__(self, said: Iterable[Said] = ()) -> None:
        self.of_contact: dict[str, list[Said]] = {}
        self.learn({one.contact for one in said}, said)

    def learn(self, contacts: Iterable[str], said: Iterable[Said]) -> None:
        """Take in all that these contacts have said, nothing included; of none of them was anything known before."""
        fresh = defaultdict(list)
        for one in said:
            fresh[one.contact].append(one)
        for contact in contacts:
            self.of_contact[contact] = sorted(fresh.get(contact, ()), key=lambda one: (one.said_at, one.word))

    def lacks(self, contacts: Iterable[str]) -> set[str]:
        """Return those of the contacts of whom nothing has been asked yet."""
        return {one for one in contacts if one not in self.of_contact}

    def between(self, handles: Set[str], rooms: Set[str], contact: str, before: datetime | None = None) -> str:
        """Return the contact's word towards an employee: said to one of the handles, or in a room shared with them."""
        for one in reversed(self.of_contact.get(contact, ())):
            if before is not None and one.said_at >= before:
                continue
            if one.employee in handles or (not one.employee and one.room in rooms):
                return one.word
        return UNKNOWN

    def had_refused(self, handles: Set[str], room: str, contact: str, before: datetime) -> bool:
        """Return whether the contact's last word in that conversation before the moment was a refusal.

        The conversation is the room, or outside rooms the talk of the two.
        """
        for one in reversed(self.of_contact.get(contact, ())):
            if one.said_at < before and one.room == room and (room or one.employee in handles):
                return one.word == REFUSED
        return False
