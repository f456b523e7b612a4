from collections.abc import Mapping

from django import template

from training import loading, messages

register = template.Library()


@register.filter
def drawn(message: Mapping) -> dict:
    """Return what is drawn of a message besides its words; see messages.parts."""
    return messages.parts(message["kind"], message["text"])


register.filter(loading.is_front_page)
