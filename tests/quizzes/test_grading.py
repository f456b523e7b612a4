from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import grading, rules
from quizzes.grading import Graded

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


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
    ("there", "told"), [({"en", "zh-hans"}, "zh-hans"), ({"en", "fr"}, "en"), ({"fr", "de"}, "de"), (set(), "en")]
)
def test_a_text_is_told_in_the_language_asked_for_where_it_exists(there, told):
    assert rules.language_of(there, "zh-hans", "en") == told


# --- what an attempt comes to ------------------------------------------------------------------------------------

shares = st.fractions(min_value=0, max_value=1, max_denominator=60)
graded = st.builds(Graded, credit=shares, points=st.integers(1, 100), must_pass=st.booleans(), is_counted=st.booleans())


@given(st.lists(graded, max_size=20), st.integers(1, 100))
def test_an_outcome_is_the_share_of_the_points_rounded_down(marks, mark):
    outcome = grading.outcome(marks, mark)
    counted = [one for one in marks if one.is_counted]
    of = sum(one.points for one in counted)
    earned = sum((one.points * one.credit for one in counted), Fraction(0))
    assert outcome.percent == (int(100 * earned / of) if of else 0)
    assert (outcome.percent == 100) == (bool(counted) and all(one.credit == 1 for one in counted))
    assert outcome.right == sum(one.credit == 1 for one in counted)


@given(st.lists(graded, min_size=1, max_size=20), st.integers(1, 100))
def test_a_question_that_must_be_right_decides_alone(marks, mark):
    outcome = grading.outcome(marks, mark)
    missed = [one for one in marks if one.is_counted and one.must_pass and one.credit < 1]
    assert outcome.missed == len(missed)
    assert outcome.passed == (outcome.percent >= mark and not missed)


def test_nothing_left_to_count_proves_nothing():
    assert grading.outcome([Graded(Fraction(1), is_counted=False)], 80) == (0, 0, False, 0)


def test_thirds_of_three_points_come_to_everything():
    assert grading.outcome([Graded(Fraction(1), 3), Graded(Fraction(1, 3), 3)], 60)[:3] == (1, 66, True)


@given(shares)
def test_stored_credit_is_whole_only_when_everything_was_earned(credit):
    assert 0 <= grading.stored(credit) <= grading.WHOLE
    assert (grading.stored(credit) == grading.WHOLE) == (credit == 1)


# --- time --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "extra", "seconds"), [(10, 0, 600), (10, 25, 750), (1, 33, 79), (10, 300, 2400)])
def test_extra_time_is_a_share_of_the_limit(limit, extra, seconds):
    assert grading.closing_time(NOON, limit, extra) == NOON + timedelta(seconds=seconds)


def test_without_a_limit_there_is_nothing_to_add_to():
    assert grading.closing_time(NOON, None, 50) is None


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=20))
def test_the_times_of_all_questions_add_up_to_the_moment_of_the_last_answer(gaps):
    now, times = NOON, [None, None, None]
    for number, gap in enumerate(gaps):
        since, now = now, now + timedelta(milliseconds=gap)
        times[number % 3] = grading.spent(since, now, times[number % 3])
    assert sum(time or 0 for time in times) == sum(gaps)


def test_a_clock_that_went_back_adds_no_time_and_a_night_is_a_day_at_most():
    assert grading.spent(NOON, NOON - timedelta(hours=1), 500) == 500
    assert grading.spent(NOON, NOON + timedelta(days=40), None) == grading.LONGEST_MS
