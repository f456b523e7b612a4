"""What question banks hold becomes the next edition of a course, after a look at what would change."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from quizzes.banks import told
from training import republishing, review
from training.forms import ConnectionForm
from training.models import Connection, Course

MAY_PUBLISH = "training.publish_edition"


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_GET
def next_edition(request: HttpRequest, course: str) -> HttpResponse:
    """What the next edition would ask that the newest one does not, module by module; the banks that are connected."""
    return _page(request, _course(course), ConnectionForm())


def _course(slug: str) -> Course:
    return get_object_or_404(Course.objects.filter(editions__isnull=False).distinct(), slug=slug)


def _page(request: HttpRequest, course: Course, form: ConnectionForm) -> HttpResponse:
    found = republishing.difference(course)
    lang = get_language()
    form.offer(found.edition, lang)
    connections: dict[str, list[Connection]] = {}
    for one in course.connections.select_related("bank", "connected_by"):
        connections.setdefault(one.module, []).append(one)
    context = {
        "course": course,
        "title": told(found.edition.title, lang),
        "found": found,
        "modules": [
            {
                "title": told(one.module.title, lang),
                "difference": one,
                "changes": [
                    {"change": change, "stem": told((change.new or change.old).stem, lang)} for change in one.changes
                ],
                "connections": connections.get(one.module.slug, []),
                "asked": len(one.supply.questions),
            }
            for one in found.modules
        ],
        "form": form,
    }
    return render(request, "training/next_edition.html", context)


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_POST
def edition_publish(request: HttpRequest, course: str) -> HttpResponse:
    """Publish what was shown, if it is still what there is."""
    row = _course(course)
    try:
        made = republishing.publish_from_banks(course=row, seen=request.POST.get("seen", ""), by=request.user)
    except republishing.ChangedMeanwhile:
        messages.error(request, _("Something has changed since this page was shown. Look again."))
    except republishing.NothingNew:
        messages.error(request, _("There is nothing new to publish."))
    except republishing.NotEnough:
        messages.error(request, _("A quiz would be impossible: see below."))
    except review.Overdue:
        messages.error(request, _("The review of some lessons is overdue. No new edition is published before it."))
    else:
        messages.success(request, _("Edition %(n)s is published.") % {"n": made.number})
    return redirect("training:next_edition", row.slug)


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_POST
def connect(request: HttpRequest, course: str) -> HttpResponse:
    """Let a module's quiz ask what a bank holds."""
    row = _course(course)
    form = ConnectionForm(request.POST)
    form.offer(row.current, get_language())
    if not form.is_valid():
        return _page(request, row, form)
    try:
        republishing.connect(course=row, by=request.user, **form.cleaned_data)
    except republishing.AlreadyConnected:
        form.add_error("bank", _("It is connected already."))
        return _page(request, row, form)
    return redirect("training:next_edition", row.slug)


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_POST
def disconnect(request: HttpRequest, course: str, pk: int) -> HttpResponse:
    """Ask no more of a bank."""
    row = _course(course)
    republishing.disconnect(connection=get_object_or_404(row.connections, pk=pk), by=request.user)
    return redirect("training:next_edition", row.slug)
