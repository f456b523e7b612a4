from allauth.socialaccount.providers.oauth2.views import OAuth2LoginView
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from portal.signon import ways
from portal.signon.adapter import not_proven
from portal.signon.provider import Away, Callback, Exchange
from portal.signon.rules import Refusal
from portal.signon.tokens import Unproven


def _exchange(request: HttpRequest, way: str) -> Exchange:
    found = ways.find(way)
    if found is None or found.kind != ways.OIDC:
        raise Http404
    return Exchange(request, found.slug)


@login_not_required
@never_cache
@require_GET
def oidc_login(request: HttpRequest, way: str) -> HttpResponse:
    """Send the person to their identity provider."""
    try:
        return OAuth2LoginView.adapter_view(_exchange(request, way))(request)
    except Away as error:
        return not_proven(request, way, Refusal.AWAY, reason=str(error))


@login_not_required
@never_cache
@require_GET
def oidc_callback(request: HttpRequest, way: str) -> HttpResponse:
    """Let in whom the identity provider sends back with a proof."""
    try:
        return Callback.adapter_view(_exchange(request, way))(request)
    except Unproven as error:
        return not_proven(request, way, Refusal.UNPROVEN, reason=str(error))
