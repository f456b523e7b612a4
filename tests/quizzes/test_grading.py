from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import grading, rules
from quizzes.models import Question

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


def bank(**sizes: int) -> dict[str, str]:
    return {f"{tag}-{i}": tag for tag, size in sizes.items() for i in range(size)}


banks = st.dictionaries(st.sampled_from("abcdef"), st.integers(3, 6), min_size=1).map(lambda sizes: bank(**sizes))


@given(questions=banks, seed=st.text(max_size=8), data=st.data())
def test_a_draw_asks_about_every_tag_as_evenly_as_the_bank_allows(questions, seed, data):
    count = data.draw(st.integers(1, len(questions)))
    drawn = grading.draw(questions, count=count, seed=seed)
    sizes, per_tag = Counter(questions.values()), Counter(questions[slug] for slug in drawn)
    most = max(per_tag.values())
    assert len(set(drawn)) == count
    assert all(per_tag[tag] >= min(size, most - 1) for tag, size in sizes.items())


@given(questions=banks, seed=st.text(max_size=8))
def test_the_same_seed_draws_the_same_questions_whatever_order_they_are_stored_in(questions, seed):
    backwards = dict(reversed(questions.items()))
    assert grading.draw(questions, count=3, seed=seed) == grading.draw(backwards, count=3, seed=seed)


def test_different_seeds_draw_different_papers():
    questions = bank(a=6, b=6)
    assert len({tuple(grading.draw(questions, count=4, seed=str(n))) for n in range(20)}) > 10


def test_the_second_attempt_shows_no_question_of_the_first_while_the_bank_lasts():
    questions = bank(a=4, b=4, c=4, d=4)
    for seed in "uvwxyz":
        first = grading.draw(questions, count=8, seed=seed)
        second = grading.draw(questions, count=8, seed=seed + "2", seen=first)
        assert not set(first) & set(second)


def test_a_bank_of_fifteen_gives_a_second_attempt_all_seven_that_are_left():
    questions = bank(a=3, b=3, c=3, d=3, e=3)
    first = grading.draw(questions, count=8, seed="one")
    second = grading.draw(questions, count=8, seed="two", seen=first)
    assert len(set(first) & set(second)) == 1


def test_when_everything_was_seen_the_longest_ago_comes_again_first():
    questions = bank(a=4)
    assert set(grading.draw(questions, count=2, seed="s", seen=["a-0", "a-1", "a-2", "a-3", "a-0"])) == {"a-1", "a-2"}


def test_a_draw_of_more_than_the_bank_holds_is_refused():
    with pytest.raises(ValueError, match="3 questions wanted, 2 there"):
        grading.draw(bank(a=2), count=3, seed="s")


def test_options_are_shuffled_by_seed_and_question():
    orders = {tuple(grading.option_order("abcd", kind="single", seed=str(n), slug="q")) for n in range(60)}
    assert len(orders) > 10
    assert all(sorted(order) == ["a", "b", "c", "d"] for order in orders)


def test_true_stands_before_false_as_it_was_written():
    assert {tuple(grading.option_order("ba", kind="truefalse", seed=str(n), slug="q")) for n in range(20)} == {
        ("b", "a")
    }


@pytest.mark.parametrize(
    ("chosen", "right"),
    [(["a", "c"], True), (["c", "a"], True), (["a"], False), (["a", "b", "c"], False), (None, False)],
)
def test_an_answer_is_right_when_it_is_exactly_the_key(chosen, right):
    assert grading.is_right(chosen, ["a", "c"]) is right


@pytest.mark.parametrize(("right", "of", "percent"), [(0, 8, 0), (6, 8, 75), (7, 8, 87), (8, 8, 100), (199, 200, 99)])
def test_percent_is_rounded_down(right, of, percent):
    assert grading.percent(right, of) == percent


@pytest.mark.parametrize(("right", "of"), [(1, 0), (0, 0), (3, 2), (-1, 2)])
def test_percent_of_something_impossible_is_refused(right, of):
    with pytest.raises(ValueError, match="right of"):
        grading.percent(right, of)


@pytest.mark.parametrize(("percent", "passed"), [(79, False), (80, True), (100, True)])
def test_the_pass_mark_itself_passes(percent, passed):
    assert grading.passes(percent, 80) is passed


def wait(outcomes: str, minutes_later: int) -> datetime | None:
    """``outcomes``: one letter an attempt, f or p, an hour apart, the last at noon."""
    ended = [(NOON - timedelta(hours=len(outcomes) - 1 - i), letter == "p") for i, letter in enumerate(outcomes)]
    now = NOON + timedelta(minutes=minutes_later)
    return grading.wait_until(ended, tries_before_wait=3, wait_minutes=30, now=now)


@pytest.mark.parametrize("outcomes", ["", "f", "ff", "ffp", "fpff", "ppp"])
def test_nobody_waits_before_three_failures_in_a_row(outcomes):
    assert wait(outcomes, 0) is None


@pytest.mark.parametrize("outcomes", ["fff", "pfff", "ffff"])
def test_after_three_failures_in_a_row_the_next_try_begins_half_an_hour_after_the_last(outcomes):
    half_past = NOON + timedelta(minutes=30)
    assert (wait(outcomes, 0), wait(outcomes, 29), wait(outcomes, 30)) == (half_past, half_past, None)


def test_the_grace_ends_thirty_seconds_after_closing_time():
    assert not grading.is_late(NOON, NOON + timedelta(seconds=30))
    assert grading.is_late(NOON, NOON + timedelta(seconds=31))
    assert not grading.is_late(None, NOON)


@pytest.mark.parametrize(
    ("kind", "right", "ids", "what"),
    [
        ("single", "", "abc", "no option is right"),
        ("single", "ab", "abc", "2 right options"),
        ("truefalse", "a", "abc", "truefalse question has 3 options"),
        ("single", "a", "a", "a question has 1 options"),
        ("multiple", "a", "abcdefghi", "a question has 9 options"),
        ("multiple", "a", "abb", "option id 'b' is there twice"),
    ],
)
def test_a_question_that_cannot_be_graded_is_named(kind, right, ids, what):
    options = [{"id": letter, "right": letter in right} for letter in ids]
    assert what in " ".join(flaw.what for flaw in rules.flaws_in_key(kind, options))


@pytest.mark.parametrize("kind", Question.Kind.values)
def test_a_question_that_can_be_graded_has_no_flaw(kind):
    assert list(rules.flaws_in_key(kind, [{"id": "a", "right": True}, {"id": "b"}])) == []


@pytest.mark.parametrize(
    ("there", "told"), [({"en", "zh-hans"}, "zh-hans"), ({"en", "fr"}, "en"), ({"fr", "de"}, "de"), (set(), "en")]
)
def test_a_text_is_told_in_the_language_asked_for_where_it_exists(there, told):
    assert rules.language_of(there, "zh-hans", "en") == told
