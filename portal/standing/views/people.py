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
from portal.people.models import Employee, Office
from portal.standing import (
    desk,
    files,
    knowledge,
    months,
    nudges,
    outlook,
    past,
    people_table,
    places,
    remedies,
    rules,
    talks,
    trend,
)
from portal.standing import firm as firm_page
from training import services as training

PAGE_SIZE = 25
MOST_FOUND = 100


def _past_day(request: HttpRequest, today: date) -> date | None:
    """Return the past day that the address asks for; None for today, saying so if what was asked for is no past day."""
    text = request.GET.get("at", "")
    day = past.day_of(text, today)
    if text and day is None:
        messages.info(request, past.why_not(text, today))
    return day


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
    if day := _past_day(request, today):
        context = past.group_at(day, request.GET.get("page"), request.user, manager=request.user)
        return render(request, "standing/past.html", context)
    return _people_page(request, below, "standing/team.html", partial(_ahead, request, below, today))


@require_GET
@vary_on_headers("HX-Request")
def team_findings(request: HttpRequest) -> HttpResponse:
    """The findings about people below: kind, person, weight and days. What is in them is for the desk."""
    if not request.user.is_manager():
        raise PermissionDenied
    filters, today = desk.Filters.of_line(request.GET), timezone.localdate()
    page = Paginator(desk.line(request.user, filters, today), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "filters": filters, "today": today, "kinds": Finding.Kind.choices}
    is_part = request.htmx and not request.htmx.boosted
    return render(request, "standing/_team_finding_rows.html" if is_part else "standing/team_findings.html", context)


def _ahead(
    request: HttpRequest, below: QuerySet[Employee], today: date, found: list[people_table.Group], barred: int
) -> dict:
    """What only the page of a team shows: whom to talk to first, what will lapse, and how it came to stand so."""
    points = trend.points(request.user, trend.now_of(people_table.counts(found), barred), today)
    return {
        "talks": talks.first(below, today),
        "forecast": outlook.forecast(found, today),
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
    if day := _past_day(request, today):
        context = past.group_at(day, request.GET.get("page"), request.user, manager=None)
        return render(request, "standing/past.html", context)
    scope = firm_page.Scope.from_query(request.GET)
    overdue = {"reviews_overdue": len(training.overdue_lessons(today))}
    return render(request, "standing/firm.html", firm_page.page_of(request.user, today, scope) | overdue)


@require_GET
@permission_required(("standing.view_firm", "quizzes.review_attempts"), raise_exception=True)
def module_tries(request: HttpRequest, module: str) -> HttpResponse:
    """The first tries behind one module's figures on the firm's page: who, and how it went; not the answers."""
    counted = knowledge.newest()
    known = counted.of(module)
    if known is None or known.quiz is None:
        raise Http404
    outcome = request.GET.get("outcome", "")
    rows = knowledge.tries(known, counted.counted_at, outcome)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"known": known, "counted_at": counted.counted_at, "outcome": outcome, "page": page}
    return render(request, "standing/module_tries.html", context)


@require_GET
def person(request: HttpRequest, uid: str) -> HttpResponse:
    employee = get_object_or_404(Employee.objects.visible_to(request.user).for_list(), uid=uid)
    today = timezone.localdate()
    if day := _past_day(request, today):
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
    more: Callable[[list[people_table.Group], int], dict] = lambda found, barred: {},
) -> HttpResponse:
    """A page of people with tiles and the matrix over all of ``scope``; the table under them follows the filters.

    A search for a name comes by POST and shows the first MOST_FOUND at once.
    """
    sees_archive = not template.endswith("people.html") or request.user.has_perm("archive.view_every_record")
    text = request.POST.get("q", "")
    filters = people_table.Filters.from_query(request.GET, text=text, sees_archive=sees_archive)
    paginator = Paginator(filters.apply(scope).for_list(), MOST_FOUND if filters.text else PAGE_SIZE)
    is_part = request.htmx and not request.htmx.boosted
    context = {} if is_part else _over_all(request, scope, filters, sees_archive, more)
    if context and not filters.is_narrowed:
        paginator.count = context["tiles"].people  # so that everybody is not counted twice
    page = paginator.get_page(request.GET.get("page"))
    context |= {
        "page": page,
        "rows": people_table.rows(page.object_list),
        "modules": people_table.module_titles(),
        "filters": filters,
        "sees_archive": sees_archive,
        "kinds": [(kind, Finding.Kind(kind).label) for kind in Finding.Kind.values if kind in remedies.ABOUT_PEOPLE],
        "below": Employee.objects.visible_to(request.user).filter(uid=filters.below).first() if filters.below else None,
    }
    return render(request, "standing/_people_rows.html" if is_part else template, context)


def _over_all(
    request: HttpRequest, scope: QuerySet[Employee], filters: people_table.Filters, sees_archive: bool, more: Callable
) -> dict:
    """What stands over the table, and counts all of ``scope`` whatever the filters."""
    found = people_table.groups(scope, timezone.localdate())
    opened = Finding.objects.visible_to(request.user).open().filter(employee__in=scope).count() if sees_archive else 0
    tiles = people_table.tiles(found, opened)
    return more(found, tiles.barred) | {
        "matrix": people_table.matrix(people_table.counts(found), filters),
        "columns": [rules.ArchiveState(column) for column in rules.COLUMNS],
        "tiles": tiles,
        "departments": places.Tree().options({group.department for group in found}),
        "offices": Office.objects.filter(pk__in={group.office for group in found}),
    }
