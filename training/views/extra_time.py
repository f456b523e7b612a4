"""More time in quizzes for one person: HR grants it and ends it."""

from contextlib import suppress

from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from quizzes import services as quizzes
from quizzes.models import ExtraTime
from training.forms import ExtraTimeForm

MAY_GRANT = "quizzes.grant_extra_time"
PAGE_SIZE = 50


@permission_required(MAY_GRANT, raise_exception=True)
@require_http_methods(["GET", "POST"])
def extra_time_list(request: HttpRequest) -> HttpResponse:
    """Who has extra time, and the form that grants it."""
    form = ExtraTimeForm(request.POST or None, viewer=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            quizzes.grant_extra_time(**form.cleaned_data, by=request.user)
            return redirect("training:extra_time_list")
        except quizzes.NotForOneself:
            form.add_error("employee", _("Somebody else has to grant it to you."))
    today = timezone.localdate()
    given = ExtraTime.objects.visible_to(request.user).select_related("employee", "approved_by")
    page = Paginator(given.order_by("-approved_at", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "training/extra_time_list.html", {"form": form, "page": page, "today": today})


@permission_required(MAY_GRANT, raise_exception=True)
@require_POST
def extra_time_end(request: HttpRequest, uid: str) -> HttpResponse:
    """Let it end today. Ended already: nothing happens."""
    given = get_object_or_404(ExtraTime.objects.visible_to(request.user), uid=uid)
    with suppress(quizzes.AlreadyEnded):
        quizzes.end_extra_time(given=given, by=request.user)
    return redirect("training:extra_time_list")
