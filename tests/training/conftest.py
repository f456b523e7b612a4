from collections.abc import Callable
from datetime import date, timedelta
from itertools import count

import pytest
from django.utils import timezone

from quizzes import services as quizzes
from quizzes.models import Attempt
from tests.quizzes.conftest import all_right, all_wrong, question
from training import learning, services
from training.models import Assignment, Certificate, Completion, Course, Edition, Lesson, Module

numbers = count(1)

PLAIN = {"kind": "markdown", "html": "<p>Words.</p>"}
CHECK = {
    "kind": "check",
    "name": "quick",
    "question": "Which is kept?",
    "options": [
        {"text": "Lunch", "right": False, "why": "Personal: WHY-LUNCH."},
        {"text": "An order", "right": True, "why": "Business: WHY-ORDER."},
    ],
}
SOURCE = {
    "kind": "rule",
    "jurisdiction": "US",
    "short": {"en": "SEC Rule 17a-4"},
    "name": {"en": "Records to be preserved"},
    "number": "17 CFR 240.17a-4",
    "body": {"en": "SEC"},
    "link": "https://www.ecfr.gov/17a-4",
    "checked": "2026-11-23",
}


@pytest.fixture
def make_edition(db) -> Callable[..., Edition]:
    """Publish an edition of a course, by default a new one: ``modules`` modules of ``lessons`` lessons each."""

    def make(course: Course | None = None, *, modules: int = 2, lessons: int = 2, **fields) -> Edition:
        n = next(numbers)
        course = course or Course.objects.create(slug=f"course-{n}")
        dull = {
            "number": course.editions.count() + 1,
            "fingerprint": f"{n:064}",
            "languages": ["en"],
            "title": {"en": f"Course {n}"},
            "summary": {"en": "What it is about."},
            "pass_percent": 80,
            "renewal_months": 12,
            "sources": {"sec-17a-4": SOURCE},
            "published_at": timezone.now(),
        }
        edition = Edition.objects.create(course=course, **(dull | fields))
        for number in range(1, modules + 1):
            _make_module(edition, number, lessons, n)
        return edition

    return make


def _make_module(edition: Edition, number: int, lessons: int, n: int) -> Module:
    asked = [question(f"c{n}-m{number}-q{i}", tag="rules" if i % 2 else "habits") for i in range(6)]
    rows = quizzes.publish_bank(slug=f"bank-{n}-{number}", title={"en": "Bank"}, questions=asked, by="system:test")
    quiz = quizzes.publish_quiz(
        slug=f"quiz-{n}-{number}",
        title={"en": f"Module {number}"},
        questions=rows,
        draw=4,
        pass_percent=edition.pass_percent,
        tries_before_wait=3,
        wait_minutes=30,
        by="system:test",
    )
    texts = {"title": {"en": f"Module {number}"}, "summary": {"en": "Why."}, "objectives": [{"en": "Know."}]}
    module = Module.objects.create(edition=edition, slug=f"module-{number}", position=number, quiz=quiz, **texts)
    for position in range(1, lessons + 1):
        Lesson.objects.create(
            module=module,
            slug=f"lesson-{position}",
            position=position,
            minutes=3,
            title={"en": f"Lesson {number}.{position}"},
            body={language: [PLAIN, CHECK, PLAIN] for language in edition.languages},
        )
    return module


@pytest.fixture
def make_assignment(make_employee, make_edition) -> Callable[..., Assignment]:
    """Assign a course. ``employee`` and ``course`` are new ones by default, due in thirty days."""

    def make(employee=None, course: Course | None = None, due_on: date | None = None) -> Assignment:
        return services.assign(
            employee=employee or make_employee(),
            course=course or make_edition().course,
            due_on=due_on or timezone.localdate() + timedelta(days=30),
            by="system:test",
        )

    return make


@pytest.fixture
def finish_lessons(db) -> Callable[..., Assignment]:
    """Read and finish every lesson of a module, by default of all of them."""

    def go(assignment: Assignment, module: Module | None = None) -> Assignment:
        assignment.refresh_from_db()
        edition = assignment.edition or assignment.course.current
        rows = Lesson.objects.filter(module__edition=edition).select_related("module__edition")
        for lesson in rows.filter(module=module) if module else rows:
            learning.open_lesson(assignment=assignment, lesson=lesson, by=assignment.employee.uid)
            assignment.refresh_from_db()
            learning.finish_lesson(assignment=assignment, lesson=lesson)
        return assignment

    return go


@pytest.fixture
def take_quiz(db) -> Callable[..., Attempt]:
    """Take a module's quiz whose lessons are finished: all right or all wrong."""

    def go(assignment: Assignment, module: Module, *, passed: bool = True) -> Attempt:
        by = assignment.employee.uid
        attempt = learning.start_quiz(assignment=assignment, module=module, language="en", by=by)
        answers = all_right(attempt) if passed else all_wrong(attempt)
        return learning.submit_quiz(attempt=attempt, answers=answers, by=by)

    return go


@pytest.fixture
def complete_course(finish_lessons, take_quiz) -> Callable[[Assignment], Completion]:
    """Go all the way: every lesson, every quiz at the first try."""

    def go(assignment: Assignment) -> Completion:
        finish_lessons(assignment)
        for module in assignment.edition.modules.all():
            take_quiz(assignment, module)
        return Completion.objects.get(assignment=assignment)

    return go


@pytest.fixture
def make_certificate(make_assignment, complete_course) -> Callable[..., Certificate]:
    """A certificate that was earned. Its file is not drawn."""

    def make(employee=None, course: Course | None = None) -> Certificate:
        return complete_course(make_assignment(employee, course)).certificates.get()

    return make
