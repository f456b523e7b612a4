import pytest
from django.db import IntegrityError, transaction

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from quizzes import services
from quizzes.models import Question, Quiz
from tests.quizzes.conftest import question


def publish(*questions: dict) -> list[Question]:
    return services.publish_bank(slug="bank", title={"en": "Bank"}, questions=questions, by="system:test")


def test_a_question_published_again_unchanged_is_the_same_row(db):
    first, second = publish(question("q")), publish(question("q"))
    assert first == second
    assert Entry.objects.filter(verb="quizzes.bank_published").count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"stem": {"en": "Reworded"}},
        {"explanation": {"en": "Reworded"}},
        {"tags": ["habits"]},
        {"difficulty": 3},
        {"cites": []},
        {"kind": "multiple"},
        {"options": question("q", right="b")["options"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_question_is_a_new_version_and_the_old_one_stays(db, change):
    [old] = publish(question("q"))
    [new] = publish(question("q", **change))
    assert (old.version, new.version) == (1, 2)
    assert Question.objects.filter(slug="q").count() == 2


def test_a_question_changed_back_is_the_old_version_again(db):
    [old] = publish(question("q"))
    publish(question("q", difficulty=3))
    assert publish(question("q")) == [old]


def test_only_what_is_new_is_named_in_the_entry(db):
    publish(question("q"), question("r"))
    publish(question("q"), question("r", difficulty=3))
    assert ledger.body_of(Entry.objects.get(seq=2)) == {"bank": "bank", "new": ["r v2"]}


def test_questions_come_back_in_the_order_given(db):
    assert [q.slug for q in publish(question("z"), question("a"))] == ["z", "a"]


def test_a_question_without_a_right_answer_is_not_published(db):
    with pytest.raises(services.BadQuestion, match="q: no option is right"):
        publish(question("fine"), question("q", right=""))
    assert not Question.objects.exists()


def test_a_quiz_names_its_questions_in_an_entry(make_quiz):
    quiz = make_quiz(questions=[question("q"), question("r")], draw=1)
    body = ledger.body_of(Entry.objects.get(verb="quizzes.quiz_published"))
    assert body == {"quiz": quiz.slug, "draw": 1, "pass_percent": 80, "questions": ["q v1", "r v1"]}


def test_a_quiz_cannot_draw_more_than_it_has(make_quiz):
    with pytest.raises(services.BadQuestion, match="draws 3 questions and has 2"):
        make_quiz(questions=[question("q"), question("r")], draw=3)


def test_a_published_quiz_is_not_published_over(make_quiz):
    make_quiz(slug="quiz")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_quiz(slug="quiz")


@pytest.mark.parametrize(
    "wrong",
    [{"pass_percent": 0}, {"pass_percent": 101}, {"tries_before_wait": 0}, {"time_limit_minutes": 0}, {"draw": 0}],
    ids=str,
)
def test_the_database_refuses_terms_that_make_no_sense(make_quiz, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_quiz(**wrong)
    assert not Quiz.objects.exists()
