"""A question that was faulty is called back: results are looked at again, and none is changed."""

from collections.abc import Iterable
from fractions import Fraction

from django.db import transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee, opaque_id
from quizzes import grading
from quizzes.models import Attempt, Question, Recall, Regrade, Response
from quizzes.publishing import NoReason, withdraw_question

REGRADE = "quizzes.tasks.regrade"
BATCH = 200  # attempts in one step


@transaction.atomic
def recall_question(*, question: Question, rule: str, reason: str, by: Employee) -> Recall:
    """Withdraw all versions of these words, and have every result in which they counted looked at again.

    A question that was withdrawn before can be recalled later. A second recall returns the first. Raises NoReason.
    """
    reason = reason.strip()
    if not reason:
        raise NoReason(str(question))
    versions = Question.objects.select_for_update(of=("self",)).select_related("bank").filter(words=question.words)
    versions = list(versions.order_by("pk"))
    if known := Recall.objects.filter(words=question.words).first():
        return known
    for version in versions:
        if version.withdrawn_at is None:
            withdraw_question(question=version, reason=reason, by=by)
    affected = _affected(question.words).count()
    job = jobs.start(kind=REGRADE, key=question.words, by=by, params={"words": question.words}, total=affected)
    recall = Recall.objects.create(
        question=question, words=question.words, rule=rule, reason=reason[:500], begun_by=by, begun_at=timezone.now(),
        job=job,
    )  # fmt: skip
    body = {"recall": recall.uid, "questions": [f"{v.bank.slug}/{v}" for v in versions], "rule": rule}
    body |= {"reason": recall.reason, "attempts": affected}
    ledger.append(verb="quizzes.question_recalled", actor=by.uid, subject="system:quizzes", body=body)
    return recall


@transaction.atomic
def ask_again(*, recall: Recall, rule: str, reason: str, by: Employee) -> Recall:
    """Ask anew for a recall that was sent back: every result is looked at again under ``rule``.

    What the first look came to stays in the ledger. One that was not sent back is returned as it is. Raises NoReason.
    """
    reason = reason.strip()
    if not reason:
        raise NoReason(recall.uid)
    recall = Recall.objects.select_for_update(of=("self",)).get(pk=recall.pk)
    if recall.sent_back_at is None:
        return recall
    recall.regrades.all().delete()
    affected = _affected(recall.words).count()
    recall.job = jobs.start(kind=REGRADE, key=opaque_id(), by=by, params={"words": recall.words}, total=affected)
    recall.rule, recall.reason, recall.begun_by, recall.begun_at = rule, reason[:500], by, timezone.now()
    recall.sent_back_at, recall.sent_back_by, recall.sent_back_why = None, None, ""
    recall.save()
    body = {"recall": recall.uid, "rule": rule, "reason": recall.reason, "attempts": affected}
    ledger.append(verb="quizzes.recall_asked_again", actor=by.uid, subject="system:quizzes", body=body)
    return recall


def _affected(words: str) -> QuerySet[Attempt]:
    """Graded attempts in which a version of these words counted."""
    shown = Response.objects.filter(question__words=words, is_counted=True).values("attempt")
    return Attempt.objects.submitted().filter(pk__in=shown)


def regrade_step(job: Job) -> bool:
    """Look at the next results again, in the order of the attempts. One step of a job."""
    recall = Recall.objects.get(words=job.params["words"])
    waiting = _affected(recall.words).filter(pk__gt=int(job.cursor or 0))
    attempts = list(waiting.select_related("employee").order_by("pk")[:BATCH])
    _regrade(recall, attempts)
    job.cursor = str(attempts[-1].pk) if attempts else job.cursor
    job.done = (job.done or 0) + len(attempts)
    job.total = max(job.total or 0, job.done)
    return len(attempts) < BATCH


@transaction.atomic
def regrade_missed(recall: Recall) -> int:
    """Look at results again that were handed in while the question was being called back. Return how many."""
    missed = _affected(recall.words).exclude(regrades__recall=recall)
    attempts = list(missed.select_related("employee").order_by("pk"))
    _regrade(recall, attempts)
    return len(attempts)


