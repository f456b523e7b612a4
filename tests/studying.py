"""A tiny course, and a person who studies it: two modules of one lesson and three questions, through the services."""

from datetime import date, timedelta

from django.utils import timezone

from portal.people.models import Employee
from quizzes.models import Attempt
from training import services as training
from training.loading import CourseText, LessonText, ModuleText
from training.models import Assignment, Certificate, Course, Edition
from training.publishing import publish

SLUG = "tiny"


def question(slug: str) -> dict:
    options = [
        {"id": letter, "right": letter == "a", "text": {"en": f"{slug} {letter}"}, "why": {"en": f"why {letter}"}}
        for letter in "abc"
    ]
    return {
        "slug": slug,
        "kind": "single",
        "tags": ["rules"],
        "difficulty": 1,
        "cites": [],
        "stem": {"en": f"stem of {slug}"},
        "options": options,
        "explanation": {"en": f"explanation of {slug}"},
    }


def module(slug: str) -> ModuleText:
    return ModuleText(
        slug=slug,
        title={"en": f"Module {slug}"},
        summary={"en": "Summary"},
        objectives=[{"en": "Objective"}],
        lessons=[LessonText(f"{slug}-lesson", 2, {"en": f"Lesson of {slug}"}, {"en": []})],
        questions=[question(f"{slug}-{n}") for n in range(1, 4)],
    )


def tiny_course(*, fingerprint: str = "1" * 64, **quiz: int) -> Edition:
    """Publish the course. ``quiz``: terms of its quizzes that are to be others."""
    text = CourseText(
        slug=SLUG,
        languages=["en"],
        title={"en": "Tiny course"},
        summary={"en": "Summary"},
        pass_percent=80,
        renewal_months=12,
        quiz={"draw": 3, "tries_before_wait": 3, "wait_minutes": 30, "time_limit_minutes": None, **quiz},
        modules=[module("first"), module("second")],
        fingerprint=fingerprint,
    )
    return publish(course=text, by="system:test")[0]


def assign(employee: Employee, *, due_on: date | None = None) -> Assignment:
    course = Course.objects.filter(slug=SLUG).first() or tiny_course().course
    due_on = due_on or timezone.localdate() + timedelta(days=30)
    return training.assign(employee=employee, course=course, due_on=due_on, by="system:test")


def read_and_try(assignment: Assignment, number: int, *, right: bool = True) -> Attempt:
    """Read the module's lesson and submit its quiz, all right or all wrong."""
    me = assignment.employee
    module = assignment.course.current.modules.get(position=number)
    for lesson in module.lessons.all():
        training.open_lesson(assignment=assignment, lesson=lesson, by=me.uid)
        training.finish_lesson(assignment=assignment, lesson=lesson)
    assignment.refresh_from_db()
    attempt = training.start_quiz(assignment=assignment, module=module, language="en", by=me.uid)
    answers = {}
    for response in attempt.responses.all():
        token_of = {option: token for token, option in response.tokens.items()}
        answers[response.position] = [token_of["a" if right else "b"]]
    return training.submit_quiz(attempt=attempt, answers=answers, by=me.uid)


def complete(assignment: Assignment) -> Certificate:
    """Go through the whole course and return the certificate, drawn."""
    read_and_try(assignment, 1)
    read_and_try(assignment, 2)
    certificate = Certificate.objects.get(completion__assignment=assignment)
    return training.draw(certificate)
