"""The editions of a course: what each changed, and which lessons wait for review."""

from datetime import date

from django.contrib.auth.decorators import permission_required
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from training import differences
from training.kept import overdue_lessons
from training.models import Course, Edition, Lesson
from training.outline import language_of
from training.rules import told


@require_GET
@permission_required("training.view_edition", raise_exception=True)
def edition_list(request: HttpRequest) -> HttpResponse:
    """All courses with their editions, the newest first, and what of the newest should have been reviewed by now."""
    newest_first = Prefetch("editions", Edition.objects.order_by("-number"))
    courses = Course.objects.filter(editions__isnull=False).distinct().order_by("slug").prefetch_related(newest_first)
    late = overdue_lessons(timezone.localdate())
    return render(request, "training/edition_list.html", {"courses": [_line(course, late) for course in courses]})


def _line(course: Course, late: list[Lesson]) -> dict:
    newest = course.editions.all()[0]
    lang = language_of(newest)
    return {
        "slug": course.slug,
        "title": told(newest.title, lang),
        "lang": lang,
        "editions": course.editions.all(),
        "overdue": [
            (told(one.module.title, lang), told(one.title, lang), date.fromisoformat(one.kept["review_by"]))
            for one in late
            if one.module.edition_id == newest.pk
        ],
    }


@require_GET
@permission_required("training.view_edition", raise_exception=True)
def edition(request: HttpRequest, course: str, number: int) -> HttpResponse:
    """What an edition changed against the one before it."""
    new = get_object_or_404(Course, slug=course).editions.filter(number=number)
    new = get_object_or_404(new.select_related("course"))
    old = new.course.editions.filter(number__lt=number).order_by("-number").first()
    context = {
        "edition": new,
        "before": old,
        "title": told(new.title, language_of(new)),
        "lang": language_of(new),
        "modules": differences.between(old, new, get_language() or "en") if old else [],
    }
    return render(request, "training/edition.html", context)
