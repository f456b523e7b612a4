"""A module's quiz: what awaits one, the paper, the result."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from quizzes import papers
from quizzes.models import Attempt
from quizzes.services import AlreadySubmitted, ForgedAnswer, MustWait, TooLate, save_answer
from training import learning, results
from training.models import Module
from training.views.courses import my_assignment, outline_of

MOST_TICKS = 20  # answers to one question; no question has as many options


@require_http_methods(["GET", "POST"])
def quiz(request: HttpRequest, course: str, module: str) -> HttpResponse:
    """What awaits one: how many questions, the mark, the tries. Begun by POST."""
    assignment = my_assignment(request, course)
    outline = outline_of(assignment)
    row = get_object_or_404(Module.objects.select_related("quiz"), edition=outline.edition, slug=module)
    if request.method == "POST":
        try:
            begun = learning.start_quiz(assignment=assignment, module=row, language=get_language(), by=request.user.uid)
            return redirect("training:attempt", begun.uid)
        except (MustWait, learning.LessonsLeft, learning.AlreadyPassed):
            return redirect(request.path)  # the page says which, and since when
    line = next(line for line in outline.modules if line.pk == row.pk)
    last = Attempt.objects.visible_to(request.user).filter(quiz=row.quiz).submitted().order_by("-number").first()
    return render(request, "training/quiz.html", {"outline": outline, "module": line, "quiz": row.quiz, "last": last})


@require_http_methods(["GET", "POST"])
def attempt(request: HttpRequest, uid: str) -> HttpResponse:
    """The paper. Submitting it a second time, or from a second window, leads to the same result."""
    attempt = get_object_or_404(Attempt.objects.visible_to(request.user).select_related("quiz", "employee"), uid=uid)
    if request.method == "POST":
        return _submitted(request, attempt)
    if not attempt.is_open:
        return redirect("training:result", uid)
    paper = papers.paper(attempt, get_language())
    where = results.place_of(attempt)
    return render(request, "training/attempt.html", {"attempt": attempt, "paper": paper, "where": where})


def _submitted(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    if request.POST.get("key") != attempt.uid:
        return HttpResponseBadRequest()
    # Only what this page tells: a question answered on another device is not in it and keeps its answer.
    told = [n for n in range(1, attempt.quiz.draw + 1) if f"q{n}" in request.POST]
    answers = {n: request.POST.getlist(f"q{n}")[:MOST_TICKS] for n in told}
    try:
        learning.submit_quiz(attempt=attempt, answers=answers, by=request.user.uid)
    except ForgedAnswer:
        return HttpResponseBadRequest()
    return redirect("training:result", attempt.uid)


@require_POST
def answer(request: HttpRequest, uid: str, position: int) -> HttpResponse:
    """Keep what is ticked at one question, as it is ticked."""
    attempt = get_object_or_404(Attempt.objects.visible_to(request.user).select_related("quiz", "employee"), uid=uid)
    state = "saved"
    try:
        ticked = request.POST.getlist(f"q{position}")[:MOST_TICKS]
        save_answer(attempt=attempt, position=position, tokens=ticked, by=request.user.uid)
    except ForgedAnswer:
        return HttpResponseBadRequest()
    except TooLate:
        state = "late"
    except AlreadySubmitted:
        state = "ended"
    if not request.htmx:
        return redirect("training:attempt", uid)
    answered = attempt.responses.filter(answered_at__isnull=False).count()
    context = {"position": position, "state": state, "answered": answered, "total": attempt.quiz.draw}
    return render(request, "training/_saved.html", context)


@require_GET
def result(request: HttpRequest, uid: str) -> HttpResponse:
    attempt = get_object_or_404(Attempt.objects.visible_to(request.user).select_related("quiz", "employee"), uid=uid)
    if attempt.is_open:
        return redirect("training:attempt", uid)
    where = results.place_of(attempt)
    if where is None:
        raise Http404
    context = {"attempt": attempt, "result": results.explained(attempt, where.edition), "where": where}
    return render(request, "training/result.html", context)
