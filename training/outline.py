"""A course as one person stands in it: modules, lessons, marks, and the next thing to do."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from portal.people.models import Employee
from quizzes import grading
from quizzes.models import Attempt, Quiz
from training import deltas, rules
from training.facts import facts_in
from training.models import Assignment, Completion, Course, Delta, Edition, Lesson, Module, ModuleResult, Progress
from training.reasons import Reason, reason_of
from training.rules import State, StepKind, TrainingFacts, told


@dataclass(frozen=True)
class LessonLine:
    pk: int
    slug: str
    number: int
    title: str
    minutes: int
    url: str
    is_begun: bool
    is_finished: bool
    place: int  # the block to go on from


@dataclass(frozen=True)
class ModuleLine:
    pk: int
    slug: str
    number: int
    title: str
    summary: str
    objectives: list[str]
    lessons: list[LessonLine]
    quiz: Quiz
    quiz_url: str
    percent: int | None  # of the quiz that was passed in this cycle; None: not passed
    tested_out: bool  # passed without the lessons
    tries: int  # submitted attempts at the quiz, of all cycles that had it
    open_attempt: str | None  # uid of the attempt to go on with
    wait_until: datetime | None  # None: the quiz may be tried now

    @property
    def is_passed(self) -> bool:
        return self.percent is not None

    @property
    def is_begun(self) -> bool:
        return any(lesson.is_begun for lesson in self.lessons)

    @property
    def lessons_finished(self) -> int:
        return sum(lesson.is_finished for lesson in self.lessons)

    @property
    def lessons_left(self) -> int:
        return len(self.lessons) - self.lessons_finished

    @property
    def minutes(self) -> int:
        return sum(lesson.minutes for lesson in self.lessons)

    @property
    def minutes_left(self) -> int:
        return sum(lesson.minutes for lesson in self.lessons if not lesson.is_finished)

    @property
    def mark(self) -> str:
        """passed, begun or ahead: how the steps at the top of a page draw it."""
        return "passed" if self.is_passed else "begun" if self.is_begun else "ahead"


@dataclass(frozen=True)
class Step:
    """The next thing to do: what it is, where it is, and what the button says."""

    kind: StepKind
    title: str
    url: str
    action: str
    module: ModuleLine | None = None
    wait_until: datetime | None = None


@dataclass(frozen=True)
class Outline:
    assignment: Assignment
    course: Course
    edition: Edition
    title: str
    summary: str
    url: str
    modules: list[ModuleLine]
    completion: Completion | None
    state: State
    turns_on: date | None
    today: date
    before: Edition | None = None  # the edition that one knows: only what changed since is asked; None: all is

    @property
    def lang(self) -> str:
        """The language in which the course is told to this reader."""
        return language_of(self.edition)

    @property
    def percent(self) -> int:
        if self.completion:
            return 100
        return rules.percent_done(
            lessons=sum(len(module.lessons) for module in self.modules),
            lessons_finished=sum(
                len(module.lessons) if module.is_passed else module.lessons_finished for module in self.modules
            ),
            modules=len(self.modules),
            modules_passed=self.passed,
        )

    @property
    def passed(self) -> int:
        return sum(module.is_passed for module in self.modules)

    @property
    def minutes(self) -> int:
        return sum(module.minutes for module in self.modules)

    @property
    def minutes_left(self) -> int:
        return sum(module.minutes_left for module in self.modules if not module.is_passed)

    @property
    def is_begun(self) -> bool:
        return self.assignment.edition_id is not None

    @property
    def reason(self) -> Reason:
        """Why it is owed, and why by that date, in the language of the page."""
        return reason_of(self.assignment)

    @property
    def days_left(self) -> int:
        """Days to the due date: 0 on the day itself, negative after it."""
        return (self.assignment.due_on - self.today).days

    @property
    def next(self) -> Step:
        return _next(self)


def language_of(edition: Edition) -> str:
    """Return the language of a course for the page's reader: theirs if the edition is told in it, else its first."""
    wanted = get_language() or settings.LANGUAGE_CODE
    return wanted if wanted in edition.languages else edition.languages[0]


