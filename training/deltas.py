"""The short course of who completed an older edition: only what changed since, and questions about that.

A Delta is made for each older edition when one is published that asks more; it never changes. A cycle that the rules
open because of such an edition is a delta cycle if what its person completed still counts when it is begun.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db import transaction
from django.db.models import Prefetch

from quizzes import services as quizzes
from quizzes.models import Question, Quiz
from training import blocks, differences, rules
from training.models import Assignment, Completion, Course, Delta, DeltaModule, Edition, Lesson, MaterialChange, Module

TERMS = ("pass_percent", "tries_before_wait", "wait_minutes", "time_limit_minutes")


@dataclass
class Changed:
    """What is new in a module. ``questions``: what its delta quiz asks."""

    module: Module
    lessons: list[Lesson] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)


def changes(before: Edition, edition: Edition) -> list[Changed]:
    """Return the modules of an edition in which a lesson or a question is not what it was, in their order.

    The questions are those that are new or ask something else, and those that cite what a changed lesson cites; where
    there are none, all of the module. Tags, difficulty and citations of a question do not count as changes.
    """
    old = {module.slug: module for module in _modules(before)}
    found = [_changed(old.get(module.slug), module) for module in _modules(edition)]
    return [one for one in found if one.lessons or one.questions]


def _modules(edition: Edition) -> Iterable[Module]:
    asked = Prefetch("quiz__questions", Question.objects.order_by("pk"))
    return edition.modules.select_related("quiz").prefetch_related("lessons", asked)


def _changed(old: Module | None, new: Module) -> Changed:
    was = {lesson.slug: _read(lesson) for lesson in old.lessons.all()} if old else {}
    known = {question.words for question in old.quiz.questions.all()} if old else set()
    asked = [question for question in new.quiz.questions.all() if question.withdrawn_at is None]
    lessons = [lesson for lesson in new.lessons.all() if was.get(lesson.slug) != _read(lesson)]
    fresh = {question.pk for question in asked if question.words not in known}
    about = {source for lesson in lessons for source in lesson.cites}
    questions = [question for question in asked if question.pk in fresh or about & set(question.cites)]
    return Changed(new, lessons, questions or (asked if lessons else []))


def _read(lesson: Lesson) -> dict[str, tuple]:
    """Return what a person reads of a lesson and answers in it, by language. Facts about its sources are neither."""
    return {
        lang: (lesson.title[lang], list(differences.passages(body)), [blocks.shape(block) for block in body])
        for lang, body in lesson.body.items()
    }


@transaction.atomic
def prepare(edition: Edition, *, by: str) -> None:
    """Make the deltas of an edition: one for each older edition since which one was published that asks more.

    Called by whoever publishes, and again by whoever declares a change material later. Safe to repeat.
    """
    Course.objects.select_for_update().get(pk=edition.course_id)
    asks_more = MaterialChange.objects.filter(edition__course=edition.course, edition__number__lte=edition.number)
    newest = max(asks_more.values_list("edition__number", flat=True), default=0)
    for before in Edition.objects.filter(course=edition.course, number__lt=newest).order_by("number"):
        if not Delta.objects.filter(before=before, edition=edition).exists():
            _make(before, edition, by)


def _make(before: Edition, edition: Edition, by: str) -> None:
    found = [one for one in changes(before, edition) if one.questions]
    if not found or _is_all(edition, found):
        return
    delta = Delta.objects.create(before=before, edition=edition)
    for one in found:
        quiz = quizzes.publish_quiz(
            slug=f"{edition.course.slug}_{edition.number}_{one.module.slug}_since_{before.number}",
            title=one.module.title,
            questions=one.questions,
            draw=min(one.module.quiz.draw, len(one.questions)),
            by=by,
            **{name: getattr(one.module.quiz, name) for name in TERMS},
        )
        DeltaModule.objects.create(delta=delta, module=one.module, quiz=quiz).lessons.set(one.lessons)


def _is_all(edition: Edition, found: Collection[Changed]) -> bool:
    """Return whether every lesson is another: then it is the whole course that is asked, and that renews it."""
    return sum(len(one.lessons) for one in found) == Lesson.objects.filter(module__edition=edition).count()


# --- of a cycle --------------------------------------------------------------------------------------------------


def for_cycle(assignment: Assignment, edition: Edition, today: date) -> Delta | None:
    """Return the delta that a cycle not begun is about if it is begun now with this edition; None: the whole course."""
    return of_open([assignment], {assignment.course_id: edition}, today).get(assignment.pk)


def of_open(rows: Collection[Assignment], newest: Mapping[int, Edition], today: date) -> dict[int, Delta]:
    """Return {cycle: the delta it is about if it is begun now}; those that are about the whole course are left out.

    ``newest``: of each course. Two queries, none where no cycle was opened by an edition that asks more.
    """
    asked = [row for row in rows if row.edition_id is None and row.because.get("what") == "material"]
    if not asked:
        return {}
    done = Completion.objects.filter(
        employee__in={row.employee_id for row in asked},
        edition__course__in={row.course_id for row in asked},
        origin=Completion.Origin.STUDIED,
        expires_on__gte=today,
    ).order_by("edition__number")
    columns = ("employee", "edition__course", "edition")
    known = {(who, course): edition for who, course, edition in done.values_list(*columns)}
    made = Delta.objects.filter(edition__in=newest.values()).select_related("before")
    by_pair = {(delta.before_id, delta.edition_id): delta for delta in made}
    found = {}
    for row in asked:
        edition = newest.get(row.course_id)
        delta = by_pair.get((known.get((row.employee_id, row.course_id)), edition.pk if edition else None))
        if delta:
            found[row.pk] = delta
    return found


@dataclass(frozen=True)
class Part:
    """What a delta asks of a module: its own quiz, and some of the lessons."""

    quiz: Quiz
    lessons: frozenset[int]


def parts(deltas: Collection[int]) -> dict[int, dict[int, Part]]:
    """Return {delta: {module: what is asked of it}}. Two queries, none for no delta."""
    if not deltas:
        return {}
    found: dict[int, dict[int, Part]] = {delta: {} for delta in deltas}
    rows = DeltaModule.objects.filter(delta__in=deltas).select_related("quiz").prefetch_related("lessons")
    for row in rows:
        found[row.delta_id][row.module_id] = Part(row.quiz, frozenset(lesson.pk for lesson in row.lessons.all()))
    return found


def quiz_of(assignment: Assignment, module: Module) -> Quiz | None:
    """Return the quiz by which the module is passed in this cycle; None: the cycle does not ask for it."""
    if assignment.delta_id is None:
        return module.quiz
    return Quiz.objects.filter(delta_module__delta=assignment.delta_id, delta_module__module=module).first()


def lessons_of(assignment: Assignment, module: Module):
    """Return the lessons of the module that this cycle asks for."""
    if assignment.delta_id is None:
        return module.lessons.all()
    return module.lessons.filter(delta_modules__delta=assignment.delta_id)


def modules_of(assignment: Assignment):
    """Return the modules that this cycle asks for."""
    if assignment.delta_id is None:
        return assignment.edition.modules.all()
    return assignment.edition.modules.filter(delta_modules__delta=assignment.delta_id)


def base_of(assignment: Assignment) -> Completion | None:
    """Return the completion on which a delta cycle rests; None: the cycle is about the whole course."""
    if assignment.delta_id is None:
        return None
    mine = Completion.objects.filter(employee=assignment.employee_id, edition__deltas_onward=assignment.delta_id)
    return mine.filter(origin=Completion.Origin.STUDIED).order_by("-completed_at", "-pk").first()


def mean(assignment: Assignment, percents: Mapping[int, int]) -> int:
    """Return the mean percent of a completed cycle. ``percents``: {module: percent} of what was passed in it.

    In a delta cycle the modules that it did not ask for count with what they came to before.
    """
    base = base_of(assignment)
    if base is None:
        return rules.mean_percent(list(percents.values()))
    before = dict(base.assignment.module_results.values_list("module__slug", "percent"))
    modules = assignment.edition.modules.values_list("pk", "slug")
    return rules.mean_percent([percents.get(pk, before.get(slug, base.percent)) for pk, slug in modules])
