"""A person's way through a course: lessons read, blocks answered, quizzes passed, the course completed.

Locks in the order of the house: the person, the assignment, their rows, the ledger.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people import calendars
from quizzes import grading
from quizzes import services as quizzes
from quizzes.models import Attempt, Quiz
from training import certificates, deltas, duties, looking, rules
from training.assignments import lock_person, ring_standing
from training.models import Assignment, Completion, DeltaModule, Edition, Lesson, Module, ModuleResult, OneTry, Progress

MOST_ANSWERS = 100  # blocks of one lesson
MOST_CHOICES = 100  # marks in one answer


class NotInEdition(LookupError):
    """The lesson or quiz is not of the edition that the person studies."""


class LessonsLeft(Exception):
    """A module's quiz opens when all its lessons have been finished."""


class AlreadyPassed(Exception):
    """The module is passed in this cycle: there is nothing to try again."""


class TestOutSpent(Exception):
    """A module can be tested out of once a cycle, by who has not tried its quiz before."""


class TooMuch(ValueError):
    """More than a page could have sent."""


@transaction.atomic
def open_lesson(*, assignment: Assignment, lesson: Lesson, by: str) -> Progress:
    """Note that the person has the lesson before them, and return how far they are in it.

    The first lesson opened fixes the edition of the cycle: a new edition does not move who has begun.
    Raises NotInEdition.
    """
    assignment = _locked(assignment)
    if assignment.edition_id is None:
        _begin(assignment, lesson.module.edition, by)
    if lesson.module.edition_id != assignment.edition_id:
        raise NotInEdition(lesson.slug)
    return _read_on(assignment, lesson, timezone.now())


def _begin(assignment: Assignment, edition: Edition, by: str) -> None:
    """Fix the edition that is studied in this cycle. Raises NotInEdition unless it is the newest."""
    if edition != assignment.course.current:
        raise NotInEdition(str(edition))
    today = calendars.local_day(assignment.employee)
    assignment.edition, assignment.delta = edition, deltas.for_cycle(assignment, edition, today)
    assignment.save(update_fields=["edition", "delta"])
    body = {"course": assignment.course.slug, "cycle": assignment.cycle, "edition": assignment.edition.number}
    if assignment.delta:
        body["changed_since"] = assignment.delta.before.number
    ledger.append(verb="training.edition_begun", actor=by, subject=assignment.employee.uid, body=body)
    ring_standing()


@transaction.atomic
def note_reading(*, assignment: Assignment, lesson: Lesson, place: int | None = None) -> Progress:
    """Count the time since the last sign of reading, and remember which block is in view. Raises NotInEdition."""
    progress = _read_on(_locked(assignment), lesson, timezone.now())
    if place is not None and 0 <= place <= MOST_ANSWERS and place != progress.place:
        progress.place = place
        progress.save(update_fields=["place"])
    return progress


@transaction.atomic
def answer_block(
    *, assignment: Assignment, lesson: Lesson, name: str, answer: str | int | Sequence | Mapping, place: int
) -> Progress:
    """Keep what was chosen in a block of a lesson; a later answer replaces it. Practice, so there is no Entry.

    ``name`` is a block of this lesson: whoever calls has looked. Raises NotInEdition, TooMuch.
    """
    if isinstance(answer, Sequence | Mapping) and len(answer) > MOST_CHOICES:
        raise TooMuch(name)
    progress = _read_on(_locked(assignment), lesson, timezone.now())
    answers = progress.answers | {name: answer}
    if len(answers) > MOST_ANSWERS:
        raise TooMuch(name)
    progress.answers, progress.place = answers, place
    progress.save(update_fields=["answers", "place"])
    return progress


