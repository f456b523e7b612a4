"""People, findings and the firm's figures as files: the page's own rows, filters and scope."""

from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from portal import tables
from portal.people.models import Employee
from portal.standing import desk, exports, figures, firm, knowledge, people_table

MAY_SEE_FIRM = ("standing.view_firm", "archive.view_every_record")


def _answer(request: HttpRequest, what: str, kind: str, table: tuple) -> FileResponse:
    written = exports.export(
        what=what,
        kind=kind,
        filters=request.GET.urlencode(),
        searched=_searched(request),
        table=table,
        by=request.user,
    )
    name = f"{what}-{timezone.localdate():%Y-%m-%d}.{kind}"
    headers = {"Content-Length": str(written.size)}
    return FileResponse(
        written.file, as_attachment=True, filename=name, content_type=tables.KINDS[kind], headers=headers
    )


def _searched(request: HttpRequest) -> str:
    """Return what was searched for on the page: it may be a name, so it comes in the body, never in an address."""
    return request.POST.get("q", "").strip()[:80]


@require_http_methods(["GET", "POST"])
def team_file(request: HttpRequest, kind: str) -> FileResponse:
    if not request.user.is_manager():
        raise PermissionDenied
    people = Employee.objects.below(request.user).on_staff()
    return _people(request, people, "team", kind, sees_archive=True)


@require_http_methods(["GET", "POST"])
@permission_required("people.view_everyone", raise_exception=True)
def people_file(request: HttpRequest, kind: str) -> FileResponse:
    people = Employee.objects.visible_to(request.user).on_staff()
    return _people(request, people, "people", kind, sees_archive=request.user.has_perm("archive.view_every_record"))


def _people(request: HttpRequest, people, what: str, kind: str, *, sees_archive: bool) -> FileResponse:
    filters = people_table.Filters.from_query(request.GET, text=_searched(request), sees_archive=sees_archive)
    chosen = filters.apply(people).order_by("name_en", "pk")
    return _answer(request, what, kind, exports.people_table(chosen, sees_archive=sees_archive))


@require_http_methods(["GET", "POST"])
@permission_required("archive.view_every_record", raise_exception=True)
def finding_file(request: HttpRequest, kind: str) -> FileResponse:
    filters = desk.Filters.from_query(request.GET)
    chosen = desk.found(desk.queue(request.user, filters, timezone.localdate()), _searched(request))
    return _answer(request, "findings", kind, exports.findings_table(chosen))


@require_GET
def team_finding_file(request: HttpRequest, kind: str) -> FileResponse:
    if not request.user.is_manager():
        raise PermissionDenied
    today = timezone.localdate()
    chosen = desk.line(request.user, desk.Filters.of_line(request.GET), today)
    return _answer(request, "team-findings", kind, exports.findings_table(chosen, of_desk=False))


@require_GET
@permission_required(MAY_SEE_FIRM, raise_exception=True)
def firm_file(request: HttpRequest, name: str, kind: str) -> FileResponse:
    """One table of the firm's page, or of the page on the effect of training."""
    if name not in figures.NAMES:
        raise Http404
    scope = firm.Scope.from_query(request.GET)
    found = figures.table(name, request.user, timezone.localdate(), request.GET.get("kind", ""), scope)
    return _answer(request, f"firm-{name}", kind, (found.heading, iter(found.rows)))


@require_GET
@permission_required((*MAY_SEE_FIRM, "quizzes.review_attempts"), raise_exception=True)
def knowledge_file(request: HttpRequest, module: str, kind: str) -> FileResponse:
    """The first tries behind one module's figures."""
    counted = knowledge.newest()
    known = counted.of(module)
    if known is None or known.quiz is None:
        raise Http404
    chosen = knowledge.tries(known, counted.counted_at, request.GET.get("outcome", ""))
    return _answer(request, f"first-tries-{known.slug}", kind, exports.tries_table(chosen))
