"""An attempt begins: its questions are drawn and frozen, and it is noted when they are shown. Lock first, then look."""

import hashlib
import random
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.ledger import rules as canon
from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes import drawing, grading, rules
from quizzes.answering import grade
from quizzes.extra_time import extra_percent
from quizzes.kinds import kind_of
from quizzes.models import Attempt, Question, Quiz, Response, Showing


class MustWait(Exception):
    """Too many failures in a row. ``until``: the moment from which the next try may begin."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"the next try may begin at {until.isoformat()}")
        self.until = until


class NothingToAsk(Exception):
    """Every question of the quiz has been withdrawn."""


def start_attempt(*, quiz: Quiz, employee: Employee, language: str, by: str) -> Attempt:
    """Return the person's open attempt at the quiz, begun now if there is none.

    An open one whose time is up is graded first, with what was saved in time; that stays even where a wait follows.
    Raises MustWait, NothingToAsk.
    """
    with transaction.atomic():
        # The person is the lock: there may be no attempt yet to lock.
        Employee.objects.select_for_update(of=("self",), no_key=True).get(pk=employee.pk)
        now = timezone.now()
        attempt = Attempt.objects.select_for_update(of=("self",)).filter(quiz=quiz, employee=employee).open().first()
        if attempt and not grading.is_late(attempt.closes_at, now):
            return attempt
        if attempt:
            grade(attempt, ended_at=attempt.closes_at, timed_out=True, by=by)
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
    seed = secrets.token_hex(32)
    questions = _drawn(quiz, employee, seed)
    if not questions:
        raise NothingToAsk(quiz.slug)
    extra = extra_percent(employee, timezone.localdate(now)) if quiz.time_limit_minutes else 0
    attempt = Attempt(
        quiz=quiz,
        employee=employee,
        number=Attempt.objects.filter(quiz=quiz, employee=employee).count() + 1,
        seed=seed,
        language=language,
        languages=sorted(set.intersection(*(set(question.stem) for question in questions))),
        pass_percent=quiz.pass_percent,
        extra_percent=extra,
        started_at=now,
        closes_at=grading.closing_time(now, quiz.time_limit_minutes, extra),
    )
    responses = [_response(attempt, place, question) for place, question in enumerate(questions, start=1)]
    attempt.paper_sha256 = paper_sha256(attempt, responses)
    attempt.save(force_insert=True)
    Response.objects.bulk_create(responses)
    body = {"attempt": attempt.uid, "quiz": quiz.slug, "number": attempt.number}
    body |= {"questions": [str(question) for question in questions], "paper": attempt.paper_sha256}
    body |= {"closes_at": attempt.closes_at, "extra_percent": extra}
    ledger.append(verb="quizzes.attempt_started", actor=by, subject=employee.uid, body=body)
    return attempt


def _drawn(quiz: Quiz, employee: Employee, seed: str) -> list[Question]:
    """Return the questions to ask, in order: as many as the quiz draws, fewer where too many were withdrawn."""
    usable = quiz.questions.usable()
    rows = list(usable.values_list("pk", "bank", "slug", "tags", "difficulty", "must_pass", "bank__slug"))
    cards = {slug: drawing.Card(tuple(tags), level, must, of) for _pk, _bank, slug, tags, level, must, of in rows}
    drawn = drawing.draw(
        cards,
        count=min(quiz.draw, len(cards)),
        seed=seed,
        seen=_seen_before(employee, {row[1] for row in rows}),
        blueprint=drawing.cells_of(quiz.blueprint),
    )
    pk_of = {row[2]: row[0] for row in rows}
    found = Question.objects.in_bulk([pk_of[slug] for slug in drawn])
    return [found[pk_of[slug]] for slug in drawn]


def _seen_before(employee: Employee, banks: set[int]) -> list[str]:
    """Return the slugs that any of the person's attempts showed, oldest first: an edited question was still seen."""
    shown = Response.objects.filter(attempt__employee=employee, question__bank__in=banks)
    return list(shown.order_by("attempt__started_at", "position").values_list("question__slug", flat=True))


def _response(attempt: Attempt, position: int, question: Question) -> Response:
    chance = random.Random(f"options/{attempt.seed}/{question.slug}")  # noqa: S311 - fairness, not secrecy
    order = kind_of(question.content).order(question.content, chance)
    return Response(
        attempt=attempt,
        position=position,
        question=question,
        order=order,
        tokens={secrets.token_urlsafe(9): name for name in order},
        points=question.points,
        must_pass=question.must_pass,
    )


def paper_sha256(attempt: Attempt, responses: Sequence[Response]) -> str:
    """Return the fingerprint of all that an attempt froze: questions word by word, order, points, terms.

    It stands in the Entry of the beginning, so years later it can be told whether what is drawn again is what was
    shown.
    """
    return hashlib.sha256(canon.canonical(paper_of(attempt, responses))).hexdigest()


def paper_of(attempt: Attempt, responses: Sequence[Response]) -> dict:
    """Return what the fingerprint of an attempt's paper is over."""
    return {
        "attempt": attempt.uid,
        "languages": attempt.languages,
        "pass_percent": attempt.pass_percent,
        "started_at": attempt.started_at,
        "closes_at": attempt.closes_at,
        "questions": [
            {
                "position": response.position,
                "question": str(response.question),
                "fingerprint": response.question.fingerprint,
                "order": response.order,
                "points": response.points,
                "must_pass": response.must_pass,
            }
            for response in responses
        ],
    }


def language_for(attempt: Attempt, wanted: str) -> str:
    """Return the one language in which to tell the paper: questions in two would only confuse."""
    return rules.language_of(attempt.languages, wanted, settings.LANGUAGE_CODE)


def note_showing(*, attempt: Attempt, language: str, device: str) -> None:
    """Note that the paper is put before its person, where language or device are others than the last time."""
    last = attempt.showings.order_by("-pk").values_list("language", "device").first()
    if last != (language, device):
        Showing.objects.create(attempt=attempt, language=language, device=device, shown_at=timezone.now())
