"""What sort of record a kind of message is, in feeds that tell the kind in a header or a column."""

import hashlib
import re

from archive.sources.base import CONSENT, CONTENT, CONTROL, RECALL
from archive.sources.wecom import HANDLE_LIMIT, ID_LIMIT
from archive.sources.wecom_payload import KNOWN_KINDS

MAIL, CONVERSATION = "mail", "conversation"
CHANNEL_LIMIT = 20

_CATEGORIES = {"revoke": RECALL, "recall": RECALL, "agree": CONSENT, "disagree": CONSENT, "switch": CONTROL}
_NOT_A_NAME = re.compile("[^a-z0-9_-]+")


def category_of(kind: str) -> str:
    return _CATEGORIES.get(kind, CONTENT)


def is_known(kind: str) -> bool:
    return kind in KNOWN_KINDS or kind in (MAIL, CONVERSATION, "recall")


def channel_of(told: str, names: dict) -> str:
    """Return a channel's name as it is stored, empty if none is told. ``names`` says what vendors' words mean."""
    told = told.strip()
    told = names.get(told, told)
    return _NOT_A_NAME.sub("-", told.casefold()).strip("-")[:CHANNEL_LIMIT]


def short_handle(handle: str) -> str:
    """Return a handle that fits its column: a longer one is cut and told apart by a digest of the whole."""
    return _short(handle, HANDLE_LIMIT)


def short_id(msgid: str) -> str:
    return _short(msgid, ID_LIMIT)


def _short(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
    return f"{text[: limit - 41]}~{digest}"
