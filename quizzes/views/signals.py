"""Signs that an attempt may not be somebody's own work: shown to a reviewer, decided by nobody else."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from quizzes import integrity
from quizzes import services as quizzes
from quizzes.models import Signal
from quizzes.papers import told

MAY_SEE, MAY_JUDGE = "quizzes.review_attempts", "quizzes.change_signal"
PAGE_SIZE = 30


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def signal_list(request: HttpRequest) -> HttpResponse:
    """What waits for a reviewer, or all there was."""
    show = "all" if request.GET.get("show") == "all" else "open"
    found = Signal.objects.visible_to(request.user)
    if show == "open":
        found = found.filter(verdict="")
    listed = found.select_related("attempt__employee", "attempt__quiz", "other__employee", "judged_by")
    page = Paginator(listed.order_by("-found_at", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    verdicts = [choice for choice in Signal.Verdict.choices if choice[0]]
    for signal in page.object_list:
        signal.title = told(signal.attempt.quiz.title, get_language())
    return render(request, "quizzes/signal_list.html", {"page": page, "show": show, "verdicts": verdicts})


@permission_required(MAY_JUDGE, raise_exception=True)
@require_POST
def judge(request: HttpRequest, uid: str) -> HttpResponse:
    """Note what was found in it."""
    signal = get_object_or_404(Signal.objects.visible_to(request.user), uid=uid)
    verdict = request.POST.get("verdict", "")
    if not verdict or verdict not in Signal.Verdict.values:
        return HttpResponseBadRequest()
    try:
        integrity.judge(signal=signal, verdict=verdict, note=request.POST.get("note", ""), by=request.user)
    except quizzes.NoReason:
        messages.error(request, _("Say what you found."))
    except integrity.AlreadyJudged:
        messages.error(request, _("Somebody has looked at it meanwhile."))
    return redirect("quizzes:signal_list")
