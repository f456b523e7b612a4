"""HR's certificates in bulk."""

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods
from django.views.decorators.vary import vary_on_headers

from training import exports
from training.forms import ExportForm
from training.models import CertificateExport, ExportPart
from training.views.certificates import attachment

MAY_EXPORT = "training.export_certificates"


@permission_required(MAY_EXPORT, raise_exception=True)
@reauthentication_required(allow_get=True)
@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
def export_list(request: HttpRequest) -> HttpResponse:
    """Choose, see how many, ask for the ZIP; below, the ones asked for before."""
    if request.method == "POST":
        return _asked(request)
    form = ExportForm(request.GET if request.GET else None)
    return _page(request, form)


def _asked(request: HttpRequest) -> HttpResponse:
    form = ExportForm(request.POST)
    if form.is_valid():
        try:
            exports.ask(choice=form.choice, by=request.user)
            return redirect("training:export_list")
        except (exports.NothingChosen, exports.TooMany):
            pass  # the count on the page says so
    return _page(request, form)


def _page(request: HttpRequest, form: ExportForm) -> HttpResponse:
    choice = exports.Choice() if not form.is_bound else form.choice if form.is_valid() else None
    count = exports.chosen(choice).count() if choice else None
    context = {"form": form, "choice": choice, "count": count, "most": exports.MOST}
    if request.htmx:
        return render(request, "training/_export_count.html", context)
    asked = CertificateExport.objects.visible_to(request.user).select_related("job")
    asked = asked.prefetch_related("parts", "left_out__certificate")[:20]
    context |= {"exports": asked, "days": exports.KEPT.days}
    return render(request, "training/export_list.html", context)


@permission_required(MAY_EXPORT, raise_exception=True)
@require_GET
def export_file(request: HttpRequest, uid: str, number: int) -> HttpResponse:
    """One part of an export, streamed; good as soon as it is there, though others may still be made."""
    export = get_object_or_404(CertificateExport.objects.visible_to(request.user), uid=uid)
    part = get_object_or_404(ExportPart.objects.select_related("export"), export=export, number=number)
    if export.forgotten_at:
        raise Http404
    exports.note_fetched(part=part, by=request.user)
    return attachment(part.file.name, part.sha256, f"certificates-{export.asked_at:%Y-%m-%d}-{number}.zip")
