"""The bells of this room: each calls one service, and may ring twice."""

from importlib import import_module
from types import ModuleType

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from portal.ledger import running, sealing, sending, watching


@shared_task
def seal() -> None:
    sealing.seal_if_due()


@shared_task
def deliver() -> None:
    sending.deliver_due()


@shared_task
def watch() -> None:
    watching.watch()


@shared_task
def start_verification() -> None:
    _jobs().start(kind=running.TASK, key=running.key_of(timezone.now()))


@shared_task
def verify(job_id: int) -> None:
    _jobs().work(job_id, running.step, prepare=running.ahead)


def _jobs() -> ModuleType:
    """Long work lives in a room above, so it is known by name only."""
    return import_module(settings.LEDGER_JOBS)
