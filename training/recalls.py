"""What follows from a recalled question: modules passed after all, certificates confirmed or replaced, people told.

Nobody loses by a question that was the firm's fault: of the result before and the one after, the better counts. Old
results, completions and certificates stay as they are; what is new stands beside them.
"""

import logging
from functools import partial

from celery import current_app
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee
from quizzes import papers
from quizzes import recalls as results
from quizzes.models import Recall, Regrade
from quizzes.publishing import NoReason
from training import certificates, deltas, learning
from training.assignments import lock_person
from training.models import Assignment, Completion, ModuleResult

logger = logging.getLogger(__name__)

SETTLE, TELL = "training.tasks.settle_recall", "training.tasks.tell_recalled"
BATCH = 50  # results in one step
Outcome = Regrade.Outcome


class NotLookedThrough(Exception):
    """Not every result has been looked at again yet."""


class OwnRecall(Exception):
    """Whoever asked for a recall does not decide about it."""


class SentBack(Exception):
    """The recall was sent back: it has to be asked for again first."""


class AlreadySettled(Exception):
    """What was settled is not sent back."""


@transaction.atomic
def settle(*, recall: Recall, by: Employee) -> Recall:
    """Let what follows follow: a worker goes through all results. Once: a second call changes nothing.

    Raises OwnRecall, NotLookedThrough, SentBack.
    """
    recall = _locked(recall)
    if recall.settled_at:
        return recall
    _demand_second_person(recall, by)
    results.regrade_missed(recall)
    recall.settled_at, recall.settled_by = timezone.now(), by
    recall.save(update_fields=["settled_at", "settled_by"])
    total = recall.regrades.count()
    jobs.start(kind=SETTLE, key=recall.uid, by=by, params={"recall": recall.pk}, total=total)
    body = {"recall": recall.uid, "results": total}
    ledger.append(verb="training.recall_settled", actor=by.uid, subject="system:quizzes", body=body)
    return recall


@transaction.atomic
def send_back(*, recall: Recall, why: str, by: Employee) -> Recall:
    """Refuse to settle. The question stays withdrawn, nothing follows, and the recall can be asked for again.

    Raises OwnRecall, NotLookedThrough, SentBack, AlreadySettled, NoReason.
    """
    why = why.strip()
    if not why:
        raise NoReason(recall.uid)
    recall = _locked(recall)
    if recall.settled_at:
        raise AlreadySettled(recall.uid)
    _demand_second_person(recall, by)
    recall.sent_back_at, recall.sent_back_by, recall.sent_back_why = timezone.now(), by, why[:500]
    recall.save(update_fields=["sent_back_at", "sent_back_by", "sent_back_why"])
    body = {"recall": recall.uid, "why": recall.sent_back_why}
    ledger.append(verb="training.recall_sent_back", actor=by.uid, subject="system:quizzes", body=body)
    return recall


def _locked(recall: Recall) -> Recall:
    return Recall.objects.select_for_update(of=("self",)).select_related("job", "question").get(pk=recall.pk)


def _demand_second_person(recall: Recall, by: Employee) -> None:
    if recall.begun_by_id == by.pk:
        raise OwnRecall(recall.uid)
    if recall.sent_back_at:
        raise SentBack(recall.uid)
    if recall.job.state != Job.State.DONE:
        raise NotLookedThrough(recall.uid)


def settle_step(job: Job) -> bool:
    """Settle the next results. One step of a job."""
    recall = Recall.objects.select_related("question", "settled_by").get(pk=job.params["recall"])
    waiting = recall.regrades.filter(outcome=Outcome.OPEN).select_related("attempt__employee", "attempt__quiz")
    rows = list(waiting.order_by("attempt__employee", "pk")[:BATCH])  # people in one order: no two jobs block another
    for row in rows:
        _settle_one(row, recall)
    job.done = (job.done or 0) + len(rows)
    transaction.on_commit(partial(_ring, TELL))
    return len(rows) < BATCH


def _settle_one(row: Regrade, recall: Recall) -> None:
    lock_person(row.attempt.employee_id)
    by = recall.settled_by.uid
    row.outcome = Outcome.NONE
    result = ModuleResult.objects.filter(attempt=row.attempt).select_related("assignment").first()
    if result:
        _see_to_certificate(row, result.assignment, recall, by)
    elif not row.passed_before and row.passed_after:
        _pass_after_all(row, by)
    row.save(update_fields=["outcome", "certificate"])


