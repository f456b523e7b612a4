"""How often one visitor may knock at an open door."""

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac


def may_knock(request: HttpRequest, door: str, *, most: int, seconds: int, who: str = "") -> bool:
    """Return whether this visitor may come in once more: ``most`` times in any ``seconds``.

    A visitor is an address, or ``who`` where the door knows its visitors otherwise, as by a token. Each visit takes one
    of ``most`` places, which fall free by themselves. Taking one is a single ``add`` of the cache, so visits that come
    at once are counted too. Who it is stands in the cache under a keyed hash only.
    """
    who = who or get_adapter().get_client_ip(request)
    visitor = salted_hmac("portal.limits", who).hexdigest()[:32]
    places = [f"knock:{door}:{visitor}:{place}" for place in range(most)]
    taken = cache.get_many(places)
    return any(cache.add(place, 1, seconds) for place in places if place not in taken)