@transaction.atomic
def finish_lesson(*, assignment: Assignment, lesson: Lesson) -> Progress:
    """Mark the lesson finished. A second time changes nothing. Raises NotInEdition."""
    now, assignment = timezone.now(), _locked(assignment)
    progress = _read_on(assignment, lesson, now)
    if progress.finished_at is None:
        progress.finished_at = now
        progress.save(update_fields=["finished_at"])
        body = {"course": assignment.course.slug, "cycle": assignment.cycle, "edition": assignment.edition.number}
        body |= {"module": lesson.module.slug, "lesson": lesson.slug, "seconds": progress.seconds}
        body |= {"opened_at": progress.opened_at, "finished_at": now}
        who = assignment.employee.uid
        ledger.append(verb="training.lesson_finished", actor=who, subject=who, body=body)
    return progress


def _locked(assignment: Assignment) -> Assignment:
    rows = Assignment.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("course", "employee__office", "edition", "delta", "rule").get(pk=assignment.pk)


def _read_on(assignment: Assignment, lesson: Lesson, now: datetime) -> Progress:
    """Return the progress in the lesson with the time since the last sign of reading counted. Locked."""
    if lesson.module.edition_id != assignment.edition_id:
        raise NotInEdition(lesson.slug)
    last = Progress.objects.filter(assignment=assignment).aggregate(last=Max("seen_at"))["last"]
    progress, _ = Progress.objects.get_or_create(
        assignment=assignment, lesson=lesson, defaults={"opened_at": now, "seen_at": now}
    )
    progress.seconds += rules.reading_seconds(last, now)
    progress.seen_at = max(progress.seen_at, now)
    progress.save(update_fields=["seconds", "seen_at"])
    return progress


# --- quizzes -----------------------------------------------------------------------------------------------------


def start_quiz(*, assignment: Assignment, module: Module, language: str, by: str) -> Attempt:
    """Return the person's open attempt at the module's quiz, begun now if there is none.

    Not one transaction: an attempt that ran out of time is graded, and that stays even where a wait follows.
    Raises NotInEdition, LessonsLeft, AlreadyPassed, quizzes.services.MustWait.
    """
    if assignment.edition_id is None:
        raise LessonsLeft(module.slug)
    if module.edition_id != assignment.edition_id:
        raise NotInEdition(module.slug)
    quiz = deltas.quiz_of(assignment, module)
    if quiz is None:
        raise NotInEdition(module.slug)
    _settle_late(assignment, quiz)
    if ModuleResult.objects.filter(assignment=assignment, module=module).exists():
        raise AlreadyPassed(module.slug)
    if lessons_left(assignment, module) and not _tests_out(assignment, module):
        raise LessonsLeft(module.slug)
    return quizzes.start_attempt(quiz=quiz, employee=assignment.employee, language=language, by=by)


@transaction.atomic
def start_test_out(*, assignment: Assignment, module: Module, language: str, by: str) -> Attempt:
    """Begin the one try at a module's quiz without its lessons, or return it if it is still open.

    It is an attempt like any other: the same draw, the same mark, the same questions that must be right. Whoever fails
    reads the lessons. The first one begun fixes the edition of the cycle, as a lesson does.
    Raises NotInEdition, AlreadyPassed, TestOutSpent, quizzes.services.NothingToAsk.
    """
    lock_person(assignment.employee_id)
    assignment = _locked(assignment)
    if assignment.edition_id is None:
        _begin(assignment, module.edition, by)
    quiz = deltas.quiz_of(assignment, module)
    if module.edition_id != assignment.edition_id or quiz is None:
        raise NotInEdition(module.slug)
    if ModuleResult.objects.filter(assignment=assignment, module=module).exists():
        raise AlreadyPassed(module.slug)
    before = OneTry.objects.filter(assignment=assignment, module=module).select_related("attempt").first()
    if before and before.attempt.is_open:
        return before.attempt
    if before or not may_test_out(assignment, module):
        raise TestOutSpent(module.slug)
    attempt = quizzes.start_attempt(quiz=quiz, employee=assignment.employee, language=language, by=by)
    OneTry.objects.create(assignment=assignment, module=module, attempt=attempt, began_at=timezone.now())
    body = {"course": assignment.course.slug, "cycle": assignment.cycle, "edition": assignment.edition.number}
    body |= {"module": module.slug, "attempt": attempt.uid}
    ledger.append(verb="training.test_out_begun", actor=by, subject=assignment.employee.uid, body=body)
    return attempt


