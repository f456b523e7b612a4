"""What follows for the person: the lesson a finding calls for, questions put to them, and telling of oneself."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from archive import services as archive
from archive.models import Finding, SelfReport
from portal.standing import case, remedies
from portal.standing.forms import MoreForm, ReportForm
from portal.standing.models import RemedyTask
from training import blocks, lessons


@require_http_methods(["GET", "POST"])
def remedy(request: HttpRequest, uid: str) -> HttpResponse:
    """A lesson that a finding called for, with the finding's facts beside it. Only its person may open it."""
    mine = RemedyTask.objects.filter(employee=request.user).select_related("lesson__module__edition", "finding")
    task = get_object_or_404(mine, uid=uid)
    if request.method == "GET":
        if task.withdrawn_at is None:
            task = remedies.open_task(task=task)
        return render(request, "standing/remedy.html", _remedy_page(task))
    if "block" in request.POST:
        return _answered(request, task)
    try:
        remedies.finish_task(task=task, by=request.user)
    except remedies.TooSoon as error:
        text = ngettext(
            "Take your time: the lesson can be finished in %(n)s second.",
            "Take your time: the lesson can be finished in %(n)s seconds.",
            error.seconds,
        )
        messages.error(request, text % {"n": error.seconds})
        return redirect("standing:remedy", uid)
    messages.success(request, _("Done. It is written down beside the finding."))
    return redirect("standing:today")


def _remedy_page(task: RemedyTask) -> dict:
    parts = lessons.parts_of(task.lesson, task.answers)
    return {
        "task": task,
        "parts": parts,
        "title": lessons.title_of(task.lesson),
        "lang": lessons.lang_of(task.lesson),
        "facts": case.facts_of(task.finding, sees_handles=False),
        "seconds_left": remedies.seconds_left(task, timezone.now()),
    }


def _answered(request: HttpRequest, task: RemedyTask) -> HttpResponse:
    found = lessons.find_block(task.lesson, request.POST["block"])
    if found is None:
        raise Http404
    number, block = found
    try:
        given = blocks.read_answer(block, request.POST)
    except blocks.BadAnswer:
        if not request.htmx:
            messages.error(request, _("Choose an answer first."))
    else:
        task = remedies.keep_answer(task=task, name=block["name"], answer=given)
    if not request.htmx:
        return redirect(f"{request.path}#b{number}")
    shown = blocks.shown(block, task.answers.get(block["name"]))
    return render(request, shown["template"], shown | {"action_url": request.path})


@require_http_methods(["GET", "POST"])
@permission_required("archive.view_every_record", raise_exception=True)
def remedy_table(request: HttpRequest) -> HttpResponse:
    """Which lesson each kind of finding calls for; who may choose, chooses."""
    may_choose = request.user.has_perm("standing.choose_remedies")
    if request.method == "POST":
        if not may_choose:
            raise PermissionDenied
        changed = remedies.choose_all(chosen=_chosen(request), by=request.user)
        text = ngettext("%(n)s kind of finding changed.", "%(n)s kinds of findings changed.", changed)
        messages.success(request, text % {"n": changed} if changed else _("Nothing was changed."))
        return redirect("standing:remedy_table")
    context = {"rows": remedies.rows(), "lessons": remedies.every_lesson(), "may_choose": may_choose}
    return render(request, "standing/remedy_table.html", context)


def _chosen(request: HttpRequest) -> dict[str, remedies.Called | None]:
    """Return what was chosen for each kind that the form names. A lesson that there is not is 404."""
    now, found = remedies.table(), {}
    known = {*remedies.every_lesson(), *now.values()}  # also one that no course has any more, as long as it stands
    for kind in remedies.ABOUT_PEOPLE & set(request.POST):
        named = request.POST[kind]
        found[kind] = remedies.Called(*named.split("/")) if named.count("/") == 2 else None
        if named and found[kind] not in known:
            raise Http404
    return found


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Tell of a slip of one's own: a client wrote to my private WeChat."""
    if not request.user.employee_no:
        raise Http404
    form = ReportForm(request.POST or None, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        told = archive.report_slip(employee=request.user, **form.cleaned_data)
        messages.success(request, _("Thank you. It is written down, and that you told of it yourself counts for you."))
        return redirect("standing:slip", told.uid)
    return render(request, "standing/report.html", {"form": form})


@require_http_methods(["GET", "POST"])
def slip(request: HttpRequest, uid: str) -> HttpResponse:
    """What one has told: its receipt, what happens next, and what one may add. Only for who told it."""
    told = get_object_or_404(SelfReport.objects.filter(employee=request.user).select_related("finding"), uid=uid)
    form = MoreForm(request.POST if request.method == "POST" else None, report=told)
    if request.method == "POST" and form.is_valid():
        try:
            archive.add_to_slip(report=told, **form.cleaned_data)
        except (archive.AlreadyDecided, archive.ReasonMissing) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("It is added to what you told."))
        return redirect("standing:slip", uid)
    task = RemedyTask.objects.filter(finding=told.finding).select_related("lesson__module__edition").first()
    steps = told.finding.steps.filter(what__in=case.TOLD_TO_THE_PERSON)
    context = {"report": told, "finding": told.finding, "form": form, "task": task, "steps": steps}
    return render(request, "standing/slip.html", context)


@require_POST
def answer(request: HttpRequest, uid: str) -> HttpResponse:
    """What a person says about a finding of theirs that they were asked about."""
    finding = get_object_or_404(Finding.objects.filter(employee=request.user), uid=uid)
    try:
        archive.answer_question(finding=finding, text=request.POST.get("text", ""), by=request.user)
    except (archive.NotAsked, archive.ReasonMissing) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Your answer is written down."))
    return redirect("standing:record")
