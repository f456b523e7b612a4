"""Writing questions in fields or as text; a preview; and the second person who reads them."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from quizzes import authoring, banks, drafts, editor, importing
from quizzes import services as quizzes
from quizzes.formats import FORMATS
from quizzes.formats.base import tags_of
from quizzes.models import Bank, Question

CHOICES = {"single", "multiple", "truefalse"}  # kinds whose fields are the same
MAY_SEE, MAY_EDIT = "quizzes.view_bank", "quizzes.change_question"


@permission_required(MAY_EDIT, raise_exception=True)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, slug: str, question: str = "") -> HttpResponse:
    """Write a question, new or as the next version of one."""
    bank = get_object_or_404(Bank, slug=slug)
    old = get_object_or_404(bank.questions.newest(), slug=question) if question else None
    if request.method == "POST":
        return _sent(request, bank, old)
    if old is None:
        return _page(request, bank, None, data=editor.begun(request.GET.get("kind", "")))
    fields = drafts.fields_of(old)
    if request.GET.get("as") == "text" or not editor.fits(fields):
        return _page(request, bank, old, text=drafts.text_of(old))
    return _page(request, bank, old, data=editor.data_of(fields, old.slug))


def _sent(request: HttpRequest, bank: Bank, old: Question | None) -> HttpResponse:
    """Save what was typed, or only show what it would look like, with more rows or fewer."""
    shown = {"text": request.POST["text"]} if "text" in request.POST else {"data": _data(request)}
    if "data" in shown and (changed := editor.changed_rows(shown["data"])) is not None:
        return _page(request, bank, old, data=changed)
    draft = _draft(request)
    if old:
        draft.slug = old.slug
    if draft.flaws or "preview" in request.POST:
        return _page(request, bank, old, draft=draft, **shown)
    if old is None and bank.questions.filter(slug=draft.slug).exists():
        taken = _("There is a question “%(slug)s” already: give this one another name.")
        draft.errors["id"] = [taken % {"slug": draft.slug}]
        return _page(request, bank, old, draft=draft, **shown)
    saved = authoring.save_question(bank=bank, given=draft.given, by=request.user, propose="propose" in request.POST)
    return redirect("quizzes:question", bank.slug, saved.slug)


def _data(request: HttpRequest) -> dict[str, str]:
    """Return what was typed into fields."""
    data = request.POST.dict()
    return data | {"kind": data["kind"] if data.get("kind") in Question.Kind.values else Question.Kind.SINGLE.value}


def _draft(request: HttpRequest) -> editor.Draft:
    return drafts.read_text(request.POST["text"]) if "text" in request.POST else editor.read(_data(request))


def _page(
    request: HttpRequest,
    bank: Bank,
    old: Question | None,
    *,
    draft: editor.Draft | None = None,
    data: dict[str, str] | None = None,
    text: str = "",
) -> HttpResponse:
    context = {
        "bank": bank,
        "bank_title": banks.told(bank.title, get_language()),
        "question": old,
        "kind": dict(Question.Kind.choices).get(data["kind"]) if data else "",
        "choice_kinds": [(value, label) for value, label in Question.Kind.choices if value in CHOICES],
        "flaws": draft.flaws if draft else [],
        "drawn": banks.previews(draft.question) if draft and draft.question else [],
        "text": text,
        "form": editor.shown(data, draft.errors if draft else {}) if data else None,
    }
    return render(request, "quizzes/edit.html", context)


@permission_required(MAY_EDIT, raise_exception=True)
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """Draw what was typed so far as it would be shown, or say what is wrong with it."""
    draft = _draft(request)
    drawn = banks.previews(draft.question) if draft.question else []
    return render(request, "quizzes/_preview.html", {"flaws": draft.flaws, "drawn": drawn})


@permission_required(MAY_EDIT, raise_exception=True)
@require_POST
def review(request: HttpRequest, slug: str, question: str) -> HttpResponse:
    """Accept a question, or send it back to its author."""
    row = get_object_or_404(Question.objects.newest(), bank__slug=slug, slug=question)
    text = request.POST.get("text", "")
    try:
        if request.POST.get("deed") == "accept":
            authoring.accept(question=row, by=request.user, text=text)
        else:
            authoring.send_back(question=row, by=request.user, text=text)
    except authoring.OwnQuestion:
        messages.error(request, _("Somebody else has to read what you have written."))
    except authoring.NotForReview:
        messages.error(request, _("It does not wait for review any more."))
    except quizzes.NoReason:
        messages.error(request, _("Say what is to be mended."))
    return redirect("quizzes:question", slug, question)


@permission_required(MAY_EDIT, raise_exception=True)
@require_POST
def withdraw(request: HttpRequest, slug: str, question: str) -> HttpResponse:
    """Have a question asked no more. What was asked and graded stays: to look at that again is a recall."""
    row = get_object_or_404(Question.objects.newest(), bank__slug=slug, slug=question)
    try:
        quizzes.withdraw_question(question=row, reason=request.POST.get("reason", ""), by=request.user)
    except quizzes.NoReason:
        messages.error(request, _("Say why it is not to be asked any more."))
    except quizzes.AlreadyWithdrawn:
        messages.error(request, _("It is withdrawn already."))
    return redirect("quizzes:question", slug, question)


@permission_required(MAY_EDIT, raise_exception=True)
@require_POST
def retag(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the questions that were ticked another tag, or take one from them."""
    bank = get_object_or_404(Bank, slug=slug)
    add, remove = tags_of(request.POST.get("add", "")), tags_of(request.POST.get("remove", ""))
    n = authoring.retag(
        bank=bank, slugs=request.POST.getlist("question")[:500], add=add, remove=remove, by=request.user
    )
    messages.success(request, _("Tagged anew: %(n)s") % {"n": n})
    return redirect("quizzes:bank", slug)


@permission_required(MAY_SEE, raise_exception=True)
@require_POST
def export(request: HttpRequest, slug: str) -> HttpResponse:
    """The bank as a file, after a word about what the format cannot carry. Right answers stand in it: so an Entry."""
    bank = get_object_or_404(Bank, slug=slug)
    name = request.POST.get("format") if request.POST.get("format") in FORMATS else "yaml"
    chosen = FORMATS[name]
    language = banks.language_of(bank, get_language())
    lost = importing.export_questions(bank=bank, file_format=name, language=language)[1]
    if lost and "anyway" not in request.POST:
        context = {"bank": bank, "bank_title": banks.told(bank.title, get_language()), "lost": lost}
        return render(request, "quizzes/export.html", context | {"name": name, "format": chosen.NAME})
    data = importing.hand_out(bank=bank, file_format=name, language=language, by=request.user)
    response = HttpResponse(data, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{bank.slug}.{chosen.EXTENSION}"'
    return response
