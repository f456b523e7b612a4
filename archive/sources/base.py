"""What every feed is read into: plain values, no database."""

from dataclasses import dataclass
from datetime import datetime

LINE_LIMIT = 2**20  # bytes; a longer line is skipped to its end and set aside
KEPT_OF_ASIDE = 64 * 1024  # bytes kept of a line that was set aside
END = 2**62  # the place after a record that stands for all the rest

CONTENT, RECALL, CONSENT, CONTROL, UNREADABLE = "content", "recall", "consent", "control", "unreadable"


@dataclass(slots=True)  # not frozen, which would make each of millions three times as slow to make
class Place:
    """Where a line stands: number from 1, first byte, first byte after it."""

    line: int
    offset: int
    end: int


@dataclass(frozen=True, slots=True)
class Word:
    """A contact's answer to the archiving notice."""

    contact: str
    word: str  # agreed or refused
    said_at: datetime | None


@dataclass(frozen=True, slots=True)
class File:
    """A file that came with a mail: its declared type, its decoded bytes' length and SHA-256."""

    media_type: str
    size: int
    digest: bytes


@dataclass(slots=True)  # not frozen, for the same reason; nobody changes one
class Captured:
    """One delivered record. Handles are as they came; texts are only for the lexicon and for flagged messages."""

    place: Place
    seq: int | None  # None: the feed has no numbers
    msgid: str
    category: str
    msgtype: str
    fingerprint: bytes
    channel: str = ""  # where it was said, if the record itself tells; empty: the source's
    is_known_kind: bool = True
    sender: str = ""
    recipients: tuple[str, ...] = ()
    room: str = ""
    sent_at: datetime | None = None  # None: neither told nor to be had from captured_at
    sent_at_is_known: bool = False
    captured_at: datetime | None = None
    publickey_ver: int | None = None
    media_refs: int = 0
    media_missing: int = 0  # of these, told to be not fetched, or fetched with another hash
    files: tuple[File, ...] = ()
    own_text: str = ""  # the sender's own words: quotations removed, parts joined
    forwarded_text: str = ""  # other people's words inside a forwarded conversation
    whole: bytes = b""  # the record as canonical JSON, of a kind that no documentation names
    forwards_room: bool = False  # a forwarded conversation that was held in a room, or a part of it was
    card_of: str = ""  # whose contact card was handed over
    recalls: str = ""
    recalled_at: datetime | None = None  # what a record says of itself: it was taken back then
    word: Word | None = None
    error: int | None = None  # the library's code, where the record could not be decrypted
    was_repaired: bool = False  # NUL or lone surrogates were replaced by U+FFFD in what is stored


@dataclass(frozen=True, slots=True)
class Aside:
    """A line that could not be taken, with why. ``raw`` holds the first KEPT_OF_ASIDE bytes of ``length``."""

    place: Place
    reason: str
    raw: bytes
    length: int
    maybe_seq: int | None = None  # the number it seems to carry; fills no hole
