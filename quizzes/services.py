"""What can be done with quizzes: one function a verb, each with its Entry. Lock first, then look."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from portal.ledger import rules as canon
from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes import grading, rules
from quizzes.models import Attempt, Bank, Question, Quiz, Response

QUESTION_FIELDS = ("kind", "tags", "difficulty", "cites", "stem", "options", "explanation")


class MustWait(Exception):
    """Too many failures in a row. ``until``: the moment from which the next try may begin."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the next try may begin at {until.isoformat()}")
        self.until = until


class ForgedAnswer(ValueError):
    """An answer that the page did not offer: another attempt's token, a token twice, too many, no such question."""


class AlreadySubmitted(Exception):
    """The attempt is graded: nothing can be added to it."""


class TooLate(Exception):
    """The time is up, and so is the grace."""


class NotYours(PermissionError):
    """An attempt is answered by the person whose it is, and by nobody else."""


class BadQuestion(ValueError):
    """A question that could not be graded, or too few of them."""


@transaction.atomic
def publish_bank(*, slug: str, title: Mapping[str, str], questions: Sequence[Mapping], by: str) -> list[Question]:
    """Bring a bank up to date and return its questions, in the order given.

    Each of ``questions`` has ``slug`` and the QUESTION_FIELDS. A question whose text was published before is that very
    row; a changed one becomes a new version. Nothing is deleted: attempts keep what they showed.
    Raises BadQuestion.
    """
    Bank.objects.get_or_create(slug=slug, defaults={"title": title})
    bank = Bank.objects.select_for_update().get(slug=slug)
    if bank.title != title:
        bank.title = title
        bank.save(update_fields=["title"])
    known = {(q.slug, q.fingerprint): q for q in bank.questions.all()}
    newest = dict(bank.questions.values_list("slug").annotate(Max("version")))
    published, fresh = [], []
    for given in questions:
        question = _version(bank, given, newest)
        if (question.slug, question.fingerprint) in known:
            question = known[question.slug, question.fingerprint]
        else:
            question.save(force_insert=True)
            fresh.append(str(question))
        published.append(question)
    if fresh:
        ledger.append(
            verb="quizzes.bank_published", actor=by, subject="system:quizzes", body={"bank": slug, "new": fresh}
        )
    return published


def _version(bank: Bank, given: Mapping, newest: Mapping[str, int]) -> Question:
    """Return the next version of the question, not saved."""
    flaw = next(rules.flaws_in_key(given["kind"], given["options"]), None)
    if flaw:
        raise BadQuestion(f"{given['slug']}: {flaw.what}")
    fields = {name: given[name] for name in QUESTION_FIELDS}
    fingerprint = hashlib.sha256(canon.canonical(fields)).hexdigest()
    version = newest.get(given["slug"], 0) + 1
    return Question(bank=bank, slug=given["slug"], version=version, fingerprint=fingerprint, **fields)


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
    by: str,
) -> Quiz:
    """Publish a quiz over these very versions of the questions. It never changes: a changed quiz is another slug."""
    if draw > len(questions):
        raise BadQuestion(f"{slug} draws {draw} questions and has {len(questions)}")
    quiz = Quiz.objects.create(
        slug=slug,
        title=title,
        draw=draw,
        pass_percent=pass_percent,
        tries_before_wait=tries_before_wait,
        wait_minutes=wait_minutes,
        time_limit_minutes=time_limit_minutes,
    )
    quiz.questions.set(questions)
    body = {"quiz": slug, "draw": draw, "pass_percent": pass_percent, "questions": [str(q) for q in questions]}
    ledger.append(verb="quizzes.quiz_published", actor=by, subject="system:quizzes", body=body)
    return quiz


