"""Two requests at the same moment. Both databases: SQLite serialises the writers, PostgreSQL needs the locks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.quizzes.conftest import all_right
from tests.quizzes.test_races import at_once
from training import learning, services
from training.models import Assignment, Completion, Lesson, Progress

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_windows_that_hand_in_the_last_quiz_at_once_complete_the_course_once(
    make_assignment, make_edition, finish_lessons
):
    assignment = finish_lessons(make_assignment(course=make_edition(modules=1).course))
    by, module = assignment.employee.uid, assignment.edition.modules.get()
    attempt = learning.start_quiz(assignment=assignment, module=module, language="en", by=by)
    answers = all_right(attempt)
    said = at_once(*[lambda: learning.submit_quiz(attempt=attempt, answers=answers, by=by)] * 3)
    assert [attempt.passed for attempt in said] == [True] * 3
    assert Completion.objects.get().certificates.count() == 1
    assert Entry.objects.filter(verb="training.completed").count() == 1
    assert ledger.verify()[1] is None


def test_two_workers_that_assign_at_once_assign_once(make_employee, make_edition):
    employee, course = make_employee(), make_edition(modules=1).course
    due_on = timezone.localdate() + timedelta(days=30)
    assign = {"employee": employee, "course": course, "due_on": due_on, "by": "system:test"}
    said = at_once(*[lambda: services.assign(**assign)] * 3)
    assert len({assignment.pk for assignment in said}) == 1
    assert Assignment.objects.get().cycle == 1


def test_rules_applied_by_two_workers_at_once_assign_everybody_once(make_employee, make_edition):
    for _ in range(3):
        make_employee()
    today = timezone.localdate()
    services.set_rule(course=make_edition(modules=1).course, name="All", due_days=30, starts_on=today, by="system:test")
    said = at_once(*[lambda: services.apply_rules(today=today)] * 2)
    assert sum(said) == 3
    assert Assignment.objects.count() == 3


def test_a_lesson_opened_on_two_devices_at_once_is_begun_once(make_assignment, make_edition):
    assignment = make_assignment(course=make_edition(modules=1).course)
    lesson = Lesson.objects.select_related("module__edition").first()
    by = assignment.employee.uid
    at_once(*[lambda: learning.open_lesson(assignment=assignment, lesson=lesson, by=by)] * 3)
    assert Progress.objects.count() == 1
    assert Entry.objects.filter(verb="training.edition_begun").count() == 1
