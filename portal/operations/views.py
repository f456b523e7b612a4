"""Doors for those who run the site: is it alive, may it be asked, its figures, and the work that was given up."""

import hmac

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from prometheus_client import CONTENT_TYPE_LATEST

from portal.jobs.models import Job
from portal.operations import looking, metrics, services
from portal.tokens import bearer, digest_of

MAY_OPERATE = "jobs.operate"


@login_not_required
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """This process answers. It asks nothing of anybody: whoever starts processes anew goes by it."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_GET
def ready(request: HttpRequest) -> HttpResponse:
    """Pages can be served, 200; or 503 with the names of what is missing. A proxy goes by it."""
    missing = looking.what_is_missing()
    return JsonResponse({"missing": missing}, status=503 if missing else 200)


@login_not_required
@require_GET
def figures(request: HttpRequest) -> HttpResponse:
    """The figures, for whoever shows the token of MONITOR_TOKEN; without that setting there is no such page."""
    if not settings.MONITOR_TOKEN:
        raise Http404
    if not hmac.compare_digest(digest_of(bearer(request)), digest_of(settings.MONITOR_TOKEN)):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(metrics.text(), content_type=CONTENT_TYPE_LATEST)


@permission_required(MAY_OPERATE, raise_exception=True)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """How the machinery stands, and the work that was given up."""
    return render(request, "operations/overview.html", {"look": looking.look(), "failed": looking.failed()})


@permission_required(MAY_OPERATE, raise_exception=True)
@require_POST
def again(request: HttpRequest, uid: str) -> HttpResponse:
    """Let a job that was given up be tried again."""
    if services.try_again(job=get_object_or_404(Job, uid=uid), by=request.user):
        messages.success(request, _("It is tried again."))
    else:
        messages.info(request, _("It is not given up any more."))
    return redirect("operations:overview")
