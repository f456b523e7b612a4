"""The course of training of everybody in the demo firm: plain plans, so that today every training state occurs.

All is told relative to today. The pilot began fourteen months ago, so some have let their training expire; the rest of
the firm followed eight months ago; some came back, or joined, in the last weeks.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.demo import conduct
from portal.demo.people import FULL, OFFICES, SEED, Person

DAY = timedelta(days=1)
PILOT_DAYS, RULE_DAYS, BACK_DAYS = 425, 240, 30  # days before today: the pilot, the firm's rule, those who came back
DUE_DAYS = 45  # of the rule
PILOT_DUE = 30
MODULES = 6

NOT_ASSIGNED, ASSIGNED, IN_PROGRESS, CURRENT = "not_assigned", "assigned", "in_progress", "current"
DUE_SOON, OVERDUE, EXPIRED, EXEMPT = "due_soon", "overdue", "expired", "exempt"


@dataclass(frozen=True)
class Study:
    """One cycle of a person: on which day each module is studied, and how many tries each quiz takes.

    ``left_over``: lessons opened of the module after the last one passed.
    """

    cycle: int
    days: tuple[date, ...]
    tries: tuple[int, ...]
    left_over: int = 0


@dataclass
class Plan:
    """What becomes of one person. ``by_hand`` are (assigned on, due on); ``exempt`` is (first day, last day, why)."""

    person: Person
    state: str
    studies: list[Study] = field(default_factory=list)
    by_hand: list[tuple[date, date]] = field(default_factory=list)
    exempt: tuple[date, date, str] | None = None

    @property
    def trained_on(self) -> date | None:
        """When the person first completed the course."""
        first = next(iter(self.studies), None)
        return first.days[-1] if first and len(first.days) == MODULES else None


@dataclass(frozen=True, order=True)
class Step:
    """One thing that a person does, at a moment: opens or finishes a lesson, begins or hands in a quiz."""

    at: datetime
    number: str
    what: str  # open, finish, start, submit
    cycle: int = field(compare=False)
    module: int = field(compare=False)
    lesson: int = field(default=0, compare=False)
    passes: bool = field(default=True, compare=False)


def plans(people: Sequence[Person], today: date, seed: int = SEED) -> dict[str, Plan]:
    """Return everybody's plan by number. The shares of the states are those of a firm that mostly behaves."""
    return _Planner(people, today, random.Random(f"story/{seed}")).all()  # noqa: S311 - invented, not secret


