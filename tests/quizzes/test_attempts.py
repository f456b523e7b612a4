from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from quizzes import services
from quizzes.models import Attempt
from tests.quizzes.conftest import all_right, all_wrong, question

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


def last_entry() -> tuple[Entry, dict]:
    entry = Entry.objects.order_by("-seq").first()
    return entry, ledger.body_of(entry)


def test_starting_freezes_the_questions_the_order_and_the_pass_mark(make_quiz, begin):
    attempt = begin(make_quiz(draw=3, pass_percent=60))
    responses = list(attempt.responses.all())
    assert [r.position for r in responses] == [1, 2, 3]
    assert all(sorted(r.order) == ["a", "b", "c"] == sorted(r.tokens.values()) for r in responses)
    assert (attempt.number, attempt.pass_percent, attempt.closes_at) == (1, 60, None)


def test_starting_again_returns_the_open_attempt(make_quiz, make_employee, begin):
    quiz, employee = make_quiz(), make_employee()
    assert begin(quiz, employee) == begin(quiz, employee)
    assert Attempt.objects.count() == 1


def test_two_people_have_attempts_of_their_own(make_quiz, begin):
    quiz = make_quiz()
    assert begin(quiz) != begin(quiz)


def test_the_database_refuses_a_second_open_attempt(make_quiz, begin):
    attempt = begin(make_quiz())
    fields = {"quiz": attempt.quiz, "employee": attempt.employee, "pass_percent": 80, "started_at": NOON}
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(number=2, seed="s", language="en", **fields)


def test_a_submitted_attempt_is_graded_and_its_entry_says_so(make_quiz, begin):
    attempt = begin(make_quiz())
    graded = services.submit(attempt=attempt, answers=all_right(attempt), by=attempt.employee.uid)
    assert (graded.right, graded.percent, graded.passed) == (4, 100, True)
    entry, body = last_entry()
    assert (entry.verb, entry.subject) == ("quizzes.attempt_submitted", attempt.employee.uid)
    assert (body["attempt"], body["percent"], body["passed"], body["timed_out"]) == (attempt.uid, 100, True, False)
    assert [(r["answer"], r["is_right"]) for r in body["responses"]] == [(["a"], True)] * 4


def test_what_is_not_answered_is_wrong(make_quiz, begin):
    attempt = begin(make_quiz())
    answers = all_right(attempt) | {2: []}
    graded = services.submit(attempt=attempt, answers=answers, by=attempt.employee.uid)
    assert (graded.right, graded.percent, graded.passed) == (3, 75, False)
    assert attempt.responses.get(position=2).answer is None


def test_all_that_apply_means_all_and_no_more(make_quiz, begin):
    attempt = begin(make_quiz(questions=[question("m", kind="multiple", right="ac")]))
    token_of = {option: token for token, option in attempt.responses.get().tokens.items()}
    answers = {1: [token_of["a"]]}
    assert services.submit(attempt=attempt, answers=answers, by=attempt.employee.uid).right == 0


def test_a_second_submit_returns_the_first_result_and_changes_nothing(make_quiz, begin):
    attempt = begin(make_quiz())
    by = attempt.employee.uid
    first = services.submit(attempt=attempt, answers=all_wrong(attempt), by=by)
    entries = Entry.objects.count()
    second = services.submit(attempt=attempt, answers=all_right(attempt), by=by)
    assert (second.percent, second.submitted_at) == (first.percent, first.submitted_at) == (0, first.submitted_at)
    assert Entry.objects.count() == entries


def test_a_saved_answer_counts_when_the_submit_leaves_its_question_out(make_quiz, begin):
    attempt = begin(make_quiz())
    by = attempt.employee.uid
    for position, tokens in all_right(attempt).items():
        services.save_answer(attempt=attempt, position=position, sent=tokens, by=by)
    assert services.submit(attempt=attempt, answers={}, by=by).percent == 100


def test_a_saved_answer_can_be_changed_and_cleared(make_quiz, begin):
    attempt = begin(make_quiz())
    wrong, right = all_wrong(attempt)[1], all_right(attempt)[1]
    said = [
        services.save_answer(attempt=attempt, position=1, sent=tokens, by=attempt.employee.uid).answer
        for tokens in (wrong, right, [])
    ]
    assert said == [["b"], ["a"], None]
    assert attempt.responses.filter(answer__isnull=True, answered_at__isnull=True).count() == 4