def _see_to_certificate(row: Regrade, assignment: Assignment, recall: Recall, by: str) -> None:
    """Confirm the certificate, or replace it by one with the better mark. One that has lapsed stays as it is."""
    completion = Completion.objects.filter(assignment=assignment).first()
    standing = completion and completion.certificates.standing().first()
    if not standing or completion.expires_on < timezone.localdate():
        return
    percent = percent_of(assignment)
    reason = f"recall {recall.uid}: {recall.reason}"
    if percent > standing.facts["percent"]:
        kind = certificates.Reason.RECALLED
        standing = certificates.reissue(certificate=standing, reason=reason, by=by, kind=kind, percent=percent)
        row.outcome = Outcome.REPLACED
    else:
        certificates.confirm(certificate=standing, reason=reason, by=by)
        row.outcome = Outcome.CONFIRMED
    row.certificate = standing.serial


def percent_of(assignment: Assignment) -> int:
    """Return the mean of the modules, each with the best that recalls have made of it."""
    results = list(assignment.module_results.all())
    better = {
        row.attempt_id: row.counts_percent
        for row in Regrade.objects.filter(
            attempt__in=[result.attempt_id for result in results], recall__settled_at__isnull=False
        ).order_by("pk")
    }
    percents = {one.module_id: max(one.percent, better.get(one.attempt_id, 0)) for one in results}
    return deltas.mean(assignment, percents)


def _pass_after_all(row: Regrade, by: str) -> None:
    assignment = learning.pass_after_recall(attempt=row.attempt, percent=row.percent_after, by=by)
    if assignment is None:
        return
    row.outcome = Outcome.PASSED
    completion = Completion.objects.filter(assignment=assignment).first()
    if completion:
        row.outcome = Outcome.COMPLETED
        row.certificate = (
            completion.certificates.filter(superseded_by=None).values_list("serial", flat=True).first() or ""
        )


# --- telling people ----------------------------------------------------------------------------------------------


def untold() -> QuerySet[Regrade]:
    """Results that count for more now, settled, and of which the person has not been told by mail.

    Whose result, pass and certificate stay what they are is not written to: the result page says it.
    """
    return results.better(Regrade.objects.filter(told_at=None)).exclude(outcome=Outcome.OPEN)


def to_be_told(recall: Recall) -> int:
    """Return how many mails settling it would send: those who have left get none."""
    return results.better(recall.regrades).filter(attempt__employee__is_active=True).count()


def sample_mail(rows: QuerySet[Regrade], language: str) -> EmailMessage | None:
    """Return the first mail that settling would send, in the reader's ``language``; None if nobody is to be told.

    The line about the certificate is not in it: what becomes of that is decided when it is settled.
    """
    waiting = results.better(rows).filter(attempt__employee__is_active=True)
    row = waiting.select_related("attempt__employee", "attempt__quiz").order_by("-passed_after", "pk").first()
    if row is None:
        return None
    if not row.passed_before and row.passed_after:
        row.outcome = Outcome.PASSED
    return mail_of(row, language)


def _ring(task: str) -> None:
    try:
        current_app.send_task(task)
    except Exception:
        logger.warning("could not ring for %s", task, exc_info=True)  # the beat does it within minutes


def tell_waiting(*, most: int = 200) -> int:
    """Write to people whose result counts for more now. Return how many mails were handed over."""
    return sum(_tell(pk) for pk in list(untold().order_by("pk").values_list("pk", flat=True)[:most]))


@transaction.atomic
def _tell(pk: int) -> bool:
    """Write to one person, unless that was done or another worker does it."""
    rows = Regrade.objects.select_for_update(of=("self",), skip_locked=True)
    row = rows.select_related("attempt__employee", "attempt__quiz").filter(pk=pk, told_at=None).first()
    if row is None:
        return False
    if row.attempt.employee.is_active:
        mail_of(row).send()
    row.told_at = timezone.now()
    row.save(update_fields=["told_at"])
    return True


def mail_of(row: Regrade, language: str = "") -> EmailMessage:
    """Return the mail in ``language``, or the person's own: what was wrong, both results, and what follows."""
    person = row.attempt.employee
    language = language or person.language or settings.LANGUAGE_CODE
    with translation.override(language):
        context = {
            "person": person,
            "quiz": papers.told(row.attempt.quiz.title, language),
            "row": row,
            "url": settings.SITE_URL + reverse("training:result", args=[row.attempt.uid]),
        }
        body = render_to_string("training/recall.txt", context)
        return EmailMessage(_("A question in your quiz was faulty"), body, to=[person.email])
