"""The evidence log for compliance and auditors: its seals, what a verification found, and proofs to take away."""

import json

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from portal.ledger import delivery, merkle, overview, proofs, running
from portal.ledger.forms import EntryForm
from portal.ledger.models import Entry, Seal

MAY_SEE = "ledger.view_entries"


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def evidence(request: HttpRequest) -> HttpResponse:
    """How the log stands, and one Entry if its number was asked for."""
    form = EntryForm(request.GET if "seq" in request.GET else None)
    found = overview.entry(form.cleaned_data["seq"]) if form.is_bound and form.is_valid() else None
    return render(request, "ledger/evidence.html", {**overview.state(), "form": form, "found": found})


@permission_required(MAY_SEE, raise_exception=True)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Have the whole log read now, once an hour at most. Nothing is changed by it."""
    running.ask(now=timezone.now(), by=request.user)
    messages.success(request, _("The whole log is being read. What is found will stand here in a few minutes."))
    return redirect("ledger:evidence")


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def seal_file(request: HttpRequest, number: int) -> HttpResponse:
    """A Seal as it was signed, byte for byte."""
    seal = get_object_or_404(Seal, number=number)
    return _file(delivery.file_name(seal), seal.note, "text/plain; charset=utf-8")


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def proof_file(request: HttpRequest, seq: int) -> HttpResponse:
    """The proof that an Entry is under a Seal, without what it says; ``?format=tlog`` as other tools read it."""
    entry = get_object_or_404(Entry, seq=seq)
    try:
        proof = proofs.of_entry(entry=entry)
    except proofs.NotSealed:
        messages.error(request, _("No seal covers this entry yet. The next one is made within an hour."))
    except merkle.BadProof:
        messages.error(request, _("No proof: the log is not what was sealed. Verify it at once."))
    else:
        if request.GET.get("format") == "tlog":
            return _file(f"entry-{seq}.tlog-proof", proofs.as_tlog_proof(proof), "text/plain; charset=utf-8")
        return _file(f"entry-{seq}-proof.json", json.dumps(proof, ensure_ascii=False, indent=1), "application/json")
    return redirect("ledger:evidence")


def _file(name: str, content: str, content_type: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content.encode(), content_type=content_type, headers=headers)
