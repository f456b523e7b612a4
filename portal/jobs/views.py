from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from portal.jobs import services
from portal.jobs.models import Job


@require_GET
def progress(request: HttpRequest, uid: str) -> HttpResponse:
    """The progress of one's own job: a fragment that asks again until the job has ended."""
    job = get_object_or_404(Job.objects.visible_to(request.user), uid=uid)
    response = render(request, "jobs/_progress.html" if request.htmx else "jobs/progress.html", {"job": job})
    if job.is_resting and request.htmx:
        response.headers["HX-Refresh"] = "true"  # the page around it now has a result to show
    return response


@require_POST
def retry(request: HttpRequest, uid: str) -> HttpResponse:
    """Start one's own job again after it was given up or stopped."""
    job = get_object_or_404(Job.objects.visible_to(request.user), uid=uid)
    services.retry(job=job)
    return redirect("jobs:progress", uid)


@require_POST
def stop(request: HttpRequest, uid: str) -> HttpResponse:
    """Stop one's own job; it can go on later from where it stands."""
    job = get_object_or_404(Job.objects.visible_to(request.user), uid=uid)
    services.stop(job=job)
    return redirect("jobs:progress", uid)
