from datetime import date, timedelta

import pytest
from django.utils import translation

from archive.models import Finding
from archive.rules import OpenFinding
from portal.firmfiles import BrokenFile
from portal.standing import checks, policy, rules, words
from portal.standing.policy import Policy

TODAY = date(2026, 10, 16)
SHIPPED = policy.load()

# The truth table, written out: training downward, the archive across; y: may message, n: may not.
# The archive's states come from findings; under the rule that ships, a breach bars and nothing else does.
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


def finding(kind: str = "off_channel", *, confirmed: bool = False, due: int = 0, severity: int = 3) -> OpenFinding:
    return OpenFinding(kind, severity, confirmed, TODAY + timedelta(days=due))


BEHIND = {"breach": (finding(confirmed=True),), "attention": (finding(),), "clean": (), "no_data": ()}


def facts(training: str = "current", archive: str = "clean", **more) -> rules.Facts:
    return rules.Facts(**{"training": training, "archive": archive, "findings": BEHIND[archive], **more})


def may(terms: Policy = SHIPPED, **told) -> bool:
    return rules.verdict(facts(**told), TODAY, terms).may_message


def codes(terms: Policy = SHIPPED, **told) -> list[str]:
    return [one.code for one in rules.verdict(facts(**told), TODAY, terms).reasons]


def test_the_table_names_every_pair_of_states():
    assert {(t, a) for t, a, _ in CASES} == {(t, a) for t in rules.TrainingState for a in rules.ArchiveState}


@pytest.mark.parametrize(("training", "archive", "allowed"), CASES)
def test_may_message(training, archive, allowed):
    assert may(training=training, archive=archive) is allowed


@pytest.mark.parametrize(("training", "archive", "allowed"), CASES)
def test_every_verdict_names_what_bars_and_nothing_else(training, archive, allowed):
    verdict = rules.verdict(facts(training, archive), TODAY, SHIPPED)
    bars = [reason.code for reason in verdict.reasons if reason.is_bar]
    assert bool(bars) is not allowed
    assert ("finding_off_channel" in bars) is (archive == "breach")


@pytest.mark.parametrize("training", ["assigned", "in_progress", "due_soon"])
def test_a_strict_firm_lets_nobody_message_before_the_course_is_done(training):
    strict = Policy(until_due=False, blocks=SHIPPED.blocks)
    assert not may(strict, training=training)
    assert may(strict, training="current")


# The rest of the truth table, written out by class of what else decides.
# Training: fresh (current, exempt), waiting (assigned, in progress, due soon), late5 (overdue or expired for five
# days), none (never assigned). Grace in days. Findings: no; soft: open, and does not bar; hard: one that bars.
#  staff office training grace until_due findings may
CLASSES = """
   here  in     fresh    -     yes       no       y
   here  in     fresh    -     yes       soft     y
   here  in     fresh    -     yes       hard     n
   here  in     fresh    -     no        no       y
   here  in     waiting  -     yes       no       y
   here  in     waiting  -     yes       soft     y
   here  in     waiting  -     yes       hard     n
   here  in     waiting  -     no        no       n
   here  in     waiting  9     no        no       n
   here  in     late5    -     yes       no       n
   here  in     late5    4     yes       no       n
   here  in     late5    5     yes       no       y
   here  in     late5    6     yes       no       y
   here  in     late5    5     no        no       y
   here  in     late5    5     yes       soft     y
   here  in     late5    5     yes       hard     n
   here  in     none     -     yes       no       n
   here  in     none     9     yes       no       n
   here  in     none     9     yes       hard     n
   here  out    fresh    -     yes       no       y
   here  out    fresh    -     yes       hard     y
   here  out    waiting  -     no        no       y
   here  out    late5    -     yes       no       y
   here  out    late5    4     yes       hard     y
   here  out    none     -     no        hard     y
   here  nowhere late5   -     yes       no       y
   left  in     fresh    -     yes       no       n
   left  in     late5    9     yes       no       n
   left  out    fresh    -     yes       no       n
   left  out    none     -     no        hard     n
"""
STATES = {
    "fresh": ("current", "exempt"),
    "waiting": ("assigned", "in_progress", "due_soon"),
    "late5": ("overdue", "expired"),
    "none": ("not_assigned",),
}
FOUND = {
    "no": [()],
    "soft": [
        (finding("silent_seat", confirmed=True, due=-9),),  # never
        (finding("after_refusal", confirmed=True, due=0),),  # only when overdue
        (finding("off_channel", confirmed=False, due=0),),  # not confirmed, and in time to the end of today
        (finding("media_missing", due=-1), finding("recall_pattern")),
    ],
    "hard": [
        (finding("barred_talk", due=9),),  # as long as it is open
        (finding("after_refusal", due=-1),),
        (finding("off_channel", confirmed=True, due=9),),
        (finding("off_channel", confirmed=False, due=-1),),
        (finding("silent_seat"), finding("deletion_request", confirmed=True)),
    ],
}


