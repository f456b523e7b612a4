from celery import shared_task

from portal.standing import services


@shared_task
def catch_up() -> None:
    services.catch_up()
