from celery import shared_task

from portal.jobs import services


@shared_task
def sweep() -> None:
    services.sweep()
