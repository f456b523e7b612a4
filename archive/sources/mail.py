"""A mail that a capture service or a journal delivered, read into one record.

Plain: From, To and Date say who, whom and when. In an envelope (an Exchange journal report, or a mail that is nothing
but another mail) the inner mail is the record, and the outer one tells when it was captured and who really got it.
Headers that a vendor adds are named in the source's mapping and go before the mail's own.
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from archive.sources import kinds, mime, moments, words
from archive.sources.addresses import addresses, header_text
from archive.sources.base import CONSENT, KEPT_OF_ASIDE, RECALL, Aside, Captured, File, Place, Word
from archive.sources.mapping import How
from archive.sources.mime import Part
from archive.sources.strict import Refused
from archive.sources.text import clean, decode
from archive.sources.wecom import ID_LIMIT, KIND_LIMIT, RECIPIENTS_LIMIT

logger = logging.getLogger(__name__)

ATTACHMENTS_LIMIT = 100
JOURNAL = "X-MS-Journal-Report"
TYPE_LIMIT = 100

_IS_A_FIELD = re.compile(
    rb"^(?:from|sender|to|cc|date|subject|message-id|received|return-path|content-type|mime-version|x-[a-z0-9-]+)"
    rb"[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)
_ENVELOPE_FIELD = re.compile(r"(sender|on-behalf-of|to|cc|bcc|recipient)[ \t]*:[ \t]*(.*)", re.IGNORECASE)
_EXPANDED = re.compile(r",\s*(expanded|forwarded)\s*:\s*", re.IGNORECASE)
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+\Z")
_SPACES = re.compile(r"\s+")


@dataclass
class Content:
    """What the parts of a mail hold: words by whose they are, files as fingerprints."""

    plain: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    missing: int = 0  # files that are broken, cut off, or only pointed at
    text_bytes: int = 0
    is_sound: bool = True  # every byte of the words meant something


@dataclass
class Envelope:
    """Who got a mail, as the outer one tells. ``lists`` are addresses that stand for others and get nothing."""

    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    lists: set[str] = field(default_factory=set)


class Mails:
    """Reads the mails of one source."""

    def __init__(self, how: How) -> None:
        self.how, self.zone, self.mapping = how, how.zone, how.mapping

    def parse(self, place: Place, raw: bytes) -> Captured | Aside:
        """Return the record in a mail, or the mail with the reason why it could not be taken. Never raises."""
        try:
            if len(raw) > mime.MAIL_LIMIT:
                raise Refused("mail_too_large")
            return _Reading(self, place, raw.removeprefix(b"\xef\xbb\xbf")).record()
        except Refused as refused:
            return aside(place, raw, refused.reason)
        except Exception as error:  # Python's email package has raised nearly everything on some strange mail
            logger.warning("a mail could not be read: %s", type(error).__name__)
            return aside(place, raw, "not_a_mail")


def aside(place: Place, raw: bytes, reason: str) -> Aside:
    return Aside(place, reason, raw[:KEPT_OF_ASIDE], place.end - place.offset)


class _Reading:
    """Reads one mail; remembers whether something had to be replaced."""

    def __init__(self, mails: Mails, place: Place, raw: bytes) -> None:
        self.mails, self.place, self.was_repaired = mails, place, False
        self.mapping: dict = mails.mapping
        self.zone: ZoneInfo = mails.zone
        whole = mime.read(raw.lstrip(b"\r\n"))
        if not _IS_A_FIELD.search(whole.raw, 0, whole.body):
            raise Refused("not_a_mail")
        self.part, self.outers = self.unwrapped(whole)
        self.heads = [self.part, *reversed(self.outers)]  # the record itself first, then what is around it

    def unwrapped(self, part: Part) -> tuple[Part, list[Part]]:
        """Return (the record, the envelopes around it, outermost first)."""
        outers: list[Part] = []
        while (inner := part.mail or self.journaled(part)) is not None:
            outers.append(part)
            part = inner
        return part, outers

    def journaled(self, part: Part) -> Part | None:
        if self.mapping.get("journal") == "plain" or not part.values(JOURNAL):
            return None
        inner = next((one.mail for one in _leaves(part) if one.mail), None)
        if inner is None:
            raise Refused("not_a_mail")  # a report whose mail is lost
        return inner

    def record(self) -> Captured:
        envelope = self.envelope()
        told = (self.mapped("sender"), self.own("From"), self.own("Sender"), envelope.sender)
        if not (sender := next((one for text in told for one in addresses(text)), "")):
            raise Refused("no_sender")
        sender = kinds.short_handle(sender)
        recipients, extra = self.recipients(envelope)
        kind = self.kind()
        category = kinds.category_of(kind)
        sent_at, is_known, captured_at = moments.settled(*self.times())
        content = self.content()
        native = self.native_id()
        own, others = words.own_and_others(words.joined("\n".join(content.plain), "\n".join(content.shown)))
        if not native and (subject := words.of_subject(self.text(self.first("Subject")))):
            own = f"{subject}\n{own}".strip()
        fingerprint = self.fingerprint(extra)
        return Captured(
            place=self.place,
            seq=None,
            msgid=native or self.message_id() or f"sha256:{fingerprint.hex()}",
            category=category,
            msgtype=kind,
            fingerprint=fingerprint,
            channel=kinds.channel_of(self.mapped("channel"), self.mapping.get("channels", {})),
            is_known_kind=kinds.is_known(kind),
            sender=sender,
            recipients=tuple(recipients),
            room=kinds.short_handle(self.mapped("room")),
            sent_at=sent_at,
            sent_at_is_known=is_known,
            captured_at=captured_at,
            media_refs=len(content.files) + content.missing,
            media_missing=content.missing,
            files=tuple(content.files),
            own_text=self.stored(own),
            forwarded_text=self.stored("\n".join([*filter(None, [others]), *content.others])),
            recalls=self.mapped("recalls")[:ID_LIMIT] if category == RECALL else "",
            word=self.word(kind, sender, sent_at) if category == CONSENT else None,
            was_repaired=self.was_repaired or not content.is_sound,
        )

    # --- headers

    def stored(self, text: str) -> str:
        cleaned = clean(text)
        self.was_repaired = self.was_repaired or cleaned != text
        return cleaned

    def text(self, raw: str) -> str:
        text, is_whole = header_text(raw)
        self.was_repaired = self.was_repaired or not is_whole
        return text

    def first(self, name: str) -> str:
        return next(iter(self.part.values(name)), "")

    def own(self, *names: str) -> str:
        return ", ".join(value for name in names for value in self.part.values(name))

    def mapped(self, name: str) -> str:
        """Return what the header says that the mapping names for this field, empty if there is none."""
        if not (header := self.mapping.get(name)):
            return ""
        values = (value for part in self.heads for value in part.values(header) if value.strip())
        return self.text(next(values, ""))

    def native_id(self) -> str:
        if len(native := self.mapped("native_id")) > ID_LIMIT:
            raise Refused("field_too_long")
        return native

    def message_id(self) -> str:
        """Return the Message-ID without its brackets, or what stands there in place of one; empty if nothing does."""
        told = self.text(self.first("Message-ID"))
        inside = re.search(r"<([^<>]+)>", told)
        return kinds.short_id(_SPACES.sub("", inside[1] if inside else told.strip("<>")))

    def kind(self) -> str:
        if self.mails.how.granularity == "conversation":
            return kinds.CONVERSATION
        told = self.mapped("kind")
        told = self.mapping.get("kinds", {}).get(told, told) or kinds.MAIL
        if len(told) > KIND_LIMIT:
            raise Refused("field_too_long")
        return told

    def word(self, kind: str, sender: str, sent_at: datetime | None) -> Word:
        return Word(sender, "agreed" if kind == "agree" else "refused", sent_at)

    def times(self) -> tuple[datetime | None, datetime | None]:
        """Return (when it was sent, when it was captured) as told. Without an envelope the last hop captured it."""
        sent = self.mapped_moment("sent_at") or moments.of_mail(self.first("Date"), self.zone)
        captured = self.mapped_moment("captured_at")
        if captured is None and self.outers:
            captured = moments.of_mail(next(iter(self.outers[0].values("Date")), ""), self.zone)
        outermost = self.heads[-1]
        if captured is None and (hops := outermost.values("Received")):
            captured = moments.of_mail(hops[0].rpartition(";")[2], self.zone)
        return sent, captured

    def mapped_moment(self, name: str) -> datetime | None:
        try:
            return moments.told(self.mapped(name), self.zone)
        except moments.Unreadable:
            return None

    # --- who got it

    def envelope(self) -> Envelope:
        """Return what the text of the journal reports around the mail says; empty where there is none."""
        found = Envelope()
        for outer in self.outers:
            leaf = next((one for one in _leaves(outer) if one.media_type == "text/plain"), None)
            if leaf is not None and leaf is not outer:
                raw, _is_sound = leaf.content()
                text, _is_whole = decode(raw[: mime.HEADER_LIMIT * 4], leaf.head.get_content_charset())
                self.read_envelope(text, found)
        return found

    def read_envelope(self, text: str, found: Envelope) -> None:
        unfolded = re.sub(r"\r?\n[ \t]+", " ", text)
        for line in unfolded.splitlines():
            if not (told := _ENVELOPE_FIELD.match(line.strip())):
                continue
            who, *more = _EXPANDED.split(told[2])
            if told[1].lower() in ("sender", "on-behalf-of"):
                found.sender = found.sender or next(iter(addresses(who)), "")
                continue
            found.recipients += addresses(who)
            for what, whom in zip(more[::2], more[1::2], strict=True):
                if what.lower() == "expanded":
                    found.lists |= {one.casefold() for one in addresses(whom)}
                else:
                    found.recipients += addresses(whom)

    def recipients(self, envelope: Envelope) -> tuple[list[str], list[str]]:
        """Return (everybody who got it, those of them whom only the envelope names), each once.

        Where the vendor's header names them, the mail's own addresses are the same people written otherwise.
        """
        lists = envelope.lists - {one.casefold() for one in envelope.recipients}
        addressed = addresses(self.own("To", "Cc", "Bcc"))
        told = addresses(self.mapped("recipients")) or addressed
        named = {one.casefold() for one in (*addressed, *told, *addresses(self.own("From", "Sender")))}
        if envelope.sender:
            named.add(envelope.sender.casefold())
        extra = [one for one in envelope.recipients if one.casefold() not in named]
        once = {one.casefold(): one for one in reversed([*told, *extra]) if one.casefold() not in lists}
        found = [kinds.short_handle(one) for one in reversed(once.values())]
        if len(found) > RECIPIENTS_LIMIT:
            raise Refused("too_many_recipients")
        return found, sorted({one.casefold() for one in extra} | lists)

    def fingerprint(self, extra: list[str]) -> bytes:
        """Return the SHA-256 of the record's bytes, as Part.digest has it, and of whom only the envelope names.

        They follow after a NUL, a line each: the same mail to others is another content.
        """
        digest = self.part.digest()
        if extra:
            digest.update(b"\0" + "\n".join(extra).encode("utf-8", "surrogatepass"))
        return digest.digest()

    # --- what is in it

    def content(self) -> Content:
        found = Content()
        for leaf in _leaves(self.part):
            if leaf.mail is not None:
                self.forwarded(leaf.mail, found)
            else:
                self.take(leaf, found, found.plain, found.shown)
        if len(found.files) + found.missing > ATTACHMENTS_LIMIT:
            raise Refused("mail_too_many_parts")
        return found

    def forwarded(self, mail: Part, found: Content) -> None:
        """Take a mail inside the mail: its words are others', its files came along."""
        plain: list[str] = []
        shown: list[str] = []
        for leaf in _leaves(mail):
            if leaf.mail is not None:
                self.forwarded(leaf.mail, found)
            else:
                self.take(leaf, found, plain, shown)
        if text := words.joined("\n".join(plain), "\n".join(shown)).strip():
            found.others.append(text)

    def take(self, leaf: Part, found: Content, plain: list[str], shown: list[str]) -> None:
        """Take one part: words as text, anything else as a fingerprint."""
        kind = leaf.media_type
        if kind == "message/external-body":
            found.missing += 1
            return
        content, is_sound = leaf.content()
        is_file = leaf.head.get_content_disposition() == "attachment" or bool(leaf.head.get_filename())
        if kind not in ("text/plain", "text/html") or is_file:
            self.file(kind, content, is_sound and not leaf.is_cut, found)
            return
        if kind == "text/plain" and b"begin " in content:
            content = self.without_uuencoded(content, found)
        found.text_bytes += len(content)
        if found.text_bytes > words.TEXT_LIMIT:
            raise Refused("mail_too_large")
        text, is_whole = decode(content, leaf.head.get_content_charset())
        found.is_sound = found.is_sound and is_whole
        (plain if kind == "text/plain" else shown).append(text if kind == "text/plain" else words.of_html(text))

    def file(self, kind: str, content: bytes, is_sound: bool, found: Content) -> None:
        """Fingerprint a file. One that is broken counts as missing: what it was cannot be told."""
        if not is_sound:
            found.missing += 1
            return
        kind = kind if _TYPE.match(kind) and len(kind) <= TYPE_LIMIT else "application/octet-stream"
        found.files.append(File(kind, len(content), hashlib.sha256(content).digest()))

    def without_uuencoded(self, content: bytes, found: Content) -> bytes:
        """Fingerprint files that stand as letters among the words, and return the words."""
        lines = content.splitlines(keepends=True)
        for file, is_sound in mime.uuencoded(lines):
            self.file("application/octet-stream", file, is_sound, found)
        for start, end in reversed(list(mime.uu_spans(lines))):
            del lines[start : end + 1]
        return b"".join(lines)


def _leaves(part: Part) -> Iterator[Part]:
    """Yield the parts that hold something, in order. A mail inside is one of them; what is in it is not."""
    if part.mail is None and part.parts:
        for inner in part.parts:
            yield from _leaves(inner)
    else:
        yield part
