from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from archive import rules, services
from archive.forms import UploadForm
from archive.models import Import

MAY_SEE, MAY_RUN = "archive.view_imports", "archive.run_imports"
PAGE_SIZE = 20
_HAS_BYTES = ExpressionWrapper(Q(sealed__isnull=False), output_field=BooleanField())


@permission_required(MAY_SEE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def import_list(request: HttpRequest) -> HttpResponse:
    """The feeds and their health, the imports so far, and for who may: a file to import."""
    if not request.user.has_perm(MAY_RUN):
        if request.method == "POST":
            raise PermissionDenied
        return _page(request, None)
    if request.method == "POST":
        return _uploaded(request, UploadForm(request.POST, request.FILES))
    return _page(request, UploadForm(initial={"source": "wecom"}))


def _uploaded(request: HttpRequest, form: UploadForm) -> HttpResponse:
    if form.is_valid():
        try:
            source = services.get_source(form.cleaned_data["source"], by=request.user.uid)
            run = services.start_upload(source=source, file=form.cleaned_data["file"], by=request.user)
            return redirect("archive:import", run.uid)
        except (services.BadSourceName, services.NotAFeed) as error:
            form.add_error(None, str(error))
    return _page(request, form)


def _page(request: HttpRequest, form: UploadForm | None) -> HttpResponse:
    imports = Import.objects.visible_to(request.user).for_list()
    context = {
        "sources": services.source_health(request.user),
        "page": Paginator(imports, PAGE_SIZE).get_page(request.GET.get("page")),
        "form": form,
    }
    return render(request, "archive/import_list.html", context)


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
@vary_on_headers("HX-Request")
def import_(request: HttpRequest, uid: str) -> HttpResponse:
    """One run: how far it is, what became of its lines, and the lines that were set aside."""
    run = get_object_or_404(Import.objects.visible_to(request.user).for_list(), uid=uid)
    seconds = ((run.ended_at or timezone.now()) - run.started_at).total_seconds()
    context = {
        "run": run,
        "pace": rules.pace(lines=run.lines, offset=run.passed, size=run.size, seconds=seconds),
    }
    if request.htmx:
        response = render(request, "archive/_import_progress.html", context)
        if run.is_ended:
            response.headers["HX-Refresh"] = "true"  # the page around it now has lines to show
        return response
    context["asides"] = Paginator(run.asides.defer("sealed").annotate(has_bytes=_HAS_BYTES), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context["conflicts"] = run.conflict_rows.select_related("first").order_by("line_no")[:PAGE_SIZE]
    return render(request, "archive/import.html", context)


@permission_required(MAY_RUN, raise_exception=True)
@require_POST
def aside_file(request: HttpRequest, uid: str, line_no: int) -> HttpResponse:
    """The bytes of a line that was set aside, as a file, to who says why: never shown in a page, a stranger's words."""
    run = get_object_or_404(Import.objects.visible_to(request.user), uid=uid)
    aside = get_object_or_404(run.asides.exclude(sealed=None).select_related("run"), line_no=line_no)
    try:
        raw = services.read_aside(aside=aside, reason=request.POST.get("reason", ""), by=request.user.uid)
    except (services.ReasonMissing, services.KeyMissing) as error:
        messages.error(request, str(error))
        return redirect("archive:import", uid)
    headers = {"Content-Disposition": f'attachment; filename="line-{aside.line_no}.txt"'}
    return HttpResponse(raw, content_type="application/octet-stream", headers=headers)
