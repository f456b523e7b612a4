from dataclasses import dataclass

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme as is_here
from django.utils.http import urlencode

from portal.signon import ways

register = template.Library()


@dataclass(frozen=True)
class Door:
    name: str
    url: str


@register.simple_tag
def signon_doors(request: HttpRequest) -> list[Door]:
    """Return the ways in besides a password, each leading on to where the visitor wanted to go."""
    wanted = request.GET.get("next", "")
    onward = f"?{urlencode({'next': wanted})}" if wanted and is_here(wanted, None) else ""
    return [Door(way.name, reverse("signon:oidc_login", args=[way.slug]) + onward) for way in ways.usable()]


@register.simple_tag
def passwords_are_hidden(request: HttpRequest) -> bool:
    """Return whether the form for a password is left out: it opens to emergency accounts, who ask for it."""
    return settings.SIGNON_ONLY and request.method == "GET" and request.GET.get("with") != "password"
