"""The ways in that the environment sets up: read anew at each call, so that what holds is what the settings say."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialApp
from django.conf import settings

OIDC = "openid_connect"  # as allauth calls it
SLUG = re.compile(r"[a-z][a-z0-9]{0,19}")
RESERVED = {"saml", "openid", "wecom"}
HERE = {"localhost", "127.0.0.1", "::1"}
FIELDS = {"NAME", "ISSUER", "CLIENT_ID", "SECRET", "MATCH", "CLAIM", "TRUST_EMAIL", "SCOPE"}
MATCHES = ("email", "employee_no", "wecom_userid")
MANY_FIRMS = ("/common", "/organizations", "/consumers", "accounts.google.com")


@dataclass(frozen=True)
class Way:
    """One way in. ``match``: what of a person is compared with the claim ``claim``."""

    kind: str
    slug: str
    name: str
    match: str
    claim: str
    trusts_addresses: bool
    told: Mapping[str, str]

    @property
    def app(self) -> SocialApp:
        """The way as allauth wants it; never stored."""
        return SocialApp(
            provider=self.kind,
            provider_id=self.slug,
            name=self.name,
            client_id=self.told["CLIENT_ID"],
            secret=self.told["SECRET"],
            settings={
                "server_url": f"{self.told['ISSUER'].rstrip('/')}/.well-known/openid-configuration",
                "oauth_pkce_enabled": True,
                "scope": ["openid", *(self.told.get("SCOPE") or "profile email").split()],
            },
        )


def usable() -> Iterator[Way]:
    """Return the ways that are fully set up, in the order in which the environment names them."""
    for slug, told in settings.SIGNON_OIDC.items():
        if not any(problems(slug, told)):
            yield _way(OIDC, slug, told)


def find(slug: str) -> Way | None:
    return next((way for way in usable() if way.slug == slug), None)


def _way(kind: str, slug: str, told: Mapping[str, str]) -> Way:
    match = told.get("MATCH") or "email"
    return Way(
        kind=kind,
        slug=slug,
        name=told.get("NAME") or slug.capitalize(),
        match=match,
        claim=told.get("CLAIM") or "email",
        trusts_addresses=told.get("TRUST_EMAIL") == "1",
        told=told,
    )


def problems(slug: str, told: Mapping[str, str]) -> Iterator[str]:
    """Return what is wrong with the settings of a way by OpenID Connect, in words that say what to do."""
    start = f"SIGNON_OIDC_{slug.upper()}_"
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        taken = ", ".join(sorted(RESERVED))
        yield f"SIGNON_OIDC names {slug!r}: use up to 20 small letters and digits, and none of {taken}."
    for name in ("ISSUER", "CLIENT_ID", "SECRET"):
        if not told.get(name):
            yield f"{start}{name} is not set; SIGNON_OIDC names {slug}."
    yield from _unusable(told.get("ISSUER", ""), f"{start}ISSUER")
    yield from matching_problems(start, told)
    if unknown := sorted(told.keys() - FIELDS):
        yield f"{start}{unknown[0]} is no setting: there are {', '.join(sorted(FIELDS))} and SECRET_FILE."


def matching_problems(start: str, told: Mapping[str, str]) -> Iterator[str]:
    match = told.get("MATCH") or "email"
    if match not in MATCHES:
        yield f"{start}MATCH={match!r} is not one of {', '.join(MATCHES)}."
    elif match != "email" and told.get("CLAIM", "email") == "email":
        yield f"{start}CLAIM must name the claim that holds the {match}."
    elif match == "email" and told.get("CLAIM", "email") != "email":
        yield f"{start}CLAIM is only for MATCH=employee_no or wecom_userid: an address comes in the claim email."
    if told.get("TRUST_EMAIL", "0") not in ("0", "1"):
        yield f"{start}TRUST_EMAIL is neither 1 nor 0."
    elif told.get("TRUST_EMAIL") == "1" and any(part in told.get("ISSUER", "") for part in MANY_FIRMS):
        yield f"{start}TRUST_EMAIL=1 is for a provider of your firm alone, and {told['ISSUER']} serves many."


def _unusable(address: str, name: str) -> Iterator[str]:
    parts = urlsplit(address)
    is_here = parts.hostname in HERE and not settings.HTTPS
    if address and not (parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_here))):
        yield f"{name} must be an https address."
