"""The pages of keeping: holds, retention schedules, disposals. Compliance works on them, auditors read."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from archive import services
from archive.keeping_forms import DisposalForm, HoldForm
from archive.models import Disposal, Hold

MAY_SEE, MAY_MANAGE = "archive.view_keeping", "archive.manage_keeping"
PAGE_SIZE = 20
REFUSALS = (  # each says in words what stands against it
    services.ReasonMissing,
    services.NothingHeld,
    services.NameTaken,
    services.AnotherIsOpen,
    services.NothingToDispose,
    services.SomebodyElses,
    services.BadSchedules,
    services.SchedulesChanged,
)


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def keeping(request: HttpRequest) -> HttpResponse:
    """Holds, disposals, the schedules that count, and whether the archive is what was stored."""
    return _overview(request, DisposalForm())


def _overview(request: HttpRequest, form: DisposalForm) -> HttpResponse:
    holds, disposals = Hold.objects.visible_to(request.user), Disposal.objects.visible_to(request.user)
    context = {
        "holds": Paginator(holds.for_list(), PAGE_SIZE).get_page(request.GET.get("page")),
        "disposals": disposals.for_list()[:PAGE_SIZE],
        "schedules": services.schedules_told(),
        "verification": services.verification(),
        "form": form,
    }
    return render(request, "archive/keeping.html", context)


@permission_required(MAY_MANAGE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def hold_new(request: HttpRequest) -> HttpResponse:
    """A new hold. What it would hold is counted first; what is asked goes by POST, for it may name a person."""
    form = HoldForm(request.POST or None, viewer=request.user)
    counts = []
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("do") == "make":
                return _made(form, request)
            counts = [(one.employee, services.count_held(services.something(one))) for one in form.criteria()]
        except REFUSALS as error:
            form.add_error(None, str(error))
    return render(request, "archive/hold_new.html", {"form": form, "counts": counts})


def _made(form: HoldForm, request: HttpRequest) -> HttpResponse:
    told = form.cleaned_data
    holds = services.make_holds(name=told["name"], reason=told["reason"], criteria=form.criteria(), by=request.user)
    return redirect("archive:hold", holds[0].uid) if len(holds) == 1 else redirect("archive:keeping")


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def hold(request: HttpRequest, uid: str) -> HttpResponse:
    """One hold: what it holds now, who made it and why, and if it was lifted by whom."""
    one = get_object_or_404(Hold.objects.visible_to(request.user).for_list(), uid=uid)
    count = services.count_held(services.Criteria.of(one))
    return render(request, "archive/hold.html", {"hold": one, "count": count})


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def hold_lift(request: HttpRequest, uid: str) -> HttpResponse:
    one = get_object_or_404(Hold.objects.visible_to(request.user), uid=uid)
    _try(request, lambda: services.lift_hold(hold=one, reason=request.POST.get("reason", ""), by=request.user))
    return redirect("archive:hold", uid)


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def disposal_ask(request: HttpRequest) -> HttpResponse:
    form = DisposalForm(request.POST)
    if form.is_valid():
        try:
            return redirect("archive:disposal", services.ask_disposal(**form.cleaned_data, by=request.user).uid)
        except REFUSALS as error:
            form.add_error(None, str(error))
    return _overview(request, form)


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
@vary_on_headers("HX-Request")
def disposal(request: HttpRequest, uid: str) -> HttpResponse:
    """One disposal: what would go, by whose order, and how far it is."""
    one = get_object_or_404(Disposal.objects.visible_to(request.user).for_list(), uid=uid)
    job = one.job or one.count_job
    waits = (one.is_being_counted or (one.is_open and one.job is not None)) and not (job and job.state == "failed")
    context = {"disposal": one, "job": job, "waits": waits}
    if request.htmx:
        response = render(request, "archive/_disposal_progress.html", context)
        if not waits:
            response.headers["HX-Refresh"] = "true"  # the page around it now has a preview or an end to show
        return response
    context["preview"] = services.preview_told(one)
    return render(request, "archive/disposal.html", context)


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def disposal_decide(request: HttpRequest, uid: str) -> HttpResponse:
    """Approve or refuse. Who asked gets 403."""
    one = get_object_or_404(Disposal.objects.visible_to(request.user), uid=uid)
    approve, reason = request.POST.get("decision") == "approve", request.POST.get("reason", "")
    _try(
        request,
        lambda: services.decide_disposal(disposal=one, approve=approve, reason=reason, by=request.user),
    )
    return redirect("archive:disposal", uid)


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def disposal_withdraw(request: HttpRequest, uid: str) -> HttpResponse:
    one = get_object_or_404(Disposal.objects.visible_to(request.user), uid=uid)
    _try(request, lambda: services.withdraw_disposal(disposal=one, by=request.user))
    return redirect("archive:disposal", uid)


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def disposal_stop(request: HttpRequest, uid: str) -> HttpResponse:
    one = get_object_or_404(Disposal.objects.visible_to(request.user), uid=uid)
    _try(request, lambda: services.stop_disposal(disposal=one, reason=request.POST.get("reason", ""), by=request.user))
    return redirect("archive:disposal", uid)


def _try(request: HttpRequest, act: Callable[[], object]) -> None:
    """Do it; what stands against it is said on the page that comes next."""
    try:
        act()
    except REFUSALS as error:
        messages.error(request, str(error))
    except (services.AlreadyLifted, services.NotWaiting, services.NotRunning):
        messages.error(request, _("Somebody was faster, or something has changed since: look again."))
