"""Questions are written, proposed, and read by a second person before they count. Nothing that is there is changed."""

from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes.models import Bank, Question, QuestionStep
from quizzes.publishing import LATER_FIELDS, QUESTION_FIELDS, NoReason, version_of

Deed = QuestionStep.Deed
MOST_TAGS = 6


class OwnQuestion(PermissionError):
    """Whoever wrote a question does not review it."""


class NotForReview(ValueError):
    """The question is in no state for this: somebody was faster, or it is withdrawn."""


@transaction.atomic
def save_question(*, bank: Bank, given: Mapping, by: Employee, propose: bool = False) -> Question:
    """Keep a question as the next version of its slug, and return it; the newest stays where it says the same.

    ``given`` as publishing.version_of takes it. ``propose``: it is written to the end and waits for a second person.
    Raises publishing.BadQuestion.
    """
    Bank.objects.select_for_update().get(pk=bank.pk)
    newest = bank.questions.filter(slug=given["slug"]).order_by("-version").first()
    question = version_of(bank, given, newest.version + 1 if newest else 1)
    if newest and newest.fingerprint == question.fingerprint:
        question = newest
    else:
        question.written_by = by
        question.save()
        _step(question, Deed.SAVED, by)
    if propose and question.state in (Question.State.DRAFT, Question.State.RETURNED):
        question = _moved(question, Question.State.PROPOSED, Deed.PROPOSED, by)
    return question


@transaction.atomic
def accept(*, question: Question, by: Employee, text: str = "") -> Question:
    """Let a question count from now on. Raises OwnQuestion, NotForReview."""
    question = _for_review(question, by)
    question.reviewed_by, question.reviewed_at = by, timezone.now()
    return _moved(question, Question.State.ACCEPTED, Deed.ACCEPTED, by, text)


@transaction.atomic
def send_back(*, question: Question, by: Employee, text: str) -> Question:
    """Return a question to its author, and say what to mend. Raises OwnQuestion, NotForReview, NoReason."""
    if not text.strip():
        raise NoReason(str(question))
    return _moved(_for_review(question, by), Question.State.RETURNED, Deed.RETURNED, by, text)


def _for_review(question: Question, by: Employee) -> Question:
    question = Question.objects.select_for_update(of=("self",)).select_related("bank").get(pk=question.pk)
    if question.written_by_id == by.pk:
        raise OwnQuestion(str(question))
    if question.state != Question.State.PROPOSED or question.withdrawn_at:
        raise NotForReview(str(question))
    return question


def _moved(question: Question, state: str, deed: str, by: Employee, text: str = "") -> Question:
    question.state = state
    question.save(update_fields=["state", "reviewed_by", "reviewed_at"])
    _step(question, deed, by, text)
    return question


def _step(question: Question, deed: str, by: Employee, text: str = "") -> None:
    QuestionStep.objects.create(question=question, deed=deed, by=by, at=timezone.now(), text=text.strip()[:1000])
    body = {"bank": question.bank.slug, "question": str(question), "fingerprint": question.fingerprint}
    body |= {"text": text.strip()[:1000]} if text.strip() else {}
    ledger.append(verb=f"quizzes.question_{deed}", actor=by.uid, subject="system:quizzes", body=body)


@transaction.atomic
def retag(
    *, bank: Bank, slugs: Collection[str], add: Sequence[str] = (), remove: Collection[str] = (), by: Employee
) -> int:
    """Give questions other tags, and return how many have them now. Each becomes a version with the same words.

    So its review and what answers have shown carry over. New tags come last: the first one is what a draw counts.
    """
    Bank.objects.select_for_update().get(pk=bank.pk)
    made = []
    for old in bank.questions.newest().filter(slug__in=slugs, withdrawn_at=None).order_by("slug"):
        tags = [tag for tag in old.tags if tag not in remove]
        tags = list(dict.fromkeys([*tags, *add]))[:MOST_TAGS]
        if tags == old.tags:
            continue
        given = {"slug": old.slug} | {name: getattr(old, name) for name in (*QUESTION_FIELDS, *LATER_FIELDS)}
        new = version_of(bank, given | {"tags": tags}, old.version + 1)
        new.state, new.written_by = old.state, old.written_by
        new.reviewed_by, new.reviewed_at = old.reviewed_by, old.reviewed_at
        made.append(new)
    for question in made:
        question.save()
    if made:
        body = {"bank": bank.slug, "add": list(add), "remove": sorted(remove), "new": [str(q) for q in made]}
        ledger.append(verb="quizzes.questions_tagged", actor=by.uid, subject="system:quizzes", body=body)
    return len(made)
