from celery import shared_task
from django.utils import timezone

from portal.people import services


@shared_task
def retire_leavers() -> None:
    services.retire_leavers(today=timezone.localdate())
