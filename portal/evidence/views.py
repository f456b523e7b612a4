"""Packs, the proof of a row, and a person's history."""

import json

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.evidence import labels, log, services, timeline, trace
from portal.evidence.forms import PackForm
from portal.evidence.models import Pack
from portal.ledger import proofs
from portal.ledger.models import Entry
from portal.people.models import Employee
from training import files

MAY_MAKE, MAY_READ = "evidence.make_packs", "ledger.view_entries"
PAGE_SIZE, LINES = 20, 50
REFUSALS = (services.ReasonMissing, services.NotThatDay, services.NotYours, services.AlreadyDecided)


# --- packs -------------------------------------------------------------------------------------------------------


@permission_required(MAY_MAKE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def pack_list(request: HttpRequest) -> HttpResponse:
    """Ask for a pack; below, those that were asked for."""
    form = PackForm(request.POST or None, viewer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("evidence:pack", services.ask(**form.cleaned_data, by=request.user).uid)
        except REFUSALS as error:
            form.add_error(None, str(error))
    rows = Pack.objects.visible_to(request.user).select_related("asked_by", "person", "department")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "evidence/pack_list.html", {"form": form, "page": page})


@permission_required(MAY_MAKE, raise_exception=True)
@require_GET
def pack(request: HttpRequest, uid: str) -> HttpResponse:
    """One pack: what was asked, by whom, how far it is, and its file."""
    one = _pack(request, uid)
    may_fetch = Pack.objects.downloadable_by(request.user).filter(pk=one.pk).exists()
    context = {"pack": one, "may_fetch": may_fetch, "is_mine": one.asked_by_id == request.user.pk}
    return render(request, "evidence/pack.html", context)


def _pack(request: HttpRequest, uid: str) -> Pack:
    rows = Pack.objects.visible_to(request.user).select_related("asked_by", "decided_by", "person", "department", "job")
    return get_object_or_404(rows, uid=uid)


@permission_required(MAY_MAKE, raise_exception=True)
@require_POST
def pack_decide(request: HttpRequest, uid: str) -> HttpResponse:
    """Approve or refuse what another has asked for."""
    approve, reason = request.POST.get("decision") == "approve", request.POST.get("reason", "")
    try:
        services.decide(pack=_pack(request, uid), approve=approve, reason=reason, by=request.user)
    except REFUSALS as error:
        messages.error(request, str(error))
    return redirect("evidence:pack", uid)


@permission_required(MAY_MAKE, raise_exception=True)
@require_POST
def pack_file(request: HttpRequest, uid: str) -> HttpResponse:
    """The ZIP, streamed. Each time is an Entry, so it comes by POST."""
    one = get_object_or_404(Pack.objects.downloadable_by(request.user), uid=uid)
    content = files.open_checked(one.file.name, one.sha256)
    services.note_download(pack=one, by=request.user)
    name = f"evidence-pack-{one.day:%Y-%m-%d}-{one.uid[:8]}.zip"
    headers = {"Content-Length": str(one.size)}
    return FileResponse(content, as_attachment=True, filename=name, content_type="application/zip", headers=headers)


# --- the proof of a row ------------------------------------------------------------------------------------------


@permission_required(MAY_READ, raise_exception=True)
@require_http_methods(["GET", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """The log, filtered; or the entries that speak of a row: by a number, a serial, or the id of an attempt or finding.

    A person's number or e-mail comes by POST and becomes their opaque id in the address.
    """
    if request.method == "POST":
        return _named(request)
    text, filters = request.GET.get("of", "")[:80], log.Filters.from_query(request.GET)
    found = trace.find(text, request.user) if text else []
    if len(found) == 1:
        return redirect("evidence:entry", found[0].seq)
    rows, more = (log.told(found, request.user), None) if text else log.page(filters, request.user)
    context = {
        "text": text,
        "rows": rows,
        "filters": filters,
        "names": labels.names([uid for uid in (filters.about, filters.by) if uid], request.user),
        "kinds": [(kind, label) for kind, (label, _verbs) in timeline.KINDS.items()] + [(r, r) for r in log.ROOMS],
        "older": filters.query(before=more) if more else "",
        "newest": filters.query() if filters.before else None,
    }
    return render(request, "evidence/find.html", context)


def _named(request: HttpRequest) -> HttpResponse:
    """Put the person who was named into the address of the log, or say that there is nobody."""
    filters, change = log.Filters.from_query(request.POST), {}
    for name in ("about", "by"):
        text = request.POST.get(f"{name}_text", "").strip()
        who = log.person(text, request.user)
        if text and who is None:
            messages.error(request, _("Nobody has this employee number or e-mail."))
        elif who:
            change[name] = who.uid
    return redirect(f"{reverse('evidence:find')}?{filters.query(**change)}")


@permission_required(MAY_READ, raise_exception=True)
@require_http_methods(["GET", "POST"])
def entry(request: HttpRequest, seq: int) -> HttpResponse:
    """The proof of one entry, step by step. What it says is shown to who says why: that is an entry too."""
    one = get_object_or_404(Entry, seq=seq)
    [row] = log.told([one], request.user)
    context = {"proved": trace.prove(one), "row": row, "reason": "", "step": None, "body": ""}
    if request.method == "POST":
        context |= _body(request, one)
    return render(request, "evidence/entry.html", context)


def _body(request: HttpRequest, one: Entry) -> dict:
    """Return what an Entry says, after writing down who reads it and why."""
    reason = request.POST.get("reason", "")
    try:
        step, told = trace.body_step(one)
        services.note_reading(seq=one.seq, reason=reason, by=request.user)
    except (services.ReasonMissing, proofs.NoBody) as error:
        messages.error(request, str(error) if isinstance(error, services.ReasonMissing) else _("It was disposed of."))
        return {}
    return {"step": step, "body": told, "reason": reason}


@permission_required(MAY_READ, raise_exception=True)
@require_POST
def entry_file(request: HttpRequest, seq: int) -> HttpResponse:
    """The proof against the newest seal with what the entry says, for the stand-alone checker. It needs a reason."""
    one = get_object_or_404(Entry, seq=seq)
    proved = trace.prove(one)
    if proved.proof is None or not _body(request, one):
        return redirect("evidence:entry", seq)
    proof = proofs.of_entry(entry=one, seal=proved.seal, with_body=True)
    headers = {"Content-Disposition": f'attachment; filename="entry-{seq}-proof.json"'}
    content = json.dumps(proof, ensure_ascii=False, indent=1)
    return HttpResponse(content.encode(), content_type="application/json", headers=headers)


# --- a person's history ------------------------------------------------------------------------------------------


@require_GET
def history(request: HttpRequest) -> HttpResponse:
    """What the log says about me."""
    if not request.user.employee_no:
        raise PermissionDenied
    return _history(request, request.user)


@require_GET
def person_history(request: HttpRequest, uid: str) -> HttpResponse:
    """What the log says about a person, as far as the viewer may know of it."""
    return _history(request, get_object_or_404(Employee.objects.visible_to(request.user), uid=uid))


def _history(request: HttpRequest, person: Employee) -> HttpResponse:
    filters = timeline.Filters.from_query(request.GET)
    rows = timeline.entries_for(person, request.user, filters).select_related("body")
    page = Paginator(rows, LINES).get_page(request.GET.get("page"))
    context = {
        "person": person,
        "is_own": person == request.user,
        "page": page,
        "lines": timeline.lines(page.object_list),
        "filters": filters,
        "kinds": [(kind, timeline.KINDS[kind][0]) for kind in timeline.kinds_for(person, request.user)],
    }
    return render(request, "evidence/history.html", context)
