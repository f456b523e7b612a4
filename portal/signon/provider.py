"""The firm's identity providers, as allauth's providers: it keeps state and PKCE and exchanges the code.

What we do otherwise: a nonce, a signature that is looked at, nothing taken from the address, and no person made.
"""

from typing import Any

from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.crypto import get_random_string
from requests import RequestException

from portal.signon import rules, tokens, ways
from portal.signon.rules import Shown

NONCE_LENGTH = 32
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Away(OAuth2Error):
    """The provider does not answer, or not as it should."""


def coming_in(provider, shown: Shown) -> SocialLogin:
    """Return the sign-in as allauth carries it on. Its account is never stored: links are ours."""
    account = SocialAccount(provider=provider.sub_id, uid=shown.subject, extra_data={})
    login = SocialLogin(provider=provider, account=account)
    login.shown = shown
    return login


class Exchange(OpenIDConnectOAuth2Adapter):
    """The talk with the provider behind the browser's back."""

    nonce = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_openid_config"):
            config = self._fetched(self.get_provider().server_url)
            told = self.get_provider().way.told["ISSUER"]
            if str(config.get("issuer", "")).rstrip("/") != told.rstrip("/"):
                raise Away("speaks for another issuer")
            if not all(isinstance(config.get(name), str) for name in ENDPOINTS):
                raise Away("names no endpoints")
            self._openid_config = config
        return self._openid_config

    def complete_login(self, request: HttpRequest, app, token, **kwargs) -> SocialLogin:
        way, config = self.get_provider().way, self.openid_config
        claims = tokens.claims_of(
            kwargs["response"].get("id_token") or "",
            keys=self._fetched(config["jwks_uri"]),
            issuer=config["issuer"],
            client_id=app.client_id,
            nonce=self.nonce,
        )
        shown = rules.shown(
            issuer=config["issuer"],
            account=claims["sub"],
            claims=claims,
            claim=way.claim,
            trusts_addresses=way.trusts_addresses,
        )
        return coming_in(self.get_provider(), shown)

    def get_callback_url(self, request: HttpRequest, app) -> str:
        return request.build_absolute_uri(self.get_provider().get_callback_url())

    def _fetched(self, address: str) -> dict[str, Any]:
        from portal.signon.adapter import session

        try:
            with session() as calls:
                answer = calls.get(address)
                answer.raise_for_status()
                told = answer.json()
        except (RequestException, ValueError) as error:
            raise Away(type(error).__name__) from error
        if not isinstance(told, dict):
            raise Away("no object")
        return told


class Callback(OAuth2CallbackView):
    adapter: Exchange

    def _get_state(self, request: HttpRequest, provider) -> tuple[dict | None, HttpResponse | None]:
        state, response = super()._get_state(request, provider)
        if state:
            self.adapter.nonce = state["data"]["nonce"]
        return state, response


class OIDCProvider(OpenIDConnectProvider):
    oauth2_adapter_class = Exchange

    @property
    def way(self) -> ways.Way:
        return ways.find(self.app.provider_id)

    def get_login_url(self, request: HttpRequest, **kwargs) -> str:
        return reverse("signon:oidc_login", args=[self.app.provider_id])

    def get_callback_url(self) -> str:
        return reverse("signon:oidc_callback", args=[self.app.provider_id])

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Take from the address where to go afterwards, and nothing else: allauth would take scopes and parameters."""
        return {"next_url": super().get_redirect_from_request_kwargs(request).get("next_url")}

    def redirect(self, request: HttpRequest, process=None, next_url=None, data=None, **kwargs) -> HttpResponse:
        nonce = get_random_string(NONCE_LENGTH)
        told = {"auth_params": {"nonce": nonce}, "scope": self.get_scope()}
        return super().redirect(request, AuthProcess.LOGIN, next_url, {"nonce": nonce}, **told)


provider_classes = [OIDCProvider]
