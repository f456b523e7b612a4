"""HR's lists of people: give one, choose its columns, look at what it changes, apply it."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.hr import columns, services, sheets
from portal.hr.comparing import Kind
from portal.hr.forms import ColumnsForm, GiveForm
from portal.hr.models import HrChange, HrFile

MAY = "hr.import_people"
PAGE_SIZE = 50


@permission_required(MAY, raise_exception=True)
@require_http_methods(["GET", "POST"])
def file_list(request: HttpRequest) -> HttpResponse:
    """The lists so far, and a form for the next one."""
    form = GiveForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            given = services.give(upload=told["file"], is_complete=told["is_complete"], by=request.user)
        except sheets.NotATable as error:
            form.add_error("file", str(error))
        else:
            return redirect("hr:file", given.uid)
    files = Paginator(HrFile.objects.visible_to(request.user).for_list(), 20).get_page(request.GET.get("page"))
    return render(request, "hr/file_list.html", {"form": form, "page": files})


@permission_required(MAY, raise_exception=True)
@require_GET
def file(request: HttpRequest, uid: str) -> HttpResponse:
    """One list: its columns, how far comparing or applying is, and what it changes, by kind."""
    given = _given(request, uid)
    rows = given.changes.select_related("person")
    kind = request.GET.get("kind", "")
    if kind in Kind.values:
        rows = rows.filter(kind=kind)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    for row in page:
        row.columns = [(_label(name), row.before.get(name, ""), value) for name, value in row.after.items()]
    context = {
        "given": given,
        "form": ColumnsForm(given.headers, initial=given.mapping),
        "kinds": [(k.value, k.label, given.counts.get(k.value, 0)) for k in Kind],
        "kind": kind,
        "page": page,
        "too_many": _too_many(given),
        "Done": HrChange.Done,
    }
    return render(request, "hr/file.html", context)


@permission_required(MAY, raise_exception=True)
@require_POST
def choose_columns(request: HttpRequest, uid: str) -> HttpResponse:
    given = _given(request, uid)
    form = ColumnsForm(given.headers, request.POST)
    if not form.is_valid():
        return render(request, "hr/file.html", {"given": given, "form": form, "page": None})
    return _then(request, uid, lambda: services.choose_columns(given=given, mapping=form.mapping, by=request.user))


@permission_required(MAY, raise_exception=True)
@require_POST
def apply(request: HttpRequest, uid: str) -> HttpResponse:
    given = _given(request, uid)
    return _then(request, uid, lambda: services.apply(given=given, by=request.user))


@permission_required(MAY, raise_exception=True)
@require_POST
def put_away(request: HttpRequest, uid: str) -> HttpResponse:
    given = _given(request, uid)
    return _then(request, uid, lambda: services.put_away(given=given, by=request.user))


def _given(request: HttpRequest, uid: str) -> HrFile:
    return get_object_or_404(HrFile.objects.visible_to(request.user).for_list(), uid=uid)


def _then(request: HttpRequest, uid: str, deed: Callable[[], object]) -> HttpResponse:
    """Do it, say why if it cannot be done, and show the list again."""
    try:
        deed()
    except services.TooManyLeave:
        messages.error(request, _("Nothing was changed: too many people would leave."))
    except (services.NotNow, services.AnotherIsApplied) as error:
        messages.error(request, str(error))
    return redirect("hr:file", uid)


def _label(name: str) -> str:
    return str(next(column.label for column in columns.COLUMNS if column.name == name))


def _too_many(given: HrFile) -> services.TooManyLeave | None:
    if given.state != HrFile.State.SHOWN:
        return None
    try:
        services.check_leavers(given.counts)
    except services.TooManyLeave as error:
        return error
    return None