def outlines(assignments: Iterable[Assignment], today: date) -> list[Outline]:
    """Return each assignment as its person stands in it; those of a course without an edition are left out.

    Nine queries, however many assignments; four more where some are about what changed. Texts are in the language of
    the page.
    """
    rows = list(assignments)
    newest = _newest_editions({row.course_id for row in rows if row.edition_id is None})
    about = {row.pk: row.delta for row in rows if row.delta_id} | deltas.of_open(rows, newest, today)
    studied = [(row, row.edition or newest.get(row.course_id)) for row in rows]
    studied = [(row, edition) for row, edition in studied if edition]
    facts = facts_in({row.course_id for row in rows}, {row.employee_id for row in rows})
    read = _Read.of(studied, about)
    return [
        _outline(row, edition, read, facts.get((row.employee_id, row.course_id), TrainingFacts()), today)
        for row, edition in studied
    ]


def _newest_editions(courses: set[int]) -> dict[int, Edition]:
    if not courses:
        return {}
    return {edition.course_id: edition for edition in Edition.objects.filter(course__in=courses).order_by("number")}


@dataclass(frozen=True)
class _Read:
    """What the outlines are made of, read at once."""

    modules: dict[int, list[Module]]  # by edition
    lessons: dict[int, list[Lesson]]  # by module
    progress: dict[tuple[int, int], Progress]  # by assignment and lesson
    percents: dict[tuple[int, int], int]  # by assignment and module
    tested_out: set[tuple[int, int]]  # assignment and module
    attempts: dict[tuple[int, int], list[Attempt]]  # by employee and quiz, oldest first
    about: dict[int, Delta]  # by assignment
    parts: dict[int, dict[int, deltas.Part]]  # by delta and module

    def part(self, row: Assignment, module: Module) -> deltas.Part | None:
        """Return what the cycle asks of the module; None: nothing."""
        if row.pk in self.about:
            return self.parts[self.about[row.pk].pk].get(module.pk)
        return deltas.Part(module.quiz, frozenset(lesson.pk for lesson in self.lessons.get(module.pk, ())))

    @classmethod
    def of(cls, studied: Sequence[tuple[Assignment, Edition]], about: dict[int, Delta]) -> "_Read":
        rows, editions = [row for row, _edition in studied], {edition.pk for _row, edition in studied}
        modules, lessons, attempts = defaultdict(list), defaultdict(list), defaultdict(list)
        for module in Module.objects.filter(edition__in=editions).select_related("quiz").order_by("position"):
            modules[module.edition_id].append(module)
        for lesson in Lesson.objects.filter(module__edition__in=editions).defer("body").order_by("position"):
            lessons[lesson.module_id].append(lesson)
        parts = deltas.parts({delta.pk for delta in about.values()})
        quizzes = {module.quiz_id for found in modules.values() for module in found}
        quizzes |= {part.quiz.pk for of_delta in parts.values() for part in of_delta.values()}
        tried = Attempt.objects.filter(employee__in={row.employee_id for row in rows}, quiz__in=quizzes)
        for attempt in tried.order_by("number"):
            attempts[attempt.employee_id, attempt.quiz_id].append(attempt)
        progress = Progress.objects.filter(assignment__in=rows).defer("answers")
        results = list(ModuleResult.objects.filter(assignment__in=rows).select_related("attempt__test_out"))
        return cls(
            modules=modules,
            lessons=lessons,
            progress={(p.assignment_id, p.lesson_id): p for p in progress},
            percents={(r.assignment_id, r.module_id): r.percent for r in results},
            tested_out={(r.assignment_id, r.module_id) for r in results if hasattr(r.attempt, "test_out")},
            attempts=attempts,
            about=about,
            parts=parts,
        )


def _outline(row: Assignment, edition: Edition, read: _Read, facts: TrainingFacts, today: date) -> Outline:
    lang = language_of(edition)
    return Outline(
        assignment=row,
        course=row.course,
        edition=edition,
        title=told(edition.title, lang),
        summary=told(edition.summary, lang),
        url=reverse("training:course", args=[row.course.slug]),
        modules=[
            _module(row, module, part, read, lang)
            for module in read.modules.get(edition.pk, [])
            if (part := read.part(row, module))
        ],
        completion=getattr(row, "completion", None),
        state=rules.training_state(facts, today),
        turns_on=rules.turns_on(facts, today),
        today=today,
        before=read.about[row.pk].before if row.pk in read.about else None,
    )


