"""The door for machines: lines are pushed into a source and each is told what became of it."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from archive import services
from archive.models import SourceToken
from archive.sources.base import LINE_LIMIT
from portal.limits import may_knock

CONTENT_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
ENCODINGS = ("identity", "gzip")
REFUSALS, REFUSAL_SECONDS = 30, 600  # of one address; the next ones are told to wait
_KEY = re.compile(rf"[!-~]{{1,{services.KEY_LIMIT}}}\Z")


@dataclass(frozen=True)
class Form:
    """What a body may be: its types, its bytes unpacked, and what a wrong one is told."""

    types: tuple[str, ...]
    most: int
    detail: str


LINES = Form(
    CONTENT_TYPES,
    services.PUSH_BYTES,
    gettext_lazy("Send JSON lines in UTF-8 as application/x-ndjson, plain or with Content-Encoding: gzip."),
)
ANSWERS = Form(
    ("application/json",),
    services.STATE_BYTES,
    gettext_lazy("Send one JSON object in UTF-8 as application/json, plain or with Content-Encoding: gzip."),
)


class Refused(Exception):
    """The push is not taken, nothing of it is kept. ``code`` is for machines, ``detail`` for who reads their log."""

    def __init__(self, status: int, code: str, detail: str, **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers


@csrf_exempt  # a token is shown, no cookie is looked at
@login_not_required
@never_cache
@require_http_methods(["POST", "OPTIONS"])
def push(request: HttpRequest, source: str) -> HttpResponse:
    """Take lines from a machine that shows a token of the source. 200 means that they are safely stored."""
    if request.method == "OPTIONS":
        return JsonResponse({"limits": limits()}, headers={"Allow": "OPTIONS, POST"})
    try:
        token = _token(request, source)
        _keep_pace(request, token)
        key = _key(request)
        pushed = _pushed(token, _body(request, LINES), key)
    except Refused as no:
        return _refusal(no, limits())
    headers = {"Idempotency-Replayed": "true"} if pushed.is_repeat else {}
    return JsonResponse(_told(token, pushed), headers=headers)


@csrf_exempt  # a token is shown, no cookie is looked at
@login_not_required
@never_cache
@require_http_methods(["POST", "OPTIONS"])
def push_state(request: HttpRequest, source: str) -> HttpResponse:
    """Take a dated copy of seats and consent from a machine. 200 means that it is safely stored."""
    if request.method == "OPTIONS":
        return JsonResponse({"limits": state_limits()}, headers={"Allow": "OPTIONS, POST"})
    try:
        token = _token(request, source)
        _keep_pace(request, token)
        taken_at, kept = services.push_state(token=token, raw=_body(request, ANSWERS))
    except Refused as no:
        return _refusal(no, state_limits())
    except services.NotAState as error:
        return _refusal(Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "not_a_state", str(error)), state_limits())
    return JsonResponse({"source": token.source.name, "taken_at": taken_at, **kept.as_dict()})


def _refusal(no: Refused, limits_: dict) -> JsonResponse:
    headers = {name.replace("_", "-"): value for name, value in no.headers.items()}
    return JsonResponse({"error": no.code, "detail": no.detail, "limits": limits_}, status=no.status, headers=headers)


def state_limits() -> dict:
    """Return what a pushed copy of seats and consent may be, as the documentation states it."""
    return {
        "bytes": services.STATE_BYTES,
        "pushes": services.PUSHES,
        "seconds": services.PUSH_SECONDS,
        "content_types": list(ANSWERS.types),
        "content_encodings": list(ENCODINGS),
    }


def limits() -> dict:
    """Return what a push may be, as the documentation states it."""
    return {
        "bytes": services.PUSH_BYTES,
        "lines": services.PUSH_LINES,
        "line_bytes": LINE_LIMIT,
        "pushes": services.PUSHES,
        "seconds": services.PUSH_SECONDS,
        "content_types": list(CONTENT_TYPES),
        "content_encodings": list(ENCODINGS),
    }


def _told(token: SourceToken, pushed: "services.Pushed") -> dict:
    counts = pushed.run.counts if pushed.run else {}
    return {
        "source": token.source.name,
        "import": pushed.run.uid if pushed.run else None,
        **{name: counts.get(name, 0) for name in ("lines", "stored", "duplicates", "conflicts", "set_aside")},
        "answers": [{"line": one.line, "result": one.result, "reason": one.reason} for one in pushed.answers],
    }


def _token(request: HttpRequest, source: str) -> SourceToken:
    """Return the token that is shown. A wrong one, one of another source and an unknown source are told the same."""
    scheme, _space, text = request.headers.get("Authorization", "").partition(" ")
    token = None
    if scheme.lower() == "bearer" and text.strip():
        token = services.token_for(text=text.strip(), source=source, now=timezone.now())
    if token is None:
        if not may_knock(request, "push-refused", most=REFUSALS, seconds=REFUSAL_SECONDS):
            raise _too_often(REFUSAL_SECONDS)
        detail = _("Show a token of this source: Authorization: Bearer …")
        raise Refused(HTTPStatus.UNAUTHORIZED, "unauthorized", detail, WWW_Authenticate="Bearer")
    return token


def _keep_pace(request: HttpRequest, token: SourceToken) -> None:
    who = f"token {token.pk}"
    if not may_knock(request, "push", most=services.PUSHES, seconds=services.PUSH_SECONDS, who=who):
        raise _too_often(services.PUSH_SECONDS)


def _too_often(seconds: int) -> Refused:
    detail = _("Too many pushes in a short time. Wait, then try again.")
    return Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_often", detail, Retry_After=str(seconds))


def _key(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if key and not _KEY.match(key):
        detail = _("An Idempotency-Key has up to %(most)s visible ASCII characters.") % {"most": services.KEY_LIMIT}
        raise Refused(HTTPStatus.BAD_REQUEST, "bad_key", detail)
    return key


def _body(request: HttpRequest, form: Form) -> bytes:
    """Return the unpacked body. Nothing is read of one that is too large, of another type, or of unknown length."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    charset = request.content_params.get("charset", "utf-8").lower()
    if request.content_type not in form.types or encoding not in ENCODINGS or charset not in ("utf-8", "utf8"):
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "wrong_type", str(form.detail))
    length = request.META.get("CONTENT_LENGTH") or ""
    if "Transfer-Encoding" in request.headers or not length.isdecimal():
        detail = _("Say how long the body is: a Content-Length, no chunks.")
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "length_required", detail)
    if int(length) > form.most:
        raise _too_large("bytes")
    try:
        body = request.read(int(length))
    except UnreadablePostError:
        body = b""
    if len(body) != int(length):
        raise Refused(HTTPStatus.BAD_REQUEST, "cut_off", _("The body ended before its Content-Length."))
    return _unpacked(body, form.most) if encoding == "gzip" else body


