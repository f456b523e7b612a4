"""What is to be done about one person and one course on a day: open a cycle, end it, move its date, or nothing.

A pure function of facts, so that applying the rules, trying one and looking ahead are the same thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from training import duties, rules
from training.audiences import Person
from training.duties import DAY, Reckoned, Terms


class Why:
    """Why a cycle ended, as Assignment.Why has it."""

    LEFT, MOVED, EXEMPT, NEW_EDITION = "left", "moved", "exempt", "new_edition"


@dataclass(frozen=True, slots=True)
class Open:
    """The cycle that has not ended. ``rule``: None: assigned by hand. ``edition``: None: not begun."""

    pk: int
    cycle: int
    assigned_on: date
    due_on: date
    rule: int | None = None
    edition: int | None = None
    because: dict = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Held:
    """How one person stands in one course. ``edition``: the newest that was completed, 0: none.

    ``lapses_on``: the last day on which a completion counts. ``exempt``: (first, last day) of those not over.
    """

    open: Open | None = None
    cycles: int = 0
    lapses_on: date | None = None
    edition: int = 0
    exempt: tuple[duties.Days, ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """An edition that asks more than those before it, and since when."""

    edition: int
    since: date


@dataclass(frozen=True, slots=True)
class Opening:
    due_on: date
    base_due: date  # before leave moved it
    reckoned: Reckoned
    terms: Terms
    also: tuple[Terms, ...]  # the other rules that call for it
    away: int = 0  # working days of leave by which it was moved


@dataclass(frozen=True, slots=True)
class Deed:
    """``ends``: why the open cycle ends. ``opens``: the next one. ``moves_to``: the open cycle's new date."""

    ends: str = ""
    ended_on: date | None = None
    opens: Opening | None = None
    moves_to: date | None = None
    moved_by: dict = field(default_factory=dict)

    @property
    def is_anything(self) -> bool:
        return bool(self.ends or self.opens or self.moves_to)


NOTHING = Deed()


def decide(person: Person, held: Held, called: Sequence[Terms], material: Material | None, today: date) -> Deed:
    """Return what is to be done. ``called``: the rules that have begun and whose audience the person is in.

    Doing it and asking again on the same day gives nothing more to do.
    """
    mine = held.open
    if person.left_on and person.left_on < today:
        return Deed(ends=Why.LEFT, ended_on=person.left_on) if mine else NOTHING
    if not person.is_on_staff or (person.joined_on and person.joined_on > today):
        return NOTHING
    for first, last in held.exempt:
        if first <= today <= last:
            return _exempt(mine, last, today)
    if mine is None:
        return Deed(opens=opening) if (opening := _opening(person, held, called, material, today)) else NOTHING
    if not called and mine.rule is not None:
        return Deed(ends=Why.MOVED, ended_on=today)
    if material and mine.edition and mine.edition < material.edition and called:
        opening = _opening(person, replace(held, open=None, edition=mine.edition), called, material, today)
        return Deed(ends=Why.NEW_EDITION, ended_on=today, opens=opening)
    return _moved(person, held, mine, called, material, today)


def _exempt(mine: Open | None, until: date, today: date) -> Deed:
    """A cycle that was not begun ends. What was begun, or assigned by hand, waits until the exemption is over."""
    if mine is None:
        return NOTHING
    if mine.edition is None and mine.rule is not None:
        return Deed(ends=Why.EXEMPT, ended_on=today)
    waits_to = until + rules.LEAST_DAYS * DAY
    return Deed(moves_to=waits_to, moved_by={"exempt_until": until}) if mine.due_on < waits_to else NOTHING


def _opening(
    person: Person, held: Held, called: Sequence[Terms], material: Material | None, today: date
) -> Opening | None:
    found = [(due, terms) for terms in called if (due := owed_under(terms, person, held, material, today))]
    if not found:
        return None
    reckoned, terms = duties.earliest(found)
    due_on, away = duties.after_leave(reckoned.due_on, today, person.leaves, person.jurisdiction)
    also = tuple(one for one in called if one.rule != terms.rule)
    return Opening(due_on, reckoned.due_on, reckoned, terms, also, away)


