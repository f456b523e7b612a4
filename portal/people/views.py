from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django.views.i18n import set_language

from portal.people import sessions


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Switch the language: in the browser for a visitor, for good for a person who is signed in."""
    code = request.POST.get("language")
    if request.user.is_authenticated and code in dict(settings.LANGUAGES):
        request.user.language = code
        request.user.save(update_fields=["language"])
    return set_language(request)


@require_GET
def session_list(request: HttpRequest) -> HttpResponse:
    """Where I am signed in."""
    shown = sessions.of(request.user, request.session.session_key)
    return render(request, "people/sessions.html", {"sessions": shown, "minutes": settings.SESSION_IDLE_MINUTES})


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one other session of mine, or all others. The one in which this is asked goes on: signing out ends it."""
    pk, here = None, request.session.session_key
    if "session" in request.POST:
        told = request.POST["session"]
        pk = int(told) if told.isdecimal() and len(told) < 19 else 0
    count = sessions.end(request.user, pk=pk, but=here)
    messages.success(request, ngettext("%(n)s session was ended.", "%(n)s sessions were ended.", count) % {"n": count})
    return redirect("people:session_list")
