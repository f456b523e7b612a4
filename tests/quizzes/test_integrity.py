"""Signs that an attempt may not be somebody's own work: what is one, who sees it, and that it decides nothing."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from quizzes import integrity, services, signals
from quizzes.models import Attempt, Signal
from tests.quizzes.conftest import all_right, question, tokens_for

START = timezone.datetime(2030, 3, 15, 4, tzinfo=timezone.get_default_timezone())


def test_reading_takes_longer_the_more_there_is_and_chinese_is_counted_by_characters():
    assert signals.reading_seconds(["a" * 400]) == 10
    assert signals.reading_seconds(["字" * 160]) == 10
    assert not signals.is_far_too_fast(taken=30, reading=60, questions=8)
    assert signals.is_far_too_fast(taken=19, reading=60, questions=8)
    assert not signals.is_far_too_fast(taken=1, reading=60, questions=3)


def test_going_on_at_another_device_is_no_turn_and_back_and_forth_is():
    def saves(devices: str, minutes: float) -> list:
        return [(START + timedelta(minutes=n * minutes), device) for n, device in enumerate(devices)]

    assert signals.turns(saves("aaabbb", 1)) == 1
    assert signals.turns(saves("ababab", 1)) == 5
    assert signals.turns(saves("ababab", 10)) == 0
    assert signals.turns([]) == 0


def test_rare_wrong_answers_alike_are_strange_and_common_ones_are_not():
    wrong = {1: {n: "x" for n in range(4)}, 2: {n: "x" for n in range(4)}, 3: {n: "y" for n in range(4)}}
    asked = dict.fromkeys(range(4), 100)
    rare = {(n, "x"): 2 for n in range(4)} | {(n, "y"): 40 for n in range(4)}
    [found] = signals.alike(wrong, rare, asked)
    assert (found.first, found.second, found.shared) == (1, 2, 4)
    assert found.bits == pytest.approx(22.6, abs=0.1)
    assert signals.alike(wrong, {key: 50 for key in rare}, asked) == []


def test_who_has_everything_wrong_shares_with_everybody():
    wrong = {1: {n: "x" for n in range(20)}, 2: {n: "x" for n in range(3)} | {n: "z" for n in range(3, 20)}}
    given = {(n, letter): 2 for n in range(20) for letter in "xz"}
    assert signals.alike(wrong, given, dict.fromkeys(range(20), 200)) == []


def test_two_old_attempts_are_not_compared_again_and_two_fresh_ones_once():
    wrong = {attempt: {n: "x" for n in range(4)} for attempt in (1, 2, 3)}
    given, asked = {(n, "x"): 3 for n in range(4)}, dict.fromkeys(range(4), 100)
    pairs = [(one.first, one.second) for one in signals.alike(wrong, given, asked, {3})]
    assert pairs == [(1, 3), (2, 3)]
    assert [(one.first, one.second) for one in signals.alike(wrong, given, asked, {2, 3})] == [(1, 2), (1, 3), (2, 3)]
    assert len(signals.alike(wrong, given, asked)) == 3


def test_a_look_tells_the_strangest_and_no_more_than_a_reviewer_reads():
    wrong = {attempt: {n: f"x{attempt // 30}" for n in range(4)} for attempt in range(90)}
    given = {(n, f"x{k}"): 30 for n in range(4) for k in range(3)}
    assert len(signals.alike(wrong, given, dict.fromkeys(range(4), 900))) == signals.MOST_FOUND


@pytest.fixture
def sit(make_quiz, make_employee):
    """Let somebody take the quiz: after so many seconds, with these positions wrong, by an option of their own."""
    quiz = make_quiz(questions=[question(f"q{n}", stem={"en": "Long words " * 40}) for n in range(6)])

    def go(*, seconds: int = 600, wrong: str = "", option: str = "b", devices: str = "") -> Attempt:
        person = make_employee()
        with time_machine.travel(START, tick=False) as clock:
            attempt = services.start_attempt(quiz=quiz, employee=person, language="en", by=person.uid)
            slugs = dict(attempt.responses.values_list("position", "question__slug"))
            other = tokens_for(attempt, lambda options: [option])
            answers = {p: other[p] if slugs[p] in wrong.split() else right for p, right in all_right(attempt).items()}
            for place, device in enumerate(devices, start=1):
                clock.shift(timedelta(seconds=10))
                services.save_answer(attempt=attempt, position=place, sent=answers[place], by=person.uid, device=device)
            clock.move_to(START + timedelta(seconds=seconds))
            return services.submit(attempt=attempt, answers=answers, by=person.uid)

    return go


def look() -> int:
    with time_machine.travel(START + timedelta(hours=1), tick=False):
        return integrity.look()


def test_a_pass_that_nobody_can_have_read_is_a_signal_once(sit):
    fast, _slow = sit(seconds=5), sit(seconds=600)
    assert (look(), look()) == (1, 0)
    signal = Signal.objects.get()
    assert (signal.kind, signal.attempt) == ("fast", fast)
    assert signal.figures["seconds"] == 5


def test_a_failure_in_no_time_is_none(sit):
    sit(seconds=5, wrong="q0 q1 q2 q3 q4 q5")
    assert look() == 0


def test_two_devices_in_turn_are_a_signal(sit):
    sit(devices="aaabbb")
    both = sit(devices="ababab")
    look()
    assert Signal.objects.get(kind="places").attempt == both


def test_the_same_rare_mistakes_of_two_people_are_a_signal(sit):
    for _ in range(40):
        sit()
    first, second = sit(wrong="q0 q1 q2", option="c"), sit(wrong="q0 q1 q2", option="c")
    sit(wrong="q0 q3", option="b")
    look()
    signal = Signal.objects.get()
    assert (signal.kind, signal.attempt, signal.other) == ("alike", first, second)
    assert signal.figures["shared"] == 3


def test_a_reviewer_says_what_is_in_it_and_no_result_changes(sit, make_employee, sign_in):
    attempt = sit(seconds=5)
    look()
    signal = Signal.objects.get()
    reviewer = make_employee(roles=("Compliance",))
    client, url = sign_in(reviewer), reverse("quizzes:judge", args=[signal.uid])
    page = client.get(reverse("quizzes:signal_list")).text
    assert attempt.employee.name in page
    assert "Passed in 5 seconds" in page
    assert client.post(url, {"verdict": "guilty", "note": "x"}).status_code == 400
    client.post(url, {"verdict": "nothing", "note": " "})
    assert Signal.objects.get().verdict == ""
    client.post(url, {"verdict": "talked", "note": "She wrote the lesson herself."})
    signal.refresh_from_db()
    assert (signal.verdict, signal.judged_by) == ("talked", reviewer)
    client.post(url, {"verdict": "nothing", "note": "again"})
    signal.refresh_from_db()
    assert signal.verdict == "talked"
    before = attempt.percent, attempt.passed
    attempt.refresh_from_db()
    assert (attempt.percent, attempt.passed) == before
    entry = Entry.objects.get(verb="quizzes.signal_judged")
    assert ledger.body_of(entry)["note"] == "She wrote the lesson herself."
    assert attempt.employee.name not in client.get(reverse("quizzes:signal_list")).text
    assert "She wrote" in client.get(reverse("quizzes:signal_list"), {"show": "all"}).text


def test_signals_are_for_reviewers_alone(sit, make_employee, sign_in):
    attempt = sit(seconds=5)
    look()
    assert sign_in(attempt.employee).get(reverse("quizzes:signal_list")).status_code == 403
    assert not Signal.objects.visible_to(attempt.employee).exists()


def test_a_look_costs_the_same_queries_for_many_attempts(sit, count_queries):
    sit()
    one = count_queries(look)
    for _ in range(8):
        sit()
    assert count_queries(look) == one