def owed_under(terms: Terms, person: Person, held: Held, material: Material | None, today: date) -> Reckoned | None:
    """Return by when the rule wants the course now; None: a completion still counts, and its renewal is not open."""
    about = {"joined_on": person.joined_on, "created_on": person.created_on, "jurisdiction": person.jurisdiction}
    if material and 0 < held.edition < material.edition:
        since = max(material.since, terms.starts_on)
        return duties.counted(terms, "material", since, person.jurisdiction, today)
    if held.lapses_on is None:
        return duties.first_due(terms, **about, today=today)
    if held.lapses_on < today and person.joined_on and person.joined_on > held.lapses_on:
        return duties.counted(terms, "rejoined", person.joined_on, person.jurisdiction, today)
    if duties.opens_on(terms, held.lapses_on) > today:
        return None
    return duties.renewal_due(terms, held.lapses_on, today)


def _moved(
    person: Person, held: Held, mine: Open, called: Sequence[Terms], material: Material | None, today: date
) -> Deed:
    """A long leave moves the date later; a rule that calls only now, and for sooner, moves it sooner."""
    known = mine.because.get("rules", [])
    newly = [one for one in called if known and one.rule not in known]
    if newly and (sooner := _opening(person, held, newly, material, today)) and sooner.due_on < mine.due_on:
        return Deed(moves_to=sooner.due_on, moved_by={"opening": sooner})
    base = mine.because.get("base_due")
    if base is None or not person.leaves:
        return NOTHING
    begins = date.fromisoformat(mine.because["leave_from"]) if "leave_from" in mine.because else mine.assigned_on
    later, away = duties.after_leave(date.fromisoformat(base), begins, person.leaves, person.jurisdiction)
    return Deed(moves_to=later, moved_by={"away": away}) if later > mine.due_on else NOTHING


# --- looking ahead -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ahead:
    """A cycle to come. ``opens_on``: when it will be assigned, None: it is already. ``rule``: its name, "": by hand."""

    opens_on: date | None
    due_on: date
    rule: str


def ahead(
    person: Person,
    held: Held,
    called: Sequence[Terms],
    material: Material | None,
    *,
    months: int,
    today: date,
    count: int = 3,
) -> list[Ahead]:
    """Return the next cycles of a person in a course, if the facts stay and each is completed on its due day."""
    found: list[Ahead] = []
    day, names = today, {terms.rule: terms for terms in called}
    if (mine := held.open) is not None:
        terms = names.get(mine.rule)
        found.append(Ahead(None, mine.due_on, terms.name if terms else mine.because.get("name", "")))
        held, day = _completed(held, mine.due_on, terms, months, material, today)
    while called and len(found) < count:
        begun = [terms for terms in called if terms.starts_on <= day]
        opening = _opening(person, held, begun, material, day)
        if opening is None:
            day = _next_day(held, called, day)
            if day is None:
                break
            continue
        found.append(Ahead(day, opening.due_on, opening.terms.name))
        held, day = _completed(held, opening.due_on, opening.terms, months, material, day)
    return found


def _completed(
    held: Held, on: date, terms: Terms | None, months: int, material: Material | None, today: date
) -> tuple[Held, date]:
    on = max(on, today)
    lapses = max(duties.expires_on(on, months, terms, held.lapses_on), held.lapses_on or date.min)
    edition = max(held.edition, material.edition if material else 0)
    return Held(None, held.cycles + 1, lapses, edition, held.exempt), on + DAY


def _next_day(held: Held, called: Sequence[Terms], day: date) -> date | None:
    """Return the next day on which something may open."""
    days = [terms.starts_on for terms in called]
    if held.lapses_on:
        days += [duties.opens_on(terms, held.lapses_on) for terms in called]
    return min((one for one in days if one > day), default=None)
