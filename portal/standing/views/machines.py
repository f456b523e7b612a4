"""The permission feed: /api/standing/ as machines read it, and the page where its tokens are made."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal import tokens
from portal.limits import may_knock
from portal.standing import permission_feed
from portal.standing.forms import TokenForm
from portal.standing.models import FeedToken

A_MINUTE = 60  # requests of one token in a minute; and wrong tokens of one address


@login_not_required
@require_safe
def standing_feed(request: HttpRequest) -> HttpResponse:
    """Who may message clients, as JSON, or as CSV with ``format=csv`` or ``Accept: text/csv``.

    ``since=N`` gives only what changed after number N of an earlier answer. The ETag changes when anything does.
    """
    token = permission_feed.token_for(tokens.bearer(request))
    who = f"token {token.pk}" if token else ""
    if not may_knock(request, "standing-feed", most=A_MINUTE, seconds=60, who=who):
        return _refused(429, "too many requests: wait a minute", {"Retry-After": "60"})
    if token is None:
        return _refused(401, "no valid token", {"WWW-Authenticate": 'Bearer realm="standing"'})
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
        secret = permission_feed.make_token(label=form.cleaned_data["label"], by=request.user)
        form = TokenForm()
    tokens = FeedToken.objects.select_related("made_by")
    context = {"form": form, "secret": secret, "tokens": tokens, "address": settings.SITE_URL + reverse("standing:api")}
    return render(request, "standing/feed.html", context)


@require_POST
@permission_required("standing.manage_feed", raise_exception=True)
def feed_token_end(request: HttpRequest, pk: int) -> HttpResponse:
    permission_feed.end_token(token=get_object_or_404(FeedToken, pk=pk), by=request.user)
    return redirect("standing:feed")
