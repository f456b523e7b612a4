"""The pages of the lexicon: which rules count and how they do, and drafts of the next version."""

from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import lexicon_check, lexicon_text
from archive.models import LexiconVersion
from archive.services import lexicons

MAY_SEE, MAY_EDIT = "archive.view_lexiconversion", "archive.edit_lexicon"
LINE_LIMIT = 5000  # characters of a line that is tried
REFUSALS = (
    lexicons.DraftExists,
    lexicons.NotADraft,
    lexicons.ChangedMeanwhile,
    lexicons.NoteMissing,
    lexicons.SamePerson,
    lexicons.CheckFails,
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
    content = request.POST.get("content", "")
    try:
        lexicons.save_draft(draft=version, content=content, seen=request.POST.get("seen", ""), by=request.user)
    except lexicon_text.BrokenLexicon as error:
        return _page(request, version, content=content, faults=error.faults)
    except REFUSALS as error:
        messages.error(request, str(error))
        return _page(request, version, content=content)
    return redirect("archive:lexicon_version", number)


@permission_required(MAY_SEE, raise_exception=True)
@require_POST
def lexicon_line(request: HttpRequest, number: int) -> HttpResponse:
    """What the version makes of a line that somebody pasted. The line is kept nowhere."""
    version = get_object_or_404(LexiconVersion, number=number)
    line, with_contact = request.POST.get("line", "")[:LINE_LIMIT], "with_contact" in request.POST
    tried = lexicons.try_line(version, line, with_contact=with_contact)
    return _page(request, version, tried=tried, line=line, with_contact=with_contact)


def _page(request: HttpRequest, version: LexiconVersion, **more: object) -> HttpResponse:
    words = lexicons.compiled(version)
    outcomes = lexicon_check.check(words)
    is_draft = version.state == LexiconVersion.State.DRAFT
    context = {
        "version": version,
        "is_draft": is_draft,
        "may_edit": is_draft and request.user.has_perm(MAY_EDIT),
        "content": version.content,
        "digest": lexicon_text.digest(version.content),
        "changes": lexicon_text.differences(lexicons.active(), words) if is_draft else [],
        "outcomes": outcomes,
        "check_fails": any(not one.is_as_expected for one in outcomes),
        "job": lexicons.trial_of(version) if is_draft else None,
        **more,
    }
    return render(request, "archive/lexicon_version.html", context)


def _deed(act):
    """A change to a draft: by POST, by compliance, and what cannot be is told on the page that it came from."""

    @permission_required(MAY_EDIT, raise_exception=True)
    @require_POST
    @wraps(act)
    def view(request: HttpRequest, number: int = 0) -> HttpResponse:
        version = get_object_or_404(LexiconVersion, number=number) if number else None
        try:
            return act(request, version)
        except REFUSALS as error:
            messages.error(request, str(error))
            return redirect("archive:lexicon_version", number) if number else redirect("archive:lexicon")

    return view


@_deed
def lexicon_begin(request: HttpRequest, version: LexiconVersion | None) -> HttpResponse:
    return redirect("archive:lexicon_version", lexicons.begin_draft(by=request.user, base=version).number)


@_deed
def lexicon_trial(request: HttpRequest, version: LexiconVersion) -> HttpResponse:
    lexicons.start_trial(draft=version, by=request.user)
    return redirect("archive:lexicon_version", version.number)


@_deed
def lexicon_switch_on(request: HttpRequest, version: LexiconVersion) -> HttpResponse:
    note, seen = request.POST.get("note", ""), request.POST.get("seen", "")
    despite = request.POST.get("despite", "")
    lexicons.switch_on(draft=version, note=note, seen=seen, by=request.user, despite=despite)
    return redirect("archive:lexicon")


@_deed
def lexicon_throw_away(request: HttpRequest, version: LexiconVersion) -> HttpResponse:
    lexicons.throw_away(draft=version, by=request.user)
    return redirect("archive:lexicon")
