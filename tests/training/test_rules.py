from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training import rules
from training.rules import State, StepKind, TrainingFacts, Validity

TODAY = date(2030, 3, 15)
DAY = timedelta(days=1)


def state(**facts) -> State:
    return rules.training_state(TrainingFacts(**facts), TODAY)


def test_nothing_assigned_is_not_assigned():
    assert state() == State.NOT_ASSIGNED


def test_an_assignment_far_from_due_is_assigned_until_it_is_begun():
    assert state(due_on=TODAY + 40 * DAY) == State.ASSIGNED
    assert state(due_on=TODAY + 40 * DAY, has_begun=True) == State.IN_PROGRESS


@pytest.mark.parametrize(("days", "expected"), [(15, State.ASSIGNED), (14, State.DUE_SOON), (0, State.DUE_SOON)])
def test_due_soon_begins_fourteen_days_before_and_lasts_to_the_end_of_the_due_day(days, expected):
    assert state(due_on=TODAY + days * DAY) == expected


def test_overdue_begins_the_day_after_the_due_day():
    assert state(due_on=TODAY - DAY, has_begun=True) == State.OVERDUE


def test_a_completion_counts_to_the_end_of_its_last_day():
    assert state(expires_on=TODAY) == State.CURRENT
    assert state(expires_on=TODAY - DAY) == State.EXPIRED


def test_a_renewal_that_is_due_soon_shows_while_the_old_completion_still_counts():
    assert state(expires_on=TODAY + 30 * DAY, due_on=TODAY + 30 * DAY) == State.CURRENT
    assert state(expires_on=TODAY + 14 * DAY, due_on=TODAY + 14 * DAY) == State.DUE_SOON


def test_a_lapsed_completion_is_expired_even_if_the_renewal_is_begun():
    assert state(expires_on=TODAY - DAY, due_on=TODAY + 9 * DAY, has_begun=True) == State.EXPIRED


def test_a_cycle_asked_for_early_is_overdue_although_the_old_completion_counts():
    assert state(expires_on=TODAY + 99 * DAY, due_on=TODAY - DAY) == State.OVERDUE


def test_an_exemption_comes_before_all_else_on_each_of_its_days():
    facts = {"due_on": TODAY - 50 * DAY}
    assert state(**facts, exemptions=((TODAY, TODAY),)) == State.EXEMPT
    assert state(**facts, exemptions=((TODAY + DAY, TODAY + 9 * DAY),)) == State.OVERDUE
    assert state(**facts, exemptions=((TODAY - 9 * DAY, TODAY - DAY),)) == State.OVERDUE


days = st.one_of(st.none(), st.integers(-60, 60).map(lambda n: TODAY + n * DAY))
spans = st.tuples(st.integers(-60, 60), st.integers(0, 30)).map(
    lambda span: (TODAY + span[0] * DAY, TODAY + (span[0] + span[1]) * DAY)
)
facts = st.builds(
    TrainingFacts,
    due_on=days,
    has_begun=st.booleans(),
    expires_on=days,
    exemptions=st.lists(spans, max_size=3).map(tuple),
)


@given(facts)
def test_the_next_change_is_the_first_day_on_which_the_state_is_another(found):
    now = rules.training_state(found, TODAY)
    ahead = (TODAY + n * DAY for n in range(1, 200))
    first = next((day for day in ahead if rules.training_state(found, day) != now), None)
    assert rules.next_change_on(found, TODAY) == first


@given(facts)
def test_training_lapses_on_the_first_day_that_is_not_trained_any_more(found):
    lapsed = {State.OVERDUE, State.EXPIRED, State.NOT_ASSIGNED}
    ahead = (TODAY + n * DAY for n in range(1, 200))
    first = next((day for day in ahead if rules.training_state(found, day) in lapsed), None)
    assert rules.lapses_on(found, TODAY) == (None if rules.training_state(found, TODAY) in lapsed else first)


def test_the_date_that_a_state_speaks_of():
    due, until = TODAY + 20 * DAY, TODAY + 99 * DAY
    said = [
        rules.turns_on(found, TODAY)
        for found in (
            TrainingFacts(),
            TrainingFacts(due_on=due),
            TrainingFacts(due_on=TODAY - DAY),
            TrainingFacts(expires_on=until),
            TrainingFacts(expires_on=TODAY - DAY, due_on=due),
            TrainingFacts(expires_on=until, due_on=TODAY + DAY),
            TrainingFacts(due_on=due, exemptions=((TODAY, until), (TODAY, TODAY))),
        )
    ]
    assert said == [None, due, TODAY - DAY, until, TODAY - DAY, TODAY + DAY, until]


@pytest.mark.parametrize(
    ("joined_on", "starts_on", "today", "due_on"),
    [
        ("2030-03-01", "2030-01-01", "2030-03-01", "2030-03-31"),  # from joining
        ("2020-05-05", "2030-03-01", "2030-03-01", "2030-03-31"),  # joined long ago: from the rule's start
        (None, "2030-03-01", "2030-03-01", "2030-03-31"),
        ("2030-02-05", "2030-01-01", "2030-03-05", "2030-03-12"),  # told late: a week is left all the same
    ],
)
def test_a_first_assignment_is_due_some_days_after_joining_or_the_start_of_the_rule(
    joined_on, starts_on, today, due_on
):
    joined = date.fromisoformat(joined_on) if joined_on else None
    found = rules.first_due_on(
        joined_on=joined, starts_on=date.fromisoformat(starts_on), due_days=30, today=date.fromisoformat(today)
    )
    assert found == date.fromisoformat(due_on)