def test_saving_writes_no_entry(make_quiz, begin):
    attempt = begin(make_quiz())
    entries = Entry.objects.count()
    services.save_answer(attempt=attempt, position=1, sent=all_right(attempt)[1], by=attempt.employee.uid)
    assert Entry.objects.count() == entries


def test_nothing_is_saved_after_the_submit(make_quiz, begin):
    attempt = begin(make_quiz())
    by = attempt.employee.uid
    services.submit(attempt=attempt, answers={}, by=by)
    with pytest.raises(services.AlreadySubmitted):
        services.save_answer(attempt=attempt, position=1, sent=all_right(attempt)[1], by=by)


def forgeries(attempt: Attempt, other: Attempt) -> dict[str, dict[int, list[str]]]:
    mine, theirs = all_right(attempt), all_right(other)
    return {
        "a token of another attempt": {1: theirs[1]},
        "a token of another question": {1: mine[2]},
        "an option id": {1: ["a"]},
        "two answers where one was asked for": {1: list(attempt.responses.get(position=1).tokens)[:2]},
        "a question that is not there": {9: mine[1]},
    }


@pytest.mark.parametrize(
    "forgery",
    [
        "a token of another attempt",
        "a token of another question",
        "an option id",
        "two answers where one was asked for",
        "a question that is not there",
    ],
)
def test_a_forged_answer_is_refused_and_nothing_is_submitted(make_quiz, begin, forgery):
    quiz = make_quiz()
    attempt, other = begin(quiz), begin(quiz)
    forged = forgeries(attempt, other)[forgery]
    with pytest.raises(services.ForgedAnswer):
        services.submit(attempt=attempt, answers=all_right(attempt) | forged, by=attempt.employee.uid)
    [(position, tokens)] = forged.items()
    with pytest.raises(services.ForgedAnswer):
        services.save_answer(attempt=attempt, position=position, sent=tokens, by=attempt.employee.uid)
    attempt.refresh_from_db()
    assert attempt.is_open
    assert attempt.responses.filter(answer__isnull=False).count() == 0


def test_the_same_box_ticked_twice_is_a_forgery(make_quiz, begin):
    attempt = begin(make_quiz(questions=[question("m", kind="multiple", right="ac")]))
    token = next(iter(attempt.responses.get().tokens))
    with pytest.raises(services.ForgedAnswer):
        services.submit(attempt=attempt, answers={1: [token, token]}, by=attempt.employee.uid)


def test_nobody_answers_for_somebody_else(make_quiz, begin, make_employee):
    attempt, stranger = begin(make_quiz()), make_employee()
    with pytest.raises(services.NotYours):
        services.submit(attempt=attempt, answers={}, by=stranger.uid)
    with pytest.raises(services.NotYours):
        services.save_answer(attempt=attempt, position=1, sent=[], by=stranger.uid)


def test_an_attempt_is_visible_to_the_person_who_made_it_alone(make_quiz, make_employee, begin):
    boss = make_employee()
    attempt = begin(make_quiz(), make_employee(manager=boss))
    assert Attempt.objects.visible_to(attempt.employee).get() == attempt
    assert not Attempt.objects.visible_to(boss).exists()


def test_after_three_failures_a_person_waits_and_then_begins_again(make_quiz, make_employee, hand_in, begin):
    quiz, employee = make_quiz(tries_before_wait=3, wait_minutes=30), make_employee()
    with time_machine.travel(NOON, tick=False):
        for _ in range(3):
            hand_in(quiz, employee, passed=False)
        with pytest.raises(services.MustWait) as waiting:
            begin(quiz, employee)
    assert waiting.value.until == NOON + timedelta(minutes=30)
    with time_machine.travel(NOON + timedelta(minutes=30), tick=False):
        assert begin(quiz, employee).number == 4


def test_a_pass_ends_a_run_of_failures(make_quiz, make_employee, hand_in, begin):
    quiz, employee = make_quiz(tries_before_wait=2), make_employee()
    for passed in (False, True, False):
        hand_in(quiz, employee, passed=passed)
    assert begin(quiz, employee).is_open


