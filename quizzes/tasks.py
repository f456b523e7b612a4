"""The bells of this room: each task calls one service, takes ids, and may ring twice."""

from celery import shared_task

from portal.jobs import services as jobs
from quizzes import analysis, integrity, recalls


@shared_task(soft_time_limit=600, time_limit=660)
def analyse(job_id: int) -> None:
    jobs.work(job_id, analysis.keep_step, prepare=analysis.compute_ahead)


@shared_task
def ask_for_analysis() -> None:
    analysis.ask(by=None)


@shared_task(soft_time_limit=600, time_limit=660)
def regrade(job_id: int) -> None:
    jobs.work(job_id, recalls.regrade_step)


@shared_task(soft_time_limit=600, time_limit=660)
def look_for_signals() -> None:
    integrity.look()
