"""How often somebody may knock at a door: counted in the cache that all processes share."""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac


def has_place(door: str, who: str, *, most: int, seconds: int) -> bool:
    """Return whether ``who`` may come in once more: ``most`` times in any ``seconds``.

    Each visit takes one of ``most`` places, which fall free by themselves. Taking one is a single ``add`` of the
    cache, so visits that come at once are counted too. Who it is, an address say, is kept under a keyed hash only.
    """
    visitor = salted_hmac("portal.limits", who).hexdigest()[:32]
    places = [f"knock:{door}:{visitor}:{place}" for place in range(most)]
    taken = cache.get_many(places)
    return any(cache.add(place, 1, seconds) for place in places if place not in taken)


def address_of(request: HttpRequest) -> str:
    """Return the address of who asks, behind as many proxies as the settings trust."""
    return get_adapter().get_client_ip(request)