def may_test_out(assignment: Assignment, module: Module) -> bool:
    """Return whether the person may try the quiz without the lessons: once a cycle, before all of them are finished,
    and only before any other try at the quiz in this cycle."""
    if OneTry.objects.filter(assignment=assignment, module=module).exists():
        return False
    tried = Attempt.objects.filter(quiz=deltas.quiz_of(assignment, module), employee=assignment.employee)
    if tried.filter(started_at__date__gte=assignment.assigned_on).exists():
        return False
    return lessons_left(assignment, module) > 0


def _tests_out(assignment: Assignment, module: Module) -> bool:
    mine = OneTry.objects.filter(assignment=assignment, module=module)
    return mine.filter(attempt__submitted_at__isnull=True).exists()


def lessons_left(assignment: Assignment, module: Module) -> int:
    """Return how many lessons of the module are not finished in this cycle. One query."""
    finished = Progress.objects.filter(assignment=assignment, finished_at__isnull=False).values("lesson")
    return deltas.lessons_of(assignment, module).exclude(pk__in=finished).count()


def _settle_late(assignment: Assignment, quiz: Quiz) -> None:
    attempt = Attempt.objects.filter(quiz=quiz, employee=assignment.employee).open().first()
    if attempt:
        settle_if_late(attempt)


def settle_if_late(attempt: Attempt) -> bool:
    """Submit an attempt whose time is up, as it was saved: if it passed, it counts like any other. Return whether."""
    if not attempt.is_open or not grading.is_late(attempt.closes_at, timezone.now()):
        return False
    submit_quiz(attempt=attempt, answers={}, by="system:training")
    return True


def close_late_quizzes(*, most: int = 500) -> int:
    """Submit attempts whose time is up and to which nobody came back. Return how many there were, ``most`` at most."""
    late = Attempt.objects.open().filter(closes_at__lt=timezone.now() - grading.GRACE).order_by("closes_at")[:most]
    return sum(settle_if_late(attempt) for attempt in late)


@transaction.atomic
def submit_quiz(*, attempt: Attempt, answers: Mapping[int, quizzes.Sent], by: str, **about) -> Attempt:
    """Grade an attempt and record what follows from it: the module passed, the course completed, its certificate.

    ``answers`` and ``about`` as quizzes.services.submit takes them. A second submit, from a double click or another
    window, returns the graded attempt and records nothing. Raises quizzes.services.ForgedAnswer, OutOfDate and
    NotYours, and then nothing is submitted.
    """
    lock_person(attempt.employee_id)
    assignment, module = _studied(attempt)
    _locked(assignment)
    was_open = Attempt.objects.open().filter(pk=attempt.pk).exists()
    attempt = quizzes.submit(attempt=attempt, answers=answers, by=by, **about)
    if was_open and attempt.passed:
        _pass_module(assignment, module, attempt, by)
    return attempt


def _studied(attempt: Attempt) -> tuple[Assignment, Module]:
    """Return the cycle in which the person tries this quiz, and the quiz's module. Raises NotInEdition."""
    mine = Assignment.objects.filter(employee=attempt.employee).select_related("course", "employee", "edition")
    if part := DeltaModule.objects.filter(quiz=attempt.quiz).select_related("module").first():
        module, studied = part.module, mine.filter(delta=part.delta_id)
    else:
        module = Module.objects.filter(quiz=attempt.quiz).first()
        studied = mine.filter(edition__modules__quiz=attempt.quiz, delta=None)
    assignment = studied.order_by("-cycle").first()
    if assignment is None:
        raise NotInEdition(attempt.uid)
    return assignment, module


