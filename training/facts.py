"""What the roof asks about many people at once, in a number of queries that does not grow with them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Avg, Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.people.models import Employee
from quizzes.models import Attempt
from training.models import Assignment, Completion, Course, Exemption, Module, ModuleResult, Progress
from training.reasons import reason_of
from training.rules import TrainingFacts, told

CHUNK = 5000  # ids in one query


def permit_course() -> Course | None:
    """Return the course on which a person's standing rests: that of the oldest active rule, or the oldest at all."""
    ruled = Course.objects.filter(rules__is_active=True).order_by("rules__pk")
    return ruled.first() or Course.objects.order_by("pk").first()


def facts_for(employee_ids: Iterable[int], course: Course | None = None) -> dict[int, TrainingFacts]:
    """Return what decides each person's training state in the course, by default permit_course().

    Every id asked for is in the answer; who was never assigned has empty facts. Three queries a CHUNK of people.
    """
    course = course or permit_course()
    facts: dict[int, TrainingFacts] = dict.fromkeys(employee_ids, TrainingFacts())
    if course:
        for ids in _chunks(facts):
            facts |= {person: found for (person, _course), found in facts_in([course.pk], ids).items()}
    return facts


def facts_in(courses: Collection[int], people: Collection[int]) -> dict[tuple[int, int], TrainingFacts]:
    """Return {(person, course): facts} for those of these people who have any. Three queries."""
    which = {"course__in": courses, "employee__in": people}
    exemptions: defaultdict[tuple[int, int], list] = defaultdict(list)
    for row in Exemption.objects.filter(**which).order_by("starts_on"):
        exemptions[row.employee_id, row.course_id].append((row.starts_on, row.ends_on))
    counted = Completion.objects.filter(edition__course__in=courses, employee__in=people).order_by("expires_on")
    rows = counted.values_list("employee_id", "edition__course_id", "expires_on")  # an edition itself is long
    ends = {(person, course): expires_on for person, course, expires_on in rows}
    owed = {(a.employee_id, a.course_id): a for a in Assignment.objects.filter(**which).open()}
    return {
        pair: TrainingFacts(
            due_on=owed[pair].due_on if pair in owed else None,
            has_begun=pair in owed and owed[pair].edition_id is not None,
            expires_on=ends.get(pair),
            exemptions=tuple(exemptions.get(pair, ())),
            grace_days=owed[pair].grace_days if pair in owed else 0,
        )
        for pair in exemptions.keys() | ends.keys() | owed.keys()
    }


@dataclass(frozen=True)
class ModuleMark:
    """How one person stands in one module: passed with ``percent``, or begun, or neither."""

    percent: int | None = None
    is_begun: bool = False

    @property
    def is_passed(self) -> bool:
        return self.percent is not None

    @property
    def tone(self) -> str:
        return "good" if self.is_passed else "warn" if self.is_begun else "none"

    @property
    def label(self) -> str:
        """The mark in words, in the language of the page."""
        if self.percent is not None:
            return _("%(percent)s%%") % {"percent": self.percent}
        return _("begun") if self.is_begun else "–"


def module_titles(course: Course | None = None) -> list[str]:
    """Return the titles of the newest edition's modules in their order, in the language of the page."""
    return [told(module.title, get_language() or "") for module in _columns(course or permit_course())]


def module_slugs(course: Course | None = None) -> list[str]:
    """Return the modules that module_titles() names, by the names that never change."""
    return [module.slug for module in _columns(course or permit_course())]


def module_marks(employee_ids: Iterable[int], course: Course | None = None) -> dict[int, list[ModuleMark]]:
    """Return for each person one mark a module, in the order of module_titles().

    Marks are of the newest cycle that the person has begun: a renewal that nobody has opened yet does not hide what
    was passed. Somebody who studies an older edition has marks in the modules that both editions have; who studies only
    what changed keeps the marks of the cycles before it in the other modules.
    """
    course = course or permit_course()
    slugs = [module.slug for module in _columns(course)]
    ids = list(employee_ids)
    marks: dict[int, dict[str, ModuleMark]] = {person: {} for person in ids}
    for chunk in _chunks(ids) if slugs else ():
        begun = Assignment.objects.filter(course=course, employee__in=chunk, edition__isnull=False).order_by("cycle")
        counted: dict[int, list[int]] = {}
        for employee, assignment, is_delta in begun.values_list("employee", "pk", "delta"):
            counted[employee] = [*counted.get(employee, []), assignment] if is_delta else [assignment]
        person = {assignment: employee for employee, mine in counted.items() for assignment in mine}
        for assignment, slug, percent in sorted((*_opened(person), *_passed(person)), key=_cycle_then_passed(counted)):
            marks[person[assignment]][slug] = ModuleMark(percent, is_begun=True)
    return {person: [marks[person].get(slug, ModuleMark()) for slug in slugs] for person in ids}


def _cycle_then_passed(counted: dict[int, list[int]]) -> Callable[[tuple[int, str, int | None]], tuple[int, bool]]:
    """Return a key that puts older cycles first, and within one what was passed after what was only opened."""
    place = {assignment: n for mine in counted.values() for n, assignment in enumerate(mine)}
    return lambda row: (place[row[0]], row[2] is not None)


