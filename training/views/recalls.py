"""Recalls: a faulty question is called back, and what that changes for whom."""

from contextlib import suppress

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.jobs.models import Job
from portal.people.models import Employee
from quizzes import banks
from quizzes import recalls as results
from quizzes import services as quizzes
from quizzes.models import Question, Recall
from quizzes.publishing import NoReason
from training import recalls
from training.forms import RecallForm

MAY_SEE, MAY_RECALL = "quizzes.review_attempts", "quizzes.recall_question"
PAGE_SIZE = 50


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def recall_list(request: HttpRequest) -> HttpResponse:
    """Every recall, the newest first."""
    found = Recall.objects.visible_to(request.user).select_related("question__bank", "begun_by", "job")
    page = Paginator(found.order_by("-begun_at", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "training/recall_list.html", {"page": page})


@permission_required(MAY_RECALL, raise_exception=True)
@require_http_methods(["GET", "POST"])
def recall_begin(request: HttpRequest, bank: str, question: str) -> HttpResponse:
    """Why the question is called back, and how it is to count; what that would touch."""
    row = get_object_or_404(Question.objects.newest().select_related("bank"), bank__slug=bank, slug=question)
    known = Recall.objects.filter(words=row.words).first()
    if known and known.sent_back_at is None:
        return redirect("training:recall", known.uid)
    form = RecallForm(request.POST or None, initial={"reason": known.reason, "rule": known.rule} if known else None)
    if request.method == "POST" and form.is_valid():
        if known:
            begun = quizzes.ask_again(recall=known, by=request.user, **form.cleaned_data)
        else:
            begun = quizzes.recall_question(question=row, by=request.user, **form.cleaned_data)
        return redirect("training:recall", begun.uid)
    context = {
        "form": form,
        "question": row,
        "known": known,
        "drawn": banks.explained(row, banks.languages_of(row)[0]),
        "lang": banks.languages_of(row)[0],
        "touched": results.touched_by(row),
    }
    return render(request, "training/recall_begin.html", context)


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def recall(request: HttpRequest, uid: str) -> HttpResponse:
    """Who is affected and how: every result before and after, and what followed."""
    row = get_object_or_404(
        Recall.objects.visible_to(request.user).select_related(
            "question__bank", "begun_by", "settled_by", "sent_back_by", "job"
        ),
        uid=uid,
    )
    seen = Employee.objects.visible_to(request.user)
    rows = row.regrades.filter(attempt__employee__in=seen)
    show = request.GET.get("show", "changed")
    if show != "all":
        rows = results.changed(rows)
    listed = rows.select_related("attempt__employee__department", "attempt__quiz").order_by("-passed_after", "pk")
    context = {
        "recall": row,
        "stem": banks.told(row.question.stem, get_language()),
        "sums": results.summary(row),
        "page": Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page")),
        "show": show,
        "may_decide": _may_decide(row, request.user),
        "mails": recalls.to_be_told(row),
        "sample": recalls.sample_mail(row.regrades.filter(attempt__employee__in=seen), get_language()),
        "settling": Job.objects.filter(kind=recalls.SETTLE, key=row.uid).first(),
    }
    return render(request, "training/recall.html", context)


@permission_required(MAY_RECALL, raise_exception=True)
@require_POST
def recall_settle(request: HttpRequest, uid: str) -> HttpResponse:
    """Tell people, and see to their modules and certificates."""
    row = get_object_or_404(Recall.objects.visible_to(request.user), uid=uid)
    with suppress(recalls.OwnRecall, recalls.NotLookedThrough, recalls.SentBack):  # the page says how far it is
        recalls.settle(recall=row, by=request.user)
    return redirect("training:recall", uid)


@permission_required(MAY_RECALL, raise_exception=True)
@require_POST
def recall_send_back(request: HttpRequest, uid: str) -> HttpResponse:
    """Refuse to settle it, and say why."""
    row = get_object_or_404(Recall.objects.visible_to(request.user), uid=uid)
    told = (recalls.OwnRecall, recalls.NotLookedThrough, recalls.SentBack, recalls.AlreadySettled)
    try:
        recalls.send_back(recall=row, why=request.POST.get("why", ""), by=request.user)
    except NoReason:
        messages.error(request, _("Say why it is sent back."))
    except told:
        pass  # the page says how far it is
    return redirect("training:recall", uid)


def _may_decide(recall: Recall, viewer: Employee) -> bool:
    return viewer.has_perm(MAY_RECALL) and recall.begun_by_id != viewer.pk
