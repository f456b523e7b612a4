"""A module's quiz: what awaits one, the paper, the result."""

from collections.abc import Sequence

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language, get_language_info
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import reswap, retarget

from quizzes import grading, papers, recalls
from quizzes import services as quizzes
from quizzes.models import Attempt, Question, Response
from training import learning, results
from training.answers import Answers, NotAPaper, of_one, read_answers, says_something
from training.models import Module
from training.views.courses import my_assignment, outline_of

BARRED = (
    quizzes.MustWait,
    quizzes.NothingToAsk,
    learning.LessonsLeft,
    learning.AlreadyPassed,
    learning.TestOutSpent,
)


@require_http_methods(["GET", "POST"])
def quiz(request: HttpRequest, course: str, module: str) -> HttpResponse:
    """What awaits one: how many questions, the mark, the tries. Begun by POST."""
    assignment = my_assignment(request, course)
    edition = assignment.edition or assignment.course.current
    row = get_object_or_404(Module.objects.select_related("quiz"), edition=edition, slug=module)
    outline = outline_of(assignment)
    line = next((line for line in outline.modules if line.pk == row.pk), None)
    if line is None:
        raise Http404  # of who knows an older edition only modules are asked in which something changed
    quiz = line.quiz
    if request.method == "POST":
        start = learning.start_test_out if "test_out" in request.POST else learning.start_quiz
        try:
            begun = start(assignment=assignment, module=row, language=get_language(), by=request.user.uid)
            return redirect("training:attempt", begun.uid)
        except BARRED:
            return redirect(request.path)  # the page says which, and since when
    context = {
        "outline": outline,
        "module": line,
        "quiz": quiz,
        "last": Attempt.objects.visible_to(request.user).filter(quiz=quiz).submitted().order_by("-number").first(),
        "may_test_out": bool(line.lessons_left) and learning.may_test_out(assignment, row),
        "must_pass": quiz.questions.filter(must_pass=True).exists(),
        "extra": quizzes.extra_percent(request.user, timezone.localdate()) if quiz.time_limit_minutes else 0,
        "is_empty": not quiz.questions.usable().exists(),
    }
    return render(request, "training/quiz.html", context)


@require_http_methods(["GET", "POST"])
def attempt(request: HttpRequest, uid: str) -> HttpResponse:
    """The paper. Submitting it a second time, or from a second window, leads to the same result."""
    attempt = my_attempt(request, uid)
    if request.method == "POST":
        return _sent(request, attempt)
    if not attempt.is_open or learning.settle_if_late(attempt):
        return redirect("training:result", uid)
    return _paper(request, attempt)


def my_attempt(request: HttpRequest, uid: str) -> Attempt:
    attempt = get_object_or_404(Attempt.objects.visible_to(request.user).select_related("quiz"), uid=uid)
    attempt.employee = request.user  # it is visible to nobody else
    return attempt


def device_of(request: HttpRequest) -> str:
    """Return what tells this device's session from another, and nothing else."""
    return salted_hmac("quizzes.device", request.session.session_key or "").hexdigest()[:16]


def _paper(
    request: HttpRequest, attempt: Attempt, out_of_date: tuple[int, ...] = (), unanswered: Sequence[int] = ()
) -> HttpResponse:
    """Show the paper. ``out_of_date``: the questions where another answer was kept than the form that was sent says.

    ``unanswered``: it was to be handed in, and there is nothing at these questions.
    """
    paper = papers.paper(attempt, get_language())
    quizzes.note_showing(attempt=attempt, language=paper["lang"], device=device_of(request))
    left = (attempt.closes_at - timezone.now()).total_seconds() if attempt.closes_at else None
    context = {
        "attempt": attempt,
        "paper": paper,
        "where": results.place_of(attempt, is_ended=False),
        "other": _other_language(paper["lang"], attempt.languages),
        "seconds_left": None if left is None else max(int(left), 0),
        "grace": int(grading.GRACE.total_seconds()),
        "out_of_date": out_of_date,
        "unanswered": unanswered,
    }
    return render(request, "training/attempt.html", context, status=409 if out_of_date else 200)


def _other_language(lang: str, languages: list[str]) -> tuple[str, str] | None:
    """Return (code, name in itself) of the language to which the paper can be switched, if there is one."""
    known = [code for code, _name in settings.LANGUAGES if code in languages and code != lang]
    return next(((code, get_language_info(code)["name_local"]) for code in known), None)


