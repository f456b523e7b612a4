"""The bells of this room: each task calls one service, and may ring twice."""

from pathlib import Path

from celery import shared_task
from django.conf import settings

from portal.jobs import services as jobs
from portal.reminders import bounces, rounds, sending


@shared_task
def start_due() -> None:
    rounds.start_due()


@shared_task
def make(job_id: int) -> None:
    jobs.work(job_id, rounds.make_some)


@shared_task
def foresee(job_id: int) -> None:
    jobs.work(job_id, rounds.foresee_some)


@shared_task
def send() -> None:
    sending.send_waiting()


@shared_task
def read_bounces() -> None:
    """Read the reports that came back into the mailbox that the site names, if it names one."""
    if settings.REMINDERS_BOUNCES_MAILDIR:
        bounces.read_mailbox(Path(settings.REMINDERS_BOUNCES_MAILDIR))
