from celery import shared_task

from archive import services
from archive.services import lexicon_trials
from portal.jobs import services as jobs


@shared_task
def run_import(job_id: int) -> None:
    with services.Uploads() as uploads:
        jobs.work(job_id, uploads.run_some)


@shared_task
def judge_deliveries(job_id: int) -> None:
    jobs.work(job_id, services.judge_some)


@shared_task
def judge_state(job_id: int) -> None:
    jobs.work(job_id, services.judge_state)


@shared_task
def rematch(job_id: int) -> None:
    jobs.work(job_id, services.rematch_some)


@shared_task
def refresh_findings() -> None:
    services.refresh_findings()
    services.ring_again()
    services.forget_answers()


@shared_task
def try_lexicon(job_id: int) -> None:
    jobs.work(job_id, lexicon_trials.try_some)


@shared_task
def count_disposal(job_id: int) -> None:
    jobs.work(job_id, services.count_some)


@shared_task
def dispose(job_id: int) -> None:
    jobs.work(job_id, services.dispose_some, prepare=services.sweep)


@shared_task
def verify_archive(job_id: int) -> None:
    jobs.work(job_id, services.verify_step)


@shared_task
def verify_tonight() -> None:
    services.verify_tonight()
