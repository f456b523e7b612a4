"""My certificates; and the open door at which a stranger checks one."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from portal.limits import may_knock
from training import certificates, files, rules, services
from training.forms import SerialForm
from training.models import Certificate

logger = logging.getLogger(__name__)

CHECKS, CHECK_SECONDS = 30, 600  # serials that one address may check in ten minutes


@require_GET
def certificate_list(request: HttpRequest) -> HttpResponse:
    mine = list(Certificate.objects.filter(completion__employee=request.user).for_list())
    jobs, today = certificates.jobs_of(mine), timezone.localdate()
    rows = [certificates.row(certificate, jobs.get(certificate.serial), today) for certificate in mine]
    context = {"rows": rows, "imported": services.imported_of(request.user)}
    return render(request, "training/certificate_list.html", context)


@require_GET
def certificate_file(request: HttpRequest, serial: str) -> HttpResponse:
    certificate = get_object_or_404(Certificate.objects.visible_to(request.user).exclude(file=""), serial=serial)
    return attachment(certificate.file.name, certificate.sha256, f"{certificate.serial}.pdf")


def attachment(name: str, sha256: str, called: str) -> FileResponse:
    """Hand a private file out, after checking that it is what was written."""
    try:
        content = files.open_checked(name, sha256)
    except (files.Changed, FileNotFoundError) as error:
        logger.error("the stored file %s is not what was written", name)
        raise Http404 from error
    return FileResponse(content, as_attachment=True, filename=called)


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
    """Say what a certificate says and whether it is valid: to anybody who has the serial, and nothing more."""
    if not may_knock(request, "verify", most=CHECKS, seconds=CHECK_SECONDS):
        return render(request, "429.html", status=429)
    normal = rules.normal_serial(serial)
    if normal and normal != serial:
        return redirect("training:verify", normal)
    found = Certificate.objects.filter(serial=normal).first() if normal else None
    if found is None:
        return render(request, "training/verify.html", {"serial": serial[:60]}, status=404)
    context = {
        "serial": found.serial,
        "printed": certificates.printed(found),
        "validity": certificates.validity(found, timezone.localdate()),
        "revoked_on": timezone.localdate(found.revoked_at) if found.revoked_at else None,
    }
    return render(request, "training/verify.html", context)
