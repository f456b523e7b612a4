"""What waits for people this week, read for many at once: the number of queries does not grow with them."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from zoneinfo import ZoneInfo

from portal.people import calendars
from portal.people.models import Employee
from quizzes.models import Question
from training.fresh import schedule
from training.models import Completion, Edition, FreshAsk, FreshCard, Module

KINDS = (Question.Kind.SINGLE, Question.Kind.TRUEFALSE)  # answered by one tap
Key = tuple[int, str]  # bank, slug of a question


@dataclass(frozen=True, slots=True)
class Known:
    """A question that may be asked: of an edition that the person knows, in the version that it has there."""

    question: int
    key: Key
    course: int
    module: str


@dataclass
class Waiting:
    """One person's week. ``asked``: what was asked in it so far. ``again``, ``new``: what is asked besides."""

    week: date
    asked: list[FreshAsk] = field(default_factory=list)
    again: list[FreshCard] = field(default_factory=list)
    new: list[Known] = field(default_factory=list)
    known: dict[Key, Known] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many questions are still to be answered this week."""
        return sum(ask.answered_at is None for ask in self.asked) + len(self.again) + len(self.new)


def of(people: Collection[Employee], day: date) -> dict[int, Waiting]:
    """Return {person: their week}, for those who have completed something. All have the same local day.

    Six queries. Who completed a course has its first questions in the week after, as long as the completion counts.
    """
    week = schedule.week_of(day)
    editions = _known_editions(people, day, week)
    if not editions:
        return {}
    pools = _pools({edition for mine in editions.values() for edition in mine})
    cards, asks = _cards(editions), _asks(editions, week)
    uid = {person.pk: person.uid for person in people}
    return {
        person: _week(week, day, uid[person], [one for edition in mine for one in pools[edition]], cards, asks, person)
        for person, mine in editions.items()
    }


def _known_editions(people: Collection[Employee], day: date, week: date) -> dict[int, list[int]]:
    """Return {person: editions whose questions they can know}: of each course the newest one completed, or a later one
    that changed nothing material since."""
    ended = {p.pk: calendars.day_begins(week, ZoneInfo(calendars.zone_name(p))) for p in people}
    done = Completion.objects.filter(
        employee__in=ended, origin=Completion.Origin.STUDIED, expires_on__gte=day, employee__is_active=True
    )
    newest: dict[tuple[int, int], int] = {}
    columns = ("employee", "edition__course", "edition__number", "completed_at")
    for person, course, number, at in done.values_list(*columns):
        if at < ended[person]:
            newest[person, course] = max(number, newest.get((person, course), 0))
    told = Edition.objects.filter(course__in={course for _person, course in newest}).order_by("course", "number")
    of_course: defaultdict[int, list] = defaultdict(list)
    for pk, course, number, change in told.values_list("pk", "course", "number", "material_change"):
        of_course[course].append((pk, number, change is not None))
    found: defaultdict[int, list[int]] = defaultdict(list)
    for (person, course), number in newest.items():
        found[person].append(_still_known(of_course[course], number))
    return found


def _still_known(editions: Iterable[tuple[int, int, bool]], completed: int) -> int:
    known = 0
    for pk, number, is_material in editions:
        if number > completed and is_material:
            break
        known = pk
    return known


def _pools(editions: Collection[int]) -> dict[int, list[Known]]:
    pools: dict[int, list[Known]] = {edition: [] for edition in editions}
    asked = Module.objects.filter(
        edition__in=editions,
        quiz__questions__kind__in=KINDS,
        quiz__questions__state=Question.State.ACCEPTED,
        quiz__questions__withdrawn_at=None,
    )
    names = ("quiz__questions", "quiz__questions__bank", "quiz__questions__slug", "edition__course", "slug")
    for edition, question, bank, slug, course, module in asked.values_list("edition", *names):
        pools[edition].append(Known(question, (bank, slug), course, module))
    return pools


def _cards(people: Collection[int]) -> Mapping[int, list[FreshCard]]:
    found: defaultdict[int, list[FreshCard]] = defaultdict(list)
    for card in FreshCard.objects.filter(employee__in=people):
        found[card.employee_id].append(card)
    return found


def _asks(people: Collection[int], week: date) -> Mapping[int, list[FreshAsk]]:
    found: defaultdict[int, list[FreshAsk]] = defaultdict(list)
    for ask in FreshAsk.objects.filter(employee__in=people, week=week).select_related("card", "question"):
        found[ask.employee_id].append(ask)
    return found


def _week(week, day, uid, pool, all_cards, all_asks, person) -> Waiting:
    """Return one person's week out of what was read for all."""
    cards = {(card.bank_id, card.slug): card for card in all_cards.get(person, ())}
    found = Waiting(week, asked=all_asks.get(person, []), known={one.key: one for one in pool})
    taken = {ask.card_id for ask in found.asked}
    due = [
        (card.due_on, key) for key, card in cards.items() if card.due_on and key in found.known and card.pk not in taken
    ]
    new: defaultdict[str, list[Key]] = defaultdict(list)
    for one in pool:
        if one.key not in cards:
            new[f"{one.course}/{one.module}"].append(one.key)
    begun = Counter(f"{card.course_id}/{card.module}" for card in cards.values())
    free = schedule.A_WEEK - len(found.asked)
    again, chosen = schedule.choose(due, new, begun, most=max(free, 0), day=day, seed=uid)
    found.again = [cards[key] for key in again]
    found.new = [found.known[key] for _module, key in chosen]
    return found


def fresh_due(person: Employee, day: date) -> int:
    """Return how many questions wait for the person in the week of that day: 0, 1 or 2. Writes nothing."""
    mine = of([person], day).get(person.pk)
    return mine.count if mine else 0
