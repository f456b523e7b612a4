"""A handle that means nobody: whom it means, or that it is no person. And both undone."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from archive import services
from archive.forms import DaysForm, UndoForm
from archive.models import Identity, Robot, Source, Unmatched
from archive.views.imports import MAY_SEE
from archive.views.sources import MAY_MANAGE
from portal.people.models import Employee

MOST_FOUND = 10


@permission_required(MAY_SEE, raise_exception=True)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def handle(request: HttpRequest, pk: int) -> HttpResponse:
    """What is known of the handle; and for who may, a search for the person. What is sought is never in an address."""
    row = Unmatched.objects.select_related("source").filter(pk=pk).first()
    if request.method == "GET":
        return _page(request, get_object_or_404(Unmatched.objects.select_related("source"), pk=pk), DaysForm())
    if not request.user.has_perm(MAY_MANAGE):
        raise PermissionDenied
    if row is None:
        messages.warning(request, _("This handle has been matched meanwhile."))
        return redirect("archive:import_list")
    if request.htmx:
        found = {"found": _found(request), "text": request.POST.get("q", "")}
        return render(request, "archive/_candidates.html", found)
    form = DaysForm(request.POST)
    if "find" not in request.POST and form.is_valid() and _settled(request, row, form):
        return redirect(f"{reverse('archive:source', args=[row.source.name])}#handles")
    return _page(request, row, form)


def _settled(request: HttpRequest, row: Unmatched, form: DaysForm) -> bool:
    """Match the handle or declare it, as the form says. Return False with what is wrong on the form."""
    days = form.cleaned_data
    try:
        if "robot" in request.POST:
            services.declare_robot(row=row, reason=request.POST.get("reason", ""), by=request.user, **days)
            messages.success(request, _("Noted. Its messages are nobody's from now on."))
        else:
            people = Employee.objects.visible_to(request.user)
            employee = get_object_or_404(people, uid=request.POST.get("employee", ""))
            services.match_handle(row=row, employee=employee, by=request.user, **days)
            said = {"handle": row.handle, "name": employee.name}
            messages.success(
                request, _("%(handle)s is %(name)s. The months concerned are being computed again.") % said
            )
    except (services.BadSpan, services.ReasonMissing, services.SomebodyElses) as error:
        form.add_error(None, str(error))
        return False
    except services.AlreadyMatched as error:
        messages.warning(request, str(error))
    return True


def _page(request: HttpRequest, row: Unmatched, form: DaysForm) -> HttpResponse:
    may = request.user.has_perm(MAY_MANAGE)
    stranger = services.stranger(row, request.user)
    context = {
        "row": row,
        "stranger": stranger,
        "form": form,
        "likely": _likely(request, row, stranger) if may else [],
        "found": _found(request) if may else [],
        "text": request.POST.get("q", ""),
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "archive/handle.html", context)


def _likely(request: HttpRequest, row: Unmatched, stranger: services.Stranger) -> list[tuple]:
    """Return (person, why, whether they have talked with the handle), those who have last.

    Nobody talks with oneself.
    """
    partners = set(stranger.talked_with)
    found = services.likely(request.user, row.handle)[:MOST_FOUND]
    told = [(one, services.why_likely(one, row.handle), one in partners) for one in found]
    return sorted(told, key=lambda one: one[2])


def _found(request: HttpRequest) -> list:
    return list(services.candidates(request.user, request.POST.get("q", ""))[:MOST_FOUND])


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def match_undo(request: HttpRequest, pk: int) -> HttpResponse:
    return _undone(request, get_object_or_404(Identity.objects.exclude(origin=Identity.Origin.HR), pk=pk))


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def robot_undo(request: HttpRequest, pk: int) -> HttpResponse:
    return _undone(request, get_object_or_404(Robot, pk=pk))


def _undone(request: HttpRequest, match: Identity | Robot) -> HttpResponse:
    form = UndoForm(request.POST)
    try:
        if form.is_valid():
            services.undo(match=match, by=request.user, **form.cleaned_data)
            messages.success(request, _("Undone. The months concerned are being computed again."))
        else:
            messages.error(request, _("That is not a day."))
    except (services.BadSpan, services.ReasonMissing) as error:
        messages.error(request, str(error))
    source = Source.objects.filter(name=request.POST.get("source", "")).first()
    return redirect(f"{reverse('archive:source', args=[source.name])}#matched" if source else "archive:import_list")
