"""Everybody's certificates, for those who revoke and re-issue them, and for those who audit that."""

from collections.abc import Callable

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from training import certificates
from training.forms import CertificateSearchForm, ReissueForm, RevokeForm
from training.models import Certificate

MAY_SEE, MAY_MANAGE = "training.view_certificate", "training.manage_certificates"
PAGE_SIZE = 50


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def certificate_search(request: HttpRequest) -> HttpResponse:
    """Everybody's certificates, the newest first: by name, number or serial, and by what they are worth."""
    form = CertificateSearchForm(request.GET)
    today = timezone.localdate()
    found = Certificate.objects.visible_to(request.user)
    found = form.narrowed(found, today) if form.is_valid() else found.none()
    page = Paginator(found.for_list(), PAGE_SIZE).get_page(request.GET.get("page"))
    rows = [certificates.row(certificate, None, today) for certificate in page]
    return render(request, "training/certificate_search.html", {"form": form, "page": page, "rows": rows})


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def certificate(request: HttpRequest, serial: str) -> HttpResponse:
    """One certificate: what it says, what became of it and why, and what can be done."""
    return _page(request, _one(request, serial), RevokeForm(), ReissueForm())


@permission_required(MAY_MANAGE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def certificate_revoke(request: HttpRequest, serial: str) -> HttpResponse:
    return _decide(request, serial, RevokeForm, certificates.revoke)


@permission_required(MAY_MANAGE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def certificate_reissue(request: HttpRequest, serial: str) -> HttpResponse:
    return _decide(request, serial, ReissueForm, certificates.reissue)


def _decide(request: HttpRequest, serial: str, kind_of_form: type, deed: Callable) -> HttpResponse:
    """Do a deed for the reason in the form, and lead to the certificate that stands then."""
    row = _one(request, serial)
    if request.method == "GET":
        return redirect("training:certificate", serial)
    form = kind_of_form(request.POST)
    if form.is_valid():
        try:
            done = deed(certificate=row, by=request.user.uid, **form.cleaned_data)
            return redirect("training:certificate", done.serial)
        except certificates.AlreadyRevoked:
            form.add_error(None, _("It was revoked meanwhile: that stands."))
        except certificates.NotOnesOwn:
            form.add_error(None, _("This is your own certificate: somebody else has to decide about it."))
    forms = (form, ReissueForm()) if kind_of_form is RevokeForm else (RevokeForm(), form)
    return _page(request, row, *forms)


def _one(request: HttpRequest, serial: str) -> Certificate:
    rows = Certificate.objects.visible_to(request.user).for_list()
    return get_object_or_404(rows.select_related("completion__employee", "signed_by"), serial=serial)


def _page(request: HttpRequest, row: Certificate, revoke: RevokeForm, reissue: ReissueForm) -> HttpResponse:
    today = timezone.localdate()
    context = {
        "certificate": row,
        "told": certificates.told(row, today),
        "before": Certificate.objects.filter(superseded_by=row).values_list("serial", flat=True).first(),
        "may_manage": request.user.has_perm(MAY_MANAGE),
        "is_own": row.completion.employee_id == request.user.pk,
        "revoke": revoke,
        "reissue": reissue,
    }
    return render(request, "training/certificate.html", context)
