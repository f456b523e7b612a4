from django.conf import settings
from django.core.checks import Error, register

from portal.signon import ways

HINT = "docs/sign-on.md says how each provider is set up."


@register()
def half_set(app_configs, **kwargs) -> list[Error]:
    """A way in that is half set up is offered to nobody: say so before somebody looks for it."""
    said = [one for slug, told in settings.SIGNON_OIDC.items() for one in ways.problems(slug, told)]
    if settings.SIGNON_ONLY and not settings.SIGNON_BREAK_GLASS:
        said.append(
            "SIGNON_ONLY=1 needs SIGNON_BREAK_GLASS: the addresses that may come in by password when all else fails."
        )
    if settings.SIGNON_ONLY and not any(ways.usable()):
        said.append("SIGNON_ONLY=1 would keep everybody out: no way in is fully set up.")
    return [Error(one, hint=HINT, id="signon.E001") for one in said]
