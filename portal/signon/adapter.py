"""Where allauth asks us: which ways there are, who comes in, and what somebody reads who does not."""

import functools
import logging

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from portal.limits import may_knock
from portal.signon import services, ways
from portal.signon.provider import Away
from portal.signon.rules import Refusal

logger = logging.getLogger(__name__)
SECONDS = 10  # that a provider has for an answer
REDIRECTS = 2
PROOFS_AN_HOUR = 20  # refused ones of one address that make an Entry: anybody can send rubbish


def session() -> requests.Session:
    """Return what talks to a provider: with little patience, and without what this machine's environment says."""
    calls = requests.Session()
    calls.trust_env = False
    calls.max_redirects = REDIRECTS
    calls.request = functools.partial(calls.request, timeout=SECONDS)
    return calls


def refused(request: HttpRequest, why: Refusal) -> HttpResponse:
    return render(request, "signon/refused.html", {"why": why}, status=403)


class SignonAdapter(DefaultSocialAccountAdapter):
    def list_apps(self, request: HttpRequest, provider=None, client_id=None) -> list[SocialApp]:
        """Ways come from the environment: a row in the database opens no door."""
        return [
            app
            for app in (way.app for way in ways.usable())
            if provider in (None, app.provider, app.provider_id) and client_id in (None, app.client_id)
        ]

    def get_requests_session(self) -> requests.Session:
        return session()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        way = sociallogin.provider.way
        came = services.enter(way=way.slug, match=way.match, shown=sociallogin.shown, today=timezone.localdate())
        if isinstance(came, Refusal):
            raise ImmediateHttpResponse(refused(request, came))
        sociallogin.user = came

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def on_authentication_error(self, request, provider, error=None, exception=None, extra_context=None) -> None:
        why = Refusal.UNPROVEN
        if error == AuthError.CANCELLED:
            why = Refusal.CANCELLED
        elif isinstance(exception, (Away, requests.RequestException)):
            why = Refusal.AWAY
        raise ImmediateHttpResponse(not_proven(request, provider.sub_id, why, reason=type(exception).__name__))


def not_proven(request: HttpRequest, way: str, why: Refusal, *, reason: str) -> HttpResponse:
    """Return what somebody reads whose proof does not hold; where it may be a forged one, record it."""
    logger.warning("sign-on refused: %s %s %s", way, why.value, reason)
    if why == Refusal.UNPROVEN and may_knock(request, "signon", most=PROOFS_AN_HOUR, seconds=3600):
        services.refuse_proof(way=way, reason=reason)
    return refused(request, why)
