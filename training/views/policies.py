"""Policies: mine to sign, a text and its signature, who has not signed, and a new version."""

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from portal.people.models import Employee
from training import attesting
from training.duty_forms import PolicyForm
from training.models import Attestation, Policy
from training.rules import told

MAY_PUBLISH, MAY_SEE = "training.publish_policies", "training.view_signatures"
PAGE_SIZE = 50


@require_GET
def policy_list(request: HttpRequest) -> HttpResponse:
    today, user = timezone.localdate(), request.user
    sees = user.has_perm(MAY_SEE) or user.is_manager()
    versions = attesting.newest_versions(today)
    people = Employee.objects.visible_to(user).on_staff().count() if sees else 0
    counts = attesting.signature_counts(user, versions) if sees else {}
    mine = Attestation.objects.filter(employee=user).select_related("version").order_by("-signed_at")
    context = {
        "open": attesting.to_sign(user, today),
        "mine": mine,
        "lines": [(version, counts.get(version.pk, 0)) for version in versions] if sees else [],
        "people": people,
    }
    return render(request, "training/policy_list.html", context)


@require_http_methods(["GET", "POST"])
def policy(request: HttpRequest, slug: str) -> HttpResponse:
    """The text that holds now. Signing asks first who is there, unless that was proved a moment ago."""
    version = next((one for one in attesting.newest_versions(timezone.localdate()) if one.policy.slug == slug), None)
    if version is None:
        return render(request, "404.html", status=404)
    if request.method == "POST":
        return _sign(request, version)
    language = get_language() or ""
    signed = Attestation.objects.filter(employee=request.user, version=version).first()
    context = {
        "version": version,
        "text": told(version.text, language),
        "signed": signed,
        "proof": fresh_proof(request),
    }
    return render(request, "training/policy.html", context)


def _sign(request: HttpRequest, version) -> HttpResponse:
    try:
        attesting.sign(
            employee=request.user, version=version, proof=fresh_proof(request), language=get_language() or "en"
        )
    except attesting.NotFresh:
        return ask_again(request)
    except attesting.NotToSign as refusal:
        raise PermissionDenied from refusal
    messages.success(request, _("Signed. It is written to the evidence log."))
    return redirect("training:policy_list")


def fresh_proof(request: HttpRequest) -> attesting.Proof | None:
    has_password = request.user.has_usable_password()
    return attesting.proof_in(request.session, has_password=has_password, now=timezone.now())


def ask_again(request: HttpRequest) -> HttpResponse:
    """Send the person to prove that it is they, and back to this page."""
    if not request.user.has_usable_password():
        messages.error(request, _("Sign out, sign in again, and sign within five minutes."))
        return redirect(request.path)
    messages.info(request, _("Confirm first that it is you; then sign."))
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")


@require_GET
def policy_signatures(request: HttpRequest, slug: str) -> HttpResponse:
    """Who has not signed: for HR, Compliance and auditors everybody, for managers the people below them."""
    if not (request.user.has_perm(MAY_SEE) or request.user.is_manager()):
        raise PermissionDenied
    found = get_object_or_404(Policy, slug=slug)
    today, period = timezone.localdate(), request.GET.get("period", "")[:7]
    versions = attesting.newest_versions(today, is_quarterly=found.is_quarterly)
    version = next((one for one in versions if one.policy_id == found.pk), None)
    people = attesting.unsigned(request.user, version, period) if version else Employee.objects.none()
    page = Paginator(people, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "training/policy_signatures.html", {"version": version, "page": page, "period": period})


@permission_required(MAY_PUBLISH, raise_exception=True)
@require_http_methods(["GET", "POST"])
def policy_new(request: HttpRequest) -> HttpResponse:
    """The next version of a policy, or a new one."""
    form = PolicyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        attesting.publish_policy(**form.said, by=request.user.uid)
        messages.success(request, _("Published. From its day on everybody is asked to sign it."))
        return redirect("training:policy_list")
    return render(request, "training/policy_new.html", {"form": form})
