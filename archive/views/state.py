"""Dated copies of seats and consent: a file to keep, what is kept, and what it says as at a day."""

from datetime import date
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from archive import services
from archive.forms import StateForm
from archive.models import AnswerCopy, Source
from archive.views.imports import MAY_RUN, MAY_SEE


@permission_required(MAY_RUN, raise_exception=True)
@require_http_methods(["GET", "POST"])
def state_new(request: HttpRequest) -> HttpResponse:
    """A file of answers is kept as a dated copy; records and findings follow."""
    form = StateForm(request.POST or None, request.FILES or None, initial={"name": request.GET.get("source", "")[:50]})
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            source, _at, kept = services.take_file(
                name=given["name"],
                raw=given["answers"].read(),
                taken_at=given["taken_at"],
                holds_from=given["holds_from"],
                by=request.user,
            )
            _tell(request, kept)
            return redirect("archive:source_state", source.name)
        except (services.BadSourceName, services.NotAState) as error:
            form.add_error(None, str(error))
    return render(request, "archive/state_new.html", {"form": form, "sources": Source.objects.order_by("name")})


def _tell(request: HttpRequest, kept: services.Kept) -> None:
    if kept.is_nothing:
        messages.info(request, _("All of it was here already: nothing has changed."))
        return
    said = _("Kept: %(seats)s seats on a list, %(words)s new words on consent, %(copies)s copies of other answers.")
    messages.success(request, said % {"seats": kept.seats, "words": kept.words, "copies": kept.copies})
    if kept.errors:
        told = ngettext("%(n)s answer is an error.", "%(n)s answers are errors.", kept.errors)
        messages.warning(request, told % {"n": kept.errors})


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def source_state(request: HttpRequest, name: str) -> HttpResponse:
    """What is kept of a source's seats and consent, and what it says as at a day."""
    source = get_object_or_404(Source, name=name)
    on, whom = _day(request.GET.get("on", "")) or timezone.localdate(), request.GET.get("whom", "").strip()[:128]
    asked = request.GET.get("asked", "")
    asked = asked if asked in AnswerCopy.Asked.values else ""
    errors = request.GET.get("errors") == "1"
    told = services.copies_told(source, on=on, whom=whom, asked=asked, errors=errors, pages=request.GET)
    context = {"source": source, "told": told, "on": on, "whom": whom, "asked": asked, "errors": errors}
    context["keep"] = (
        urlencode({"on": on.isoformat(), "whom": whom, "asked": asked, "errors": "1" if errors else ""}) + "&"
    )
    return render(request, "archive/source_state.html", context | {"kinds": AnswerCopy.Asked.choices})


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def state_copy(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """The copy as it was delivered, as a file of JSON."""
    copy = get_object_or_404(AnswerCopy.objects.select_related("source"), source__name=name, pk=pk)
    services.note_answer_fetched(copy=copy, by=request.user)
    file = f"answer-{copy.taken_at:%Y%m%d}-{copy.pk}.json"
    headers = {"Content-Disposition": f'attachment; filename="{file}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(copy.answer, content_type="application/json", headers=headers)
