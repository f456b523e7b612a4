"""The permission feed as machines read it: /api/standing/."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from portal import tokens
from portal.limits import may_knock
from portal.standing import permission_feed as feed

A_MINUTE = 60  # requests of one token in a minute; and wrong tokens of one address


@login_not_required
@require_safe
def standing_feed(request: HttpRequest) -> HttpResponse:
    """Who may message clients, as JSON, or as CSV with ``format=csv`` or ``Accept: text/csv``.

    ``since=N`` gives only what changed after number N of an earlier answer. The ETag changes when anything does.
    """
    token = feed.token_for(tokens.bearer(request))
    who = f"token {token.pk}" if token else ""
    if not may_knock(request, "standing-feed", most=A_MINUTE, seconds=60, who=who):
        return _refused(429, "too many requests: wait a minute", {"Retry-After": "60"})
    if token is None:
        return _refused(401, "no valid token", {"WWW-Authenticate": 'Bearer realm="standing"'})
    since = request.GET.get("since", "0")
    if not since.isascii() or not since.isdecimal() or len(since) > 18:
        return _refused(400, "since is a whole number: the seq of an earlier answer")
    as_csv = request.GET.get("format", "") == "csv" or request.headers.get("Accept", "").startswith("text/csv")
    newest = feed.newest()
    tag = f'"{newest}-{int(since)}-{"csv" if as_csv else "json"}"'
    if tag in [one.strip() for one in request.headers.get("If-None-Match", "").split(",")]:
        return _headed(HttpResponseNotModified(), tag, newest)
    pieces = feed.as_csv(int(since)) if as_csv else feed.as_json(int(since), newest)
    kind = "text/csv; charset=utf-8" if as_csv else "application/json"
    return _headed(StreamingHttpResponse(pieces, content_type=kind), tag, newest)


def _headed(response: HttpResponse | StreamingHttpResponse, tag: str, newest: int):
    told = {"ETag": tag, "X-Standing-Seq": str(newest), "Cache-Control": "private, no-cache", "Vary": "Accept"}
    for name, value in told.items():
        response.headers[name] = value
    return response


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> JsonResponse:
    return JsonResponse({"error": why}, status=status, headers=headers)
