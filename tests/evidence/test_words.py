"""Every Entry that the code can write is told in words, in both languages, and stands where a reader looks for it."""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.utils import translation

from portal.evidence import labels, sections, timeline, words

ROOT = Path(__file__).resolve().parents[2]
ROOMS = "people|ledger|jobs|hr|scim|signon|quizzes|training|archive|standing|reminders|evidence|operations|demo"
LIKE_A_VERB = re.compile(rf"(?:{ROOMS})\.[a-z]+(?:_[a-z]+)*")
# Look like verbs, and are names of files, templates, modules and checks.
ARE_NONE = re.compile(r".*\.(?:urls|csv|html|txt)|ledger\.install_guards|people\.sync_roles|quizzes\.device")
BODY = {
    "course": "dealing", "module": "first", "lesson": "one", "quiz": "first", "edition": 2, "cycle": 1, "number": 1,
    "percent": 90, "passed": True, "due_on": "2026-03-31", "due_on_before": "2026-03-01", "starts_on": "2026-01-01",
    "ends_on": "2026-02-01", "ended_on": "2026-02-01", "why": "moved", "reason": "because",
    "completed_on": "2026-01-05",
    "expires_on": "2027-01-05", "policy": "wechat", "version": 2, "period": "", "serial": "A1", "replaced_by": "A2",
    "kind": "self_report", "happened_on": "2026-01-01", "first_on": "2026-01-01", "last_on": "2026-01-02",
    "after": ["a"], "before": {"percent": 10}, "channel": "mail", "status": "5.1.1",
    "way": "Entra",
}  # fmt: skip
OTHER = {
    "quizzes.attempt_regraded": {"after": {"percent": 20}},
    "standing.changed": {"after": {"training_state": "current", "archive_state": "clean", "may_message": True}},
    "people.changed": {"after": {"title": "x"}},
    "signon.refused": {"reason": "left"},
    "scim.person_named": {"after": {"user_name": "x"}},
}
PERSONAL = sorted(words._SENTENCES)


def written() -> set[str]:
    """Return every text of the code that looks like a verb, permissions left out, and the families made of parts."""
    rights = {
        f"{model._meta.app_label}.{name}"
        for model in apps.get_models()
        for name in [
            *(name for name, _label in model._meta.permissions),
            *(f"{deed}_{model._meta.model_name}" for deed in ("add", "change", "delete", "view")),
        ]
    }
    found = set()
    for room in ("portal", "quizzes", "training", "archive"):
        for file in (ROOT / room).rglob("*.py"):
            if "migrations" in file.parts or file.parts[-2:] in (("evidence", "labels.py"), ("evidence", "words.py")):
                continue
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    verbs = {text for text in found if LIKE_A_VERB.fullmatch(text) and not ARE_NONE.fullmatch(text)}
    steps = {f"archive.finding_{step}" for step in sections.FINDING_STEPS.split()}
    return (verbs - rights) | steps


def test_each_verb_that_the_code_can_write_has_words():
    assert written() - words._SENTENCES.keys() - labels.LABELS.keys() == set()


def test_no_words_are_left_of_what_nobody_writes():
    assert (words._SENTENCES.keys() | labels.LABELS.keys()) - written() == set()


@pytest.mark.django_db
@pytest.mark.parametrize("verb", PERSONAL)
def test_what_is_said_of_a_person_is_a_sentence_in_both_languages(verb):
    said = BODY | OTHER.get(verb, {})
    told = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            told[language] = words.say(verb, said, words.titles_for([said]))
    assert verb not in told.values()
    assert told["en"] != told["zh-hans"]
    assert re.search("[\u4e00-\u9fff]", told["zh-hans"])


@pytest.mark.parametrize("verb", sorted(labels.LABELS))
def test_what_is_about_no_person_is_told_in_both_languages(verb):
    with translation.override("zh-hans"):
        assert re.search("[\u4e00-\u9fff]", str(labels.LABELS[verb]))


def test_each_verb_about_a_person_stands_in_a_history():
    shown = {verb for _label, verbs in timeline.KINDS.values() for verb in verbs}
    assert shown - words._SENTENCES.keys() == set()
    # Reviewers' own and quizzes' grants of time are told in the log alone.
    assert words._SENTENCES.keys() - shown == {"quizzes.extra_time_granted", "quizzes.extra_time_ended"}


def test_each_verb_of_a_pack_has_words():
    assert {verb for verb in sections.VERBS} - words._SENTENCES.keys() == set()
