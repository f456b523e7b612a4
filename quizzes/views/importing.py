"""Question files that authors send: looked at first, then imported as they were shown."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from quizzes import importing, uploads
from quizzes.formats import FORMATS
from quizzes.formats.base import NotThisFormat
from quizzes.forms import UploadForm
from quizzes.models import Bank, Upload

MAY_EDIT = "quizzes.change_question"


@permission_required(MAY_EDIT, raise_exception=True)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Send a question file. Nothing is imported yet."""
    form = UploadForm(request.POST or None, request.FILES or None, initial={"bank": request.GET.get("bank", "")})
    if request.method == "POST" and form.is_valid():
        kept = uploads.keep(by=request.user, **form.as_sent)
        return redirect("quizzes:dry_run", kept.uid)
    context = {"form": form, "names": Bank.objects.order_by("slug").values_list("slug", flat=True)}
    return render(request, "quizzes/upload.html", context)


@permission_required(MAY_EDIT, raise_exception=True)
@require_http_methods(["GET", "POST"])
def dry_run(request: HttpRequest, uid: str) -> HttpResponse:
    """What would become of the file, question by question; and with one click, exactly that."""
    row = get_object_or_404(Upload, uid=uid, by=request.user)
    wanted = request.POST.get("format") or request.GET.get("format", "")
    file_format = wanted if wanted in FORMATS else row.file_format
    if request.method == "POST":
        return _bring_in(request, row, file_format)
    context = {"upload": row, "format": file_format, "formats": [(name, one.NAME) for name, one in FORMATS.items()]}
    try:
        context["outcome"] = uploads.look(row, file_format)
    except NotThisFormat as error:
        context["error"] = str(error)
    return render(request, "quizzes/dry_run.html", context | {"slug": importing.bank_slug(row.bank)})


def _bring_in(request: HttpRequest, row: Upload, file_format: str) -> HttpResponse:
    try:
        done = uploads.bring_in(
            upload=row, file_format=file_format, seen=request.POST.get("seen", ""), by=request.user
        )  # fmt: skip
    except importing.ChangedMeanwhile:
        messages.error(request, _("The bank has changed since this page was shown. Look again."))
        return redirect("quizzes:dry_run", row.uid)
    except NotThisFormat as error:
        messages.error(request, str(error))
        return redirect("quizzes:dry_run", row.uid)
    n = len(done.imported)
    said = ngettext("%(n)s question came in and waits for review.", "%(n)s questions came in and wait for review.", n)
    messages.success(request, said % {"n": n})
    return redirect("quizzes:bank", importing.bank_slug(row.bank))
