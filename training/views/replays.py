"""An attempt as it was shown, for its person and for who may review it: page, PDF, and the list of a person's."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.people.models import Employee
from quizzes import papers, replays
from quizzes import services as quizzes
from quizzes.models import Attempt, Printout
from training import printouts
from training.views.certificates import attachment

MAY_REVIEW = "quizzes.review_attempts"
PAGE_SIZE = 50


@require_http_methods(["GET", "POST"])
def as_shown(request: HttpRequest, uid: str) -> HttpResponse:
    """The paper with what is right: to its person once they have passed, to a reviewer who says why, in an Entry."""
    attempt = _attempt(request, uid)
    if attempt.employee_id == request.user.pk:
        return _page(request, attempt) if papers.key_is_open(attempt) else _not_yet(request, uid)
    if not _says_why(request, attempt):
        return render(request, "training/as_shown_why.html", {"attempt": attempt})
    return _page(request, attempt, request.POST["reason"])


@require_POST
def as_shown_file(request: HttpRequest, uid: str) -> HttpResponse:
    """The same as PDF: the file where it is there, else the page on which one can watch it being made."""
    attempt = _attempt(request, uid)
    is_own = attempt.employee_id == request.user.pk
    if not is_own and not _says_why(request, attempt):
        return redirect("training:as_shown", uid)
    if is_own and not papers.key_is_open(attempt):
        return _not_yet(request, uid)
    printout = printouts.ask(attempt, by=request.user)
    if printout.file:
        return attachment(printout.file.name, printout.sha256, f"quiz-{attempt.submitted_at:%Y-%m-%d}-{uid[:8]}.pdf")
    return redirect("training:as_shown", uid) if is_own else _page(request, attempt, request.POST["reason"])


def _not_yet(request: HttpRequest, uid: str) -> HttpResponse:
    messages.warning(request, _("The paper shows what is right. It is yours once you have passed the quiz."))
    return redirect("training:result", uid)


def _attempt(request: HttpRequest, uid: str) -> Attempt:
    """Return an attempt that was handed in, one's own or one that may be reviewed, or 404."""
    mine = Attempt.objects.visible_to(request.user).submitted().filter(uid=uid)
    reviewed = Attempt.objects.reviewable_by(request.user).filter(uid=uid)
    found = mine.select_related("quiz", "employee").first() or reviewed.select_related("quiz", "employee").first()
    if found is None:
        raise Http404
    return found


def _says_why(request: HttpRequest, attempt: Attempt) -> bool:
    try:
        quizzes.look_at(attempt=attempt, reason=request.POST.get("reason", ""), by=request.user)
    except quizzes.NoReason:
        return False
    return True


def _page(request: HttpRequest, attempt: Attempt, reason: str = "") -> HttpResponse:
    printout = Printout.objects.filter(attempt=attempt).select_related("job").first()
    context = replays.replay(attempt) | {
        "printout": printout,
        "job": printout.job
        if printout and not printout.file and printout.job.started_by_id == request.user.pk
        else None,
        "reason": reason,
        "is_own": attempt.employee_id == request.user.pk,
    }
    return render(request, "training/as_shown.html", context)


@require_GET
def attempt_list(request: HttpRequest, uid: str) -> HttpResponse:
    """A person's attempts: when, at what, with which outcome. What was answered is behind a reason."""
    if not request.user.has_perm(MAY_REVIEW):
        raise PermissionDenied
    person = get_object_or_404(Employee.objects.visible_to(request.user), uid=uid)
    made = Attempt.objects.reviewable_by(request.user).filter(employee=person).select_related("quiz")
    page = Paginator(made.order_by("-submitted_at", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    for attempt in page:
        attempt.title = papers.told(attempt.quiz.title, request.LANGUAGE_CODE)
    return render(request, "training/attempt_list.html", {"person": person, "page": page})