@transaction.atomic
def pass_after_recall(*, attempt: Attempt, percent: int, by: str) -> Assignment | None:
    """Record that a module is passed by an attempt that failed before a question of it was recalled.

    Return the cycle in which it counts; None where the module was passed otherwise, or is studied no more.
    """
    lock_person(attempt.employee_id)
    try:
        assignment, module = _studied(attempt)
    except NotInEdition:
        return None
    _locked(assignment)
    return assignment if _pass_module(assignment, module, attempt, by, percent=percent) else None


def _pass_module(
    assignment: Assignment, module: Module, attempt: Attempt, by: str, *, percent: int | None = None
) -> bool:
    """Record that a module is passed, once a cycle. Return whether it is now. ``percent``: None: the attempt's."""
    reached = attempt.percent if percent is None else percent
    result, is_new = ModuleResult.objects.get_or_create(
        assignment=assignment,
        module=module,
        defaults={"attempt": attempt, "percent": reached, "passed_at": attempt.submitted_at},
    )
    if not is_new:
        return False
    body = {
        "course": assignment.course.slug,
        "cycle": assignment.cycle,
        "edition": assignment.edition.number,
        "module": module.slug,
        "percent": result.percent,
        "attempt": attempt.uid,
    }
    if OneTry.objects.filter(attempt=attempt).exists():
        body["tested_out"] = True
    ledger.append(verb="training.module_passed", actor=by, subject=assignment.employee.uid, body=body)
    if not deltas.modules_of(assignment).exclude(results__assignment=assignment).exists():
        complete(assignment=assignment, by=by)
    return True


@transaction.atomic
def complete(*, assignment: Assignment, by: str) -> Completion:
    """Record that the course is completed, and issue the certificate. Once a cycle: a second call returns the same.

    Raises ModulesLeft.
    """
    lock_person(assignment.employee_id)
    assignment = _locked(assignment)
    if done := Completion.objects.filter(assignment=assignment).first():
        return done
    percents = dict(assignment.module_results.values_list("module", "percent"))
    if assignment.edition is None or len(percents) < deltas.modules_of(assignment).count():
        raise ModulesLeft(str(assignment))
    now = timezone.now()
    today = calendars.local_day(assignment.employee, now)
    completion = Completion.objects.create(
        assignment=assignment,
        employee=assignment.employee,
        edition=assignment.edition,
        completed_at=now,
        expires_on=_counts_until(assignment, today),
        percent=deltas.mean(assignment, percents),
        study_seconds=assignment.progress.aggregate(total=Sum("seconds"))["total"] or 0,
    )
    assignment.ended_on, assignment.ended_why = today, Assignment.Why.COMPLETED
    assignment.save(update_fields=["ended_on", "ended_why"])
    ledger.append(verb="training.completed", actor=by, subject=assignment.employee.uid, body=_evidence(completion))
    certificates.issue(completion=completion, by=by)
    ring_standing()
    return completion


def _counts_until(assignment: Assignment, today: date) -> date:
    """Return the last day on which the completion will count, as the rule of the cycle renews it.

    Who had to study only what changed has renewed nothing: it counts as long as what it rests on.
    """
    if base := deltas.base_of(assignment):
        return base.expires_on
    lapses = Completion.objects.filter(employee=assignment.employee, edition__course=assignment.course)
    return duties.expires_on(
        today,
        assignment.edition.renewal_months,
        looking.renewal_of(assignment.rule) if assignment.rule else None,
        lapses.aggregate(last=Max("expires_on"))["last"],
    )


class ModulesLeft(Exception):
    """A course is completed when every module of its edition has been passed in the cycle."""


def _evidence(completion: Completion) -> dict:
    return {
        "course": completion.assignment.course.slug,
        "cycle": completion.assignment.cycle,
        "edition": completion.edition.number,
        "completed_at": completion.completed_at,
        "expires_on": completion.expires_on.isoformat(),
        "percent": completion.percent,
        "study_seconds": completion.study_seconds,
    }
