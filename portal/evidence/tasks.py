"""The bells of this room: each calls one service, takes ids, and may ring twice."""

from celery import shared_task

from portal.evidence import making, services
from portal.jobs import services as jobs


@shared_task
def make_pack(job_id: int) -> None:
    jobs.work(job_id, making.step, prepare=making.ahead)


@shared_task
def forget_old_packs() -> None:
    services.forget_old()
