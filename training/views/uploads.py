"""Course folders sent as a ZIP: checked, shown as they would be read, and published by another author."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from quizzes.services import BadQuestion
from training import course_uploads, previews, publishing, review
from training.course_zips import BadZip
from training.forms import CourseUploadForm, PublishForm
from training.models import CourseUpload

MAY_PUBLISH = "training.publish_edition"


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_http_methods(["GET", "POST"])
def upload_list(request: HttpRequest) -> HttpResponse:
    """What waits, and a form to send a course's folder. Nothing is published by sending it."""
    form = CourseUploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            kept = course_uploads.keep(data=file.read(), name=file.name, by=request.user)
            return redirect("training:upload", kept.uid)
        except BadZip as error:
            form.add_error("file", str(error))
    waiting = CourseUpload.objects.select_related("by").defer("data")
    return render(request, "training/upload_list.html", {"form": form, "uploads": waiting})


def _draft(uid: str) -> tuple[CourseUpload, previews.Draft]:
    row = get_object_or_404(CourseUpload.objects.select_related("by"), uid=uid)
    return row, course_uploads.look(row)


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_GET
def upload(request: HttpRequest, uid: str) -> HttpResponse:
    """The course that was sent: its mistakes by file and line, its lessons, its questions."""
    return _overview(request, *_draft(uid), PublishForm())


def _overview(request: HttpRequest, row: CourseUpload, draft: previews.Draft, form: PublishForm) -> HttpResponse:
    shown = previews.overview(draft, previews.language_of(draft, get_language() or "en"))
    context = {"upload": row, "shown": shown, "form": form, "is_own": row.by_id == request.user.pk}
    return render(request, "training/upload.html", context)


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_http_methods(["GET", "POST"])
def upload_lesson(request: HttpRequest, uid: str, module: str, lesson: str) -> HttpResponse:
    """A lesson as it would be read. What is tried in it is answered and kept nowhere."""
    row, draft = _draft(uid)
    sent = request.POST if request.method == "POST" else None
    try:
        lang = previews.language_of(draft, get_language() or "en")
        shown = previews.lesson_page(draft, module, lesson, lang, sent)
    except previews.NotThere as error:
        raise Http404 from error
    if request.htmx and shown["tried"] is not None:
        part = shown["parts"][shown["tried"]]
        fragment = {"block": part.block, "feedback": part.feedback, "action_url": request.path}
        return render(request, part.template, fragment)
    return render(request, "training/upload_lesson.html", {"upload": row, "shown": shown})


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_GET
def upload_questions(request: HttpRequest, uid: str, module: str) -> HttpResponse:
    """A module's questions, with what is right and why."""
    row, draft = _draft(uid)
    try:
        shown = previews.questions_page(draft, module, previews.language_of(draft, get_language() or "en"))
    except previews.NotThere as error:
        raise Http404 from error
    return render(request, "training/upload_questions.html", {"upload": row, "shown": shown})


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_POST
def upload_publish(request: HttpRequest, uid: str) -> HttpResponse:
    """Publish what was shown, minor or material as it is said here."""
    row, draft = _draft(uid)
    form = PublishForm(request.POST)
    if not form.is_valid():
        return _overview(request, row, draft, form)
    try:
        edition, is_new = course_uploads.publish(upload=row, change=form.cleaned_data["change"], by=request.user)
    except course_uploads.OwnUpload:
        messages.error(request, _("Somebody else has to publish what you have sent."))
    except course_uploads.HasMistakes:
        messages.error(request, _("There are mistakes in it: see below."))
    except publishing.NothingMaterial:
        messages.error(request, _("No lesson and no question changed, so nobody has anything to study: it is minor."))
    except review.Overdue:
        messages.error(request, _("The review of some lessons is overdue. No new edition is published before it."))
    except BadQuestion as error:
        messages.error(request, str(error))
    else:
        said = _("Edition %(n)s is published.") if is_new else _("Edition %(n)s holds all of it already.")
        messages.success(request, said % {"n": edition.number})
        return redirect("training:edition", row.course, edition.number)
    return redirect("training:upload", uid)


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_POST
def upload_drop(request: HttpRequest, uid: str) -> HttpResponse:
    """Throw away what was sent."""
    get_object_or_404(CourseUpload, uid=uid).delete()
    return redirect("training:upload_list")
