"""My courses, a course, a lesson."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from portal.people import calendars
from training import blocks, deltas, learning, lessons
from training.models import Assignment, Lesson
from training.outline import Outline, outlines


@require_GET
def course_list(request: HttpRequest) -> HttpResponse:
    mine = Assignment.objects.filter(employee=request.user).latest().for_list()
    return render(request, "training/course_list.html", {"outlines": outlines(mine, calendars.local_day(request.user))})


@require_GET
def course(request: HttpRequest, course: str) -> HttpResponse:
    return render(request, "training/course.html", {"outline": outline_of(my_assignment(request, course))})


@vary_on_headers("HX-Request")
@require_http_methods(["GET", "POST"])
def lesson(request: HttpRequest, course: str, module: str, lesson: str) -> HttpResponse:
    assignment, lesson_row = my_lesson(request, course, module, lesson)
    if request.method == "GET":
        progress = learning.open_lesson(assignment=assignment, lesson=lesson_row, by=request.user.uid)
        assignment.refresh_from_db()
        page = lessons.page(outline_of(assignment), lesson_row, progress)
        return render(request, "training/lesson.html", {"page": page})
    if "block" in request.POST:
        return _answered(request, assignment, lesson_row)
    return _finished(request, assignment, lesson_row)


def _finished(request: HttpRequest, assignment: Assignment, lesson: Lesson) -> HttpResponse:
    """Go on, if every exercise was tried; else back to the first that was not. What was finished once stays so."""
    progress = learning.note_reading(assignment=assignment, lesson=lesson)
    left = None if progress.finished_at else lessons.first_untried(lesson, progress)
    if left is not None:
        messages.error(request, _("Try this exercise first. No answer is counted against you."))
        return redirect(f"{request.path}#b{left}")
    learning.finish_lesson(assignment=assignment, lesson=lesson)
    return redirect(lessons.after(outline_of(assignment), lesson))


def _answered(request: HttpRequest, assignment: Assignment, lesson: Lesson) -> HttpResponse:
    """Keep the answer to a block, and show what it earned: the block alone, or the page at the block."""
    found = lessons.find_block(lesson, request.POST["block"])
    if found is None:
        raise Http404
    number, block = found
    try:
        answer = blocks.read_answer(block, request.POST)
    except blocks.BadAnswer:  # nothing was chosen, or nothing that the page offered: the block stays as it was
        if not request.htmx:
            messages.error(request, _("Choose an answer first."))
        progress = learning.note_reading(assignment=assignment, lesson=lesson, place=number)
    else:
        progress = learning.answer_block(
            assignment=assignment, lesson=lesson, name=block["name"], answer=answer, place=number
        )
    if not request.htmx:
        return redirect(f"{request.path}#b{number}")
    shown = blocks.shown(block, progress.answers.get(block["name"]))
    return render(request, shown["template"], shown | {"action_url": request.path})


@require_POST
def reading(request: HttpRequest, course: str, module: str, lesson: str) -> HttpResponse:
    """A sign that the page is being read, with the block in view."""
    assignment, lesson_row = my_lesson(request, course, module, lesson)
    sent = request.POST.get("place", "")
    place = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 4 else None
    learning.note_reading(assignment=assignment, lesson=lesson_row, place=place)
    return HttpResponse(status=204)


def my_assignment(request: HttpRequest, course: str) -> Assignment:
    """Return the newest cycle of one's own, or 404: a course is open to whom it was assigned."""
    mine = Assignment.objects.filter(employee=request.user, course__slug=course).latest()
    return get_object_or_404(mine.select_related("course", "edition", "delta__before", "employee", "completion"))


def outline_of(assignment: Assignment) -> Outline:
    found = outlines([assignment], calendars.local_day(assignment.employee))
    if not found:
        raise Http404
    return found[0]


def my_lesson(request: HttpRequest, course: str, module: str, lesson: str) -> tuple[Assignment, Lesson]:
    assignment = my_assignment(request, course)
    if request.method == "POST" and assignment.edition_id is None:
        raise Http404  # a lesson is opened before anything is done in it
    edition = assignment.edition or assignment.course.current
    of_edition = Lesson.objects.filter(module__edition=edition).select_related("module__edition")
    if edition and (
        delta := assignment.delta or deltas.for_cycle(assignment, edition, calendars.local_day(request.user))
    ):
        of_edition = of_edition.filter(delta_modules__delta=delta)  # the others are not asked for again
    return assignment, get_object_or_404(of_edition, module__slug=module, slug=lesson)
