"""The little site of `make preview`: one course folder, read anew whenever a file in it changes. No database.

It is its own urlconf, for one person at their own machine: nothing of the portal can be reached through it.
"""

import hashlib
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import translation
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_http_methods

from training import previews
from training.loading import read_courses
from training.previews import Draft
from training.reading import FILE_MOST

FILES_MOST = 5_000
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "training.preview_site.language_of_the_address",
    "django_htmx.middleware.HtmxMiddleware",
]


def language_of_the_address(get_response):
    """Speak the language that the address asks for, and remember it in a cookie: there is nobody signed in."""

    def middleware(request: HttpRequest) -> HttpResponse:
        known = [code for code, _name in settings.LANGUAGES]
        asked = request.GET.get("lang") or request.COOKIES.get("lang", "")
        lang = asked if asked in known else settings.LANGUAGE_CODE
        with translation.override(lang):
            response = get_response(request)
        response.set_cookie("lang", lang, samesite="Lax", httponly=True)
        return response

    return middleware


def print_of(folder: Path) -> str:
    """Return what changes when a file of the folder does: names, sizes and times of all of them."""
    digest = hashlib.sha256()
    for number, file in enumerate(sorted(folder.rglob("*"))):
        if number >= FILES_MOST:
            break
        if file.is_file() and not file.is_symlink() and not file.name.startswith("."):
            about = file.stat()
            digest.update(f"{file.relative_to(folder)}:{about.st_size}:{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1)
def draft_of(folder: Path, _print: str) -> Draft:
    """Read the course, once for each state of its files."""
    courses, faults = read_courses(folder, [code for code, _name in settings.LANGUAGES])
    texts = {}
    for file in {fault.file for fault in faults}:
        at = folder / file
        if at.is_file() and not at.is_symlink() and at.stat().st_size <= FILE_MOST:
            texts[file] = at.read_text("utf-8", "replace")
    return Draft(courses[0] if courses else None, faults, texts)


def _shown(request: HttpRequest, template: str, make) -> HttpResponse:
    folder = Path(settings.PREVIEW_FOLDER)
    made_of = print_of(folder)
    draft = draft_of(folder, made_of)
    try:
        shown = make(draft, previews.language_of(draft, get_language() or settings.LANGUAGE_CODE))
    except previews.NotThere as error:
        raise Http404 from error
    context = {"shown": shown, "part": template, "made_of": made_of, "folder": folder, "languages": settings.LANGUAGES}
    return render(request, "training/preview.html", context)


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    return _shown(request, "training/_draft_overview.html", previews.overview)


@require_http_methods(["GET", "POST"])
def lesson(request: HttpRequest, module: str, lesson: str) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    make = lambda draft, lang: previews.lesson_page(draft, module, lesson, lang, sent)  # noqa: E731 - named by its use
    return _shown(request, "training/_draft_lesson.html", make)


@require_GET
def questions(request: HttpRequest, module: str) -> HttpResponse:
    make = lambda draft, lang: previews.questions_page(draft, module, lang)  # noqa: E731 - as above
    return _shown(request, "training/_draft_questions.html", make)


@require_GET
def changed(request: HttpRequest) -> HttpResponse:
    """Return the print of the folder as it is now."""
    return HttpResponse(print_of(Path(settings.PREVIEW_FOLDER)), content_type="text/plain")


def not_there(request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse("The course has no such page (any more).", status=404, content_type="text/plain")


handler404 = "training.preview_site.not_there"
urlpatterns = [
    path("", overview),
    path("changed/", changed),
    path("<slug:module>/questions/", questions),
    path("<slug:module>/<slug:lesson>/", lesson),
]
