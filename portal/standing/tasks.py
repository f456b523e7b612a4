from celery import shared_task
from django.utils import timezone

from portal.standing import knowledge, nudges, services, trend


@shared_task
def catch_up() -> None:
    services.catch_up()


@shared_task
def take_stock() -> None:
    """Count what is counted once a day or once a month."""
    today = timezone.localdate()
    knowledge.take_stock(today)
    trend.take(today)


@shared_task
def send_nudge(pk: int) -> None:
    nudges.send(pk)


@shared_task
def send_nudges() -> None:
    """Send the reminders that the mail server has not taken yet."""
    nudges.send_waiting()
