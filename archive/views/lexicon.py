"""The pages of the lexicon: which rules count and how they do, and drafts of the next version."""

from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import lexicon_check, lexicon_text
from archive.models import LexiconVersion
from archive.services import lexicon_trials, lexicons

MAY_SEE, MAY_EDIT = "archive.view_lexiconversion", "archive.edit_lexicon"
LINE_LIMIT = 5000  # characters of a line that is tried
REFUSALS = (
    lexicons.DraftExists,
    lexicons.NotADraft,
    lexicons.ChangedMeanwhile,
    lexicons.NoteMissing,
    lexicons.SamePerson,
    lexicons.CheckFails,
    lexicons.NotRetired,
)


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def lexicon(request: HttpRequest) -> HttpResponse:
    """The rules that count now, how each does, what the built-in examples say, and all versions."""
    words, figures = lexicons.active(), lexicons.figures()
    context = {
        "rows": [(rule, figures.get(rule.id, lexicons.Figures())) for rule in words.rules],
        "version": lexicons.active_version(),
        "digest": lexicon_text.digest(lexicons.active_text()),
        "versions": LexiconVersion.objects.select_related("made_by", "switched_on_by")[:50],
        "outcomes": lexicon_check.check(words),
    }
    return render(request, "archive/lexicon.html", context)


@permission_required(MAY_SEE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def lexicon_version(request: HttpRequest, number: int) -> HttpResponse:
    """One version: its text, what it changes, how it does on examples; a draft can be saved here."""
    version = get_object_or_404(LexiconVersion, number=number)
    if request.method == "GET":
        return _page(request, version)
    if not request.user.has_perm(MAY_EDIT):
        raise PermissionDenied
    return _saved(request, version) or _after(request, version)


@permission_required(MAY_SEE, raise_exception=True)
@require_POST
def lexicon_line(request: HttpRequest, number: int) -> HttpResponse:
    """What the text, as it stands on the page, makes of a line that somebody pasted. Neither is kept."""
    version = get_object_or_404(LexiconVersion, number=number)
    line, with_contact = request.POST.get("line", "")[:LINE_LIMIT], "with_contact" in request.POST
    try:
        words = lexicons.compiled_text(_typed(request, version))
    except lexicon_text.BrokenLexicon as error:
        return _page(request, version, faults=error.faults)
    return _page(request, version, tried=lexicon_trials.try_line(words, line, with_contact=with_contact))


def _typed(request: HttpRequest, version: LexiconVersion) -> str:
    """Return the text that stands on the page: what was typed into a draft, be it saved or not."""
    may_type = version.state == LexiconVersion.State.DRAFT and request.user.has_perm(MAY_EDIT)
    return request.POST.get("content", version.content).replace("\r\n", "\n") if may_type else version.content


def _saved(request: HttpRequest, version: LexiconVersion) -> HttpResponse | None:
    """Save what was typed. Return the page that says why that cannot be, with all that was typed; None: it is saved."""
    content = _typed(request, version)
    try:
        lexicons.save_draft(draft=version, content=content, seen=request.POST.get("seen", ""), by=request.user)
    except lexicon_text.BrokenLexicon as error:
        return _page(request, version, faults=error.faults)
    except REFUSALS as error:
        messages.error(request, str(error))
        return _page(request, version)
    return None


def _after(request: HttpRequest, version: LexiconVersion) -> HttpResponse:
    """Return the version's page after a deed, with what was typed into it besides the text, if there is any."""
    if not any(request.POST.get(name, "").strip() for name in ("line", "note", "despite")):
        return redirect("archive:lexicon_version", version.number)
    version.refresh_from_db()
    return _page(request, version, seen=lexicon_text.digest(version.content))


def _page(request: HttpRequest, version: LexiconVersion, **more: object) -> HttpResponse:
    words = lexicons.compiled(version)
    outcomes = lexicon_check.check(words)
    is_draft = version.state == LexiconVersion.State.DRAFT
    may_edit, content = request.user.has_perm(MAY_EDIT), _typed(request, version)
    context = {
        "version": version,
        "is_draft": is_draft,
        "may_edit": is_draft and may_edit,
        "may_go_back": version.state == LexiconVersion.State.RETIRED and may_edit,
        "content": content,
        "is_unsaved": content != version.content,
        "digest": lexicon_text.digest(version.content),
        "seen": request.POST.get("seen") or lexicon_text.digest(version.content),
        "line": request.POST.get("line", "")[:LINE_LIMIT],
        "with_contact": "with_contact" in request.POST,
        "note": request.POST.get("note", ""),
        "despite": request.POST.get("despite", ""),
        "changes": lexicon_text.differences(lexicons.active(), words) if is_draft else [],
        "outcomes": outcomes,
        "check_fails": any(not one.is_as_expected for one in outcomes),
        "job": lexicon_trials.trial_of(version) if is_draft else None,
        **more,
    }
    return render(request, "archive/lexicon_version.html", context)


def _deed(act):
    """A change to a version: by POST, by compliance. What cannot be is told on the page that it came from, on which
    stands what was typed.
    """

    @permission_required(MAY_EDIT, raise_exception=True)
    @require_POST
    @wraps(act)
    def view(request: HttpRequest, number: int = 0) -> HttpResponse:
        version = get_object_or_404(LexiconVersion, number=number) if number else None
        try:
            return act(request, version)
        except REFUSALS as error:
            messages.error(request, str(error))
            return _page(request, version) if version else redirect("archive:lexicon")

    return view


@_deed
def lexicon_begin(request: HttpRequest, version: LexiconVersion | None) -> HttpResponse:
    return redirect("archive:lexicon_version", lexicons.begin_draft(by=request.user, base=version).number)


@_deed
def lexicon_begin_shipped(request: HttpRequest, version: None) -> HttpResponse:
    return redirect("archive:lexicon_version", lexicons.begin_draft(by=request.user, shipped=True).number)


@_deed
def lexicon_trial(request: HttpRequest, version: LexiconVersion) -> HttpResponse:
    """Count with the text that stands on the page, which is saved for it."""
    if _typed(request, version) != version.content and (refused := _saved(request, version)):
        return refused
    version.refresh_from_db()
    lexicon_trials.start_trial(draft=version, by=request.user)
    return _after(request, version)


@_deed
def lexicon_switch_on(request: HttpRequest, version: LexiconVersion) -> HttpResponse:
    if _typed(request, version) != version.content:
        messages.error(request, _("What you have typed is not saved. Save it, and let somebody else switch it on."))
        return _page(request, version)
    note, seen = request.POST.get("note", ""), request.POST.get("seen", "")
    despite = request.POST.get("despite", "")
    lexicons.switch_on(draft=version, note=note, seen=seen, by=request.user, despite=despite)
    return redirect("archive:lexicon")


@_deed
def lexicon_back(request: HttpRequest, version: LexiconVersion) -> HttpResponse:
    lexicons.switch_back(to=version, note=request.POST.get("note", ""), by=request.user)
    return redirect("archive:lexicon")


@_deed
def lexicon_back_shipped(request: HttpRequest, version: None) -> HttpResponse:
    lexicons.switch_back(to=None, note=request.POST.get("note", ""), by=request.user)
    return redirect("archive:lexicon")


@_deed
def lexicon_throw_away(request: HttpRequest, version: LexiconVersion) -> HttpResponse:
    lexicons.throw_away(draft=version, by=request.user)
    return redirect("archive:lexicon")
