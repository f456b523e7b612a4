"""The bells of this room: each task calls one service, takes ids, and may ring twice."""

from celery import shared_task

from portal.hr import services
from portal.jobs import services as jobs


@shared_task(soft_time_limit=300, time_limit=400)
def compare(job_id: int) -> None:
    comparing = services.Comparing()
    jobs.work(job_id, comparing.step, prepare=comparing.prepare)


@shared_task
def apply(job_id: int) -> None:
    jobs.work(job_id, services.apply_some)


@shared_task
def forget_old() -> None:
    services.forget_old()
