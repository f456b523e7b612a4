from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from portal.people import sessions

GetResponse = Callable[[HttpRequest], HttpResponse]


class OwnLanguageMiddleware:
    """Show the site in the language that the person has chosen, wherever they sign in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.user.language:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)


class NoStoreMiddleware:
    """Keep pages of a signed-in person out of every cache."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers["Cache-Control"] = "no-store"
        return response


class BodySizeMiddleware:
    """Refuse a body that is too large before a byte of it is read: a file in a form would fill the disk otherwise.

    Every page takes DATA_UPLOAD_MAX_MEMORY_SIZE; those of LARGE_BODIES take more from who may upload there.
    Doors for machines (MEASURING_PATHS) measure before they read, and answer in their own way.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(settings.MEASURING_PATHS):
            return self.get_response(request)
        length = request.META.get("CONTENT_LENGTH") or "0"
        is_unmeasured = "HTTP_TRANSFER_ENCODING" in request.META or not length.isdecimal()
        if is_unmeasured or int(length) > self._most(request):
            return render(request, "413.html", status=413)
        return self.get_response(request)

    def _most(self, request: HttpRequest) -> int:
        permission, most = settings.LARGE_BODIES.get(request.path, ("", ""))
        if permission and request.user.is_authenticated and request.user.has_perm(permission):
            return getattr(settings, most)
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class SessionAgeMiddleware:
    """Sign out whoever has been away for too long, and say so; what was asked for comes after signing in again."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        now = timezone.now()
        if request.user.is_authenticated:
            if sessions.has_ended(request.session, now):
                logout(request)
                messages.info(request, _("You were signed out because this session had ended. Sign in to go on."))
            else:
                sessions.note_use(request, now)
        return self.get_response(request)


class HtmxLoginRequiredMiddleware(LoginRequiredMiddleware):
    """Closed by default. A fragment asked for after the session has ended sends the whole page to sign in."""

    def handle_no_permission(self, request: HttpRequest, view_func: partial | Callable) -> HttpResponse:
        if not request.htmx:
            return super().handle_no_permission(request, view_func)
        back = redirect_to_login(request.htmx.current_url_abs_path or "/", reverse("account_login"))
        return HttpResponse(status=204, headers={"HX-Redirect": back.url})