def test_a_rule_of_few_days_gives_no_more_than_it_says():
    assert rules.first_due_on(joined_on=TODAY, starts_on=TODAY, due_days=3, today=TODAY) == TODAY + 3 * DAY


def test_a_renewal_is_due_on_the_last_day_that_counts_and_never_at_once():
    assert rules.renewal_due_on(expires_on=TODAY + 30 * DAY, today=TODAY) == TODAY + 30 * DAY
    assert rules.renewal_due_on(expires_on=TODAY - DAY, today=TODAY) == TODAY + 7 * DAY


@pytest.mark.parametrize(
    ("completed", "months", "last_day"),
    [
        ("2026-11-23", 12, "2027-11-22"),
        ("2026-01-01", 12, "2026-12-31"),
        ("2026-11-01", 1, "2026-11-30"),
        ("2027-03-01", 12, "2028-02-29"),  # the day before 1 March of a leap year
        ("2028-02-29", 12, "2029-02-28"),  # there is no 29 February 2029: to the end of the month
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2026-05-31", 24, "2028-05-30"),
    ],
)
def test_a_completion_counts_for_whole_months_less_a_day(completed, months, last_day):
    assert rules.expires_on(date.fromisoformat(completed), months) == date.fromisoformat(last_day)


def test_the_mean_is_rounded_down():
    assert rules.mean_percent([100, 99]) == 99


@pytest.mark.parametrize(("gap", "counted"), [(0, 0), (20.9, 20), (60, 60), (61, 60), (86400, 60), (-5, 0)])
def test_no_more_than_a_minute_counts_between_two_signs_of_reading(gap, counted):
    then = datetime(2030, 3, 15, 8, 0, tzinfo=UTC)
    assert rules.reading_seconds(then, then + timedelta(seconds=gap)) == counted


def test_the_first_sign_of_reading_counts_nothing():
    assert rules.reading_seconds(None, datetime(2030, 3, 15, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    ("modules", "step"),
    [
        ([([False, False], False, False)], (StepKind.LESSON, 0, 0)),
        ([([True, False], False, False)], (StepKind.LESSON, 0, 1)),
        ([([True, True], False, False)], (StepKind.QUIZ, 0, 0)),
        ([([True, True], True, False), ([True, False], False, False)], (StepKind.LESSON, 1, 1)),
        ([([True, False], True, False), ([True], False, False)], (StepKind.QUIZ, 1, 0)),
        ([([True], False, True), ([False], False, False)], (StepKind.LESSON, 1, 0)),
        ([([True], False, True), ([True], True, False)], (StepKind.WAIT, 0, 0)),
        ([([True], True, False)], (StepKind.DONE, 0, 0)),
    ],
)
def test_the_next_step_is_the_first_thing_left_and_nobody_sits_out_a_wait(modules, step):
    assert rules.next_step(modules) == step


def test_a_course_is_half_done_when_half_of_its_lessons_and_quizzes_are():
    assert rules.percent_done(lessons=4, lessons_finished=2, modules=2, modules_passed=1) == 50
    assert rules.percent_done(lessons=30, lessons_finished=30, modules=6, modules_passed=5) == 97
    assert rules.percent_done(lessons=0, lessons_finished=0, modules=0, modules_passed=0) == 0


@pytest.mark.parametrize(
    ("revoked", "superseded", "today", "worth"),
    [
        (False, False, TODAY, Validity.VALID),
        (False, False, TODAY + DAY, Validity.LAPSED),
        (False, True, TODAY, Validity.SUPERSEDED),
        (True, True, TODAY + DAY, Validity.REVOKED),
    ],
)
def test_what_a_certificate_is_worth(revoked, superseded, today, worth):
    found = rules.validity(valid_until=TODAY, is_revoked=revoked, is_superseded=superseded, today=today)
    assert found == worth


@given(st.integers(0, 2**80 - 1))
def test_every_number_has_a_serial_of_its_own_which_reads_back_however_it_is_typed(number):
    serial = rules.serial_from(number)
    value = 0
    for sign in serial[2:].replace("-", ""):
        value = value * 32 + rules.CROCKFORD.index(sign)
    assert value == number
    assert rules.normal_serial(serial.lower().replace("-", " ")) == serial
    assert rules.normal_serial(serial[3:].replace("0", "o").replace("1", "l")) == serial
    assert rules.normal_serial(f" 0c{serial[2:].replace('1', 'I')}") == serial


@pytest.mark.parametrize("typed", ["", "OC", "OC-1234", "OC-UUUU-UUUU-UUUU-UUUU", "x" * 500, "ОС-7F3K-92QD-7F3K-92QD"])
def test_what_cannot_be_a_serial_is_none(typed):
    assert rules.normal_serial(typed) is None


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", " =1", "\u3000=1", "\u200b@a", "\n"])
def test_a_cell_that_would_be_a_formula_is_told_to_be_text(cell):
    assert rules.csv_cell(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["Lin Yue", "林悦", "2030-03-15", 92, "", "a=b"])
def test_other_cells_stay_as_they_are(cell):
    assert rules.csv_cell(cell) == str(cell)


def test_a_text_is_told_in_the_language_or_the_nearest_there_is():
    assert rules.told({"en": "a", "zh-hans": "甲"}, "zh-hans") == "甲"
    assert rules.told({"en": "a"}, "zh-hans") == "a"
    assert rules.told({"zh-hans": "甲"}, "en") == "甲"
    assert rules.told({}, "en") == ""
