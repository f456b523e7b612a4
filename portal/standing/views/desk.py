"""The findings desk of compliance: the queue, one finding, what is done about it, and the monthly samples."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from archive import sealing
from archive import services as archive
from archive.models import Finding, Sample, SampleItem
from portal.people.models import Office
from portal.standing import case, desk, places

MAY_SEE, MAY_ACT = "archive.view_every_record", "archive.review_findings"
PAGE_SIZE, BULK, MOST_FOUND = 25, 100, 100
REFUSED = (
    archive.AlreadyDecided,
    archive.SomebodyElses,
    archive.ReasonMissing,
    archive.EvidenceMissing,
    archive.NotAsked,
    archive.WrongWay,
)


@require_http_methods(["GET", "POST"])
@permission_required(MAY_SEE, raise_exception=True)
@vary_on_headers("HX-Request")
def finding_list(request: HttpRequest) -> HttpResponse:
    """The queue. A search, which may be for a name, comes by POST and shows the first MOST_FOUND at once."""
    filters, today = desk.Filters.from_query(request.GET), timezone.localdate()
    text = request.POST.get("q", "").strip()[:80]
    rows = desk.found(desk.queue(request.user, filters, today), text)
    page = Paginator(rows, MOST_FOUND if text else PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "filters": filters, "today": today, "may_act": request.user.has_perm(MAY_ACT)}
    context["text"] = text
    if request.htmx and not request.htmx.boosted:
        return render(request, "standing/_finding_rows.html", context)
    counts = Finding.objects.visible_to(request.user).open().values_list("kind").annotate(n=Count("pk"))
    tree = places.Tree()
    context |= {
        "kinds": [(kind, Finding.Kind(kind).label, n) for kind, n in counts.order_by("-n", "kind")],
        "departments": tree.options(set(tree.names)),
        "offices": Office.objects.all(),
    }
    return render(request, "standing/finding_list.html", context)


@require_GET
@permission_required(MAY_SEE, raise_exception=True)
def finding(request: HttpRequest, uid: str) -> HttpResponse:
    return _page(request, _finding(request, uid))


def _finding(request: HttpRequest, uid: str) -> Finding:
    rows = Finding.objects.visible_to(request.user).select_related(
        "employee__department", "employee__office", "employee__manager", "source", "message__text", "claimed_by",
        "decided_by", "seconded_by",
    )  # fmt: skip
    return get_object_or_404(rows, uid=uid)


def _page(request: HttpRequest, finding: Finding, **more) -> HttpResponse:
    filters = desk.Filters.from_query(request.GET)
    following = desk.after(finding, request.user, filters, timezone.localdate())
    context = case.case_of(finding, request.user, timezone.now())
    context |= {"filters": filters, "following": following, "today": timezone.localdate(), **more}
    return render(request, "standing/finding.html", context)


@require_POST
@permission_required(MAY_ACT, raise_exception=True)
def finding_do(request: HttpRequest, uid: str) -> HttpResponse:
    """One thing done about a finding. What is refused is said on its page, and nothing has changed."""
    finding, act = _finding(request, uid), request.POST.get("act", "")
    if act not in ACTS:
        raise Http404
    try:
        ACTS[act](finding, request)
    except REFUSED as error:
        messages.error(request, said(error))
    else:
        messages.success(request, str(DONE[act]))
    return redirect(f"{reverse('standing:finding', args=[uid])}?{desk.Filters.from_query(request.GET).query}")


def said(error: Exception) -> str:
    """Return a refusal as a sentence."""
    if isinstance(error, archive.EvidenceMissing):
        lacks = "; ".join(case.say_missing(one) for one in sorted(error.missing))
        return _("It cannot close yet: %(lacks)s.") % {"lacks": lacks}
    if isinstance(error, archive.AlreadyDecided):
        return _("It has been decided meanwhile: %(state)s.") % {"state": error}
    return str(error)


def _decide(finding: Finding, request: HttpRequest, decision: str) -> None:
    archive.review_finding(
        finding=finding,
        decision=decision,
        reason=request.POST.get("text", ""),
        reviewer=request.user,
        how=request.POST.get("how", "") if decision == "closed" else "",
        evidence=case.evidence_for(finding) if decision == "closed" else (),
    )


ACTS = {
    "claim": lambda f, r: archive.claim_finding(finding=f, reviewer=r.user),
    "release": lambda f, r: archive.release_finding(finding=f, reviewer=r.user),
    "take_over": lambda f, r: archive.take_over_finding(finding=f, reviewer=r.user, reason=r.POST.get("text", "")),
    "note": lambda f, r: archive.note_on_finding(finding=f, text=r.POST.get("text", ""), reviewer=r.user),
    "ask": lambda f, r: archive.ask_person(finding=f, question=r.POST.get("text", ""), reviewer=r.user),
    "confirm": lambda f, r: _decide(f, r, "confirmed"),
    "dismiss": lambda f, r: _decide(f, r, "dismissed"),
    "close": lambda f, r: _decide(f, r, "closed"),
    "second": lambda f, r: archive.second_finding(finding=f, reviewer=r.user, reason=r.POST.get("text", "")),
    "send_back": lambda f, r: archive.send_back_finding(finding=f, reviewer=r.user, reason=r.POST.get("text", "")),
}
DONE = {
    "claim": gettext_lazy("You have taken it on."),
    "take_over": gettext_lazy("You have taken it over."),
    "release": gettext_lazy("You have let it go: anybody may take it on."),
    "note": gettext_lazy("The note is written down."),
    "ask": gettext_lazy("The person is asked. The question stands on their page until it is answered."),
    "confirm": gettext_lazy("It is confirmed."),
    "dismiss": gettext_lazy("It is dismissed as a false alarm."),
    "close": gettext_lazy("It is closed."),
    "second": gettext_lazy("You have confirmed it too."),
    "send_back": gettext_lazy("It is to be reviewed again."),
}


@require_POST
@permission_required(MAY_ACT, raise_exception=True)
def finding_words(request: HttpRequest, uid: str) -> HttpResponse:
    """The words a finding is about, to who says why: a little around each hit, or with ``whole`` the whole message.

    Shown in the answer to this request alone; the reading is an Entry.
    """
    finding = _finding(request, uid)
    try:
        words = archive.read_words(finding=finding, reason=request.POST.get("text", ""), reviewer=request.user)
    except archive.ReasonMissing as error:
        messages.error(request, str(error))
        return redirect("standing:finding", uid)
    except sealing.KeyMissing:
        messages.error(request, _("The words are there, but the key that opens them is not. Tell who runs this site."))
        return redirect("standing:finding", uid)
    if request.POST.get("whole"):
        return _page(request, finding, whole=words)
    return _page(request, finding, excerpts=archive.excerpts(words, finding.facts.get("hits", [])), is_kept=bool(words))


@require_POST
@permission_required(MAY_ACT, raise_exception=True)
def finding_bulk(request: HttpRequest) -> HttpResponse:
    """Take on, let go or dismiss several findings at once: each by itself, so one that is refused stops no other."""
    act, uids = request.POST.get("act", ""), request.POST.getlist("finding")[:BULK]
    if act not in ("claim", "release", "dismiss"):
        raise Http404
    done, refused = 0, []
    for one in Finding.objects.visible_to(request.user).filter(uid__in=uids).order_by("due_on", "pk"):
        try:
            ACTS[act](one, request)
            done += 1
        except REFUSED as error:
            refused.append(f"{one.get_kind_display()}: {said(error)}")
    if done:
        messages.success(request, _bulk_done(act, done) % {"n": done})
    for why in refused[:5]:
        messages.error(request, why)
    if not uids:
        messages.error(request, _("Choose some findings first."))
    return redirect(f"{reverse('standing:finding_list')}?{desk.Filters.from_query(request.GET).query}")


def _bulk_done(act: str, n: int) -> str:
    if act == "claim":
        return ngettext("You have taken on %(n)s finding.", "You have taken on %(n)s findings.", n)
    if act == "release":
        return ngettext("You have let %(n)s finding go.", "You have let %(n)s findings go.", n)
    return ngettext("%(n)s finding dismissed as a false alarm.", "%(n)s findings dismissed as false alarms.", n)


# --- samples


@require_GET
@permission_required(MAY_SEE, raise_exception=True)
def sample_list(request: HttpRequest) -> HttpResponse:
    samples = Sample.objects.annotate(drawn=Count("items"), reviewed=Count("items__reviewer"))
    return render(request, "standing/sample_list.html", {"samples": samples})


@require_GET
@permission_required(MAY_SEE, raise_exception=True)
def sample(request: HttpRequest, month: date) -> HttpResponse:
    found = get_object_or_404(Sample, month=month)
    items = found.items.select_related("message__source", "reviewer")
    context = {"sample": found, "items": items, "results": SampleItem.Result, "may_act": request.user.has_perm(MAY_ACT)}
    return render(request, "standing/sample.html", context)


@require_POST
@permission_required(MAY_ACT, raise_exception=True)
def sample_item(request: HttpRequest, month: date, number: int) -> HttpResponse:
    """Write down that a message of a sample was reviewed."""
    item = get_object_or_404(SampleItem, sample__month=month, number=number)
    result = request.POST.get("result", "")
    if result and result not in SampleItem.Result:
        raise Http404
    if not result:
        messages.error(request, _("Number %(n)s: choose what you found.") % {"n": number})
        return redirect(f"{reverse('standing:sample', args=[month])}#item-{number}")
    try:
        archive.review_item(item=item, result=result, action=request.POST.get("action", ""), reviewer=request.user)
    except REFUSED as error:
        messages.error(request, _("Number %(n)s: %(why)s") % {"n": number, "why": said(error)})
    return redirect(f"{reverse('standing:sample', args=[month])}#item-{number}")
