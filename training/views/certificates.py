"""My certificates, as PDF and as badge."""

import logging

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from training import badges, certificates, files, services
from training.models import Certificate

logger = logging.getLogger(__name__)


@require_GET
def certificate_list(request: HttpRequest) -> HttpResponse:
    mine = list(Certificate.objects.filter(completion__employee=request.user).for_list())
    jobs, today = certificates.jobs_of(mine), timezone.localdate()
    rows = [certificates.row(certificate, jobs.get(certificate.serial), today) for certificate in mine]
    context = {"rows": rows, "imported": services.imported_of(request.user)}
    return render(request, "training/certificate_list.html", context)


@require_GET
def certificate_file(request: HttpRequest, serial: str) -> HttpResponse:
    rows = Certificate.objects.visible_to(request.user).exclude(file="").select_related("completion__employee")
    certificate = get_object_or_404(rows, serial=serial)
    certificates.note_fetched(certificate=certificate, what="pdf", by=request.user)
    return attachment(certificate.file.name, certificate.sha256, f"{certificate.serial}.pdf")


@require_GET
def badge_file(request: HttpRequest, serial: str) -> HttpResponse:
    """The same certificate as an Open Badge, for wallets and other machines."""
    rows = Certificate.objects.visible_to(request.user).exclude(badge="").select_related("completion__employee")
    certificate = get_object_or_404(rows, serial=serial)
    certificates.note_fetched(certificate=certificate, what="badge", by=request.user)
    response = HttpResponse(certificate.badge, content_type=badges.MEDIA_TYPE)
    response.headers["Content-Disposition"] = f'attachment; filename="{certificate.serial}.jwt"'
    return response


def attachment(name: str, sha256: str, called: str) -> FileResponse:
    """Hand a private file out, after checking that it is what was written."""
    try:
        content = files.open_checked(name, sha256)
    except (files.Changed, FileNotFoundError) as error:
        logger.error("the stored file %s is not what was written", name)
        raise Http404 from error
    return FileResponse(content, as_attachment=True, filename=called)
