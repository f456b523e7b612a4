"""What machines read: /api/standing/, the permission feed, and /api/firm/, the firm's figures; and their tokens."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import tokens
from portal.limits import may_knock
from portal.standing import figures, permission_feed
from portal.standing.forms import TokenForm
from portal.standing.models import FeedToken

A_MINUTE = 60  # requests of one token in a minute; and wrong tokens of one address


@login_not_required
@require_safe
def standing_feed(request: HttpRequest) -> HttpResponse:
    """Who may message clients, as JSON, or as CSV with ``format=csv`` or ``Accept: text/csv``.

    ``since=N`` gives only what changed after number N of an earlier answer. The ETag changes when anything does.
    """
    token, refused = _token(request, FeedToken.Opens.STANDING)
    if token is None:
        return refused
    since = request.GET.get("since", "0")
    if not since.isascii() or not since.isdecimal() or len(since) > 18:
        return _refused(400, "since is a whole number: the seq of an earlier answer")
    as_csv = request.GET.get("format", "") == "csv" or request.headers.get("Accept", "").startswith("text/csv")
    newest = permission_feed.newest()
    tag = f'"{newest}-{int(since)}-{"csv" if as_csv else "json"}"'
    if tag in [one.strip() for one in request.headers.get("If-None-Match", "").split(",")]:
        return _headed(HttpResponseNotModified(), tag, newest)
    pieces = permission_feed.as_csv(int(since)) if as_csv else permission_feed.as_json(int(since), newest)
    kind = "text/csv; charset=utf-8" if as_csv else "application/json"
    return _headed(StreamingHttpResponse(pieces, content_type=kind), tag, newest)


def _token(request: HttpRequest, opens: str) -> tuple[FeedToken | None, HttpResponse | None]:
    """Return the token of the request and no answer; or no token, and the answer that says why."""
    token = permission_feed.token_for(tokens.bearer(request), opens)
    who = f"token {token.pk}" if token else ""
    if not may_knock(request, f"{opens}-feed", most=A_MINUTE, seconds=60, who=who):
        return None, _refused(429, "too many requests: wait a minute", {"Retry-After": "60"})
    if token is None:
        return None, _refused(401, "no valid token", {"WWW-Authenticate": f'Bearer realm="{opens}"'})
    return token, None


@login_not_required
@require_safe
def firm_feed(request: HttpRequest) -> HttpResponse:
    """The firm's figures as whoever made the token sees them: every table of the page, or with ``table=NAME`` one."""
    token, refused = _token(request, FeedToken.Opens.FIRM)
    if token is None:
        return refused
    viewer, today, name = token.made_by, timezone.localdate(), request.GET.get("table", "")
    if not viewer.has_perms(("standing.view_firm", "archive.view_every_record")):
        return _refused(403, "whoever made this token may not see the firm any more")
    if name and name not in figures.NAMES:
        return _refused(400, f"table is one of {', '.join(figures.NAMES)}")
    with translation.override(settings.LANGUAGE_CODE):
        found = [figures.table(name, viewer, today)] if name else figures.every(viewer, today)
        told = {"day": today.isoformat(), "tables": {one.name: one.as_json() for one in found}}
    return JsonResponse(told, headers={"Cache-Control": "private, no-store"}, json_dumps_params={"ensure_ascii": False})


def _headed(response: HttpResponse | StreamingHttpResponse, tag: str, newest: int):
    told = {"ETag": tag, "X-Standing-Seq": str(newest), "Cache-Control": "private, no-cache", "Vary": "Accept"}
    for name, value in told.items():
        response.headers[name] = value
    return response


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"error": why}, status=status, headers=headers)


@require_http_methods(["GET", "POST"])
@permission_required("standing.manage_feed", raise_exception=True)
def feed(request: HttpRequest) -> HttpResponse:
    """The permission feed for machines: how to read it, and its tokens. A new token's secret is shown once, here."""
    form, secret = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        secret = permission_feed.make_token(**form.cleaned_data, by=request.user)
        form = TokenForm()
    context = {
        "form": form,
        "secret": secret,
        "tokens": FeedToken.objects.select_related("made_by"),
        "address": settings.SITE_URL + reverse("standing:api"),
        "firm_address": settings.SITE_URL + reverse("standing:firm_api"),
        "tables": figures.NAMES,
    }
    return render(request, "standing/feed.html", context)


@require_POST
@permission_required("standing.manage_feed", raise_exception=True)
def feed_token_end(request: HttpRequest, pk: int) -> HttpResponse:
    permission_feed.end_token(token=get_object_or_404(FeedToken, pk=pk), by=request.user)
    return redirect("standing:feed")
