"""A rule tried before it runs, and what lies ahead of a person: the same decisions, and nothing is written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from portal.people.models import Employee
from training import looking
from training.deciding import Ahead, Deed, ahead
from training.looking import Book
from training.models import Course, Edition, Rule
from training.reasons import Reason, sentence_of


@dataclass(frozen=True)
class Effect:
    """What the rule would do about one person. ``what``: opens, moves or ends. ``due_on``: None where it ends."""

    person: int
    what: str
    due_on: date | None
    because: dict = field(default_factory=dict)
    was_due_on: date | None = None


@dataclass
class Trial:
    """What would be another than without the change, were the rules applied today.

    ``audience``: how many people on staff the rule calls. ``dropped``: what would be done without the change and not
    with it.
    """

    audience: int = 0
    effects: list[Effect] = field(default_factory=list)
    dropped: int = 0

    def count(self, what: str) -> int:
        return sum(one.what == what for one in self.effects)

    @property
    def opens(self) -> int:
        return self.count("opens")

    @property
    def moves(self) -> int:
        return self.count("moves")

    @property
    def ends(self) -> int:
        return self.count("ends")

    @property
    def first_due(self) -> date | None:
        return min((one.due_on for one in self.effects if one.due_on), default=None)

    @property
    def last_due(self) -> date | None:
        return max((one.due_on for one in self.effects if one.due_on), default=None)


def trial(rule: Rule, today: date) -> Trial:
    """Return what the rule as it stands in memory would change against today. It may be unsaved or changed."""
    now, then = looking.open_book(today), looking.open_book(today)
    then.remove(rule.pk or 0)
    if rule.is_active:
        then.add(rule.course_id, looking.terms_of(rule, then), rule.audience)
    found, after = Trial(), 0
    while ids := looking.stripe(after):
        _compare(found, rule, ids, now, then)
        after = ids[-1]
    return found


def _compare(found: Trial, rule: Rule, ids: list[int], now: Book, then: Book) -> None:
    from training.reasons import because

    course = [rule.course_id]
    today = {person.pk: deed for person, _course, _held, deed in looking.deeds(ids, now, course)}
    for person, _course, held, deed in looking.deeds(ids, then, course):
        before = today.pop(person.pk, None)
        if before is None or not _is_same(before, deed):
            facts = because(deed.opens, person, then) if deed.opens else {}
            found.effects.append(_effect(person.pk, deed, held.open and held.open.due_on, facts))
    found.dropped += len(today)
    found.audience += sum(
        person.is_on_staff and any(one.rule == (rule.pk or 0) for one in then.calls(person).get(rule.course_id, ()))
        for person in looking.people(ids, then)
    )


def _is_same(one: Deed, other: Deed) -> bool:
    def told(deed: Deed) -> tuple:
        return deed.ends, deed.moves_to, deed.opens and deed.opens.due_on

    return told(one) == told(other)


def _effect(person: int, deed: Deed, was: date | None, facts: dict) -> Effect:
    if deed.opens:
        return Effect(person, "opens", deed.opens.due_on, facts, was)
    return Effect(person, "moves" if deed.moves_to else "ends", deed.moves_to, {}, was)


@dataclass(frozen=True)
class Shown:
    employee: Employee
    effect: Effect
    reason: Reason | None


def shown(effects: list[Effect]) -> Iterator[Shown]:
    """Yield the effects with their people, for one page of them. One query."""
    people = Employee.objects.select_related("department", "office").in_bulk([one.person for one in effects])
    for one in effects:
        reason = sentence_of(one.because, one.due_on) if one.because else None
        yield Shown(people[one.person], one, reason)


@dataclass(frozen=True)
class Coming:
    course: str
    cycles: list[Ahead]


def coming(employee: Employee, today: date) -> list[Coming]:
    """Return the next three cycles of a person in each course that a rule calls for or that is open."""
    from training.facts import titles_of

    book = looking.open_book(today)
    found = looking.people([employee.pk], book)
    if not found or not found[0].is_on_staff:
        return []
    [person], held = found, looking.held([employee.pk], book).get(employee.pk, {})
    courses = {course.pk: course for course in Course.objects.filter(pk__in=book.rules.keys() | held.keys())}
    months = dict(Edition.objects.filter(course__in=courses).order_by("number").values_list("course", "renewal_months"))
    titles = titles_of(courses)
    rows = []
    for pk, course in courses.items():
        called = [one for one in book.rules.get(pk, ()) if one.asks(person)]
        mine = held.get(pk, looking.NOTHING_YET)
        cycles = ahead(person, mine, called, book.materials.get(pk), months=months.get(pk, 12), today=today)
        if cycles:
            rows.append(Coming(titles.get(pk) or course.slug, cycles))
    return sorted(rows, key=lambda row: (row.cycles[0].due_on, row.course))
