"""My statement on messaging for the last quarter."""

from datetime import date

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from portal.standing import statements
from training import attesting
from training.rules import told


@require_http_methods(["GET", "POST"])
def statement(request: HttpRequest) -> HttpResponse:
    """What the archive says of the quarter, then the words, then the signature."""
    today = timezone.localdate()
    version, quarter = statements.version_on(today), statements.asked_on(today)
    if version is None or not request.user.employee_no:
        raise Http404
    done = statements.signed(request.user, version, quarter)
    shown = done.shown if done else statements.shown_to(request.user, quarter)
    if request.method == "POST" and done is None:
        return _sign(request, version, quarter, shown)
    context = {
        "version": version,
        "text": told(version.text, get_language() or ""),
        "quarter": quarter,
        "shown": shown,
        "gaps": [date.fromisoformat(day) for day in shown["gaps"]],
        "unseated": [date.fromisoformat(day) for day in shown["unseated"]],
        "reports": [date.fromisoformat(one["about_on"]) for one in shown["reports"]],
        "mark": statements.mark_of(shown),
        "signed": done,
    }
    return render(request, "standing/statement.html", context)


def _sign(request: HttpRequest, version, quarter: str, shown: dict) -> HttpResponse:
    if request.POST.get("mark") != statements.mark_of(shown):
        messages.error(request, _("What stands here has changed since. Look at it again before you sign."))
        return redirect("standing:statement")
    has_password = request.user.has_usable_password()
    proof = attesting.proof_in(request.session, has_password=has_password, now=timezone.now())
    try:
        attesting.sign(
            employee=request.user, version=version, proof=proof, language=get_language() or "en", shown=shown,
            period=quarter,
        )  # fmt: skip
    except attesting.NotFresh:
        if not has_password:
            messages.error(request, _("Sign out, sign in again, and sign within five minutes."))
            return redirect("standing:statement")
        messages.info(request, _("Confirm first that it is you; then sign."))
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")
    messages.success(request, _("Signed. It is written to the evidence log."))
    return redirect("standing:today")
