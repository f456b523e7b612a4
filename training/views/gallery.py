"""Every block and part in both themes: what an author may use, and how it looks."""

from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from training import gallery


@require_http_methods(["GET", "POST"])
@permission_required("training.view_course_drafts", raise_exception=True)
def components(request: HttpRequest) -> HttpResponse:
    """Show them all. What is tried here is shown answered and kept nowhere."""
    language = get_language() or "en"
    tried = gallery.answered(language, request.POST) if request.method == "POST" else None
    if tried and request.htmx:
        sample = tried[2]
        shown = {"block": sample.block, "feedback": sample.feedback, "action_url": request.path}
        return render(request, sample.template, shown)
    given = {tried[0]: tried[1]} if tried else {}
    themes = [(theme, gallery.samples(language, theme, given)) for theme in gallery.THEMES]
    return render(request, "training/components.html", {"themes": themes})
