from collections.abc import Callable
from datetime import date
from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from archive.models import Finding
from portal.people.models import Department, Employee, Office
from portal.standing import files, months, nudges, outlook, past, people_table, rules, talks, trend
from training import services as training

PAGE_SIZE = 25
MOST_FOUND = 100


@require_GET
def today(request: HttpRequest) -> HttpResponse:
    return render(request, "standing/today.html", files.today_of(request.user, timezone.localdate()))


@require_GET
def record(request: HttpRequest) -> HttpResponse:
    """What is recorded about me, and why."""
    return render(request, "standing/record.html", files.record_of(request.user, request.user, timezone.localdate()))


@require_GET
def record_month(request: HttpRequest, month: date) -> HttpResponse:
    """One of my months: its calendar, every figure with how it is counted, and what it said before."""
    return _month_page(request, request.user, month)


@require_GET
def person_month(request: HttpRequest, uid: str, month: date) -> HttpResponse:
    """The same of somebody whose archive record the viewer may see."""
    employee = get_object_or_404(Employee.objects.visible_to(request.user).for_list(), uid=uid)
    return _month_page(request, employee, month)


def _month_page(request: HttpRequest, employee: Employee, month: date) -> HttpResponse:
    context = months.month_of(employee, request.user, month)
    if context is None:
        raise Http404
    return render(request, "standing/month.html", context)


@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def team(request: HttpRequest) -> HttpResponse:
    below, today = Employee.objects.below(request.user).on_staff(), timezone.localdate()
    if not request.user.is_manager():
        raise PermissionDenied
    if day := past.day_of(request.GET.get("at", ""), today):
        context = past.group_at(day, request.GET.get("page"), request.user, manager=request.user)
        return render(request, "standing/past.html", context)
    return _people_page(request, below, "standing/team.html", partial(_ahead, request, below, today))


def _ahead(request: HttpRequest, below: QuerySet[Employee], today: date, by_state: dict, barred: int) -> dict:
    """What only the page of a team shows: whom to talk to first, what will lapse, and how it came to stand so."""
    points = trend.points(request.user, trend.now_of(by_state, barred), today)
    return {
        "talks": talks.first(below, today),
        "forecast": outlook.forecast(below, today),
        "points": points,
        "chart": trend.chart(points),
        "first": past.first_day(),
    }


@require_http_methods(["GET", "POST"])
@permission_required("people.view_everyone", raise_exception=True)
@vary_on_headers("HX-Request")
def people(request: HttpRequest) -> HttpResponse:
    return _people_page(request, Employee.objects.visible_to(request.user).on_staff(), "standing/people.html")


@require_GET
@permission_required("standing.view_firm", raise_exception=True)
def firm(request: HttpRequest) -> HttpResponse:
    today = timezone.localdate()
    if day := past.day_of(request.GET.get("at", ""), today):
        context = past.group_at(day, request.GET.get("page"), request.user, manager=None)
        return render(request, "standing/past.html", context)
    overdue = {"reviews_overdue": len(training.overdue_lessons(today))}
    return render(request, "standing/firm.html", files.firm_of(request.user, today) | overdue)


@require_GET
def person(request: HttpRequest, uid: str) -> HttpResponse:
    employee = get_object_or_404(Employee.objects.visible_to(request.user).for_list(), uid=uid)
    today = timezone.localdate()
    if day := past.day_of(request.GET.get("at", ""), today):
        if not files.may_see_archive(employee, request.user):
            raise PermissionDenied
        return render(request, "standing/person_past.html", past.person_at(employee, day))
    context = files.record_of(employee, request.user, today)
    context |= {
        "may_remind": nudges.may_remind(request.user, employee) and nudges.is_due(employee, today),
        "first": past.first_day(),
    }
    return render(request, "standing/person.html", context)


@require_POST
def remind(request: HttpRequest, uid: str) -> HttpResponse:
    """One click: a mail about the training that is due."""
    employee = get_object_or_404(Employee.objects.visible_to(request.user), uid=uid)
    if not nudges.may_remind(request.user, employee):
        raise PermissionDenied
    try:
        nudges.remind(employee=employee, by=request.user)
        messages.success(request, _("%(name)s gets a reminder by mail.") % {"name": employee.name})
    except (nudges.NothingDue, nudges.RemindedAlready) as refusal:
        messages.error(request, str(refusal))
    back = request.POST.get("back", "")
    return redirect("standing:team" if back == "team" else reverse("standing:person", args=[uid]))


def _people_page(
    request: HttpRequest,
    scope: QuerySet[Employee],
    template: str,
    more: Callable[[dict, int], dict] = lambda by_state, barred: {},
) -> HttpResponse:
    """A page of people with tiles and the matrix over all of ``scope``; the table under them follows the filters.

    A search for a name comes by POST and shows the first MOST_FOUND at once.
    """
    sees_archive = not template.endswith("people.html") or request.user.has_perm("archive.view_every_record")
    text = request.POST.get("q", "")
    filters = people_table.Filters.from_query(request.GET, text=text, sees_archive=sees_archive)
    size = MOST_FOUND if filters.text else PAGE_SIZE
    page = Paginator(filters.apply(scope).for_list(), size).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "rows": people_table.rows(page.object_list),
        "modules": people_table.module_titles(),
        "filters": filters,
        "sees_archive": sees_archive,
    }
    if request.htmx and not request.htmx.boosted:
        return render(request, "standing/_people_rows.html", context)
    found = people_table.groups(scope)
    opened = Finding.objects.visible_to(request.user).open().filter(employee__in=scope).count() if sees_archive else 0
    by_state, tiles = people_table.counts(found), people_table.tiles(found, opened)
    context |= more(by_state, tiles.barred) | {
        "matrix": people_table.matrix(by_state, filters),
        "columns": [rules.ArchiveState(column) for column in rules.COLUMNS],
        "tiles": tiles,
        "departments": Department.objects.filter(pk__in={group.department for group in found}),
        "offices": Office.objects.filter(pk__in={group.office for group in found}),
    }
    return render(request, template, context)
