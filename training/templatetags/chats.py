from collections.abc import Mapping
from urllib.parse import urlsplit

from django import template

from training import messages

register = template.Library()


@register.filter
def drawn(message: Mapping) -> dict:
    """Return what is drawn of a message besides its words; see messages.parts."""
    return messages.parts(message["kind"], message["text"])


@register.filter
def is_front_page(link: str) -> bool:
    """Return whether a source's link leads to the front page of a site and not to the text itself."""
    return urlsplit(link).path in ("", "/")