def _unpacked(body: bytes, most: int) -> bytes:
    try:
        return services.unpack(body, most)
    except services.TooMuch as error:
        raise _too_large(error.what) from error
    except services.CannotUnpack as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "cannot_unpack", _("The body is not whole as gzip.")) from error


def _too_large(what: str) -> Refused:
    detail = {
        "bytes": _("The body is larger than one push may be, unpacked. Send it in several."),
        "lines": _("These are more lines than one push may have. Send them in several."),
    }
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"too_many_{what}", detail[what])


def _pushed(token: SourceToken, raw: bytes, key: str) -> "services.Pushed":
    try:
        return services.push(token=token, raw=raw, key=key)
    except services.TooMuch as error:
        raise _too_large(error.what) from error
    except services.KeyReused as error:
        detail = _("This Idempotency-Key was used for another body.")
        raise Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "key_reused", detail) from error
    except services.NotPushable as error:
        detail = _("This source is read from files. Only a WeCom feed can be pushed.")
        raise Refused(HTTPStatus.CONFLICT, "not_pushable", detail) from error
    except services.SourceBusy as error:
        detail = _("The source is being imported just now. Nothing was kept; send it again in a while.")
        status, seconds = HTTPStatus.SERVICE_UNAVAILABLE, str(services.BUSY_SECONDS)
        raise Refused(status, "busy", detail, Retry_After=seconds) from error
