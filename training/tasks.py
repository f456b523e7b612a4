"""The bells of this room: each task calls one service, takes ids, and may ring twice."""

from celery import shared_task
from django.utils import timezone

from portal.jobs import services as jobs
from training import assignments, badges, certificates, exports, learning, printouts, recalls
from training.fresh import mailing


@shared_task
def apply_rules() -> None:
    """Once a day everybody is looked at: the first ring after midnight starts the run, the others find it."""
    assignments.start_run(key=f"{timezone.localdate()}")


@shared_task
def run_rules(job_id: int) -> None:
    jobs.work(job_id, assignments.run_step)


@shared_task
def apply_to_people(employee_ids: list[int]) -> None:
    assignments.apply_to_people(employee_ids=employee_ids, today=timezone.localdate())


@shared_task(soft_time_limit=120, time_limit=180)
def render_certificate(job_id: int) -> None:
    jobs.work(job_id, certificates.draw_step, prepare=certificates.draw_ahead)


@shared_task
def renew_status_lists() -> None:
    badges.renew_lists()


@shared_task
def export_certificates(job_id: int) -> None:
    jobs.work(job_id, exports.step, prepare=exports.draw_ahead)


@shared_task
def forget_old_exports() -> None:
    exports.forget_old()


@shared_task
def close_late_quizzes() -> None:
    learning.close_late_quizzes()


@shared_task(soft_time_limit=120, time_limit=180)
def print_attempt(job_id: int) -> None:
    jobs.work(job_id, printouts.draw_step, prepare=printouts.draw_ahead)


@shared_task(soft_time_limit=600, time_limit=660)
def settle_recall(job_id: int) -> None:
    jobs.work(job_id, recalls.settle_step)


@shared_task
def tell_recalled() -> None:
    recalls.tell_waiting()


@shared_task(soft_time_limit=240, time_limit=300)
def mail_fresh() -> None:
    mailing.send_waiting()
