"""An attempt is answered, submitted and graded. Lock first, then look."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes import grading
from quizzes.kinds import Forged, kind_of
from quizzes.kinds.base import Answer
from quizzes.models import Attempt, Response
from quizzes.publishing import NoReason

Sent = Mapping[str, Sequence[str]] | Sequence[str]  # what a form says of one question; a sequence: option tokens alone


class ForgedAnswer(ValueError):
    """An answer that the page did not offer: another attempt's token, a token twice, too many, no such question."""


class OutOfDate(Exception):
    """The form knows an older answer than the one that is kept. ``positions``: the questions where it says another."""

    def __init__(self, positions: Collection[int]) -> None:
        super().__init__(f"answered elsewhere since: {sorted(positions)}")
        self.positions = sorted(positions)


class AlreadySubmitted(Exception):
    """The attempt is graded: nothing can be added to it."""


class TooLate(Exception):
    """The time is up, and so is the grace."""


class NotYours(PermissionError):
    """An attempt is answered by the person whose it is, and by nobody else."""


@transaction.atomic
def save_answers(
    *,
    attempt: Attempt,
    answers: Mapping[int, Sent],
    by: str,
    revisions: Mapping[int, int] | None = None,
    language: str = "",
    device: str = "",
) -> list[Response]:
    """Keep what is answered at some questions until the attempt is submitted, and return them.

    ``answers`` maps positions to what the form says there; nothing: the answer is cleared. ``revisions`` says which
    revision of each answer the form knows: where another one is kept by now, nothing is saved. A draft, so there is
    no Entry: only what is submitted is evidence. Raises AlreadySubmitted, TooLate, ForgedAnswer, OutOfDate, NotYours.
    """
    attempt = _locked(attempt, by)
    now = timezone.now()
    if not attempt.is_open:
        raise AlreadySubmitted(attempt.uid)
    if grading.is_late(attempt.closes_at, now):
        raise TooLate(attempt.uid)
    wanted = attempt.responses.filter(position__in=list(answers)).select_related("question")
    responses = {response.position: response for response in wanted}
    _answer(attempt, responses, answers, revisions or {}, now, language, device)
    return list(responses.values())


def save_answer(*, attempt: Attempt, position: int, sent: Sent, by: str, **about) -> Response:
    """Keep the answer to one question, as save_answers() does."""
    return save_answers(attempt=attempt, answers={position: sent}, by=by, **about)[0]


def progress(attempt: Attempt) -> tuple[int, int]:
    """Return how many questions are answered to the end, and how many there are. One query."""
    counted = attempt.responses.aggregate(done=Count("pk", filter=Q(is_complete=True)), total=Count("pk"))
    return counted["done"], counted["total"]


def _locked(attempt: Attempt, by: str) -> Attempt:
    """Lock the attempt and read it anew. Raises NotYours."""
    locked = Attempt.objects.select_for_update(of=("self",)).get(pk=attempt.pk)
    locked.quiz, locked.employee = attempt.quiz, attempt.employee  # these never change
    if by != locked.employee.uid and not by.startswith("system:"):
        raise NotYours(locked.uid)
    return locked


def _responses(attempt: Attempt) -> dict[int, Response]:
    return {response.position: response for response in attempt.responses.select_related("question")}


def _answer(
    attempt: Attempt,
    responses: Mapping[int, Response],
    answers: Mapping[int, Sent],
    revisions: Mapping[int, int],
    now: datetime,
    language: str,
    device: str,
) -> None:
    """Write the answers down after all of them have been checked. Raises ForgedAnswer, OutOfDate."""
    changed, old = [], []
    for position, sent in answers.items():
        response = responses.get(position)
        if response is None:
            raise ForgedAnswer(f"there is no question {position}")
        fields = sent if isinstance(sent, Mapping) else {"": sent}
        is_old = revisions.get(position, response.revision) != response.revision
        if is_old and not any(value for values in fields.values() for value in values):
            continue  # nothing is said there: what was answered elsewhere stays
        answer = _read(response, fields, is_old=is_old)
        if answer == response.answer:
            continue
        (old if is_old else changed).append(response)
        response.answer = answer
    if old:
        raise OutOfDate({response.position for response in old})
    if len(changed) == 1:  # of several at once nobody can say which took how long
        [response] = changed
        response.spent_ms = grading.spent(_last_sign(attempt), now, response.spent_ms)
    for response in changed:  # one by one: bulk_update would write a JSON null for "not answered"
        content = response.question.content
        response.answered_at = None if response.answer is None else now
        response.is_complete = kind_of(content).is_complete(content, response.answer)
        response.revision += 1
        response.saved_at, response.language, response.device = now, language, device
        response.save(update_fields=SAVED)


SAVED = ["answer", "answered_at", "is_complete", "revision", "saved_at", "spent_ms", "language", "device"]


