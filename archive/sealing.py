"""Clients' words at rest: encrypted with the newest of the firm's keys, opened with whichever they were sealed with.

Fernet (AES-128 in CBC mode with HMAC-SHA256): https://github.com/fernet/spec. Keys come from ARCHIVE_TEXT_KEYS,
newest first; services.rotating seals anew what older ones sealed.
"""

import hashlib
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.translation import gettext as _


class KeyMissing(RuntimeError):
    """The words were sealed with a key that this site no longer has. Its text may be shown to who wanted to read."""


@lru_cache(maxsize=4)
def _rings(keys: tuple[str, ...]) -> dict[str, Fernet]:
    return {key_id(key): Fernet(key) for key in keys}


def key_id(key: str) -> str:
    """Return the name by which rows say which key sealed them; it tells nothing of the key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def newest() -> str:
    """Return the id of the key that seals from now on."""
    return key_id(settings.ARCHIVE_TEXT_KEYS[0])


def seal(data: bytes) -> tuple[bytes, str]:
    """Return (sealed bytes, id of the key)."""
    name = newest()
    return _rings(tuple(settings.ARCHIVE_TEXT_KEYS))[name].encrypt(data), name


def unseal(sealed: bytes, name: str) -> bytes:
    """Return the bytes. Raises KeyMissing, also for bytes that somebody changed."""
    try:
        return _rings(tuple(settings.ARCHIVE_TEXT_KEYS))[name].decrypt(bytes(sealed))
    except (KeyError, InvalidToken) as error:
        told = _(
            "This was encrypted with the key %(name)s, which the site no longer has, or it was changed since. Ask the "
            "people who run this site to put the key back."
        )
        raise KeyMissing(told % {"name": name}) from error
