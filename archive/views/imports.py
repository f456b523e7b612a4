"""What was read and what is being read: files, what machines pushed by day, and each run."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import BooleanField, ExpressionWrapper, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from archive import rules, services
from archive.forms import UploadForm
from archive.lists import Filters
from archive.models import Import, SetAside

MAY_SEE, MAY_RUN = "archive.view_imports", "archive.run_imports"
PAGE_SIZE = 20
LAST_DAYS = 7
_HAS_BYTES = ExpressionWrapper(Q(sealed__isnull=False), output_field=BooleanField())


@permission_required(MAY_SEE, raise_exception=True)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def import_list(request: HttpRequest) -> HttpResponse:
    """The feeds in short, the imports so far, and for who may: a file to import."""
    if not request.user.has_perm(MAY_RUN):
        if request.method == "POST":
            raise PermissionDenied
        return _page(request, None)
    if request.method == "POST":
        return _uploaded(request, UploadForm(request.POST, request.FILES))
    return _page(request, UploadForm(initial={"source": request.GET.get("source", "wecom")[:50]}))


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
    filters = Filters.from_query(request.GET)
    rows = filters.days() if filters.folds else filters.imports(Import.objects.visible_to(request.user)).for_list()
    context = {
        "page": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "filters": filters,
        "days": [] if filters.way or filters.on or filters.state else list(filters.days()[:LAST_DAYS]),
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "archive/_import_rows.html", context)
    context |= {
        "cards": services.source_cards(request.user),
        "ways": Import.Via.choices,
        "states": Import.State.choices,
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
    is_file = run.via == Import.Via.FILE  # the others are read at once
    pace = rules.pace(lines=run.lines, offset=run.passed, size=run.size, seconds=seconds if is_file else 0)
    context = {"run": run, "pace": pace, "asked": _asked(run)}
    if request.htmx:
        response = render(request, "archive/_import_progress.html", context)
        if run.is_ended:
            response.headers["HX-Refresh"] = "true"  # the page around it now has lines to show
        return response
    asides = run.asides.defer("sealed").annotate(has_bytes=_HAS_BYTES).select_related("repaired_by", "settled_by")
    context["asides"] = page = Paginator(asides, PAGE_SIZE).get_page(request.GET.get("page"))
    numbers = {one.maybe_seq for one in page.object_list if one.maybe_seq}
    context["here"] = services.numbers_here(run.source, numbers)
    context["settlings"] = SetAside.Settled.choices
    context["conflicts"] = run.conflict_rows.select_related("first").order_by("line_no")[:PAGE_SIZE]
    context["repairs"] = run.repaired.select_related("run").order_by("pk")[:1]
    return render(request, "archive/import.html", context)


def _asked(run: Import) -> dict | None:
    """Return what is asked about the numbers of the import, and what was answered; None: nothing was."""
    told = run.judging.get("numbering")
    return told and {**told, **{name: parse_datetime(told[name]) for name in ("from", "until", "here_at")}}


@permission_required(MAY_RUN, raise_exception=True)
@require_POST
def import_numbering(request: HttpRequest, uid: str) -> HttpResponse:
    """Answer whether the numbers that the import stopped at are the source's own."""
    run = get_object_or_404(Import.objects.visible_to(request.user), uid=uid)
    fits, reason = request.POST.get("fits") == "yes", request.POST.get("reason", "")
    try:
        run = services.answer_numbering(run=run, fits=fits, reason=reason, by=request.user)
        if fits and run.job_id is None:
            messages.success(request, _("Noted. Start the command again: it goes on from where it stands."))
        else:
            messages.success(request, _("Noted."))
    except services.ReasonMissing as error:
        messages.error(request, str(error))
    except services.NotAsking as error:
        messages.warning(request, str(error))
    return redirect("archive:import", uid)
