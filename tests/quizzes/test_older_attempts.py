"""What the migration makes of questions and attempts from before every kind existed."""

import hashlib
import importlib

import pytest
from django.apps import apps

from portal.ledger.rules import canonical
from quizzes import papers, services
from quizzes.models import Question, Response
from tests.quizzes.conftest import all_right, question

fill = importlib.import_module("quizzes.migrations.0003_fill_in_what_older_attempts_have_earned").fill


@pytest.fixture
def older(make_quiz, begin):
    """A graded attempt and an open one, as the tables held them before."""
    quiz = make_quiz(questions=[question("q0"), question("q1")])
    graded, still_open = begin(quiz), begin(quiz)
    by = graded.employee.uid
    services.submit(attempt=graded, answers={1: all_right(graded)[1], 2: []}, by=by)
    services.save_answer(attempt=still_open, position=1, sent=all_right(still_open)[1], by=still_open.employee.uid)
    Response.objects.update(is_complete=False, revision=0, saved_at=None)
    Question.objects.update(words="", state=Question.State.DRAFT, reviewed_at=None)
    return graded, still_open


def test_older_questions_are_accepted_under_the_prints_that_they_would_get_today(older):
    fill(apps, None)
    for row in Question.objects.all():
        assert (row.state, row.reviewed_at) == (Question.State.ACCEPTED, row.created_at)
        before = {name: getattr(row, name) for name in ("kind", "tags", "difficulty", "cites", "stem", "options")}
        before |= {"explanation": row.explanation}
        assert row.fingerprint == hashlib.sha256(canonical(before)).hexdigest()
    words = set(Question.objects.values_list("words", flat=True))
    [again] = services.publish_bank(
        slug=Question.objects.first().bank.slug,
        title={"en": "Bank"},
        questions=[question("q0", difficulty=3)],
        by="system:test",
    )
    assert again.version == 2
    assert again.words in words


def test_an_older_attempt_goes_on_and_an_older_result_can_be_read(older):
    graded, still_open = older
    graded.refresh_from_db()
    fill(apps, None)
    kept = still_open.responses.get(position=1)
    assert (kept.is_complete, kept.revision, kept.saved_at) == (True, 1, kept.answered_at)
    done = services.submit(attempt=still_open, answers=all_right(still_open), by=still_open.employee.uid)
    assert done.percent == 100
    assert papers.result(graded, "en")["questions"][0]["earned"] == "1"
