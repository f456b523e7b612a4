"""Lines that were set aside: looked at and downloaded for a reason, repaired, read again."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from archive import services
from archive.forms import RepairForm
from archive.models import Import, SetAside
from archive.views.imports import MAY_RUN


def _aside(request: HttpRequest, uid: str, line_no: int) -> SetAside:
    run = get_object_or_404(Import.objects.visible_to(request.user), uid=uid)
    return get_object_or_404(run.asides.select_related("run__source", "repaired_by"), line_no=line_no)


def _read(request: HttpRequest, aside: SetAside) -> bytes | None:
    """Return the bytes to who says why; None after a message that says what is missing."""
    if aside.sealed is None:
        raise Http404
    try:
        return services.read_aside(aside=aside, reason=request.POST.get("reason", ""), by=request.user.uid)
    except (services.ReasonMissing, services.KeyMissing) as error:
        messages.error(request, str(error))
    return None


@permission_required(MAY_RUN, raise_exception=True)
@require_POST
def aside_file(request: HttpRequest, uid: str, line_no: int) -> HttpResponse:
    """The bytes of a line that was set aside, as a file, to who says why."""
    aside = _aside(request, uid, line_no)
    raw = _read(request, aside)
    if raw is None:
        return redirect("archive:import", uid)
    headers = {"Content-Disposition": f'attachment; filename="line-{aside.line_no}.txt"'}
    return HttpResponse(raw, content_type="application/octet-stream", headers=headers)


@permission_required(MAY_RUN, raise_exception=True)
@require_POST
def aside_look(request: HttpRequest, uid: str, line_no: int) -> HttpResponse:
    """The line as text, to who says why. It is a stranger's: shown as text, never as anything else."""
    aside = _aside(request, uid, line_no)
    raw = _read(request, aside)
    if raw is None:
        return redirect("archive:import", uid)
    text = raw.decode("utf-8", "backslashreplace")
    return _page(request, aside, RepairForm(initial={"text": text}), text=text)


@permission_required(MAY_RUN, raise_exception=True)
@require_POST
def aside_repair(request: HttpRequest, uid: str, line_no: int) -> HttpResponse:
    """Read what was repaired in place of the line."""
    aside = _aside(request, uid, line_no)
    is_sent = "text" in request.POST or request.FILES
    form = RepairForm(request.POST, request.FILES) if is_sent else RepairForm()
    if form.is_valid():
        try:
            run = services.repair(aside=aside, raw=form.cleaned_data["raw"], by=request.user)
            return _repaired(request, run)
        except services.StillBroken as error:
            for number, reason in error.lines[:20]:
                said = {"n": number, "why": SetAside.Reason(reason).label}
                form.add_error(None, _("Line %(n)s still cannot be read: %(why)s.") % said)
        except services.TooMuch:
            form.add_error(None, _("That is more than one delivery takes: 2 MiB and 2,000 lines."))
        except (services.NothingToRead, services.AlreadyRepaired) as error:
            form.add_error(None, str(error))
        except services.SourceBusy:
            form.add_error(None, _("The source is being imported just now. Try again when that has ended."))
    return _page(request, aside, form)


@permission_required(MAY_RUN, raise_exception=True)
@require_POST
def aside_again(request: HttpRequest, uid: str, line_no: int) -> HttpResponse:
    """Read the line once more as it is."""
    aside = _aside(request, uid, line_no)
    try:
        return _repaired(request, services.read_again(aside=aside, by=request.user))
    except services.StillBroken as error:
        said = {"n": aside.line_no, "why": SetAside.Reason(error.lines[0][1]).label}
        messages.warning(request, _("Line %(n)s still cannot be read: %(why)s.") % said)
    except services.SourceBusy:
        messages.warning(request, _("The source is being imported just now. Try again when that has ended."))
    except services.KeyMissing as error:
        messages.error(request, str(error))
    except (services.NotWhole, services.NothingToRead, services.AlreadyRepaired) as error:
        messages.warning(request, str(error))
    return redirect("archive:import", uid)


@permission_required(MAY_RUN, raise_exception=True)
@require_POST
def aside_settle(request: HttpRequest, uid: str, line_no: int) -> HttpResponse:
    """Say what a line is that nobody needs to read, or can."""
    aside, decision = _aside(request, uid, line_no), request.POST.get("settled_as", "")
    try:
        services.settle_aside(aside=aside, decision=decision, reason=request.POST.get("reason", ""), by=request.user)
        messages.success(request, _("Noted."))
    except ValueError as error:
        is_reason = isinstance(error, services.ReasonMissing)
        messages.error(request, str(error) if is_reason else _("Choose what the line is."))
    except services.AlreadySettled:
        messages.warning(request, _("This line was settled before."))
    return redirect("archive:import", uid)


def _repaired(request: HttpRequest, run: Import) -> HttpResponse:
    messages.success(request, _("The line was read. What follows from it is being worked out."))
    return redirect("archive:import", run.uid)


def _page(request: HttpRequest, aside: SetAside, form: RepairForm, *, text: str | None = None) -> HttpResponse:
    context = {"aside": aside, "run": aside.run, "form": form, "text": text, "is_whole": services.is_whole(aside)}
    return render(request, "archive/aside.html", context)