def start_attempt(*, quiz: Quiz, employee: Employee, language: str, by: str) -> Attempt:
    """Return the person's open attempt at the quiz, begun now if there is none.

    An open one whose time is up is graded first, with what was saved in time; that stays even where a wait follows.
    Raises MustWait.
    """
    with transaction.atomic():
        # The person is the lock: there may be no attempt yet to lock.
        Employee.objects.select_for_update(of=("self",), no_key=True).get(pk=employee.pk)
        now = timezone.now()
        attempt = Attempt.objects.select_for_update(of=("self",)).filter(quiz=quiz, employee=employee).open().first()
        if attempt and not grading.is_late(attempt.closes_at, now):
            return attempt
        if attempt:
            _grade(attempt, ended_at=attempt.closes_at, timed_out=True, by=by)
        until = next_try_at(quiz=quiz, employee=employee, now=now)
        if until is None:
            return _begin(quiz, employee, language, now, by)
    raise MustWait(until)


def next_try_at(*, quiz: Quiz, employee: Employee, now: datetime) -> datetime | None:
    """Return the moment from which the person may try again, None if at once."""
    ended = Attempt.objects.filter(quiz=quiz, employee=employee).submitted().order_by("number")
    return grading.wait_until(
        list(ended.values_list("submitted_at", "passed")),
        tries_before_wait=quiz.tries_before_wait,
        wait_minutes=quiz.wait_minutes,
        now=now,
    )


def _begin(quiz: Quiz, employee: Employee, language: str, now: datetime, by: str) -> Attempt:
    questions = {question.slug: question for question in quiz.questions.all()}
    tags = {slug: question.tags[0] for slug, question in questions.items()}
    seed = secrets.token_hex(32)
    chosen = grading.draw(tags, count=quiz.draw, seed=seed, seen=_seen_before(employee, questions.values()))
    limit = quiz.time_limit_minutes
    attempt = Attempt.objects.create(
        quiz=quiz,
        employee=employee,
        number=Attempt.objects.filter(quiz=quiz, employee=employee).count() + 1,
        seed=seed,
        language=language,
        pass_percent=quiz.pass_percent,
        started_at=now,
        closes_at=now + timedelta(minutes=limit) if limit else None,
    )
    Response.objects.bulk_create(
        _response(attempt, position, questions[slug]) for position, slug in enumerate(chosen, start=1)
    )
    body = {"attempt": attempt.uid, "quiz": quiz.slug, "number": attempt.number}
    shown = [str(questions[slug]) for slug in chosen]
    ledger.append(verb="quizzes.attempt_started", actor=by, subject=employee.uid, body={**body, "questions": shown})
    return attempt


def _seen_before(employee: Employee, questions) -> list[str]:
    """Return the slugs that any of the person's attempts showed, oldest first: an edited question was still seen."""
    banks = {question.bank_id for question in questions}
    shown = Response.objects.filter(attempt__employee=employee, question__bank__in=banks)
    return list(shown.order_by("attempt__started_at", "position").values_list("question__slug", flat=True))


def _response(attempt: Attempt, position: int, question: Question) -> Response:
    ids = [option["id"] for option in question.options]
    order = grading.option_order(ids, kind=question.kind, seed=attempt.seed, slug=question.slug)
    tokens = {secrets.token_urlsafe(9): option for option in order}
    return Response(attempt=attempt, position=position, question=question, order=order, tokens=tokens)


@transaction.atomic
def save_answer(*, attempt: Attempt, position: int, tokens: Sequence[str], by: str) -> Response:
    """Keep what is ticked at one question until the attempt is submitted; no tokens: nothing is.

    A draft, so there is no Entry: only what is submitted is evidence.
    Raises AlreadySubmitted, TooLate, ForgedAnswer, NotYours.
    """
    attempt = _locked(attempt, by)
    now = timezone.now()
    if not attempt.is_open:
        raise AlreadySubmitted(attempt.uid)
    if grading.is_late(attempt.closes_at, now):
        raise TooLate(attempt.uid)
    return _answer(_responses(attempt), {position: tokens}, now)[position]


