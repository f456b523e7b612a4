"""Who is late, for those above them: a manager's list, up the line and no further than to who acted."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from portal.people.calendars import is_working_day
from portal.people.models import Employee, ReportingLine
from portal.reminders import owed, rules
from portal.reminders.models import Handled
from portal.reminders.rules import Act, Owed, Terms
from portal.standing.models import Nudge

CHUNK = 2000  # people in one query
LOOK_BACK = timedelta(days=800)  # acts before that are of another cycle


@dataclass(frozen=True)
class Late:
    """Somebody who is late, as one manager sees them. ``act``: the last that anybody did about it."""

    employee: Employee
    level: int
    owed: list[Owed]
    act: Act | None
    today: date  # where the person works
    jurisdiction: str

    @property
    def late_from(self) -> date:
        return self.owed[0].late_from


def below(managers: list[int], moment: datetime, terms: Terms) -> dict[int, list[Late]]:
    """Return {manager: who is late, up to ``levels`` steps below them}, the longest late first.

    Who is away is left out until they are back. Seven queries, and those of the sources, for every CHUNK of people.
    """
    found: defaultdict[int, list[Late]] = defaultdict(list)
    if not managers or not terms.levels:
        return found
    lines: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    pairs = ReportingLine.objects.filter(manager__in=managers, depth__lte=terms.levels)
    for manager, report, depth in pairs.values_list("manager", "report", "depth"):
        lines[report].append((manager, depth))
    for chunk in _chunks(sorted(lines)):
        for pk, late in _late(chunk, moment, terms).items():
            for manager, depth in lines[pk]:
                found[manager].append(Late(level=depth, **late))
    for people in found.values():
        people.sort(key=lambda one: (one.late_from, one.employee.name_en, one.employee.pk))
    return found


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def _late(ids: list[int], moment: datetime, terms: Terms) -> dict[int, dict]:
    """Return {person: what a Late says of them}, of those who are late, at work and on staff."""
    rows = Employee.objects.filter(pk__in=ids).on_staff(timezone.localdate(moment)).select_related("office")
    piece = owed.Piece.of({one.pk: one for one in rows}, moment, terms)
    away = owed.leaves_of(piece.people, moment.date() + timedelta(1))
    found: dict[int, dict] = {}
    for pk, owes in owed.gather(piece).items():
        person, today = piece.people[pk], piece.days[pk]
        late = rules.late(owes, today)
        if late and not any(first <= today <= last for first, last in away.get(pk, ())):
            found[pk] = {"employee": person, "owed": late, "today": today, "jurisdiction": jurisdiction_of(person)}
    acts = acts_on(found, moment)
    for pk, late in found.items():
        late["act"] = rules.acted_last(acts.get(pk, ()), late["owed"][0].late_from)
    return found


def jurisdiction_of(person: Employee) -> str:
    return person.office.jurisdiction if person.office_id else ""


def acts_on(people: Mapping[int, object], moment: datetime) -> dict[int, list[Act]]:
    """Return {person: what others did about them}. Two queries."""
    acts: defaultdict[int, list[Act]] = defaultdict(list)
    since = (moment - LOOK_BACK).date()
    for model in (Nudge, Handled):
        rows = model.objects.filter(employee__in=list(people), on__gte=since)
        for pk, by, on in rows.values_list("employee", "by", "on"):
            acts[pk].append(Act(by, on))
    return acts


def told(manager: int, people: list[Late], terms: Terms, since: date) -> list[Late]:
    """Return whom the manager's digest names: all in their line, if the day has come for one of them; else none."""
    if not any(_is_called_for(manager, one, terms, since) for one in people):
        return []
    return [one for one in people if _is_told(manager, one, terms)]


def _is_told(manager: int, one: Late, terms: Terms) -> bool:
    return rules.is_told(
        manager=manager,
        level=one.level,
        late_from=one.late_from,
        act=one.act,
        terms=terms,
        today=one.today,
        jurisdiction=one.jurisdiction,
    )


def _is_called_for(manager: int, one: Late, terms: Terms, since: date) -> bool:
    return is_working_day(one.today, one.jurisdiction) and rules.calls_for_telling(
        manager=manager,
        level=one.level,
        late_from=one.late_from,
        act=one.act,
        terms=terms,
        since=since,
        today=one.today,
        jurisdiction=one.jurisdiction,
    )
