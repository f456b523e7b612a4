"""How often one address may knock at an open door."""

from django.http import HttpRequest

from portal.people.limits import address_of, has_place


def may_knock(request: HttpRequest, door: str, *, most: int, seconds: int) -> bool:
    """Return whether this address may come in once more: ``most`` times in any ``seconds``."""
    return has_place(door, address_of(request), most=most, seconds=seconds)
