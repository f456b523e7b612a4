"""One id for all that follows from one request: in every log line, in the answer, on the error page, and in the tasks
that it rings for.
"""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.conf import settings
from django.http import HttpRequest, HttpResponse

HEADER = "X-Request-ID"
SHAPE = re.compile(r"[A-Za-z0-9._-]{8,64}")  # of an id that a proxy may bring: nothing that could forge a log line

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Return the id of what is going on here, empty outside of a request and of a task."""
    return _current.get()


class RequestIdMiddleware:
    """Give each request an id; a proxy that is trusted may have given it one already."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        told = request.headers.get(HEADER, "") if settings.ALLAUTH_TRUSTED_PROXY_COUNT else ""
        token = _current.set(told if SHAPE.fullmatch(told) else uuid.uuid4().hex)
        try:
            response = self.get_response(request)
            response.headers[HEADER] = current()
            return response
        finally:
            _current.reset(token)


@before_task_publish.connect
def _hand_on(headers: dict | None = None, **kwargs) -> None:
    if headers is not None and current():
        headers["request_id"] = current()


@task_prerun.connect
def _take_over(task_id: str = "", task=None, **kwargs) -> None:
    """A task that no request rang for, but a clock, goes by its own id."""
    told = getattr(task.request, "request_id", None) or (task.request.headers or {}).get("request_id")
    _current.set(told or task_id.replace("-", ""))


@task_postrun.connect
def _forget(**kwargs) -> None:
    _current.set("")
