"""How an Entry is written down and hashed. Version 1; docs/ledger.md holds test vectors.

Hashing of leaves follows RFC 9162, section 2.1.1: a digest is SHA-256 over 0x00 and the leaf's bytes, so the digests
are the leaves of one growing tree.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime

VERSION = 1
GENESIS = bytes(32)
SALT_BYTES = 32
EXACT = 2**53  # integers beyond this do not survive every JSON reader


class NotCanonical(ValueError):
    """The value cannot be written in the one agreed way."""


class UnknownVersion(ValueError):
    """The Entry was written by a later version of this software."""


def timestamp(moment: datetime) -> str:
    """Return the moment as ``2026-03-31T15:59:59.000000Z``. Raises NotCanonical for a naive moment."""
    if moment.tzinfo is None:
        raise NotCanonical("a time without a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def canonical(value: object) -> bytes:
    """Return the value as JSON in UTF-8: keys sorted, no spaces, no floats, integers within 2**53.

    Takes dict (text keys), list, tuple, str, int, bool, None and aware datetimes. Raises NotCanonical.
    """
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode(
        "utf-8", "strict"
    )


def _plain(value: object) -> object:
    match value:
        case None | bool() | str():
            return value
        case int():
            if abs(value) > EXACT:
                raise NotCanonical(f"integer {value} is beyond 2**53: write it as text")
            return value
        case datetime():
            return timestamp(value)
        case dict():
            if any(not isinstance(key, str) for key in value):
                raise NotCanonical("a key that is not text")
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    raise NotCanonical(f"{type(value).__name__} has no agreed form")


def commitment(salt: bytes, body: bytes) -> bytes:
    """Return HMAC-SHA256 of the body under its salt. Without the salt a guessed body cannot be confirmed."""
    return hmac.digest(salt, body, hashlib.sha256)


def read(content: bytes) -> dict:
    """Return what canonical JSON says."""
    return json.loads(content)


def leaf(
    *, seq: int, at: datetime, verb: str, actor: str, subject: str, commitment: bytes, prev: bytes, v: int = VERSION
) -> bytes:
    """Return the bytes that an Entry's digest is over. Raises NotCanonical, or UnknownVersion."""
    if v != VERSION:
        raise UnknownVersion(f"ledger version {v} is not known")
    return canonical(
        {
            "seq": seq,
            "at": at,
            "verb": verb,
            "actor": actor,
            "subject": subject,
            "commitment": commitment.hex(),
            "prev": prev.hex(),
            "v": v,
        }
    )


def entry_digest(**columns: object) -> bytes:
    """Return the leaf hash of an Entry. Takes and raises what ``leaf`` does."""
    return hashlib.sha256(b"\x00" + leaf(**columns)).digest()
