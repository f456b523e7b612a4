"""Two short questions a week, their mail's link, and what people are wrongly certain of."""

from functools import partial

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal.people import calendars
from quizzes import papers
from quizzes.kinds import kind_of
from quizzes.services import ForgedAnswer
from training import results
from training.fresh import asking, beliefs, mailing
from training.models import FreshAsk

GRADES = {str(grade) for grade in FreshAsk.Sure.values}


@require_http_methods(["GET", "POST"])
def fresh(request: HttpRequest) -> HttpResponse:
    """This week's questions; each is explained once it is answered."""
    if request.method == "POST":
        return _answered(request)
    asks = asking.ask(employee=request.user, day=calendars.local_day(request.user))
    lang = get_language()
    context = {
        "questions": [_shown(ask, lang) for ask in asks],
        "left": sum(ask.answered_at is None for ask in asks),
        "grades": FreshAsk.Sure.choices,
    }
    return render(request, "training/fresh.html", context)


def _shown(ask: FreshAsk, lang: str) -> dict:
    """Return a question as its part of the page takes it. What is right is in it only once it was answered."""
    content, tell = ask.question.content, partial(papers.told, lang=lang)
    shown = {
        "uid": ask.uid,
        "position": ask.place,
        "stem": tell(ask.question.stem),
        "is_answered": ask.answered_at is not None,
    }
    if ask.answered_at is None:
        names = {name: token for token, name in ask.tokens.items()}
        ordered = {name: names[name] for name in ask.order}
        return shown | kind_of(content).shown(content, ordered, None, tell)
    shown |= {"sources": results.sources_of(ask.question.cites, asking.edition_of(ask), lang)}
    shown |= {"is_right": ask.is_right, "explanation": tell(ask.question.explanation), "again_on": ask.card.due_on}
    return shown | kind_of(content).explained(content, ask.order, [ask.chosen], tell)


def _answered(request: HttpRequest) -> HttpResponse:
    ask = get_object_or_404(FreshAsk.objects.visible_to(request.user), uid=request.POST.get("ask", ""))
    token, sure = request.POST.get(f"q{ask.place}", ""), request.POST.get("sure", "")
    if not token:
        messages.error(request, _("Choose an answer first."))
        return redirect(f"{request.path}#q{ask.place}")
    try:
        told = int(sure) if sure in GRADES else None
        asking.answer(ask=ask, token=token, sure=told, language=get_language())
    except asking.WeekOver:
        messages.info(request, _("A new week has begun: here are its questions."))
    except asking.AnsweredAlready:
        messages.info(request, _("It was answered already: what was said first counts."))
    except ForgedAnswer:
        return HttpResponseBadRequest()
    return redirect(f"{request.path}#q{ask.place}")


@require_GET
def fresh_link(request: HttpRequest, token: str) -> HttpResponse:
    """Where the mail leads, once its reader has signed in: to their own questions, whoever they are."""
    uid = mailing.meant_for(token)
    if uid is None:
        messages.info(request, _("That link is from an older mail. Here are the questions of this week."))
    elif uid != request.user.uid:
        messages.info(request, _("That mail was for somebody else. Here are your own questions."))
    return redirect("training:fresh")


@require_GET
@permission_required("training.view_beliefs", raise_exception=True)
def beliefs_page(request: HttpRequest) -> HttpResponse:
    """By module: which wrong answers people are certain of. Nobody is named; small numbers are not shown."""
    context = {
        "modules": beliefs.beliefs(timezone.now()),
        "weeks": beliefs.LOOKS_BACK.days // 7,
        "fewest_asked": beliefs.FEWEST_ASKED,
        "fewest_held": beliefs.FEWEST_HELD,
    }
    return render(request, "training/beliefs.html", context)
