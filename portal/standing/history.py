"""Standings as they were at a past moment: of a person, of a team as it was then, of the firm.

Every change of a standing is a row that says also where the person stood in the firm; none is ever altered. So the
answer for a past moment is the same whenever it is asked.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, QuerySet

from portal.people.models import Employee
from portal.standing.models import StandingChange


def at(moment: datetime) -> QuerySet[StandingChange]:
    """Return for each person the change that was in force at the moment: the last one until then."""
    until = StandingChange.objects.filter(at__lte=moment)
    last = until.order_by().values("employee").annotate(seq=Max("entry_seq")).values("seq")
    return StandingChange.objects.filter(entry_seq__in=last)


@dataclass(frozen=True)
class Past:
    """A group of people as it was. ``by_state`` counts (training state, archive state) of those who were on staff."""

    people: frozenset[int]
    by_state: dict[tuple[str, str], int]
    barred: int

    @property
    def count(self) -> int:
        return sum(self.by_state.values())


def firm_at(moment: datetime) -> Past:
    return _past(at(moment).filter(is_on_staff=True))


def team_at(manager: Employee, moment: datetime) -> Past:
    """Return everybody who stood below the manager at the moment, at any depth."""
    below: dict[int, list[int]] = defaultdict(list)
    for who, above in at(moment).exclude(manager=None).values_list("employee_id", "manager_id"):
        below[above].append(who)
    return _past(at(moment).filter(is_on_staff=True, employee__pk__among=_reached(manager.pk, below)))


def _reached(top: int, below: dict[int, list[int]]) -> set[int]:
    """Return everybody under ``top``. A circle, which reporting lines never have, would end all the same."""
    found: set[int] = set()
    todo = [top]
    while todo:
        for who in below.get(todo.pop(), ()):
            if who not in found and who != top:
                found.add(who)
                todo.append(who)
    return found


def _past(changes: Iterable[StandingChange] | QuerySet[StandingChange]) -> Past:
    rows = list(changes.values_list("employee_id", "training_state", "archive_state", "may_message"))
    by_state = Counter((training, archive) for _who, training, archive, _may in rows)
    return Past(frozenset(row[0] for row in rows), dict(by_state), sum(not may for *_rest, may in rows))
