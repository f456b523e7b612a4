from celery import shared_task

from portal.operations import pulse


@shared_task
def tick() -> None:
    pulse.tick()
