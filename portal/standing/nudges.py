"""Reminders that a manager, HR or compliance sends by hand: one click, one mail, at most one a day to a person."""

import logging
from datetime import date
from functools import partial

from celery import current_app
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.standing import talks, words
from portal.standing.models import Nudge, Standing

logger = logging.getLogger(__name__)

SEND = "portal.standing.tasks.send_nudge"


class NothingDue(RuntimeError):
    """The person owes no training now, so there is nothing to remind of."""


class RemindedAlready(RuntimeError):
    """Somebody has reminded the person today."""


def may_remind(viewer: Employee, employee: Employee) -> bool:
    """Return whether the viewer may: who is above the person, and who may remind anybody; nobody oneself."""
    if viewer == employee:
        return False
    return viewer.has_perm("standing.remind_anybody") or Employee.objects.below(viewer).filter(pk=employee.pk).exists()


def is_due(employee: Employee, today: date) -> bool:
    """Return whether a reminder would have something to say."""
    standing = Standing.objects.filter(employee=employee, is_on_staff=True).first()
    return standing is not None and talks.is_due(standing, today)


@transaction.atomic
def remind(*, employee: Employee, by: Employee) -> Nudge:
    """Send the person a mail about the course that is due. Raises NothingDue, RemindedAlready.

    The mail goes out after the transaction, and is tried again until the mail server takes it.
    """
    now, today = timezone.now(), timezone.localdate()
    standing = Standing.objects.filter(employee=employee, is_on_staff=True).first()
    if standing is None or not talks.is_due(standing, today):
        raise NothingDue(_("Nothing is due for this person just now."))
    if Nudge.objects.filter(employee=employee, on=today).exists():
        raise RemindedAlready(_("This person has been reminded today."))
    entry = ledger.append(
        verb="standing.reminded", actor=by.uid, subject=employee.uid, body={"reasons": standing.reasons}
    )
    try:
        with transaction.atomic():
            nudge = Nudge.objects.create(employee=employee, on=today, by=by, asked_at=now, entry_seq=entry.seq)
    except IntegrityError:
        raise RemindedAlready(_("This person has been reminded today.")) from None
    transaction.on_commit(partial(_ring, nudge.pk))
    return nudge


def _ring(pk: int) -> None:
    try:
        current_app.send_task(SEND, args=[pk])
    except Exception:
        logger.warning("could not ring for reminder %s", pk, exc_info=True)  # the beat sends it within minutes


def send_waiting() -> int:
    """Send what the mail server has not taken yet. Return how many."""
    waiting = Nudge.objects.filter(sent_at=None).order_by("asked_at").values_list("pk", flat=True)[:100]
    return sum(send(pk) for pk in list(waiting))


@transaction.atomic
def send(pk: int) -> bool:
    """Send one reminder, unless that was done or another worker does it. Return whether it was sent now."""
    nudge = Nudge.objects.select_for_update(skip_locked=True).filter(pk=pk, sent_at=None).first()
    if nudge is None:
        return False
    mail_of(nudge).send()
    nudge.sent_at = timezone.now()
    nudge.save(update_fields=["sent_at"])
    return True


def mail_of(nudge: Nudge) -> EmailMessage:
    """Return the mail in the person's own language: what is due, what follows, and where to go on."""
    person = nudge.employee
    standing = Standing.objects.get(employee=person)
    with translation.override(person.language or settings.LANGUAGE_CODE):
        context = {
            "person": person,
            "by": nudge.by,
            "sentences": [words.say(reason) for reason in standing.reasons],
            "url": settings.SITE_URL + reverse("standing:today"),
        }
        subject = _("Reminder: your course on keeping WeChat messages")
        body = render_to_string("standing/nudge.txt", context)
    return EmailMessage(subject, body, to=[person.email])