def _read(response: Response, fields: Mapping[str, Sequence[str]], *, is_old: bool) -> Answer:
    """Return the answer in what a form sent. Raises ForgedAnswer; OutOfDate where an old form may just not know."""
    content = response.question.content
    tokens = {token: name for name, token in names_of(response).items()}
    try:
        return kind_of(content).read(content, tokens, fields, response.answer)
    except Forged as error:
        if is_old:
            raise OutOfDate({response.position}) from error
        raise ForgedAnswer(f"question {response.position}: {error}") from error


def names_of(response: Response) -> dict[str, str]:
    """Return {id: the opaque name that the page uses}, in the order shown."""
    token_of = {name: token for token, name in response.tokens.items()}
    return {name: token_of[name] for name in response.order}


def _last_sign(attempt: Attempt) -> datetime:
    """Return when the attempt was last answered, or begun."""
    saved = attempt.responses.exclude(saved_at=None).order_by("-saved_at").values_list("saved_at", flat=True).first()
    return saved or attempt.started_at


# --- submitted ---------------------------------------------------------------------------------------------------


@transaction.atomic
def submit(
    *,
    attempt: Attempt,
    answers: Mapping[int, Sent],
    by: str,
    revisions: Mapping[int, int] | None = None,
    language: str = "",
    device: str = "",
) -> Attempt:
    """Grade the attempt and return it. A second submit changes nothing and returns the same result.

    ``answers`` and ``revisions`` as in save_answers(); a position that is left out keeps what was saved. When the time
    is up, grace included, what comes now is not counted, only what was saved, and the attempt ended at closing time.
    Not answered earns nothing. Raises ForgedAnswer, OutOfDate and NotYours, and then nothing is submitted.
    """
    attempt = _locked(attempt, by)
    if not attempt.is_open:
        return attempt
    now = timezone.now()
    late = grading.is_late(attempt.closes_at, now)
    responses = _responses(attempt)
    if not late:
        _answer(attempt, responses, answers, revisions or {}, now, language, device)
    ended_at = attempt.closes_at if late else now
    return grade(attempt, responses=responses, ended_at=ended_at, timed_out=late, by=by)


def grade(
    attempt: Attempt, *, ended_at: datetime, timed_out: bool, by: str, responses: dict[int, Response] | None = None
) -> Attempt:
    """Grade what is written down. The attempt is locked and open."""
    rows = list((responses or _responses(attempt)).values())
    marks = []
    for response in rows:
        content = response.question.content
        credit = kind_of(content).credit(content, response.answer)
        response.is_counted = response.question.withdrawn_at is None
        response.credit, response.is_right = grading.stored(credit), credit == 1
        marks.append(grading.Graded(credit, response.points, response.must_pass, response.is_counted))
    Response.objects.bulk_update(rows, ["is_counted", "credit", "is_right"])
    outcome = grading.outcome(marks, attempt.pass_percent)
    attempt.right, attempt.percent, attempt.passed = outcome.right, outcome.percent, outcome.passed
    attempt.timed_out = timed_out
    attempt.submitted_at = max(ended_at, attempt.started_at)  # a clock that was set back ends nothing early
    attempt.save(update_fields=["right", "percent", "passed", "timed_out", "submitted_at"])
    ledger.append(
        verb="quizzes.attempt_submitted", actor=by, subject=attempt.employee.uid, body=_evidence(attempt, rows)
    )
    return attempt


def _evidence(attempt: Attempt, responses: list[Response]) -> dict:
    return {
        "attempt": attempt.uid,
        "quiz": attempt.quiz.slug,
        "number": attempt.number,
        "paper": attempt.paper_sha256,
        "started_at": attempt.started_at,
        "submitted_at": attempt.submitted_at,
        "timed_out": attempt.timed_out,
        "percent": attempt.percent,
        "pass_percent": attempt.pass_percent,
        "passed": attempt.passed,
        "shown": [
            {"language": showing.language, "device": showing.device, "at": showing.shown_at}
            for showing in attempt.showings.all()
        ],
        "responses": [
            {
                "position": r.position,
                "question": str(r.question),
                "answer": r.answer,
                "answered_at": r.answered_at,
                "spent_ms": r.spent_ms,
                "points": r.points,
                "credit": r.credit,
                "is_right": r.is_right,
                "is_counted": r.is_counted,
            }
            for r in responses
        ],
    }


@transaction.atomic
def look_at(*, attempt: Attempt, reason: str, by: Employee) -> None:
    """Note that somebody looks at what another was asked and answered, and why. Raises NoReason."""
    reason = reason.strip()
    if not reason:
        raise NoReason(attempt.uid)
    body = {"attempt": attempt.uid, "reason": reason[:500]}
    ledger.append(verb="quizzes.attempt_looked_at", actor=by.uid, subject=attempt.employee.uid, body=body)