def _module(row: Assignment, module: Module, part: deltas.Part, read: _Read, lang: str) -> ModuleLine:
    attempts = read.attempts.get((row.employee_id, part.quiz.pk), [])
    ended = [(attempt.submitted_at, attempt.passed) for attempt in attempts if attempt.submitted_at]
    wait_until = grading.wait_until(
        ended,
        tries_before_wait=part.quiz.tries_before_wait,
        wait_minutes=part.quiz.wait_minutes,
        now=timezone.now(),
    )
    still_open = next((attempt.uid for attempt in attempts if attempt.is_open), None)
    lessons = [lesson for lesson in read.lessons.get(module.pk, []) if lesson.pk in part.lessons]
    return ModuleLine(
        pk=module.pk,
        slug=module.slug,
        number=module.position,
        title=told(module.title, lang),
        summary=told(module.summary, lang),
        objectives=[told(objective, lang) for objective in module.objectives],
        lessons=[_lesson(row, module, lesson, n, read, lang) for n, lesson in enumerate(lessons, start=1)],
        quiz=part.quiz,
        quiz_url=reverse("training:quiz", args=[row.course.slug, module.slug]),
        percent=read.percents.get((row.pk, module.pk)),
        tested_out=(row.pk, module.pk) in read.tested_out,
        tries=len(ended),
        open_attempt=still_open,
        wait_until=None if still_open else wait_until,
    )


def _lesson(row: Assignment, module: Module, lesson: Lesson, number: int, read: _Read, lang: str) -> LessonLine:
    progress = read.progress.get((row.pk, lesson.pk))
    return LessonLine(
        pk=lesson.pk,
        slug=lesson.slug,
        number=number,
        title=told(lesson.title, lang),
        minutes=lesson.minutes,
        url=reverse("training:lesson", args=[row.course.slug, module.slug, lesson.slug]),
        is_begun=progress is not None,
        is_finished=progress is not None and progress.finished_at is not None,
        place=progress.place if progress else 0,
    )


def _next(outline: Outline) -> Step:
    done = [([lesson.is_finished for lesson in m.lessons], m.is_passed, bool(m.wait_until)) for m in outline.modules]
    kind, number, lesson_number = rules.next_step(done)
    if kind == StepKind.DONE:
        return Step(kind, outline.title, reverse("training:certificate_list"), _("See the certificate"))
    module = outline.modules[number]
    if kind == StepKind.LESSON:
        lesson = module.lessons[lesson_number]
        anchor = f"#b{lesson.place}" if lesson.place else ""
        action = _("Continue") if outline.is_begun else _("Begin")
        return Step(kind, lesson.title, lesson.url + anchor, action, module)
    if kind == StepKind.WAIT:
        return Step(kind, module.title, module.quiz_url, _("See when"), module, module.wait_until)
    action = _("Go on with the quiz") if module.open_attempt else _("Take the quiz")
    return Step(kind, module.title, module.quiz_url, action, module)


# --- the roof's list of things to do -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Todo:
    title: str
    detail: str
    url: str
    action: str
    percent: int


def todo_for(employee: Employee, today: date) -> list[Todo]:
    """Return what the person has to do for their courses, the soonest due first."""
    owed = Assignment.objects.filter(employee=employee).open().for_list()
    return [_todo(outline) for outline in outlines(owed, today) if outline.state != State.EXEMPT]


def _todo(outline: Outline) -> Todo:
    step, parts = outline.next, []
    if outline.before:
        parts.append(_("only what changed since edition %(n)s") % {"n": outline.before.number})
    elif step.module:
        place = {"number": step.module.number, "of": len(outline.modules)}
        parts.append(_("Module %(number)s of %(of)s") % place)
    if minutes := outline.minutes_left:
        parts.append(ngettext("%(n)s minute left", "%(n)s minutes left", minutes) % {"n": minutes})
    parts.append(due_in_words(outline.days_left))
    title = step.module.title if step.module else outline.title
    return Todo(title, " · ".join(parts), step.url, step.action, outline.percent)


def due_in_words(days: int) -> str:
    """Return when something is due, by the days that are left: 0 on the day itself, negative after it."""
    if days < 0:
        return ngettext("%(n)s day overdue", "%(n)s days overdue", -days) % {"n": -days}
    if days == 0:
        return _("due today")
    return ngettext("due in %(n)s day", "due in %(n)s days", days) % {"n": days}
