from datetime import date

import pytest

from portal.standing import rules, words

# The truth table, written out: training downward, the archive across; y: may message, n: may not.
#                 no_data clean attention breach
TABLE = """
not_assigned      n       n     n         n
assigned          y       y     y         n
in_progress       y       y     y         n
current           y       y     y         n
due_soon          y       y     y         n
overdue           n       n     n         n
expired           n       n     n         n
exempt            y       y     y         n
"""
ARCHIVE = ("no_data", "clean", "attention", "breach")
CASES = [
    (training, archive, answer == "y")
    for training, *answers in (line.split() for line in TABLE.strip().splitlines())
    for archive, answer in zip(ARCHIVE, answers, strict=True)
]


def test_the_table_names_every_pair_of_states():
    assert {(t, a) for t, a, _ in CASES} == {(t, a) for t in rules.TrainingState for a in rules.ArchiveState}


@pytest.mark.parametrize(("training", "archive", "allowed"), CASES)
def test_may_message(training, archive, allowed):
    assert rules.verdict(training, archive).may_message is allowed


@pytest.mark.parametrize("training", ["assigned", "in_progress", "due_soon"])
def test_a_strict_firm_lets_nobody_message_before_the_course_is_done(training):
    strict = rules.Policy(until_due=False)
    assert not rules.verdict(training, "clean", policy=strict).may_message
    assert rules.verdict("current", "clean", policy=strict).may_message


@pytest.mark.parametrize(("training", "archive", "allowed"), CASES)
def test_every_verdict_names_what_bars_and_nothing_else(training, archive, allowed):
    bars = [reason.code for reason in rules.verdict(training, archive).reasons if reason.is_bar]
    assert bool(bars) is not allowed
    assert (f"archive_{archive}" in bars) is (archive == "breach")


@pytest.mark.parametrize(("training", "archive", "_allowed"), CASES)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_reason_can_be_said_with_its_facts(training, archive, _allowed, language, settings):
    from django.utils import translation

    verdict = rules.verdict(training, archive, training_on=date(2027, 3, 14), archive_points=2)
    with translation.override(language):
        sentences = [words.say(reason.as_json()) for reason in verdict.reasons]
    assert all(sentences)
    assert not any("%(" in sentence or "None" in sentence for sentence in sentences)
    assert ("2027" in sentences[0]) is (training != "not_assigned")


def test_an_unknown_reason_is_an_error_and_not_an_empty_line():
    with pytest.raises(ValueError, match="weather"):
        words.say({"code": "weather"})


def test_every_training_state_has_its_row():
    assert sorted(state for states in rules.ROWS.values() for state in states) == sorted(rules.TrainingState)
