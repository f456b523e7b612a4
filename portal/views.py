"""Pages that belong to no room: health, and what is shown when something went wrong."""

import logging
import sys
import uuid

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal import tracing, trouble
from portal.ledger import overview

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30


@login_not_required
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Say whether the site can answer: 200 with the database within reach, 503 without; and how the ledger is."""
    try:
        told = {"ledger": overview.health(), "seals": overview.sealing_health()}
    except DatabaseError:
        return JsonResponse({"database": "away"}, status=503)
    return JsonResponse({"database": "ok", **told})


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """A page that needs no database, with a reference by which the log entry can be found.

    503 where the disk is full or the database is away: whoever comes back later will be served.
    """
    reference = tracing.current()[:12] or uuid.uuid4().hex[:12]
    if kind := trouble.kind_of(sys.exc_info()[1]):
        logger.error("trouble shown as %s: %s", reference, kind)
        trouble.drop_uploads(request)
        # No messages: they may lie in the session, and the session in the database.
        context = {"reference": reference, "kind": kind, "messages": ()}
        response = render(request, "503.html", context, status=503)
        response.headers["Retry-After"] = RETRY_SECONDS
        return response
    logger.error("server error shown as %s", reference)
    return render(request, "500.html", {"reference": reference}, status=500)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
