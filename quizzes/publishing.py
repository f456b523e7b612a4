"""Banks, questions and quizzes: published, withdrawn. Nothing that was asked is ever changed or deleted."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from portal.ledger import rules as canon
from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes import drawing
from quizzes.kinds import KINDS
from quizzes.models import Bank, Question, Quiz

QUESTION_FIELDS = ("kind", "tags", "difficulty", "cites", "stem", "options", "explanation")
# Came later: a question that does without them has the fingerprint that it always had.
LATER_FIELDS = {"detail": {}, "points": 1, "must_pass": False, "shuffle": True}
NOT_WORDS = ("tags", "difficulty", "cites")


class BadQuestion(ValueError):
    """A question that could not be graded, or too few of them."""


class NoReason(ValueError):
    """Whoever withdraws a question, or looks at what another answered, says why."""


class AlreadyWithdrawn(ValueError):
    """The question was withdrawn before; the reason given then stands."""


@transaction.atomic
def publish_bank(*, slug: str, title: Mapping[str, str], questions: Sequence[Mapping], by: str) -> list[Question]:
    """Bring a bank up to date and return its questions, in the order given.

    Each of ``questions`` has ``slug``, the QUESTION_FIELDS, and those of LATER_FIELDS that it needs. A question whose
    text was published before is that very row; a changed one becomes a new version. They come with the files of a
    course, which were read by others before: so they are accepted. Nothing is deleted: attempts keep what they showed.
    Raises BadQuestion.
    """
    Bank.objects.get_or_create(slug=slug, defaults={"title": title})
    bank = Bank.objects.select_for_update().get(slug=slug)
    if bank.title != title:
        bank.title = title
        bank.save(update_fields=["title"])
    known = {(q.slug, q.fingerprint): q for q in bank.questions.order_by("version")}  # the newest of the same
    newest = dict(bank.questions.values_list("slug").annotate(Max("version")))
    published, fresh = [], []
    for given in questions:
        question = version_of(bank, given, newest.get(given["slug"], 0) + 1)
        question = known.get((question.slug, question.fingerprint), question)
        if question.pk is None:
            fresh.append(str(question))
        if question.state != Question.State.ACCEPTED:
            question.state, question.reviewed_at = Question.State.ACCEPTED, timezone.now()
            question.written_by = None  # whoever wrote it: the files of a course are read by others before they come
            question.save()
        published.append(question)
    if fresh:
        ledger.append(
            verb="quizzes.bank_published", actor=by, subject="system:quizzes", body={"bank": slug, "new": fresh}
        )
    return published


def version_of(bank: Bank, given: Mapping, version: int) -> Question:
    """Return a version of a question, not saved, as a draft. Raises BadQuestion."""
    fields = {name: given[name] for name in QUESTION_FIELDS}
    fields |= {name: given.get(name, default) for name, default in LATER_FIELDS.items()}
    flaw = next(KINDS[fields["kind"]].flaws(fields), None)
    if flaw:
        raise BadQuestion(f"{given['slug']}: {flaw.what}")
    whole, words = fingerprints(fields)
    return Question(bank=bank, slug=given["slug"], version=version, fingerprint=whole, words=words, **fields)


def fingerprints(fields: Mapping) -> tuple[str, str]:
    """Return the SHA-256 of all that is asked, and that of its words: without tags, difficulty and citations."""
    whole = {name: fields[name] for name in QUESTION_FIELDS}
    whole |= {name: fields[name] for name, default in LATER_FIELDS.items() if fields[name] != default}
    words = {name: value for name, value in whole.items() if name not in NOT_WORDS}
    return hashlib.sha256(canon.canonical(whole)).hexdigest(), hashlib.sha256(canon.canonical(words)).hexdigest()


def is_unchanged(question: Question) -> bool:
    """Return whether a stored question is what was published: whoever changed the row did not change its print."""
    names = (*QUESTION_FIELDS, *LATER_FIELDS)
    return fingerprints({name: getattr(question, name) for name in names})[0] == question.fingerprint


@transaction.atomic
def publish_quiz(
    *,
    slug: str,
    title: Mapping[str, str],
    questions: Sequence[Question],
    draw: int,
    pass_percent: int,
    tries_before_wait: int,
    wait_minutes: int,
    time_limit_minutes: int | None = None,
    blueprint: Sequence[Mapping] = (),
    by: str,
) -> Quiz:
    """Publish a quiz over these very versions of the questions. It never changes: a changed quiz is another slug.

    Raises BadQuestion: too few, two of one name, not reviewed, or a blueprint that these questions cannot fill.
    """
    if twice := [name for name, n in Counter(question.slug for question in questions).items() if n > 1]:
        raise BadQuestion(f"{slug} has two questions of one name: {', '.join(twice)}")
    if draw > len(questions):
        raise BadQuestion(f"{slug} draws {draw} questions and has {len(questions)}")
    if unread := [str(question) for question in questions if question.state != Question.State.ACCEPTED]:
        raise BadQuestion(f"{slug} asks what nobody has reviewed: {', '.join(unread)}")
    cards = {question.slug: card_of(question) for question in questions}
    if flaw := next(drawing.flaws_in_blueprint(cards, drawing.cells_of(blueprint), draw), None):
        raise BadQuestion(f"{slug}: {flaw.what}")
    quiz = Quiz.objects.create(
        slug=slug,
        title=title,
        draw=draw,
        blueprint=list(blueprint),
        pass_percent=pass_percent,
        tries_before_wait=tries_before_wait,
        wait_minutes=wait_minutes,
        time_limit_minutes=time_limit_minutes,
    )
    quiz.questions.set(questions)
    body = {"quiz": slug, "draw": draw, "pass_percent": pass_percent, "questions": [str(q) for q in questions]}
    body |= {"blueprint": list(blueprint)} if blueprint else {}
    ledger.append(verb="quizzes.quiz_published", actor=by, subject="system:quizzes", body=body)
    return quiz


def card_of(question: Question) -> drawing.Card:
    return drawing.Card(tuple(question.tags), question.difficulty, question.must_pass, question.bank.slug)


@transaction.atomic
def withdraw_question(*, question: Question, reason: str, by: Employee) -> Question:
    """Take one version of a question out of every draw from now on, and return it.

    An attempt that shows it and is still open is graded without it. What was graded before stays as it is.
    Raises NoReason, AlreadyWithdrawn.
    """
    reason = reason.strip()
    if not reason:
        raise NoReason(str(question))
    question = Question.objects.select_for_update(of=("self",)).select_related("bank").get(pk=question.pk)
    if question.withdrawn_at:
        raise AlreadyWithdrawn(str(question))
    question.withdrawn_at, question.withdrawn_by, question.withdrawn_why = timezone.now(), by, reason[:500]
    question.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_why"])
    body = {"bank": question.bank.slug, "question": str(question), "fingerprint": question.fingerprint}
    body |= {"reason": question.withdrawn_why}
    ledger.append(verb="quizzes.question_withdrawn", actor=by.uid, subject="system:quizzes", body=body)
    return question