def _sent(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    """Hand in what the form says, or only keep it: to go on later, or in the other language."""
    if request.POST.get("key") != attempt.uid:
        return HttpResponseBadRequest()
    hands_in = not {"save", "language", "go"} & request.POST.keys()
    try:
        answers, revisions = read_answers(request.POST)
        unanswered = _unanswered(attempt, answers) if hands_in and "anyway" not in request.POST else []
        hands_in = hands_in and not unanswered
        if not hands_in:
            _hold_back(attempt, answers, request.POST.get("go", ""))
        act = learning.submit_quiz if hands_in else quizzes.save_answers
        act(attempt=attempt, answers=answers, revisions=revisions, **_about(request, attempt))
    except (quizzes.ForgedAnswer, NotAPaper):
        return HttpResponseBadRequest()
    except quizzes.OutOfDate as error:
        return _paper(request, attempt, tuple(error.positions))
    except (quizzes.AlreadySubmitted, quizzes.TooLate):
        return redirect("training:attempt", attempt.uid)  # which settles it, and leads to the result
    if hands_in:
        return redirect("training:result", attempt.uid)
    if unanswered:
        return _paper(request, attempt, unanswered=unanswered)
    _speak(request)
    place = request.GET.get("at", "")
    return redirect(f"{request.path}#q{place}" if place.isascii() and place.isdigit() else request.path)


def _unanswered(attempt: Attempt, answers: Answers) -> list[int]:
    """Return the questions at which neither the form nor what was kept before says anything; none once time is up."""
    if not attempt.is_open or grading.is_late(attempt.closes_at, timezone.now()):
        return []
    open_ones = attempt.responses.filter(answer__isnull=True).order_by("position").values_list("position", flat=True)
    return [position for position in open_ones if not says_something(answers.get(position, {}))]


def _hold_back(attempt: Attempt, answers: Answers, go: str) -> None:
    """Leave choices out that cannot be taken back, but the one on which its own button was pressed."""
    scenarios = attempt.responses.filter(question__kind=Question.Kind.SCENARIO).values_list("position", flat=True)
    for position in scenarios:
        if str(position) != go:
            answers.pop(position, None)


def _about(request: HttpRequest, attempt: Attempt) -> dict[str, str]:
    language = quizzes.language_for(attempt, get_language())
    return {"by": request.user.uid, "language": language, "device": device_of(request)}


def _speak(request: HttpRequest) -> None:
    """Switch the person's language where the form asks for it."""
    code = request.POST.get("language")
    if code in dict(settings.LANGUAGES):
        request.user.language = code
        request.user.save(update_fields=["language"])


@require_POST
def answer(request: HttpRequest, uid: str, position: int) -> HttpResponse:
    """Keep what is answered at one question, as it is answered."""
    attempt = my_attempt(request, uid)
    state, saved = "saved", None
    try:
        answers, revisions = read_answers(request.POST)
        saved = _saved(request, attempt, position, answers, revisions)
    except (quizzes.ForgedAnswer, NotAPaper):
        return HttpResponseBadRequest()
    except quizzes.OutOfDate:
        state = "old"
        saved = attempt.responses.select_related("question").get(position=position)
    except quizzes.TooLate:
        state = "late"
    except quizzes.AlreadySubmitted:
        state = "ended"
    if not request.htmx:
        return redirect(f"{_paper_url(attempt)}#q{position}")
    return _fragment(request, attempt, position, state, saved)


def _saved(
    request: HttpRequest, attempt: Attempt, position: int, answers: Answers, revisions: dict[int, int]
) -> Response:
    about = _about(request, attempt) | {"revisions": revisions}
    return quizzes.save_answer(attempt=attempt, position=position, sent=of_one(answers, position), **about)


def _paper_url(attempt: Attempt) -> str:
    return redirect("training:attempt", attempt.uid).url


def _fragment(
    request: HttpRequest, attempt: Attempt, position: int, state: str, saved: Response | None
) -> HttpResponse:
    """Answer an autosave: with its mark, or with the whole question where there is something new to see in it."""
    answered, total = quizzes.progress(attempt)
    context = {"position": position, "state": state, "answered": answered, "total": total}
    if saved is None:
        return render(request, "training/_saved.html", context)
    lang = quizzes.language_for(attempt, get_language())
    question = papers.question(saved, lang)
    if state != "old" and question["look"] != "scenario":
        context |= {"revision": question["revision"], "unreadable": question.get("unreadable", False)}
        return render(request, "training/_saved.html", context)
    paper = {"uid": attempt.uid, "total": total, "lang": lang}
    context |= {"question": question, "paper": paper, "other": _other_language(lang, attempt.languages)}
    response = render(request, "training/_question_again.html", context)
    return reswap(retarget(response, f"#q{position}"), "outerHTML")


@require_GET
def result(request: HttpRequest, uid: str) -> HttpResponse:
    attempt = my_attempt(request, uid)
    if attempt.is_open:
        return redirect("training:attempt", uid)
    where = results.place_of(attempt)
    if where is None:
        raise Http404
    context = {
        "attempt": attempt,
        "result": results.explained(attempt, where.edition),
        "regrades": recalls.results_of(attempt),
        "where": where,
    }
    return render(request, "training/result.html", context)
