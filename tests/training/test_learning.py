from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.conf import settings

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from quizzes import services as quizzes
from quizzes.models import Attempt
from tests.quizzes.conftest import all_right, all_wrong
from training import learning
from training.models import Completion, Lesson, ModuleResult, Progress

MORNING = datetime(2030, 3, 15, 1, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(MORNING, tick=False) as traveller:
        yield traveller


def verbs(subject: str) -> list[str]:
    return list(Entry.objects.filter(subject=subject, verb__startswith="training.").values_list("verb", flat=True))


def lesson_of(edition, module: int = 1, lesson: int = 1) -> Lesson:
    return Lesson.objects.select_related("module__edition").get(
        module__edition=edition, module__position=module, position=lesson
    )


def open_lesson(assignment, lesson) -> Progress:
    progress = learning.open_lesson(assignment=assignment, lesson=lesson, by=assignment.employee.uid)
    assignment.refresh_from_db()
    return progress


# --- reading -----------------------------------------------------------------------------------------------------


def test_the_first_lesson_opened_fixes_the_edition(make_assignment, make_edition):
    edition = make_edition()
    assignment = make_assignment(course=edition.course)
    open_lesson(assignment, lesson_of(edition))
    assert assignment.edition == edition
    assert verbs(assignment.employee.uid) == ["training.assigned", "training.edition_begun"]


def test_a_new_edition_does_not_move_who_has_begun(make_assignment, make_edition):
    edition = make_edition()
    assignment = make_assignment(course=edition.course)
    open_lesson(assignment, lesson_of(edition))
    newer = make_edition(edition.course)
    open_lesson(assignment, lesson_of(edition, lesson=2))
    assert assignment.edition == edition
    with pytest.raises(learning.NotInEdition):
        open_lesson(assignment, lesson_of(newer))


def test_who_begins_after_a_new_edition_studies_the_new_one(make_assignment, make_edition):
    edition = make_edition()
    assignment = make_assignment(course=edition.course)
    newer = make_edition(edition.course)
    with pytest.raises(learning.NotInEdition):
        open_lesson(assignment, lesson_of(edition))
    open_lesson(assignment, lesson_of(newer))
    assert assignment.edition == newer


def test_reading_time_grows_with_each_sign_and_leaves_pauses_out(make_assignment, clock):
    assignment = make_assignment()
    lesson = lesson_of(assignment.course.current)
    open_lesson(assignment, lesson)
    clock.shift(timedelta(seconds=20))
    learning.note_reading(assignment=assignment, lesson=lesson)
    clock.shift(timedelta(hours=3))
    learning.note_reading(assignment=assignment, lesson=lesson)
    assert Progress.objects.get().seconds == 20 + 60


def test_two_windows_count_the_same_minute_once(make_assignment, clock):
    assignment = make_assignment()
    here, there = (lesson_of(assignment.course.current, lesson=n) for n in (1, 2))
    open_lesson(assignment, here)
    open_lesson(assignment, there)
    for _ in range(3):
        clock.shift(timedelta(seconds=20))
        learning.note_reading(assignment=assignment, lesson=here)
        learning.note_reading(assignment=assignment, lesson=there)
    assert sum(Progress.objects.values_list("seconds", flat=True)) == 60


def test_without_scripts_the_requests_alone_count(make_assignment, clock):
    assignment = make_assignment()
    lesson = lesson_of(assignment.course.current)
    open_lesson(assignment, lesson)
    clock.shift(timedelta(seconds=50))
    learning.finish_lesson(assignment=assignment, lesson=lesson)
    assert Progress.objects.get().seconds == 50


def test_the_place_is_kept(make_assignment):
    assignment = make_assignment()
    lesson = lesson_of(assignment.course.current)
    open_lesson(assignment, lesson)
    learning.note_reading(assignment=assignment, lesson=lesson, place=2)
    assert open_lesson(assignment, lesson).place == 2


@pytest.mark.parametrize("place", [-1, 101])
def test_a_place_that_no_lesson_has_is_not_kept(make_assignment, place):
    assignment = make_assignment()
    lesson = lesson_of(assignment.course.current)
    open_lesson(assignment, lesson)
    assert learning.note_reading(assignment=assignment, lesson=lesson, place=place).place == 0


def test_an_answer_is_kept_and_a_later_one_replaces_it(make_assignment):
    assignment = make_assignment()
    lesson = lesson_of(assignment.course.current)
    open_lesson(assignment, lesson)
    for answer in (0, 1):
        learning.answer_block(assignment=assignment, lesson=lesson, name="quick", answer=answer, place=1)
    progress = Progress.objects.get()
    assert (progress.answers, progress.place) == ({"quick": 1}, 1)


def test_more_marks_than_a_page_could_send_are_refused(make_assignment):
    assignment = make_assignment()
    lesson = lesson_of(assignment.course.current)
    open_lesson(assignment, lesson)
    with pytest.raises(learning.TooMuch):
        learning.answer_block(
            assignment=assignment, lesson=lesson, name="quick", answer=dict.fromkeys("x" + str(n) for n in range(101)),
            place=1,
        )  # fmt: skip


def test_finishing_twice_keeps_the_first_moment(make_assignment, clock):
    assignment = make_assignment()
    lesson = lesson_of(assignment.course.current)
    open_lesson(assignment, lesson)
    learning.finish_lesson(assignment=assignment, lesson=lesson)
    clock.shift(timedelta(hours=1))
    assert learning.finish_lesson(assignment=assignment, lesson=lesson).finished_at == MORNING


# --- quizzes -----------------------------------------------------------------------------------------------------


def test_a_quiz_opens_when_all_lessons_of_its_module_are_finished(make_assignment, finish_lessons):
    assignment = make_assignment()
    module = assignment.course.current.modules.get(position=1)
    start = {"module": module, "language": "en", "by": assignment.employee.uid}
    with pytest.raises(learning.LessonsLeft):
        learning.start_quiz(assignment=assignment, **start)
    open_lesson(assignment, lesson_of(assignment.course.current))
    learning.finish_lesson(assignment=assignment, lesson=lesson_of(assignment.course.current))
    with pytest.raises(learning.LessonsLeft):
        learning.start_quiz(assignment=assignment, **start)
    finish_lessons(assignment, module)
    assert learning.start_quiz(assignment=assignment, **start).is_open


def test_a_failed_quiz_passes_nothing_and_may_be_tried_again(make_assignment, finish_lessons, take_quiz):
    assignment = finish_lessons(make_assignment())
    module = assignment.edition.modules.get(position=1)
    assert take_quiz(assignment, module, passed=False).passed is False
    assert ModuleResult.objects.count() == 0
    assert take_quiz(assignment, module).number == 2
    assert ModuleResult.objects.get().percent == 100


def test_after_three_failures_there_is_a_wait_and_then_another_try(make_assignment, finish_lessons, take_quiz, clock):
    assignment = finish_lessons(make_assignment())
    module = assignment.edition.modules.get(position=1)
    for _ in range(3):
        take_quiz(assignment, module, passed=False)
    with pytest.raises(quizzes.MustWait):
        take_quiz(assignment, module)
    clock.shift(timedelta(minutes=30))
    assert take_quiz(assignment, module).passed


def test_a_passed_module_is_not_tried_again_in_its_cycle(make_assignment, finish_lessons, take_quiz):
    assignment = finish_lessons(make_assignment())
    module = assignment.edition.modules.get(position=1)
    take_quiz(assignment, module)
    with pytest.raises(learning.AlreadyPassed):
        take_quiz(assignment, module)


def test_handing_in_twice_counts_once(make_assignment, finish_lessons):
    assignment = finish_lessons(make_assignment())
    module, by = assignment.edition.modules.get(position=1), assignment.employee.uid
    attempt = learning.start_quiz(assignment=assignment, module=module, language="en", by=by)
    first = learning.submit_quiz(attempt=attempt, answers=all_wrong(attempt), by=by)
    second = learning.submit_quiz(attempt=attempt, answers=all_right(attempt), by=by)
    assert (first.percent, second.percent) == (0, 0)
    assert ModuleResult.objects.count() == 0
    assert Entry.objects.filter(verb="quizzes.attempt_submitted").count() == 1


def test_nobody_hands_in_for_somebody_else(make_assignment, finish_lessons, make_employee):
    assignment = finish_lessons(make_assignment())
    module = assignment.edition.modules.get(position=1)
    attempt = learning.start_quiz(assignment=assignment, module=module, language="en", by=assignment.employee.uid)
    with pytest.raises(quizzes.NotYours):
        learning.submit_quiz(attempt=attempt, answers=all_right(attempt), by=make_employee().uid)
    assert Attempt.objects.get().is_open


def test_a_pass_of_the_last_cycle_does_not_count_in_the_next(make_assignment, complete_course, finish_lessons):
    first = make_assignment()
    complete_course(first)
    attempt = Attempt.objects.order_by("pk").first()
    renewal = finish_lessons(make_assignment(first.employee, first.course))
    learning.submit_quiz(attempt=attempt, answers={}, by=first.employee.uid)
    assert renewal.module_results.count() == 0


def test_a_try_whose_time_ran_out_counts_as_it_was_saved(make_assignment, finish_lessons, clock):
    assignment = make_assignment()
    module = assignment.course.current.modules.get(position=1)
    type(module.quiz).objects.filter(pk=module.quiz_id).update(time_limit_minutes=10)
    finish_lessons(assignment)
    start = {"assignment": assignment, "module": module, "language": "en", "by": assignment.employee.uid}
    module.quiz.refresh_from_db()
    attempt = learning.start_quiz(**start)
    for position, tokens in all_right(attempt).items():
        quizzes.save_answer(attempt=attempt, position=position, sent=tokens, by=assignment.employee.uid)
    clock.shift(timedelta(minutes=11))
    with pytest.raises(learning.AlreadyPassed):
        learning.start_quiz(**start)
    assert ModuleResult.objects.get().attempt == attempt


# --- completion --------------------------------------------------------------------------------------------------


def test_the_last_module_completes_the_course_with_a_certificate(make_assignment, finish_lessons, take_quiz, clock):
    assignment = make_assignment()
    lesson = lesson_of(assignment.course.current)
    open_lesson(assignment, lesson)
    clock.shift(timedelta(seconds=45))
    finish_lessons(assignment)
    one, two = assignment.edition.modules.all()
    take_quiz(assignment, one)
    assert Completion.objects.count() == 0
    take_quiz(assignment, two)
    completion = Completion.objects.get()
    assert (completion.edition, completion.percent, completion.study_seconds) == (assignment.edition, 100, 45)
    assert completion.expires_on == date(2031, 3, 14)
    assert completion.certificates.count() == 1
    assert verbs(assignment.employee.uid)[-4:] == [
        "training.module_passed",
        "training.module_passed",
        "training.completed",
        "training.certificate_issued",
    ]


def test_late_in_the_evening_the_day_is_the_firms_day(make_assignment, complete_course, clock):
    clock.move_to("2030-12-31T17:00:00Z")  # 01:00 on New Year's Day in Shanghai
    assert complete_course(make_assignment()).expires_on == date(2031, 12, 31)


def test_the_percent_is_the_mean_of_the_modules_rounded_down(make_assignment, finish_lessons, take_quiz):
    assignment = finish_lessons(make_assignment())
    one, two = assignment.edition.modules.all()
    type(one.quiz).objects.filter(pk=one.quiz_id).update(pass_percent=70)
    one.quiz.refresh_from_db()
    by = assignment.employee.uid
    attempt = learning.start_quiz(assignment=assignment, module=one, language="en", by=by)
    answers = all_right(attempt) | {1: all_wrong(attempt)[1]}
    learning.submit_quiz(attempt=attempt, answers=answers, by=by)
    take_quiz(assignment, two)
    assert Completion.objects.get().percent == 87  # of 75 and 100


def test_a_course_with_a_module_left_is_not_complete(make_assignment, finish_lessons, take_quiz):
    assignment = finish_lessons(make_assignment())
    take_quiz(assignment, assignment.edition.modules.get(position=1))
    with pytest.raises(learning.ModulesLeft):
        learning.complete(assignment=assignment, by="system:test")


def test_completing_twice_is_one_completion(make_assignment, complete_course):
    completion = complete_course(make_assignment())
    assert learning.complete(assignment=completion.assignment, by="system:test") == completion
    assert Completion.objects.count() == 1
    assert completion.certificates.count() == 1


def test_a_completion_tells_what_was_completed(make_assignment, complete_course):
    completion = complete_course(make_assignment())
    body = ledger.body_of(Entry.objects.get(verb="training.completed"))
    assert body == {
        "course": completion.edition.course.slug,
        "cycle": 1,
        "edition": 1,
        "completed_at": "2030-03-15T01:00:00.000000Z",
        "expires_on": "2031-03-14",
        "percent": 100,
        "study_seconds": 0,
    }


def test_a_completion_rings_for_the_standings_and_for_the_certificate(
    make_assignment, complete_course, bells, django_capture_on_commit_callbacks
):
    assignment = make_assignment()
    bells.clear()
    with django_capture_on_commit_callbacks(execute=True):
        complete_course(assignment)
    rung = [name for name, _args in bells]
    assert settings.STANDING_CATCH_UP_TASK in rung
    assert "training.tasks.render_certificate" in rung


def test_a_ledger_of_a_whole_course_verifies(make_assignment, complete_course):
    complete_course(make_assignment())
    count, fault = ledger.verify()
    assert fault is None
    assert count == Entry.objects.count()
