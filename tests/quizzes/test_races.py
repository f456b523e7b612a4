"""Two requests at the same moment. Both databases: SQLite serialises the writers, PostgreSQL needs the locks."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection

from portal.ledger.models import Entry
from quizzes import services
from quizzes.models import Attempt, Question
from tests.quizzes.conftest import all_right, all_wrong, question

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable) -> list:
    """Run the acts in threads that begin together. Return what each returned or raised."""
    gate, said = Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Callable) -> None:
        try:
            gate.wait(timeout=10)
            said[number] = act()
        except Exception as error:
            said[number] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
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
