"""Requests at the same moment: two, or two hundred.

Both databases: SQLite serialises the writers, PostgreSQL needs the locks.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from quizzes import services
from quizzes.models import Attempt, Question, Response
from tests.quizzes.conftest import all_right, all_wrong, question

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable) -> list:
    """Run the acts in threads that begin together. Return what each returned or raised."""
    gate, said = Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Callable) -> None:
        try:
            gate.wait(timeout=60)
            said[number] = act()
        except Exception as error:
            said[number] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=180)
    return said


def test_two_submits_at_once_are_one_result(make_quiz, begin):
    attempt = begin(make_quiz())
    by = attempt.employee.uid
    right, wrong = all_right(attempt), all_wrong(attempt)
    first, second = at_once(
        lambda: services.submit(attempt=attempt, answers=right, by=by),
        lambda: services.submit(attempt=attempt, answers=wrong, by=by),
    )
    assert (first.percent, first.submitted_at) == (second.percent, second.submitted_at)
    assert first.percent in (0, 100)
    assert Entry.objects.filter(verb="quizzes.attempt_submitted").count() == 1


def test_two_starts_at_once_are_one_open_attempt(make_quiz, make_employee):
    quiz, employee = make_quiz(), make_employee()
    start = {"quiz": quiz, "employee": employee, "language": "en", "by": employee.uid}
    attempts = at_once(*[lambda: services.start_attempt(**start)] * 4)
    assert len({attempt.pk for attempt in attempts}) == 1
    assert Attempt.objects.count() == 1
    assert Entry.objects.filter(verb="quizzes.attempt_started").count() == 1


def test_an_answer_saved_while_the_attempt_is_submitted_is_in_it_or_is_refused(make_quiz, begin):
    attempt = begin(make_quiz(questions=[question("q")]))
    by, right = attempt.employee.uid, all_right(attempt)
    graded, saved = at_once(
        lambda: services.submit(attempt=attempt, answers={}, by=by),
        lambda: services.save_answer(attempt=attempt, position=1, sent=right[1], by=by),
    )
    response = attempt.responses.get()
    refused = isinstance(saved, services.AlreadySubmitted)
    assert (response.answer, response.is_right, graded.percent) == ((None, False, 0) if refused else (["a"], True, 100))


def test_a_bank_published_twice_at_once_has_every_version_once(db):
    def publish() -> list[Question]:
        return services.publish_bank(slug="bank", title={"en": "Bank"}, questions=[question("q")], by="system:test")

    publish()
    changed = {"slug": "bank", "title": {"en": "Bank"}, "questions": [question("q", difficulty=3)], "by": "system:test"}
    first, second = at_once(*[lambda: services.publish_bank(**changed)] * 2)
    assert first == second
    assert sorted(Question.objects.values_list("version", flat=True)) == [1, 2]


def test_two_windows_that_save_one_question_at_once_keep_one_answer_and_tell_the_other(make_quiz, begin):
    attempt = begin(make_quiz(questions=[question("q")]))
    by, answers = attempt.employee.uid, [all_right(attempt)[1], all_wrong(attempt)[1]]
    save = {"attempt": attempt, "position": 1, "by": by, "revisions": {1: 0}}
    said = at_once(*[lambda sent=sent: services.save_answer(sent=sent, **save) for sent in answers])
    kept = [answer for answer in said if isinstance(answer, Response)]
    assert [type(answer) for answer in said if answer not in kept] == [services.OutOfDate]
    response = attempt.responses.get()
    assert (response.answer, response.revision) == (kept[0].answer, 1)


def test_two_devices_that_answer_different_questions_at_once_lose_neither(make_quiz, begin):
    attempt = begin(make_quiz(questions=[question(f"q{n}") for n in range(6)]))
    by, right = attempt.employee.uid, all_right(attempt)
    save = {"attempt": attempt, "by": by}
    said = at_once(
        *[
            lambda place=place, device=device: services.save_answer(
                position=place, sent=right[place], device=device, **save
            )
            for place, device in zip(right, ["phone", "desk"] * 3, strict=True)
        ]
    )
    assert [error for error in said if isinstance(error, Exception)] == []
    assert set(attempt.responses.values_list("device", flat=True)) == {"phone", "desk"}
    assert services.submit(attempt=attempt, answers={}, by=by).percent == 100


def test_a_submit_and_the_clock_that_close_one_attempt_at_once_grade_it_once(make_quiz, make_employee, begin):
    quiz, me = make_quiz(time_limit_minutes=10), make_employee()
    attempt = begin(quiz, me)
    Attempt.objects.update(
        started_at=timezone.now() - timedelta(hours=2), closes_at=timezone.now() - timedelta(hours=1)
    )
    at_once(
        lambda: services.submit(attempt=attempt, answers=all_right(attempt), by=me.uid),
        lambda: services.submit(attempt=attempt, answers={}, by="system:test"),
        lambda: services.start_attempt(quiz=quiz, employee=me, language="en", by=me.uid),
    )
    attempt.refresh_from_db()
    assert (attempt.percent, attempt.timed_out) == (0, True)
    assert Entry.objects.filter(verb="quizzes.attempt_submitted").count() == 1
    assert Attempt.objects.open().count() == 1


PEOPLE = 200


def test_two_hundred_people_who_hand_in_at_once_lose_nothing_and_count_once(make_quiz, monkeypatch):
    """Each hands in at the same moment as everybody else; every fourth presses twice."""
    if connection.vendor == "sqlite":  # a slow machine may keep the last of them waiting
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 150)
    quiz = make_quiz(questions=[question(f"q{n}") for n in range(4)])
    people = Employee.objects.bulk_create(
        Employee(email=f"p{n}@example.com", name_en=f"P {n}", employee_no=f"P{n:04}") for n in range(PEOPLE)
    )
    attempts = [services.start_attempt(quiz=quiz, employee=person, language="en", by=person.uid) for person in people]
    answers = {
        attempt.pk: all_right(attempt) | ({1: all_wrong(attempt)[1]} if number % 2 else {})
        for number, attempt in enumerate(attempts)
    }
    acts = [
        lambda attempt=attempt: (
            services.submit(attempt=attempt, answers=answers[attempt.pk], by=attempt.employee.uid).percent
        )
        for attempt in attempts
    ]
    said = at_once(*acts, *acts[::4])
    assert said == [75 if number % 2 else 100 for number in range(PEOPLE)] + [100] * (PEOPLE // 4)
    assert list(Attempt.objects.order_by("pk").values_list("percent", flat=True)) == said[:PEOPLE]
    assert Response.objects.filter(is_right=None).count() == Response.objects.filter(answer__isnull=True).count() == 0
    submitted = Entry.objects.filter(verb="quizzes.attempt_submitted")
    assert submitted.count() == submitted.values("subject").distinct().count() == PEOPLE
    assert ledger.verify()[1] is None
