"""The open door at which a stranger checks a certificate, or a machine a badge."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_GET

from portal.limits import may_knock
from training import badges, certificates, rules
from training.forms import SerialForm
from training.models import Certificate, SigningKey, StatusList

CHECKS, CHECK_SECONDS = 30, 600  # serials that one address may check in ten minutes
LISTS, LIST_SECONDS = 300, 600  # …and status lists, which say nothing about anybody
CACHED = 300  # seconds for which others may keep what is the same for all


@login_not_required
@never_cache
@require_GET
def verify_form(request: HttpRequest) -> HttpResponse:
    """Type a serial. A whole one leads to its page."""
    form = SerialForm(request.GET if "serial" in request.GET else None)
    if form.is_bound and form.is_valid():
        return redirect("training:verify", form.cleaned_data["serial"])
    return render(request, "training/verify_form.html", {"form": form})


@login_not_required
@never_cache
@require_GET
def verify(request: HttpRequest, serial: str) -> HttpResponse:
    """Say what a certificate says and whether it stands: to anybody who has the serial, and nothing more."""
    if not may_knock(request, "verify", most=CHECKS, seconds=CHECK_SECONDS):
        return render(request, "429.html", status=429)
    normal = rules.normal_serial(serial)
    if normal and normal != serial:
        return redirect("training:verify", normal)
    rows = Certificate.objects.select_related("superseded_by")
    found = rows.filter(serial=normal).first() if normal else None
    if found is None:
        context = {"serial": serial[:60], "is_serial": normal is not None}
        return render(request, "training/verify.html", context, status=404)
    context = {"told": certificates.told(found, timezone.localdate())}
    return render(request, "training/verify.html", context)


@login_not_required
@cache_control(public=True, max_age=CACHED)
@require_GET
def signing_keys(request: HttpRequest) -> HttpResponse:
    """The certificates of every key that has signed, the newest first: what a reader of PDF is told to trust."""
    pem = "".join(SigningKey.objects.order_by("-begun_at", "-pk").values_list("pem", flat=True))
    response = HttpResponse(pem, content_type="application/x-pem-file")
    response.headers["Content-Disposition"] = 'attachment; filename="certificate-keys.pem"'
    return response


@login_not_required
@cache_control(public=True, max_age=CACHED)
@require_GET
def did_document(request: HttpRequest) -> HttpResponse:
    """Who issues badges, and with which keys."""
    return JsonResponse(badges.did_document(), content_type="application/did+json")


@login_not_required
@cache_control(public=True, max_age=CACHED)
@require_GET
def status_list(request: HttpRequest, number: int) -> HttpResponse:
    """Which badges of a range do not stand any more, signed."""
    if not may_knock(request, "status", most=LISTS, seconds=LIST_SECONDS):
        return render(request, "429.html", status=429)
    found = get_object_or_404(StatusList, number=number)
    return HttpResponse(found.credential, content_type=badges.MEDIA_TYPE)
