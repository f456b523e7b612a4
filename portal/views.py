"""Pages that belong to no room: health, and what is shown when something went wrong."""

import logging
import uuid

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from portal.ledger import overview

logger = logging.getLogger(__name__)


@login_not_required
@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Say whether the site can answer: 200 with the database within reach, 503 without; and how the ledger is."""
    try:
        ledger = overview.health()
    except DatabaseError:
        return JsonResponse({"database": "away"}, status=503)
    return JsonResponse({"database": "ok", "ledger": ledger})


@login_not_required
def server_error(request: HttpRequest) -> HttpResponse:
    """A page that needs no database, with a reference by which the log entry can be found."""
    reference = uuid.uuid4().hex[:8]
    logger.error("server error shown as %s", reference)
    return render(request, "500.html", {"reference": reference}, status=500)


@login_not_required
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)
