"""Question banks: what is in them, and what answers have shown about it."""

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from portal.jobs.models import Job
from quizzes import analysis, banks
from quizzes.formats import FORMATS
from quizzes.models import Bank, Question

MAY_SEE, MAY_COMPUTE = "quizzes.view_bank", "quizzes.change_itemfigures"
PAGE_SIZE = 50
STATES = [*Question.State.values, "withdrawn", "urgent"]


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def bank_list(request: HttpRequest) -> HttpResponse:
    """Every bank, and every quiz with how far it tells people apart."""
    context = {
        "banks": banks.bank_rows(get_language()),
        "quizzes": banks.quiz_rows(get_language()),
        "job": Job.objects.filter(kind=analysis.ANALYSE).order_by("-pk").first(),
    }
    return render(request, "quizzes/bank_list.html", context)


@permission_required(MAY_COMPUTE, raise_exception=True)
@require_POST
def analyse(request: HttpRequest) -> HttpResponse:
    """Have the figures computed anew."""
    analysis.ask(by=request.user)
    return redirect("quizzes:bank_list")


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def bank(request: HttpRequest, slug: str) -> HttpResponse:
    """The questions of a bank: looked for by words, tag, kind and state."""
    row = get_object_or_404(Bank, slug=slug)
    filters = banks.Filters(
        text=request.GET.get("text", "").strip()[:100],
        tag=request.GET.get("tag", ""),
        kind=request.GET.get("kind", "") if request.GET.get("kind") in Question.Kind.values else "",
        state=request.GET.get("state", "") if request.GET.get("state") in STATES else "",
    )
    page = Paginator(banks.found_in(row, filters), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "bank": row,
        "title": banks.told(row.title, get_language()),
        "filters": filters,
        "tags": banks.tags_of(row),
        "kinds": Question.Kind.choices,
        "formats": [(name, one.NAME) for name, one in FORMATS.items()],
        "page": page,
        "rows": banks.rows_of(page.object_list, get_language()),
    }
    return render(request, "quizzes/bank.html", context)


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def question(request: HttpRequest, slug: str, question: str) -> HttpResponse:
    """One question: what is asked, what answers have shown, where it is asked, and all its versions."""
    row = get_object_or_404(Bank, slug=slug)
    versions = banks.versions_of(row, question)
    if not versions:
        raise Http404
    newest = versions[0]
    context = {
        "bank": row,
        "bank_title": banks.told(row.title, get_language()),
        "question": newest,
        "drawn": [(code, banks.explained(newest, code)) for code in banks.languages_of(newest)],
        "figures": banks.figures_of(newest, get_language()),
        "usage": banks.usage_of(newest),
        "versions": versions,
        "steps": newest.steps.select_related("by"),
        "was_shown": any(version.shown for version in versions),
        "may_withdraw": newest.state == Question.State.ACCEPTED and newest.withdrawn_at is None,
        "readers": banks.readers_of(newest) if newest.state == Question.State.PROPOSED else [],
        "may_review": newest.state == Question.State.PROPOSED and newest.written_by_id != request.user.pk,
    }
    return render(request, "quizzes/question.html", context)