def _regrade(recall: Recall, attempts: list[Attempt]) -> None:
    rules = dict(Recall.objects.values_list("words", "rule"))
    standing = _standing(attempts)
    responses: dict[int, list[Response]] = {attempt.pk: [] for attempt in attempts}
    for response in Response.objects.filter(attempt__in=attempts).select_related("question"):
        responses[response.attempt_id].append(response)
    found = []
    for attempt in attempts:
        outcome = grading.outcome(_marks(responses[attempt.pk], rules), attempt.pass_percent)
        percent, passed = standing.get(attempt.pk, (attempt.percent, attempt.passed))
        about = {"percent_before": percent, "passed_before": passed}
        about |= {"percent_after": outcome.percent, "passed_after": outcome.passed}
        found.append(Regrade(recall=recall, attempt=attempt, **about))
    Regrade.objects.bulk_create(found)
    for row in found:
        subject = row.attempt.employee.uid
        ledger.append(verb="quizzes.attempt_regraded", actor="system:quizzes", subject=subject, body=_evidence(row))


def _marks(responses: Iterable[Response], rules: dict[str, str]) -> list[grading.Graded]:
    """Return how the questions of an attempt count, all recalls considered."""
    marks = []
    for response in responses:
        rule = rules.get(response.question.words) if response.is_counted else None
        credit = Fraction(1) if rule == Recall.Rule.FULL else Fraction(response.credit, grading.WHOLE)
        counts = response.is_counted and rule != Recall.Rule.LEFT_OUT
        marks.append(grading.Graded(credit, response.points, response.must_pass, counts))
    return marks


def _standing(attempts: list[Attempt]) -> dict[int, tuple[int, bool]]:
    """Return what attempts count for after earlier recalls: {attempt: (percent, passed)}."""
    earlier = Regrade.objects.filter(attempt__in=attempts).order_by("pk")
    return {row.attempt_id: (row.counts_percent, row.counts_passed) for row in earlier}


def _evidence(row: Regrade) -> dict:
    return {
        "recall": row.recall.uid,
        "attempt": row.attempt.uid,
        "before": {"percent": row.percent_before, "passed": row.passed_before},
        "after": {"percent": row.percent_after, "passed": row.passed_after},
    }


def summary(recall: Recall) -> dict[str, int]:
    """Return how many results a recall touches, and how. One query."""
    return recall.regrades.aggregate(
        results=Count("pk"),
        people=Count("attempt__employee", distinct=True),
        higher=Count("pk", filter=Q(percent_after__gt=F("percent_before"))),
        lower=Count("pk", filter=Q(percent_after__lt=F("percent_before"))),
        now_passed=Count("pk", filter=Q(passed_before=False, passed_after=True)),
        no_longer=Count("pk", filter=Q(passed_before=True, passed_after=False)),
        settled=Count("pk", filter=~Q(outcome="")),
        told=Count("told_at"),
    )


def changed(rows: QuerySet[Regrade]) -> QuerySet[Regrade]:
    """Those whose percentage or outcome is another one now."""
    return rows.filter(~Q(percent_after=F("percent_before")) | ~Q(passed_after=F("passed_before")))


def better(rows: QuerySet[Regrade]) -> QuerySet[Regrade]:
    """Those that count for more now: a higher percentage, or passed after all. Only these people are written to."""
    return rows.filter(Q(percent_after__gt=F("percent_before")) | Q(passed_before=False, passed_after=True))


def touched_by(question: Question) -> dict[str, int]:
    """Return how many graded attempts, and of how many people, a recall would look at again. One query."""
    return _affected(question.words).aggregate(attempts=Count("pk"), people=Count("employee", distinct=True))


def results_of(attempt: Attempt) -> list[Regrade]:
    """Return what recalls have made of an attempt, the oldest first."""
    return list(attempt.regrades.select_related("recall__question").order_by("pk"))
