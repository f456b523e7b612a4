from django.db import transaction

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee


@transaction.atomic
def try_again(*, job: Job, by: Employee) -> bool:
    """Let a job that was given up wait for a worker again, in an Entry. Return False if it was not given up."""
    if Job.objects.select_for_update().get(pk=job.pk).state != Job.State.FAILED:
        return False
    body = {"job": job.uid, "kind": job.kind, "error": job.error}
    jobs.retry(job=job)
    ledger.append(verb="operations.job_tried_again", actor=by.uid, subject="system:jobs", body=body)
    return True
