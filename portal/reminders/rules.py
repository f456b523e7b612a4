"""When somebody is reminded, and when whoever is above them is told: plain values in, plain values out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from portal.people.calendars import after_working_days, is_working_day

DAY = timedelta(days=1)
LATEST_HOUR = 18  # nobody is written to after it: a round that was missed waits for the next day
LONGEST_LEAVE = 800  # days that are looked back over for the last day at work

Days = tuple[date, date]


@dataclass(frozen=True)
class Terms:
    """What HR sets. Counts are days; ``after_every`` and both of ``escalate_`` are working days of the late person.

    ``levels``: how many managers up the line are told. ``days_to_do``: what has no date of its own (a text to sign, a
    lesson that a finding calls for) is due so many days after it came.
    """

    is_on: bool = True
    hour: int = 9
    before_days: tuple[int, ...] = (14, 7, 1)
    on_the_day: bool = True
    when_new: bool = True
    after_every: int = 3
    days_to_do: int = 14
    levels: int = 2
    escalate_after: int = 5
    escalate_again: int = 5

    @classmethod
    def read(cls, told: Mapping) -> "Terms":
        return cls(**{**told, "before_days": tuple(told["before_days"])})

    def as_json(self) -> dict:
        return {**asdict(self), "before_days": list(self.before_days)}

    @property
    def ahead(self) -> timedelta:
        """How long before it is due something is spoken of."""
        return timedelta(days=max(self.before_days, default=0))


@dataclass(frozen=True)
class Owed:
    """Something that a person owes.

    ``title``: text per language. ``due_on``: the last day on time. ``came_on``: since when they owe it; None: that is
    no news. ``grace_days``: that many days after it nobody is late. ``is_notice``: it only ends, and nothing is late.
    """

    kind: str
    key: str
    title: Mapping[str, str] = field(compare=False)
    due_on: date
    came_on: date | None = None
    grace_days: int = 0
    path: str = ""
    is_of_archive: bool = False
    is_notice: bool = False

    @property
    def late_from(self) -> date:
        """The last day on which it is not late."""
        return self.due_on + timedelta(days=self.grace_days)


@lru_cache(maxsize=50_000)
def working_days_after(day: date, until: date, jurisdiction: str) -> int:
    """Return how many working days lie after ``day``, until ``until`` included; 0 if that is not after it."""
    return sum(is_working_day(day + n * DAY, jurisdiction) for n in range(1, (until - day).days + 1))


@lru_cache(maxsize=50_000)
def working_day_until(day: date, jurisdiction: str) -> date:
    """Return the day itself if it is a working day, or else the last one before it."""
    while not is_working_day(day, jurisdiction):
        day -= DAY
    return day


def is_at_work(day: date, jurisdiction: str, leaves: Collection[Days]) -> bool:
    return is_working_day(day, jurisdiction) and not any(first <= day <= last for first, last in leaves)


def caught_up_since(day: date, before: date, jurisdiction: str, leaves: Collection[Days]) -> date:
    """Return the day up to which the person has been told: the last one at work before ``day``.

    Or the day of the round before (``before``), if that lies further back: a day on which nothing could be sent.
    """
    at_work = day - DAY
    for _n in range(LONGEST_LEAVE):
        if is_at_work(at_work, jurisdiction, leaves):
            break
        at_work -= DAY
    return min(at_work, before)


def calls_for_reminder(owed: Owed, terms: Terms, since: date, today: date, jurisdiction: str) -> bool:
    """Return whether a day on which to remind of it lies after ``since``, until ``today`` included.

    Days before it is due that are no working days move to the working day before them.
    """
    ahead = [*terms.before_days, *([0] if terms.on_the_day else [])]
    marks = [working_day_until(owed.due_on - timedelta(days=n), jurisdiction) for n in ahead]
    if owed.came_on is not None and terms.when_new:
        marks.append(after_working_days(owed.came_on, 1, jurisdiction))
    if any(since < mark <= today for mark in marks):
        return True
    if owed.is_notice or today <= owed.due_on:
        return False
    return _steps(owed.due_on, since, today, 0, terms.after_every, jurisdiction)


def _steps(day: date, since: date, today: date, start: int, every: int, jurisdiction: str) -> bool:
    """Whether a day ``start`` + n × ``every`` working days after ``day`` (n from 0, or 1 if start is 0) is new."""
    until, before = (working_days_after(day, one, jurisdiction) for one in (today, since))
    least = 1 if start == 0 else 0
    return max((until - start) // every, least - 1) > max((before - start) // every, least - 1)


def is_spoken_of(owed: Owed, terms: Terms, today: date) -> bool:
    """Return whether a digest that goes out anyway names it: what is late, or due before long."""
    return owed.due_on - today <= terms.ahead and not (owed.is_notice and owed.due_on < today)


# --- up the reporting line ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Act:
    """Somebody looked after a late person: reminded them, or said that they see to it."""

    by: int
    on: date


def late(owed: Iterable[Owed], today: date) -> list[Owed]:
    """Return what is late, the longest first. What the archive calls for is nobody's to read but the person's own."""
    found = (one for one in owed if not one.is_of_archive and not one.is_notice and one.late_from < today)
    return sorted(found, key=lambda one: (one.late_from, one.kind, one.key))


def acted_last(acts: Iterable[Act], late_from: date) -> Act | None:
    """Return the last act since the person became late, None if nobody has done anything."""
    return max((act for act in acts if act.on > late_from), key=lambda act: act.on, default=None)


def is_told(
    *, manager: int, level: int, late_from: date, act: Act | None, terms: Terms, today: date, jurisdiction: str
) -> bool:
    """Return whether the manager, ``level`` steps above, stands in the line of who is told that the person is late.

    The line stops at who acted: they alone are told again, after ``escalate_again`` working days.
    """
    if level > terms.levels:
        return False
    if act is not None:
        quiet = working_days_after(act.on, today, jurisdiction)
        return act.by == manager and quiet >= terms.escalate_again
    return working_days_after(late_from, today, jurisdiction) >= _start(level, terms)


def calls_for_telling(
    *,
    manager: int,
    level: int,
    late_from: date,
    act: Act | None,
    terms: Terms,
    since: date,
    today: date,
    jurisdiction: str,
) -> bool:
    """Return whether a day on which the manager is told of it lies after ``since``, until ``today`` included."""
    told = {"manager": manager, "level": level, "late_from": late_from, "act": act, "terms": terms}
    if not is_told(**told, today=today, jurisdiction=jurisdiction):
        return False
    every = terms.escalate_again
    if act is not None:
        return _steps(act.on, since, today, every, every, jurisdiction)
    return _steps(late_from, since, today, _start(level, terms), every, jurisdiction)


def _start(level: int, terms: Terms) -> int:
    return terms.escalate_after + (level - 1) * terms.escalate_again


def moments(terms: Terms, due_on: date, jurisdiction: str, *, after: int = 3) -> list[date]:
    """Return the days on which somebody is reminded of what is due on a day: those before, and so many after it."""
    ahead: Sequence[int] = [*terms.before_days, *([0] if terms.on_the_day else [])]
    before = {working_day_until(due_on - timedelta(days=n), jurisdiction) for n in ahead}
    late_days = {after_working_days(due_on, n * terms.after_every, jurisdiction) for n in range(1, after + 1)}
    return sorted(before | late_days)
