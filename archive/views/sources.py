"""One feed: how it is doing, what it is, who pushes into it, and what a person says of its holes and kinds."""

from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from archive import services
from archive.forms import ZONES, ChangeSourceForm, NewSourceForm, TokenForm
from archive.models import Finding, Hole, Source, SourceToken
from archive.views.imports import MAY_SEE, PAGE_SIZE

MAY_MANAGE = "archive.manage_sources"


@permission_required(MAY_SEE, raise_exception=True)
@require_GET
def source(request: HttpRequest, name: str) -> HttpResponse:
    """The feed and its health."""
    return _page(request, get_object_or_404(Source, name=name))


def _page(request: HttpRequest, source: Source, *, form: TokenForm | None = None, secret: str = "") -> HttpResponse:
    now = timezone.now()
    health = services.health_of(
        source, request.user, now=now, holes_page=request.GET.get("holes"), handles_page=request.GET.get("handles")
    )
    matched, robots = (Paginator(rows, PAGE_SIZE) for rows in services.by_hand(source.channel))
    context = {
        "source": source,
        "health": health,
        "keeps_whole": settings.ARCHIVE_TEXT != "none",
        "promise": timedelta(seconds=source.expected_latency_seconds),
        "tokens": [(token, token.opens(now)) for token in health.tokens],
        "form": form or TokenForm(),
        "secret": secret,
        "push_url": request.build_absolute_uri(reverse("archive:push", args=[source.name])),
        "matched": matched.get_page(request.GET.get("matched")),
        "robots": robots.get_page(request.GET.get("robots")),
    }
    return render(request, "archive/source.html", context)


@permission_required(MAY_MANAGE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def source_new(request: HttpRequest) -> HttpResponse:
    form = NewSourceForm(request.POST or None, initial=NewSourceForm.initial_of())
    if request.method == "POST" and form.is_valid():
        try:
            made = services.add_source(name=form.cleaned_data["name"], by=request.user, **form.settings())
            return redirect("archive:source", made.name)
        except services.BadSourceName as error:
            form.add_error("name", str(error))
        except services.OtherTerms as error:
            form.add_error(None, str(error))
    return render(request, "archive/source_settings.html", {"form": form, "zones": ZONES})


@permission_required(MAY_MANAGE, raise_exception=True)
@require_http_methods(["GET", "POST"])
def source_settings(request: HttpRequest, name: str) -> HttpResponse:
    source = get_object_or_404(Source, name=name)
    form = ChangeSourceForm(
        request.POST or None,
        initial=ChangeSourceForm.initial_of(source),
        is_settled=services.has_delivered(source),
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.change_source(source=source, by=request.user, **form.settings(source))
            messages.success(request, _("Saved."))
            return redirect("archive:source", name)
        except (services.NotEmpty, services.OtherTerms) as error:
            form.add_error(None, str(error))
    return render(request, "archive/source_settings.html", {"form": form, "source": source, "zones": ZONES})


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def token_make(request: HttpRequest, name: str) -> HttpResponse:
    """Make a token and show it: this once, so the page is the answer and no redirect."""
    source, form, secret = get_object_or_404(Source, name=name), TokenForm(request.POST), ""
    if form.is_valid():
        try:
            _token, secret = services.make_token(source=source, by=request.user, **form.cleaned_data)
            form = None
        except (services.TooManyTokens, services.AlreadyOver) as error:
            form.add_error(None, str(error))
    return _page(request, source, form=form, secret=secret)


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def token_end(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    token = get_object_or_404(SourceToken, source__name=name, pk=pk)
    services.end_token(token=token, by=request.user)
    messages.success(request, _("The token opens nothing any more."))
    return redirect(_at(name, "tokens"))


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def hole(request: HttpRequest, name: str, first: int) -> HttpResponse:
    """Say of a hole that it is asked for again, lost, or explained."""
    source = get_object_or_404(Source, name=name)
    decision, reason = request.POST.get("decision", ""), request.POST.get("reason", "")
    try:
        services.settle_hole(source=source, first=first, decision=decision, reason=reason, by=request.user)
        messages.success(request, _("Noted."))
    except Hole.DoesNotExist:
        messages.warning(request, _("This hole is not there any more: its numbers may have come."))
    except services.AlreadySettled:
        messages.warning(request, _("Somebody has settled this hole meanwhile."))
    except (services.ReasonMissing, services.SomebodyElses) as error:
        messages.error(request, str(error))
    except ValueError:
        messages.error(request, _("Choose what is to be said of the hole."))
    return redirect(_at(name, "holes"))


@permission_required(MAY_MANAGE, raise_exception=True)
@require_POST
def kind(request: HttpRequest, name: str) -> HttpResponse:
    """Declare a kind of message that no documentation names."""
    source = get_object_or_404(Source, name=name)
    key = f"unknown_kind:{source.pk}:{request.POST.get('kind', '')}"
    finding = get_object_or_404(Finding.objects.visible_to(request.user), key=key)
    try:
        reason = request.POST.get("reason", "")
        services.review_finding(
            finding=finding, decision="closed", how="declared", reason=reason, reviewer=request.user
        )
        messages.success(request, _("Noted."))
    except services.AlreadyDecided:
        messages.warning(request, _("Somebody has declared this kind meanwhile."))
    except (services.ReasonMissing, services.SomebodyElses) as error:
        messages.error(request, str(error))
    return redirect(_at(name, "kinds"))


def _at(name: str, part: str) -> str:
    return f"{reverse('archive:source', args=[name])}#{part}"