@pytest.mark.parametrize("line", CLASSES.strip().splitlines())
def test_what_else_decides(line):
    staff, office, training, grace, until_due, found, answer = line.split()
    terms = Policy(
        offices=("SH",),
        until_due=until_due == "yes",
        grace_days=0 if grace == "-" else int(grace),
        blocks=SHIPPED.blocks,
    )
    for state in STATES[training]:
        for findings in FOUND[found]:
            told = facts(
                state,
                findings=findings,
                training_on=None if training == "none" else TODAY - timedelta(days=5 if training == "late5" else -30),
                office={"in": "SH", "out": "NY", "nowhere": None}[office],
                is_on_staff=staff == "here",
            )
            verdict = rules.verdict(told, TODAY, terms)
            assert verdict.may_message is (answer == "y"), (state, findings)
            assert any(reason.is_bar for reason in verdict.reasons) is (answer == "n")


def test_every_training_state_is_in_one_class():
    assert sorted(state for states in STATES.values() for state in states) == sorted(rules.TrainingState)


# --- days of grace


@pytest.mark.parametrize("training", ["overdue", "expired"])
@pytest.mark.parametrize(("late", "allowed"), [(1, True), (10, True), (11, False)])
def test_grace_lasts_to_the_end_of_its_last_day(training, late, allowed):
    kind = Policy(grace_days=10, blocks=SHIPPED.blocks)
    told = {"training": training, "training_on": TODAY - timedelta(days=late)}
    assert may(kind, **told) is allowed
    assert ("training_grace" in codes(kind, **told)) is allowed
    ends = TODAY + timedelta(days=10 - late)
    assert rules.next_change_on(facts(**told), TODAY, kind) == (ends + timedelta(1) if allowed else None)


def test_who_was_never_assigned_has_no_grace():
    assert not may(Policy(grace_days=10), training="not_assigned")


# --- which findings bar


@pytest.mark.parametrize(
    ("when", "confirmed", "due", "bars"),
    [
        ("never", True, -1, False),
        ("overdue", True, 0, False),
        ("overdue", False, -1, True),
        ("confirmed", False, 0, False),
        ("confirmed", True, 0, True),
        ("confirmed", False, -1, True),
        ("open", False, 5, True),
    ],
)
def test_the_firm_says_when_a_kind_of_finding_bars(when, confirmed, due, bars):
    terms = Policy(blocks={"recall_pattern": when})
    found = (finding("recall_pattern", confirmed=confirmed, due=due),)
    assert may(terms, archive="attention", findings=found) is not bars


def test_a_kind_that_the_policy_does_not_name_bars_nobody():
    assert may(Policy(), archive="breach")