def _columns(course: Course | None) -> list[Module]:
    edition = course.current if course else None
    return list(edition.modules.only("slug", "title", "position", "edition", "quiz")) if edition else []


def _opened(assignments: Collection[int]) -> Iterator[tuple[int, str, None]]:
    opened = Progress.objects.filter(assignment__in=assignments).values_list("assignment", "lesson__module__slug")
    yield from ((assignment, slug, None) for assignment, slug in opened.distinct())


def _passed(assignments: Collection[int]) -> Iterator[tuple[int, str, int]]:
    passed = ModuleResult.objects.filter(assignment__in=assignments)
    yield from passed.values_list("assignment", "module__slug", "percent")


@dataclass(frozen=True)
class FirstTries:
    """How the first tries at a module's quiz went, of everybody who ever had one graded."""

    slug: str
    tried: int
    passed: int  # of them, at once
    percent: int | None  # mean mark, rounded down; None: nobody tried
    quiz: int  # the id of the quiz they tried: see tries_of()


def tries_of(*quizzes: int | None, until: datetime) -> QuerySet[Attempt]:
    """Return everybody's first try at these quizzes, as far as it was handed in by that moment."""
    return Attempt.objects.filter(quiz__in=quizzes, number=1, submitted_at__lte=until)


def first_tries(course: Course | None = None, *, until: datetime) -> list[FirstTries]:
    """Return the first tries until a moment at each module of the newest edition, in its order. Two queries.

    They read every first attempt of the firm: for a count that is made once a day, not for a page.
    """
    columns = _columns(course or permit_course())
    first = tries_of(*(one.quiz_id for one in columns), until=until)
    counted = (
        first.order_by()
        .values("quiz")
        .annotate(tried=Count("pk"), at_once=Count("pk", filter=Q(passed=True)), mean=Avg("percent"))
    )
    by_quiz = {row["quiz"]: row for row in counted}
    return [
        FirstTries(one.slug, row["tried"], row["at_once"], int(row["mean"]), one.quiz_id)
        if (row := by_quiz.get(one.quiz_id))
        else FirstTries(one.slug, 0, 0, None, one.quiz_id)
        for one in columns
    ]


@dataclass(frozen=True)
class Cycle:
    """One assignment as a record shows it. None: not yet."""

    title: str
    cycle: int
    assigned_on: date
    due_on: date
    completed_on: date | None
    expires_on: date | None
    percent: int | None
    study_seconds: int | None
    is_imported: bool = False
    reason: str = ""  # why it exists and why it is due then, in the language of the page
    ended_why: str = ""  # in words; empty: open


def history_of(employee: Employee) -> list[Cycle]:
    """Return every cycle of every course that was assigned to a person, the newest first. Two queries."""
    rows = Assignment.objects.filter(employee=employee).select_related("completion", "course", "edition", "rule")
    newest = _newest_titles(row.course_id for row in rows)
    return [_cycle(row, newest) for row in rows.order_by("-assigned_on", "-pk")]


@dataclass(frozen=True)
class Imported:
    """A completion that came from a file: it has no certificate of ours."""

    title: str
    completed_on: date
    expires_on: date
    percent: int


def imported_of(employee: Employee) -> list[Imported]:
    """Return the completions of a person that were imported, the newest first. One query."""
    rows = Completion.objects.filter(employee=employee, origin=Completion.Origin.IMPORTED)
    return [
        Imported(
            told(row.edition.title, get_language() or ""),
            timezone.localdate(row.completed_at),
            row.expires_on,
            row.percent,
        )
        for row in rows.select_related("edition").order_by("-completed_at", "-pk")
    ]


def titles_of(courses: Iterable[int]) -> dict[int, str]:
    """Return {course: its newest title, in the language of the page}. One query."""
    return {pk: told(title or {}, get_language() or "") for pk, title in _newest_titles(courses).items()}


def _newest_titles(courses: Iterable[int]) -> dict[int, dict]:
    named = Course.objects.filter(pk__in=set(courses)).order_by("editions__number")
    return dict(named.values_list("pk", "editions__title"))


def _cycle(row: Assignment, newest: dict[int, dict]) -> Cycle:
    completion = getattr(row, "completion", None)
    title = row.edition.title if row.edition else newest.get(row.course_id) or {}
    return Cycle(
        title=told(title, get_language() or "") or row.course.slug,
        cycle=row.cycle,
        assigned_on=row.assigned_on,
        due_on=row.due_on,
        completed_on=timezone.localdate(completion.completed_at) if completion else None,
        expires_on=completion.expires_on if completion else None,
        percent=completion.percent if completion else None,
        study_seconds=completion.study_seconds if completion else None,
        is_imported=completion is not None and completion.origin == Completion.Origin.IMPORTED,
        reason=reason_of(row).sentence,
        ended_why=row.get_ended_why_display(),
    )


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    ids = list(ids)
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
