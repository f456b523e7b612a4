"""The WeCom chat archive (msgaudit) as JSON lines: ``{"seq": …, "publickey_ver": …, "pulled_at": …, "msg": {…}}``.

Only ``seq`` and ``msg`` are sure to be there. A record that could not be decrypted comes as
``{"seq": …, "msgid": …, "publickey_ver": …, "error": 10007}``. A puller that fetches media may add to a line what
became of them: ``"media": [{"sdkfileid": …, "error": 10010}, {"sdkfileid": …, "md5sum": …}]``.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from archive.sources import strict
from archive.sources.base import (
    CONSENT,
    CONTENT,
    CONTROL,
    KEPT_OF_ASIDE,
    RECALL,
    UNREADABLE,
    Aside,
    Captured,
    Place,
    Word,
)
from archive.sources.lines import lines
from archive.sources.wecom_payload import KNOWN_KINDS, forwards_room, missing_media, payload_of, texts, walk_media

ID_LIMIT = 200  # characters of a msgid
HANDLE_LIMIT = 128  # characters of a userid, external id or room; documented: 64
KIND_LIMIT = 64
RECIPIENTS_LIMIT = 5000  # the largest room that WeCom has holds 2,000
LARGEST_SEQ = 2**63 - 1  # what both databases can hold
EARLIEST_MS = 10**11  # a smaller number of "milliseconds" is seconds: 10**11 ms is March 1973
AHEAD = timedelta(hours=24)  # a message cannot be sent a day after it was pulled
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_YEAR = 9000  # beyond it, arithmetic in another zone may leave the calendar

_MAYBE_SEQ = re.compile(rb'"seq"\s*:\s*(\d{1,18})\b')
_SURROGATE = re.compile("[\x00\ud800-\udfff]")


def read(stream: BinaryIO, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
    """Yield what each line of the feed holds, in order, from where ``stream`` stands. Never raises for a line."""
    for place, raw, whole in lines(stream, line=line, offset=offset):
        yield parse(place, raw) if whole else _aside(place, raw, "too_long")


def parse(place: Place, raw: bytes) -> Captured | Aside:
    """Return the record on one line, or the line with the reason why it could not be taken."""
    try:
        data, is_plain = strict.parse(raw.removeprefix(b"\xef\xbb\xbf"))
        if not isinstance(data, dict):
            raise strict.Refused("not_an_object")
        seq = data.get("seq")
        if not isinstance(seq, int) or isinstance(seq, bool) or seq <= 0:
            raise strict.Refused("no_seq")
        if seq > LARGEST_SEQ:
            raise strict.Refused("seq_too_large")
        message = data.get("msg")
        if isinstance(message, dict):
            return _Reading(b"\\u" in raw, is_plain).record(place, seq, data, message, b"sdkfileid" in raw)
        if message is None and "error" in data:
            return _Reading(b"\\u" in raw, is_plain).envelope(place, seq, data)
        raise strict.Refused("no_msg")
    except UnicodeDecodeError:
        return _aside(place, raw, "not_utf8")
    except strict.Refused as refused:
        return _aside(place, raw, refused.reason)


def _aside(place: Place, raw: bytes, reason: str) -> Aside:
    found = _MAYBE_SEQ.search(raw[:200])
    return Aside(place, reason, raw[:KEPT_OF_ASIDE], place.end - place.offset, int(found[1]) if found else None)


def moment(value: object) -> datetime | None:
    """Return the time that a count of milliseconds (or, if it is small, of seconds) since 1970 means, else None."""
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return None
    try:
        told = EPOCH + timedelta(milliseconds=value if value >= EARLIEST_MS else value * 1000)
    except OverflowError:
        return None
    return told if told.year <= LAST_YEAR else None


def pulled(value: object) -> datetime | None:
    """Return when a record was pulled, None if that is not told or cannot be: it lies over a day in the future."""
    told = moment(value)
    return told if told and told <= datetime.now(UTC) + AHEAD else None


class _Reading:
    """Reads one line; remembers whether characters that no database takes had to be replaced."""

    __slots__ = ("has_escapes", "is_plain", "was_repaired")

    def __init__(self, has_escapes: bool, is_plain: bool) -> None:
        self.has_escapes = has_escapes  # without \u in the line there is nothing to replace
        self.is_plain = is_plain  # as strict.parse says
        self.was_repaired = False

    def clean(self, text: str) -> str:
        if self.has_escapes and _SURROGATE.search(text):
            self.was_repaired = True
            return _SURROGATE.sub("�", text)
        return text

    def text(self, value: object, limit: int = HANDLE_LIMIT) -> str:
        """Return an id as text: numbers as their digits, anything else that is no text as empty."""
        if not isinstance(value, str):
            if not isinstance(value, int) or isinstance(value, bool):
                return ""
            value = str(value)
        if len(value) > limit:
            raise strict.Refused("field_too_long")
        return self.clean(value) if self.has_escapes else value

    def msgid(self, value: object) -> str:
        if not (found := self.text(value, ID_LIMIT)):
            raise strict.Refused("no_msgid")
        return found

    def envelope(self, place: Place, seq: int, data: dict) -> Captured:
        """The record is there but could not be decrypted: received, unreadable."""
        msgid, error = self.msgid(data.get("msgid")), data["error"]
        captured_at = pulled(data.get("pulled_at"))
        return Captured(
            place=place,
            seq=seq,
            msgid=msgid,
            category=UNREADABLE,
            msgtype="",
            fingerprint=fingerprint({"error": error, "msgid": data.get("msgid")}),
            sent_at=captured_at,
            captured_at=captured_at,
            publickey_ver=_small(data.get("publickey_ver")),
            error=_small(error) or 0,
            was_repaired=self.was_repaired,
        )

    def record(self, place: Place, seq: int, data: dict, message: dict, has_media: bool) -> Captured:
        msgid = self.msgid(message.get("msgid"))
        category, msgtype = self.kind(message)
        captured_at = pulled(data.get("pulled_at"))
        sent_at = moment(message.get("time" if category == CONTROL else "msgtime"))
        is_known = sent_at is not None and not (captured_at and sent_at > captured_at + AHEAD)
        payload = payload_of(msgtype, message)
        media = walk_media(message, msgtype) if has_media else []
        own, forwarded = texts(msgtype, payload) if category == CONTENT else ("", "")
        is_known_kind = msgtype in KNOWN_KINDS
        return Captured(
            place=place,
            seq=seq,
            msgid=msgid,
            category=category,
            msgtype=msgtype,
            fingerprint=fingerprint(message, is_plain=self.is_plain),
            is_known_kind=is_known_kind,
            whole=b"" if is_known_kind else strict.canonical(message, is_plain=self.is_plain),
            sender=self.text(message.get("user" if category == CONTROL else "from")),
            recipients=self.recipients(message.get("tolist")),
            room=self.text(message.get("roomid")),
            sent_at=sent_at if is_known else captured_at,
            sent_at_is_known=is_known,
            captured_at=captured_at,
            publickey_ver=_small(data.get("publickey_ver")),
            media_refs=len(media),
            media_missing=missing_media(media, data.get("media")),
            own_text=self.clean(own),
            forwarded_text=self.clean(forwarded),
            forwards_room=msgtype == "chatrecord" and forwards_room(payload),
            card_of=self.text(payload.get("userid")) if msgtype == "card" else "",
            recalls=self.text(payload.get("pre_msgid"), ID_LIMIT) if category == RECALL else "",
            word=self.word(msgtype, message, sent_at) if category == CONSENT else None,
            was_repaired=self.was_repaired,
        )

    def kind(self, message: dict) -> tuple[str, str]:
        """Return (category, msgtype). A record without a msgtype is content of the unknown kind "none"."""
        action, msgtype = message.get("action"), self.text(message.get("msgtype"), KIND_LIMIT)
        if action == "switch":
            return CONTROL, "switch"
        if action == "recall" or msgtype == "revoke":
            return RECALL, msgtype or "revoke"
        if msgtype in ("agree", "disagree"):
            return CONSENT, msgtype
        return CONTENT, msgtype or "none"

    def recipients(self, value: object) -> tuple[str, ...]:
        """Absent is nobody, a lone text is a list of one, and the same handle twice is there once."""
        told = value if isinstance(value, list) else [value]
        if len(told) == 1:
            return (found,) if (found := self.text(told[0])) else ()
        if len(told) > RECIPIENTS_LIMIT:
            raise strict.Refused("too_many_recipients")
        return tuple(dict.fromkeys([handle for one in told if (handle := self.text(one))]))

    def word(self, msgtype: str, message: dict, sent_at: datetime | None) -> Word:
        """Accepts either key and either name of the time: the documentation contradicts its own example."""
        answer = payload_of(msgtype, message) or payload_of("disagree" if msgtype == "agree" else "agree", message)
        said_at = moment(answer.get("agree_time")) or moment(answer.get("disagree_time")) or sent_at
        contact = self.text(answer.get("userid")) or self.text(message.get("from"))
        return Word(contact, "agreed" if msgtype == "agree" else "refused", said_at)


def fingerprint(value: object, *, is_plain: bool = False) -> bytes:
    return hashlib.sha256(strict.canonical(value, is_plain=is_plain)).digest()


def _small(value: object) -> int | None:
    """Return a whole number that fits a 32-bit column, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