@transaction.atomic
def submit(*, attempt: Attempt, answers: Mapping[int, Sequence[str]], by: str) -> Attempt:
    """Grade the attempt and return it. A second submit changes nothing and returns the same result.

    ``answers`` maps a position to the tokens chosen there; ``[]`` clears a saved answer, and a position that is left
    out keeps what was saved. When the time is up, grace included, what comes now is not counted, only what was saved,
    and the attempt ended at closing time. Not answered is wrong.
    Raises ForgedAnswer and NotYours, and then nothing is submitted.
    """
    attempt = _locked(attempt, by)
    if not attempt.is_open:
        return attempt
    now = timezone.now()
    late = grading.is_late(attempt.closes_at, now)
    if not late:
        _answer(_responses(attempt), answers, now)
    return _grade(attempt, ended_at=attempt.closes_at if late else now, timed_out=late, by=by)


def _locked(attempt: Attempt, by: str) -> Attempt:
    """Lock the attempt and read it anew. Raises NotYours."""
    locked = Attempt.objects.select_for_update(of=("self",)).select_related("quiz", "employee").get(pk=attempt.pk)
    if by != locked.employee.uid and not by.startswith("system:"):
        raise NotYours(locked.uid)
    return locked


def _responses(attempt: Attempt) -> dict[int, Response]:
    return {response.position: response for response in attempt.responses.select_related("question")}


def _answer(responses: dict[int, Response], answers: Mapping[int, Sequence[str]], now: datetime) -> dict[int, Response]:
    """Write the answers down after all of them have been checked. Raises ForgedAnswer."""
    changed: list[Response] = []
    for position, tokens in answers.items():
        response = responses.get(position)
        if response is None:
            raise ForgedAnswer(f"there is no question {position}")
        chosen = _chosen(response, tokens)
        if chosen != response.chosen:
            response.chosen, response.answered_at = chosen, now if chosen else None
            changed.append(response)
    for response in changed:  # one by one: bulk_update would write a JSON null for "not answered"
        response.save(update_fields=["chosen", "answered_at"])
    return responses


def _chosen(response: Response, tokens: Sequence[str]) -> list[str] | None:
    """Return the option ids behind the tokens, in the order shown, None for none. Raises ForgedAnswer."""
    most = len(response.order) if response.question.kind == Question.Kind.MULTIPLE else 1
    if len(tokens) > most or len(set(tokens)) < len(tokens) or not set(tokens) <= response.tokens.keys():
        raise ForgedAnswer(f"question {response.position} did not offer that")
    picked = {response.tokens[token] for token in tokens}
    return [option for option in response.order if option in picked] or None


def _grade(attempt: Attempt, *, ended_at: datetime, timed_out: bool, by: str) -> Attempt:
    """Grade what is written down. The attempt is locked and open."""
    responses = list(_responses(attempt).values())
    for response in responses:
        key = [option["id"] for option in response.question.options if option.get("right")]
        response.is_right = grading.is_right(response.chosen, key)
    Response.objects.bulk_update(responses, ["is_right"])
    attempt.right = sum(response.is_right for response in responses)
    attempt.percent = grading.percent(attempt.right, len(responses))
    attempt.passed = grading.passes(attempt.percent, attempt.pass_percent)
    attempt.submitted_at = max(ended_at, attempt.started_at)  # a clock that was set back ends nothing early
    attempt.save(update_fields=["right", "percent", "passed", "submitted_at"])
    body = _evidence(attempt, responses) | {"timed_out": timed_out}
    ledger.append(verb="quizzes.attempt_submitted", actor=by, subject=attempt.employee.uid, body=body)
    return attempt


def _evidence(attempt: Attempt, responses: list[Response]) -> dict:
    return {
        "attempt": attempt.uid,
        "quiz": attempt.quiz.slug,
        "number": attempt.number,
        "started_at": attempt.started_at,
        "submitted_at": attempt.submitted_at,
        "percent": attempt.percent,
        "pass_percent": attempt.pass_percent,
        "passed": attempt.passed,
        "responses": [
            {"position": r.position, "question": str(r.question), "chosen": r.chosen, "is_right": r.is_right}
            for r in responses
        ],
    }