def test_findings_that_bar_are_named_by_kind_with_their_number():
    found = (finding("barred_talk"), finding("barred_talk"), finding("recall_pattern"))
    reasons = rules.verdict(facts(archive="breach", findings=found), TODAY, SHIPPED).reasons
    assert [(one.code, one.count, one.is_bar) for one in reasons] == [
        ("training_current", None, False),
        ("finding_barred_talk", 2, True),
    ]


def test_the_day_after_a_finding_was_due_the_verdict_may_change():
    assert rules.next_change_on(facts(findings=(finding(due=3),)), TODAY, SHIPPED) == TODAY + timedelta(days=4)
    assert rules.next_change_on(facts(findings=(finding("silent_seat", due=3),)), TODAY, SHIPPED) is None


# --- who is meant


def test_an_office_out_of_scope_bars_nobody_and_says_so():
    terms = Policy(offices=("SH",), blocks=SHIPPED.blocks)
    told = {"training": "expired", "archive": "breach", "office": "NY"}
    assert may(terms, **told)
    assert codes(terms, **told) == ["office_out_of_scope", "training_expired", "archive_breach"]
    assert not may(terms, **{**told, "office": "SH"})


def test_who_has_left_may_not_whatever_else_is_so():
    assert codes(is_on_staff=False) == ["not_on_staff"]
    assert not may(is_on_staff=False)
    assert not may(Policy(offices=("SH",)), is_on_staff=False, office="NY")


# --- said to a person


EVERY_CODE = [
    *(f"training_{state}" for state in rules.TrainingState),
    *(f"archive_{state}" for state in rules.ArchiveState),
    *(f"finding_{kind}" for kind in Finding.Kind),
    rules.GRACE,
    rules.NOT_ON_STAFF,
    rules.OUT_OF_SCOPE,
]


@pytest.mark.parametrize("code", EVERY_CODE)
def test_every_reason_can_be_said_in_both_languages_with_its_facts(code):
    said = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            said[language] = words.say(rules.Reason(code, on=date(2027, 3, 14), count=2).as_json())
        assert said[language]
        assert "%(" not in said[language]
        assert "None" not in said[language]
    assert said["en"] != said["zh-hans"]
    dated = code == rules.GRACE or (code.startswith("training_") and code != "training_not_assigned")
    assert ("2027" in said["en"]) is dated


def test_an_unknown_reason_is_an_error_and_not_an_empty_line():
    with pytest.raises(ValueError, match="weather"):
        words.say({"code": "weather"})


def test_every_training_state_has_its_row():
    assert sorted(state for states in rules.ROWS.values() for state in states) == sorted(rules.TrainingState)


# --- the firm's own rule


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version: x\ngrace_days: -1", "grace_days is -1"),
        ("version: x\nuntil_due: maybe", "until_due is 'maybe'"),
        ("version: x\noffices: SH", "offices must be a list of codes"),
        ("version: x\nblocks: {off_channel: sometimes}", "blocks.off_channel must be one of"),
        ("version: x\nblocks: {weather: open}", "no such name: weather"),
        ("grace_days: 3", "needs a version of its own"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_remedy(tmp_path, settings, text, complaint):
    path = tmp_path / "rule.yaml"
    path.write_text(text)
    with pytest.raises(BrokenFile, match=complaint):
        policy.load(path)
    settings.STANDING_POLICY_FILE = path
    [error] = checks.firms_rule_can_be_used(None)
    assert complaint in error.msg


def test_the_firms_rule_goes_over_the_one_that_ships(tmp_path):
    path = tmp_path / "rule.yaml"
    path.write_text("version: firm-1\ngrace_days: 3\nblocks: {silent_seat: open}\n")
    terms = policy.load(path)
    assert (terms.version, terms.grace_days, terms.until_due) == ("firm-1", 3, True)
    assert terms.blocks == {**SHIPPED.blocks, "silent_seat": "open"}


def test_the_rule_that_ships_names_only_kinds_there_are():
    assert checks.firms_rule_can_be_used(None) == []
