"""What a machine shows instead of signing in: long, random, shown once, and kept as a digest only."""

import hashlib
import secrets
from dataclasses import dataclass

from django.http import HttpRequest

HINT = 8  # characters that are kept, to tell one from another


@dataclass(frozen=True)
class Fresh:
    """A token just made. ``secret`` is shown to a person now and never again."""

    secret: str
    hint: str
    digest: str


def make(prefix: str) -> Fresh:
    """Return a new token of 256 random bits; ``prefix`` says what it is for, so that a leaked one can be told."""
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    return Fresh(secret, secret[:HINT], digest_of(secret))


def digest_of(secret: str) -> str:
    """Return the SHA-256, hex. It needs no salt and no slowness: nobody guesses 256 bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def bearer(request: HttpRequest) -> str:
    """Return the token of an ``Authorization: Bearer`` header, empty if there is none."""
    scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""
