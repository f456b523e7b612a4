from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from portal.standing import effect_page


@require_GET
@permission_required(("standing.view_firm", "archive.view_every_record"), raise_exception=True)
def effect(request: HttpRequest) -> HttpResponse:
    """Findings before and after training, over the whole firm."""
    return render(request, "standing/effect.html", effect_page.page(request.GET.get("kind", ""), timezone.localdate()))