class _Planner:
    def __init__(self, people: Sequence[Person], today: date, chance: random.Random) -> None:
        self.people, self.today, self.chance = people, today, chance
        self.given = conduct.conducts(people, today)
        self.stubborn = conduct.stubborn(self.given)
        self.made: dict[str, Plan] = {}

    def ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def share(self, of_full: int) -> int:
        return max(1, of_full * len(self.people) // FULL)

    def all(self) -> dict[str, Plan]:
        for person in self.people:
            if person.joined_on > self.ago(DUE_DAYS):
                self._newcomer(person)
        self._known_by_name()
        self._team_in_trouble()
        self._in_time_and_in_breach()
        for number in sorted(self.stubborn - self.made.keys()):
            self._overdue(self._person(number), passed=0)
        for person in self._pick(self.share(9), level=3, spare=False):
            self._pilot(person, renewed=False)
        for person in self._pick(self.share(14), level=3, spare=False):
            self._pilot(person, renewed=True)
        for person in self._pick(self.share(10), level=4):
            self._overdue(person, passed=self.chance.choice([0, 0, 1, 2, 4, 5]))
        for person in self._pick(self.share(6), level=4):
            self._exempt(person)
        for n, person in enumerate(self._pick(self.share(24), level=4)):
            self._back(person, due_in=9 if n % 5 == 1 else 20, passed=(3, 1, 5, 0, 2, 4)[n % 6])
        for person in self.people:
            if person.number not in self.made:
                self._current(person)
        return {person.number: self.made[person.number] for person in self.people}

    def _person(self, number: str) -> Person:
        return next(person for person in self.people if person.number == number)

    def _pick(self, count: int, *, level: int, spare: bool = True) -> list[Person]:
        """Return some who have no plan yet; ``spare``: nobody whose conduct needs them to be trained in time."""
        free = [
            p
            for p in self.people
            if p.number not in self.made
            and not p.key
            and p.joined_on < self.ago(RULE_DAYS if spare else PILOT_DAYS)
            and p.number not in self.given
        ]
        fitting = [p for p in free if p.level <= level] if level == 3 else [p for p in free if p.level == level]
        fitting = fitting if len(fitting) >= count else free
        return self.chance.sample(fitting, min(count, len(fitting)))

    # --- one kind of plan each -----------------------------------------------------------------------------------
    def _known_by_name(self) -> None:
        by_key = {person.key: person for person in self.people if person.key}
        self._back(by_key["employee"], due_in=20, passed=3)
        for key in ("manager", "compliance", "hr", "author"):
            self._pilot(by_key[key], renewed=True)
        for key in ("finished", "manager2", "head", "admin"):
            self._current(by_key[key])

    def _team_in_trouble(self) -> None:
        """Team 0, if it is large enough: besides what its people do wrong, two overdue, one expired, one due soon."""
        team = [p for p in self.people if p.team == 0 and p.level == 4 and p.number not in self.made]
        team = [p for p in team if p.joined_on < self.ago(PILOT_DAYS)]
        calm = [p for p in team if p.number not in self.given]
        careless = [p for p in team if self.given.get(p.number) in (conduct.UNSEATED, conduct.AFTER_REFUSAL)]
        if len(calm) < 3 or not careless:
            return
        self._pilot(calm[0], renewed=False)
        self._back(calm[1], due_in=9, passed=1)
        self._overdue(calm[2], passed=2)
        self._overdue(careless[0], passed=0)

    def _in_time_and_in_breach(self) -> None:
        """Somebody outside team 0 who lacks a seat is still in time with the course: in time, and in breach."""
        for person in self.people:
            if self.given.get(person.number) == conduct.UNSEATED and person.team and person.number not in self.made:
                self._back(person, due_in=20, passed=3)
                return

    def _newcomer(self, person: Person) -> None:
        here = (self.today - person.joined_on).days
        if here <= 0:
            self.made[person.number] = Plan(person, NOT_ASSIGNED)
        elif here <= 9 or self.chance.random() < 0.2:
            self.made[person.number] = Plan(person, ASSIGNED if here < DUE_DAYS - 14 else DUE_SOON)
        elif self.chance.random() < 0.3:
            study = self._study(1, person.joined_on + 8 * DAY, self.ago(2), MODULES)
            self.made[person.number] = Plan(person, CURRENT, [study])
        else:
            study = self._study(1, person.joined_on + 8 * DAY, self.ago(2), self.chance.randint(1, 5))
            self.made[person.number] = Plan(person, IN_PROGRESS if here < DUE_DAYS - 14 else DUE_SOON, [study])

    def _pilot(self, person: Person, *, renewed: bool) -> None:
        begins = self.ago(PILOT_DAYS - 4)  # a weekend moves it back by two days, and it was assigned on the first
        first = self._study(1, begins, begins + timedelta(days=self.chance.randint(8, 27)), MODULES)
        by_hand = [(self.ago(PILOT_DAYS - 1), self.ago(PILOT_DAYS - PILOT_DUE))]
        plan = Plan(person, CURRENT if renewed else EXPIRED, [first], by_hand)
        if renewed:
            again = first.days[-1] + timedelta(days=345)  # twenty days before it expires
            last = min(again + timedelta(days=self.chance.randint(3, 30)), self.ago(2))
            plan.studies.append(self._study(2, again, last, MODULES))
        self.made[person.number] = plan

    def _overdue(self, person: Person, *, passed: int) -> None:
        begins = max(self.ago(RULE_DAYS - 8), person.joined_on + 8 * DAY)
        studies = [self._study(1, begins, begins + 25 * DAY, passed, left_over=1)] if passed else []
        self.made[person.number] = Plan(person, OVERDUE, studies)

    def _exempt(self, person: Person) -> None:
        why = self.chance.choice(["Parental leave", "Sabbatical", "Seconded to a joint venture", "Long-term leave"])
        first = self.ago(RULE_DAYS + 5)
        self.made[person.number] = Plan(person, EXEMPT, exempt=(first, self.today + timedelta(days=75), why))

    def _back(self, person: Person, *, due_in: int, passed: int) -> None:
        """Was on leave when everybody else took the course, and came back a month ago."""
        assigned, due = self.ago(BACK_DAYS), self.today + timedelta(days=due_in)
        studies = [self._study(1, self.ago(BACK_DAYS - 3), self.ago(2), passed, left_over=2)] if passed else []
        state = DUE_SOON if due_in <= 14 else IN_PROGRESS if passed else ASSIGNED
        exempt = (self.ago(RULE_DAYS + 5), assigned, "On leave; takes the course on return")
        self.made[person.number] = Plan(person, state, studies, [(assigned, due)], exempt)

    def _current(self, person: Person) -> None:
        owed_from = max(self.ago(RULE_DAYS), person.joined_on)
        begins = owed_from + timedelta(days=self.chance.randint(8, 20))
        days = self.chance.randint(6, 22)
        if self.given.get(person.number) in (conduct.OFF_CHANNEL, conduct.DELETION):
            begins = self.ago(self.chance.randint(95, 125))  # late: the feed shows them before and after
        elif self.chance.random() < 0.15:
            days += self.chance.randint(20, 90)
        last = min(begins + timedelta(days=days), self.ago(2))
        self.made[person.number] = Plan(person, CURRENT, [self._study(1, begins, last, MODULES)])

    def _study(self, cycle: int, first: date, last: date, modules: int, left_over: int = 0) -> Study:
        """Spread the modules over the days, the last one on the last day if all six are taken."""
        span = max((last - first).days, 0)
        days = sorted(first + timedelta(days=self.chance.randint(0, span)) for _ in range(modules))
        if modules == MODULES:
            days[-1] = max(first, last)
        tries = tuple(self.chance.choices([1, 2, 3], weights=[92, 6, 2])[0] for _ in range(modules))
        return Study(cycle, tuple(_weekday(day) for day in days), tries, left_over if modules < MODULES else 0)


def _weekday(day: date) -> date:
    """Saturdays and Sundays become the Friday before."""
    return day - timedelta(days=max(day.weekday() - 4, 0))


def steps(plan: Plan, lessons: Sequence[int], seed: int = SEED) -> Iterator[Step]:
    """Yield what the person does, in order of time. ``lessons``: how many each module of the course has.

    Whoever has long completed the course opens a module's first lesson and finishes all of them: their single views
    would make half of the story's length and show nowhere.
    """
    chance = random.Random(f"steps/{seed}/{plan.person.number}")  # noqa: S311 - invented, not secret
    zone = ZoneInfo(OFFICES[plan.person.office][2])
    number = plan.person.number
    for study in plan.studies:
        at = datetime.min.replace(tzinfo=UTC)
        for module, (day, tries) in enumerate(zip(study.days, study.tries, strict=True)):
            minute = chance.randint(0, 7 * 60 + 30)
            morning = datetime.combine(day, time(9, 20), zone) + timedelta(minutes=minute, seconds=chance.randrange(60))
            at = max(at + timedelta(minutes=12), morning.astimezone(UTC))
            for lesson in range(lessons[module]):
                if lesson == 0 or plan.state != CURRENT or plan.person.key:
                    yield Step(at, number, "open", study.cycle, module, lesson)
                at += timedelta(seconds=chance.randint(55, 250))
                yield Step(at, number, "finish", study.cycle, module, lesson)
                at += timedelta(seconds=chance.randint(2, 20))
            for attempt in range(1, tries + 1):
                yield Step(at, number, "start", study.cycle, module)
                at += timedelta(seconds=chance.randint(150, 420))
                yield Step(at, number, "submit", study.cycle, module, passes=attempt == tries)
                at += timedelta(minutes=chance.randint(3, 15))
        for lesson in range(min(study.left_over, lessons[len(study.days)] if len(study.days) < MODULES else 0)):
            at += timedelta(minutes=4)
            yield Step(at, number, "open", study.cycle, len(study.days), lesson)


def trained_on(made: Mapping[str, Plan]) -> dict[str, date | None]:
    return {number: plan.trained_on for number, plan in made.items()}


def lapses(made: Mapping[str, Plan], today: date) -> dict[str, tuple[date, date]]:
    """Return {number: (first day, last day)} on which training had lapsed; the last is today for who is still late."""
    found = {}
    for number, plan in made.items():
        if plan.state == OVERDUE or (plan.state == CURRENT and plan.studies and not plan.by_hand):
            due = max(plan.person.joined_on, today - timedelta(days=RULE_DAYS)) + timedelta(days=DUE_DAYS)
            done = plan.trained_on or today
            if done > due:
                found[number] = (due + DAY, done)
        elif plan.state == EXPIRED:
            found[number] = (plan.studies[0].days[-1] + timedelta(days=365), today)
    return found