def test_the_failures_of_others_and_of_other_quizzes_do_not_count(make_quiz, make_employee, hand_in, begin):
    quiz, employee = make_quiz(tries_before_wait=1), make_employee()
    hand_in(quiz, make_employee(), passed=False)
    hand_in(make_quiz(tries_before_wait=1), employee, passed=False)
    assert begin(quiz, employee).is_open


def test_a_new_attempt_avoids_the_questions_of_the_last(make_quiz, make_employee, hand_in, begin):
    quiz, employee = make_quiz(questions=[question(f"q{i}") for i in range(8)], draw=4), make_employee()
    first = set(hand_in(quiz, employee, passed=False).responses.values_list("question", flat=True))
    second = set(begin(quiz, employee).responses.values_list("question", flat=True))
    assert not first & second


def test_a_question_seen_in_an_older_edition_of_the_quiz_was_seen(make_quiz, make_employee, hand_in, begin):
    old = make_quiz(bank="b", questions=[question(f"q{i}") for i in range(2)])
    edited = [question("q0", explanation={"en": "Edited."}), question("q1"), question("q2"), question("q3")]
    new, employee = make_quiz(bank="b", questions=edited, draw=2), make_employee()
    hand_in(old, employee, passed=True)
    assert set(begin(new, employee).responses.values_list("question__slug", flat=True)) == {"q2", "q3"}


def test_the_time_limit_is_kept_by_the_server_with_its_grace(make_quiz, begin):
    quiz = make_quiz(time_limit_minutes=10)
    with time_machine.travel(NOON, tick=False):
        in_time, late = begin(quiz), begin(quiz)
    assert in_time.closes_at == NOON + timedelta(minutes=10)
    with time_machine.travel(NOON + timedelta(minutes=10, seconds=30), tick=False):
        assert services.submit(attempt=in_time, answers=all_right(in_time), by=in_time.employee.uid).percent == 100
    with time_machine.travel(NOON + timedelta(minutes=10, seconds=31), tick=False):
        with pytest.raises(services.TooLate):
            services.save_answer(attempt=late, position=1, sent=all_right(late)[1], by=late.employee.uid)
        graded = services.submit(attempt=late, answers=all_right(late), by=late.employee.uid)
    assert (graded.percent, graded.submitted_at) == (0, late.closes_at)
    assert last_entry()[1]["timed_out"] is True


def test_what_was_saved_in_time_counts_when_the_submit_is_late(make_quiz, begin):
    with time_machine.travel(NOON, tick=False):
        attempt = begin(make_quiz(time_limit_minutes=10))
        answers = all_right(attempt)
        services.save_answer(attempt=attempt, position=1, sent=answers[1], by=attempt.employee.uid)
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        assert services.submit(attempt=attempt, answers=answers, by=attempt.employee.uid).percent == 25


def test_an_attempt_left_open_past_its_time_ends_at_closing_and_the_next_begins(make_quiz, make_employee, begin):
    quiz, employee = make_quiz(time_limit_minutes=10), make_employee()
    with time_machine.travel(NOON, tick=False):
        left = begin(quiz, employee)
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        assert begin(quiz, employee).number == 2
    left.refresh_from_db()
    assert (left.percent, left.submitted_at) == (0, NOON + timedelta(minutes=10))


def test_an_attempt_left_open_stays_graded_though_the_next_must_wait(make_quiz, make_employee, begin):
    quiz, employee = make_quiz(time_limit_minutes=10, tries_before_wait=1, wait_minutes=60), make_employee()
    with time_machine.travel(NOON, tick=False):
        left = begin(quiz, employee)
    with time_machine.travel(NOON + timedelta(minutes=20), tick=False), pytest.raises(services.MustWait) as waiting:
        begin(quiz, employee)
    left.refresh_from_db()
    assert not left.is_open
    assert waiting.value.until == NOON + timedelta(minutes=70)


def test_submitting_costs_the_same_for_ten_questions_as_for_two_but_for_the_answers(make_quiz, begin, count_queries):
    few = begin(make_quiz(questions=[question(f"few-{i}") for i in range(2)]))
    many = begin(make_quiz(questions=[question(f"many-{i}") for i in range(10)]))
    costs = [
        count_queries(lambda a=attempt: services.submit(attempt=a, answers={}, by=a.employee.uid))
        for attempt in (few, many)
    ]
    assert costs[0] == costs[1]
