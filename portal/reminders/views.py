"""Reminders: for HR what goes out, went out and came back, and when; for managers who below them is late."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.people.models import Employee
from portal.reminders import bounces, escalating, handling, looking, mailing, rounds, saying
from portal.reminders import terms as policy
from portal.reminders.forms import AheadForm, TermsForm
from portal.reminders.models import Bounce, Delivery, Digest, Foreseen, Said

SEE, MANAGE = "reminders.view_reminders", "reminders.manage_reminders"
PAGE_SIZE = 50


@permission_required(SEE, raise_exception=True)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    number, terms = policy.current()
    context = {
        "number": number,
        "terms": terms,
        "rounds": looking.rounds_of(timezone.localdate()),
        "days": looking.days_of(request.user, timezone.localdate()),
        "bounced": Bounce.objects.visible_to(request.user).open().count(),
        "preview": looking.newest_preview(),
    }
    return render(request, "reminders/overview.html", context)


@permission_required(SEE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def terms(request: HttpRequest) -> HttpResponse:
    """When reminders go out; HR changes it, each change a version."""
    number, held = policy.current()
    form = TermsForm(request.POST or None, initial=TermsForm.initial_of(held, number))
    if request.method == "POST":
        if not request.user.has_perm(MANAGE):
            raise PermissionDenied
        if form.is_valid():
            try:
                policy.set_terms(terms=form.terms, seen=form.cleaned_data["seen"], by=request.user)
            except policy.ChangedMeanwhile as error:
                messages.error(request, str(error))
            else:
                messages.success(request, _("It holds from the next round on."))
            return redirect("reminders:terms")
    context = {"form": form, "terms": held, "number": number, "example": looking.example_of(held)}
    return render(request, "reminders/terms.html", {**context, "versions": looking.versions()})


@permission_required(SEE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def preview(request: HttpRequest) -> HttpResponse:
    """Who would get what on a day to come, as it was last worked out; or work it out now."""
    form = AheadForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not request.user.has_perm(MANAGE):
            raise PermissionDenied
        if form.is_valid():
            rounds.ask_preview(by=request.user, on=form.cleaned_data["on"])
            return redirect("reminders:preview")
    newest = looking.newest_preview()
    lines = Foreseen.objects.visible_to(request.user).filter(preview=newest).select_related("employee")
    page = Paginator(lines.order_by("employee__name_en", "employee"), PAGE_SIZE).get_page(request.GET.get("page"))
    for line in page:
        line.words = _words(request, line, newest.on)
    context = {"form": form, "preview": newest, "page": page, "unreached": lines.filter(channels=[]).count()}
    return render(request, "reminders/preview.html", context)


@permission_required(SEE, raise_exception=True)
@require_GET
def foreseen(request: HttpRequest, uid: str) -> HttpResponse:
    """The very words that one person would get."""
    rows = Foreseen.objects.visible_to(request.user).select_related("employee", "preview")
    line = get_object_or_404(rows.filter(preview=looking.newest_preview()), employee__uid=uid)
    return render(request, "reminders/digest.html", _shown(request, line, line.preview.on) | {"is_ahead": True})


@permission_required(SEE, raise_exception=True)
@require_GET
def sent(request: HttpRequest) -> HttpResponse:
    """What went out, the newest first."""
    rows = Delivery.objects.visible_to(request.user).select_related("digest", "employee").order_by("-on", "-pk")
    state = request.GET.get("state", "")
    if state in Delivery.State.values:
        rows = rows.filter(state=state)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    for one in page:
        one.words = _words(request, one.digest, one.on)
    context = {"page": page, "state": state, "states": Delivery.State.choices}
    return render(request, "reminders/sent.html", context)


@permission_required(SEE, raise_exception=True)
@require_GET
def digest(request: HttpRequest, uid: str) -> HttpResponse:
    """The very words that one person got."""
    rows = Digest.objects.visible_to(request.user).select_related("employee").prefetch_related("deliveries")
    one = get_object_or_404(rows, uid=uid)
    return render(request, "reminders/digest.html", _shown(request, one, one.on) | {"digest": one})


def _words(request: HttpRequest, said: Said, on) -> saying.Words:
    return saying.words_of(said.content, on, with_archive=request.user.has_perm("archive.view_every_record"))


def _shown(request: HttpRequest, said: Said, on) -> dict:
    """Return subject and text in the person's own language, without what the viewer may not read."""
    with translation.override(said.language):
        words = _words(request, said, on)
        text = render_to_string("reminders/digest.txt", mailing.context_of(said.employee.short_name, words)).strip()
    calendar = [
        (change["do"], change["title"], date.fromisoformat(change["on"])) for change in said.content["calendar"]
    ]
    context = {"person": said.employee, "on": on, "subject": words.subject, "text": text, "language": said.language}
    return {**context, "calendar": calendar}


@permission_required(SEE, raise_exception=True)
@require_GET
def bounce_list(request: HttpRequest) -> HttpResponse:
    """Addresses from which mail came back, and what to do about each."""
    rows = Bounce.objects.visible_to(request.user).open().select_related("employee")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    for one in page:
        one.advice = looking.advice_on(one)
    return render(request, "reminders/bounce_list.html", {"page": page})


@permission_required(MANAGE, raise_exception=True)
@require_POST
def bounce_settle(request: HttpRequest, pk: int) -> HttpResponse:
    bounces.settle(bounce=get_object_or_404(Bounce.objects.visible_to(request.user), pk=pk), by=request.user)
    messages.success(request, _("Settled: this person is written to again."))
    return redirect("reminders:bounce_list")


@require_GET
def late_people(request: HttpRequest) -> HttpResponse:
    """Who below the manager is late, and who has done something about it."""
    if not request.user.is_manager():
        raise PermissionDenied
    _number, terms = policy.current()
    late = escalating.below([request.user.pk], timezone.now(), terms).get(request.user.pk, [])
    page = Paginator(late, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(
        request, "reminders/late_people.html", {"page": page, "lines": looking.late_lines(page), "terms": terms}
    )


@require_POST
def handle(request: HttpRequest, uid: str) -> HttpResponse:
    person = get_object_or_404(Employee.objects.below(request.user), uid=uid)
    if handling.handle(employee=person, by=request.user):
        messages.success(request, _("Noted: you look after %(name)s.") % {"name": person.short_name})
    return redirect("reminders:late_people")
