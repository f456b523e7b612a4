"""Rules, what lies ahead of a person, exemptions, past completions: the pages of HR."""

from contextlib import suppress
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.people.models import Employee
from training import assignments, audience_words, exempting, facts, taking_over, trials
from training.duty_forms import ExemptionForm, PastForm, RuleForm
from training.models import ExemptionAsk, ImportedFile, Rule

MAY_SEE, MAY_CHANGE, MAY_APPROVE = "training.view_rule", "training.manage_rules", "training.approve_exemptions"
PAGE_SIZE = 50


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def rule_list(request: HttpRequest) -> HttpResponse:
    rules = list(Rule.objects.select_related("course").order_by("-is_active", "course", "name"))
    titles = facts.titles_of({rule.course_id for rule in rules})
    audiences = audience_words.of_rules(rules)
    lines = [(rule, titles.get(rule.course_id) or rule.course.slug, audiences[rule.pk]) for rule in rules]
    run = assignments.newest_run()
    return render(request, "training/rule_list.html", {"lines": lines, "run": run})


@permission_required(MAY_CHANGE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def rule_new(request: HttpRequest) -> HttpResponse:
    return _rule_page(request, None)


@permission_required(MAY_SEE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """A rule, its versions, and the form that changes it: first tried, then saved."""
    if request.method == "POST" and not request.user.has_perm(MAY_CHANGE):
        raise PermissionDenied
    return _rule_page(request, get_object_or_404(Rule.objects.select_related("course"), pk=pk))


def _rule_page(request: HttpRequest, rule: Rule | None) -> HttpResponse:
    form = RuleForm(request.POST or None, rule=rule)
    context = {"form": form, "rule": rule, "versions": rule.versions.all() if rule else []}
    if request.method == "POST" and form.is_valid():
        if "save" in request.POST:
            return _save_rule(request, form)
        context |= _tried(form.draft, request.POST.get("try"))
    return render(request, "training/rule.html", context)


def _save_rule(request: HttpRequest, form: RuleForm) -> HttpResponse:
    course = form.rule.course if form.rule else form.cleaned_data["course"]
    saved = assignments.set_rule(course=course, name=form.cleaned_data["name"], by=request.user.uid, **form.said)
    assignments.start_run(key=f"rule-{saved.pk}-{saved.version}", by=request.user)
    messages.success(request, _("The rule is saved, and everybody is being looked at."))
    return redirect("training:rule", saved.pk)


def _tried(draft: Rule, number: str | None) -> dict:
    found = trials.trial(draft, timezone.localdate())
    page = Paginator(found.effects, PAGE_SIZE).get_page(number)
    return {"trial": found, "page": page, "shown": list(trials.shown(page.object_list))}


@permission_required(MAY_CHANGE, raise_exception=True)
@require_POST
def rule_run(request: HttpRequest) -> HttpResponse:
    """Apply all rules to everybody now."""
    assignments.start_run(key=f"asked-{uuid4().hex}", by=request.user)
    return redirect("training:rule_list")


@require_GET
def person_duties(request: HttpRequest, uid: str) -> HttpResponse:
    """Every cycle of a person with its reason, and the next three of each course."""
    employee = get_object_or_404(Employee.objects.visible_to(request.user).for_list(), uid=uid)
    context = {
        "person": employee,
        "cycles": facts.history_of(employee),
        "coming": trials.coming(employee, timezone.localdate()),
        "exemptions": exempting.in_force(request.user, timezone.localdate()).filter(employee=employee),
    }
    return render(request, "training/person_duties.html", context)


@require_http_methods(["GET", "POST"])
def exemption_list(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, what holds and ends soon, and the form that asks."""
    if not (request.user.has_perm(MAY_APPROVE) or request.user.is_manager()):
        raise PermissionDenied
    form = ExemptionForm(request.POST or None, viewer=request.user)
    if request.method == "POST" and form.is_valid():
        exempting.ask(**form.cleaned_data, by=request.user)
        messages.success(request, _("Asked for. Somebody else decides."))
        return redirect("training:exemption_list")
    today = timezone.localdate()
    asks = ExemptionAsk.objects.visible_to(request.user).waiting().select_related("employee", "course", "asked_by")
    page = Paginator(exempting.in_force(request.user, today), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"form": form, "asks": asks[:PAGE_SIZE], "page": page, "soon": today + exempting.SOON, "today": today}
    return render(request, "training/exemption_list.html", context)


@permission_required(MAY_APPROVE, raise_exception=True)
@require_POST
def exemption_decide(request: HttpRequest, uid: str) -> HttpResponse:
    ask = get_object_or_404(ExemptionAsk.objects.visible_to(request.user), uid=uid)
    refused_why = request.POST.get("reason", "").strip()[:500]
    if "refuse" in request.POST and not refused_why:
        messages.error(request, _("Say why it is refused."))
        return redirect("training:exemption_list")
    try:
        with suppress(exempting.Decided):
            exempting.decide(ask=ask, by=request.user, refused_why=refused_why if "refuse" in request.POST else "")
    except exempting.SamePerson:
        messages.error(request, _("Somebody else has to decide it: neither who asked nor who would be exempt."))
    return redirect("training:exemption_list")


@permission_required(MAY_CHANGE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def completion_import(request: HttpRequest) -> HttpResponse:
    """Past completions from a file: compared first, kept when asked to."""
    form, found = PastForm(request.POST or None, request.FILES or None), None
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            found = taking_over.take_over(
                data=file.read(), name=file.name, write="keep" in request.POST, by=request.user.uid
            )
        except taking_over.NotAListOfCompletions as error:
            form.add_error("file", str(error))
    context = {"form": form, "found": found, "files": ImportedFile.objects.all()[:20]}
    return render(request, "training/completion_import.html", context)
