"""The door for directories, /scim/v2/, and the page with their tokens."""

import json
import logging

from django.conf import settings
from django.contrib.auth.decorators import login_not_required, permission_required
from django.db import DataError, IntegrityError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST
from scim2_models import (
    Error,
    InvalidSyntaxException,
    InvalidValueException,
    PayloadTooLargeException,
    SCIMException,
    UniquenessException,
)
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE, ScimResponse

from portal.hr.writing import Stale
from portal.limits import may_knock
from portal.people.models import Employee
from portal.scim import showing, tokens
from portal.scim.forms import TokenForm
from portal.scim.models import Token
from portal.scim.service import SERVICE
from portal.scim.storage import Storage
from portal.tokens import bearer

logger = logging.getLogger(__name__)

MOST_BYTES = 2 * 2**20
MOST_QUERY = 8000  # characters
PACE, PACE_SECONDS = 50, 2  # requests of one token, in any so many seconds
REFUSALS, REFUSAL_SECONDS = 30, 600  # wrong tokens of one address
TRIES = 3
WRITES = ("POST", "PUT", "PATCH", "DELETE")
READING_PATHS = (".search",)  # a POST that only asks


@csrf_exempt  # a token is shown, no cookie is looked at
@login_not_required
@never_cache
def door(request: HttpRequest, path: str) -> HttpResponse:
    """Answer a directory that shows a token, in SCIM 2.0."""
    token = tokens.known(bearer(request))
    if token is None:
        if not may_knock(request, "scim-refused", most=REFUSALS, seconds=REFUSAL_SECONDS):
            return _refused(429, "Too many wrong tokens. Wait.", {"Retry-After": str(REFUSAL_SECONDS)})
        challenge = {"WWW-Authenticate": 'Bearer realm="scim"'}
        return _refused(401, "Show a token that is valid: Authorization: Bearer …", challenge)
    if not may_knock(request, "scim", most=PACE, seconds=PACE_SECONDS, who=f"token {token.pk}"):
        return _refused(429, "Too many requests. Wait a moment.", {"Retry-After": str(PACE_SECONDS)})
    try:
        asked = _asked(request, path)
        return _answer(_handled(asked, token))
    except SCIMException as error:
        return _answer(SERVICE.error_response(error))
    except Exception:
        logger.exception("a directory's request failed")
        return _refused(500, "Internal server error", {})


def _asked(request: HttpRequest, path: str) -> ScimRequest:
    """Return the request in the library's form. Raises SCIMException for one that is too large or cannot be kept."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if "Transfer-Encoding" in request.headers or not length.isdecimal():
        raise InvalidSyntaxException(detail="Say how long the body is: a Content-Length, no chunks.")
    if int(length) > MOST_BYTES:
        raise PayloadTooLargeException(detail=f"A body has at most {MOST_BYTES} bytes.")
    if len(request.META.get("QUERY_STRING", "")) > MOST_QUERY:
        raise InvalidSyntaxException(detail=f"A query has at most {MOST_QUERY} characters.")
    try:
        body = request.read(int(length))
    except UnreadablePostError:
        body = b""
    query = {name: values[-1] for name, values in request.GET.lists()}
    if len(body) != int(length):
        raise InvalidSyntaxException(detail="The body ended before its Content-Length.")
    if b"\\u0000" in body or "\0" in path or any("\0" in told for pair in query.items() for told in pair):
        raise InvalidValueException(detail="No text holds the character NUL.")
    return ScimRequest(
        method=request.method,
        base_url=f"{settings.SITE_URL}/scim/v2",
        path=path,
        query=query,
        headers=dict(request.headers),
        body=body,
    )


def _handled(asked: ScimRequest, token: Token) -> ScimResponse:
    """Serve the request; once more, from the start, where another had the same rows. Raises SCIMException."""
    writes = asked.method in WRITES and not asked.path.endswith(READING_PATHS)
    by = f"system:scim:{token.hint}"
    for tries_left in reversed(range(TRIES)):
        try:
            return ScimHandler(SERVICE, Storage(by=by, writes=writes)).handle(asked)
        except (OperationalError, Stale) as error:
            if not tries_left:
                logger.warning("a directory's request found its rows taken", exc_info=True)
                raise _busy() from error
        except IntegrityError as error:
            if not tries_left:
                raise UniquenessException from error
        except (DataError, OverflowError, UnicodeError) as error:
            raise InvalidValueException(detail="A value is one that cannot be kept.") from error
        except RecursionError as error:
            raise InvalidSyntaxException(detail="This is nested too deeply.") from error
    raise AssertionError("the last try returns or raises")


def _busy() -> SCIMException:
    busy = SCIMException(detail="Somebody else is writing. Try again.")
    busy.status = 503
    return busy


def _refused(status: int, why: str, headers: dict[str, str]) -> HttpResponse:
    return _http(status, Error(status=status, detail=why).model_dump(), headers)


def _answer(response: ScimResponse) -> HttpResponse:
    headers = dict(response.headers)
    if response.status == 503:
        headers["Retry-After"] = str(PACE_SECONDS)
    return _http(int(response.status), response.body, headers)


def _http(status: int, body: dict | None, headers: dict[str, str]) -> HttpResponse:
    text = "" if body is None else json.dumps(body, ensure_ascii=True)
    answer = HttpResponse(text, status=status, content_type=SCIM_MEDIA_TYPE)
    for name, value in headers.items():
        if name.lower() != "content-type":
            answer.headers[name] = value
    return answer


@require_http_methods(["GET", "POST"])
@permission_required("scim.manage_directory", raise_exception=True)
def directory(request: HttpRequest) -> HttpResponse:
    """How a directory brings people, its tokens, and who came without a number. A new secret is shown once, here."""
    form, secret = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        secret = tokens.make(**form.cleaned_data, by=request.user)
        form = TokenForm()
    without = Employee.objects.visible_to(request.user).filter(employee_no=None, account__ended_at=None)
    context = {
        "form": form,
        "secret": secret,
        "tokens": Token.objects.select_related("made_by"),
        "address": f"{settings.SITE_URL}/scim/v2",
        "people": showing.people().filter(account__isnull=False).count(),
        "groups": showing.groups().select_related("tag").order_by("display_name")[:200],
        "without_number": without.filter(account__isnull=False, is_active=True).order_by("name_en", "pk")[:50],
    }
    return render(request, "scim/directory.html", context)


@require_POST
@permission_required("scim.manage_directory", raise_exception=True)
def token_end(request: HttpRequest, pk: int) -> HttpResponse:
    tokens.end(token=get_object_or_404(Token, pk=pk), by=request.user)
    return redirect("scim:directory")
