"""How long something lasts, in words of the page's language."""

from datetime import timedelta

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()


@register.filter
def span(lasts: timedelta) -> str:
    """Return e.g. “35 min”, “4 h 10 min” or “3 days 4 h”. Rounded down to the minute; from two days on to the hour."""
    minutes = max(0, int(lasts.total_seconds()) // 60)
    days, hours = minutes // 1440, minutes // 60
    if days >= 2:
        said = ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
        return f"{said} {_('%(h)s h') % {'h': hours % 24}}" if hours % 24 else said
    if hours:
        said = _("%(h)s h") % {"h": hours}
        return f"{said} {_('%(m)s min') % {'m': minutes % 60}}" if minutes % 60 else said
    return _("%(m)s min") % {"m": minutes}


@register.filter
def span_of(seconds: int) -> str:
    """Return e.g. “40 s”, and from two minutes on what ``span`` says."""
    return span(timedelta(seconds=seconds)) if seconds >= 120 else _("%(n)s s") % {"n": seconds}
