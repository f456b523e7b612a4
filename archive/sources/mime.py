"""What a mail is made of: its parts as places in its bytes, within limits that hold before anything is parsed.

Python's email package reads the headers. It does not find the parts: it cannot stop at a limit, it keeps every line
as an object, and it does not give back the bytes of a part, which a fingerprint is of.
"""

import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from email.policy import compat32

from archive.sources.strict import Refused

MAIL_LIMIT = 32 * 2**20  # bytes
HEADER_LIMIT = 64 * 1024  # bytes of one header
HEADERS_LIMIT = 256 * 1024  # bytes of all headers in a mail
FIELD_LIMIT = 2048  # bytes of a Content-… field: Python's parser of parameters is quadratic
PARTS_LIMIT = 200
NESTING_LIMIT = 20
NEWLINE, RETURN = 10, 13
PIECE = 2**20  # bytes hashed at a time

_HEAD = re.compile(rb"(?:>?From [^\n]*\n)?(?:(?:[!-9;-~]+[ \t]*:|[ \t])[^\n]*(?:\n|\Z))*+")
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NO_LETTERS = bytes(set(range(256)) - set(_LETTERS))
_USUAL = (b"\r", b"\n", b"\t", b" ", b"=")  # among letters of base64
_WRAPPED = ("message/rfc822", "message/global")
_STRUCTURE = ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding")


@dataclass(slots=True)
class Part:
    """One part. ``start`` is its first byte, ``body`` the first after its header, ``end`` the first after it."""

    raw: bytes
    start: int
    body: int
    end: int
    head: Message
    level: int
    is_cut: bool = False  # it ends where the mail ends, not where its boundary says
    parts: list["Part"] = field(default_factory=list)

    @property
    def media_type(self) -> str:
        """Its type; of a multipart without any part in it: text, as Python's parser has it."""
        told = self.head.get_content_type()
        return "text/plain" if told.startswith("multipart/") and not self.parts else told

    @property
    def mail(self) -> "Part | None":
        """The mail that this part wraps, None if it wraps none."""
        return self.parts[0] if self.parts and self.head.get_content_type() in _WRAPPED else None

    def digest(self) -> "hashlib._Hash":
        """Return the SHA-256 of its bytes as it goes, line ends as LF and none at the end: containers change both."""
        found, end = hashlib.sha256(), self.end
        while end > self.start and self.raw[end - 1] == NEWLINE:
            end -= 2 if end - 2 >= self.start and self.raw[end - 2] == RETURN else 1
        at = self.start
        while at < end:
            stop = min(at + PIECE, end)
            stop -= stop < end and self.raw[stop - 1] == RETURN  # not between the two of a line end
            found.update(self.raw[at:stop].replace(b"\r\n", b"\n"))
            at = stop
        return found

    def content(self) -> tuple[bytes, bool]:
        """Return (what it holds, decoded, whether it is sound). Of a broken encoding what can be read is returned."""
        match str(self.head.get("Content-Transfer-Encoding", "")).strip().lower():
            case "base64":
                return _of_base64(self.raw[self.body : self.end])
            case "quoted-printable":
                return binascii.a2b_qp(self.raw[self.body : self.end]), True
            case "x-uuencode" | "uuencode" | "x-uue" | "uue":
                coded = self.raw[self.body : self.end]
                return next(uuencoded(coded.splitlines()), (coded, False))
        return self.raw[self.body : self.end], True

    def values(self, name: str) -> list[str]:
        """Return the raw values of a header, unfolded; bytes beyond ASCII are surrogates, as the parser leaves them."""
        wanted = name.lower()
        return [re.sub(r"\r?\n", "", value) for key, value in self.head.raw_items() if key.lower() == wanted]


def read(raw: bytes) -> Part:
    """Return the mail as a tree of parts. Raises Refused where it goes over a limit."""
    budget = _Budget()
    root = budget.part(raw, 0, len(raw), 1)
    todo = [root]
    while todo:
        part = todo.pop()
        part.parts = list(_children(part, budget))
        todo += part.parts
    return root


class _Budget:
    def __init__(self) -> None:
        self.parts, self.headers = 0, 0

    def part(self, raw: bytes, start: int, end: int, level: int, kind: str = "") -> Part:
        self.parts += 1
        if self.parts > PARTS_LIMIT or level > NESTING_LIMIT:
            raise Refused("mail_too_many_parts")
        head, body = _header(raw, start, end)
        self.headers += body - start
        if self.headers > HEADERS_LIMIT:
            raise Refused("mail_too_large")
        if kind and "Content-Type" not in head:
            head["Content-Type"] = kind
        return Part(raw, start, body, end, head, level)


def _header(raw: bytes, start: int, end: int) -> tuple[Message, int]:
    """Return (the header read, first byte of the body)."""
    stop = min(end, start + HEADER_LIMIT + 1)
    ends = _HEAD.match(raw, start, stop).end()
    if ends == stop and stop < end:
        raise Refused("mail_too_large")
    text = raw[start:ends].decode("ascii", "surrogateescape")
    if text.startswith((">From ", "From ")):
        text = text.partition("\n")[2]
    head = HeaderParser(policy=compat32).parsestr(text)
    for name in _STRUCTURE:
        if any(len(value) > FIELD_LIMIT for key, value in head.raw_items() if key.lower() == name.lower()):
            del head[name]
            head[name] = "application/octet-stream" if name == "Content-Type" else "attachment"
    blank = 2 if raw[ends : ends + 2] == b"\r\n" else 1 if raw[ends : ends + 1] == b"\n" else 0
    return head, min(ends + blank, end)


def _children(part: Part, budget: _Budget) -> Iterator[Part]:
    kind = part.head.get_content_type()
    if kind in _WRAPPED:
        if str(part.head.get("Content-Transfer-Encoding", "")).strip().lower() in ("base64", "quoted-printable"):
            inner, _is_sound = part.content()
            yield budget.part(inner, 0, len(inner), part.level + 1)
        else:
            yield budget.part(part.raw, part.body, part.end, part.level + 1)
    elif kind.startswith("multipart/") and (boundary := part.head.get_boundary()):
        inner = "message/rfc822" if kind == "multipart/digest" else ""
        spans, is_closed = _spans(part, boundary.encode("utf-8", "surrogateescape"))
        for number, (start, end) in enumerate(spans, start=1):
            child = budget.part(part.raw, start, end, part.level + 1, inner)
            child.is_cut = not is_closed and number == len(spans)
            yield child


def _spans(part: Part, boundary: bytes) -> tuple[list[tuple[int, int]], bool]:
    """Return (first byte and first byte after each part between the boundaries, whether the last one was closed)."""
    raw, mark, spans, begins = part.raw, b"--" + boundary, [], None
    at = raw.find(mark, part.body, part.end)
    while at != -1 and len(spans) <= PARTS_LIMIT:
        after = at + len(mark)
        if at == part.body or raw[at - 1] == NEWLINE:
            line_end = raw.find(b"\n", after, part.end)
            line_end = part.end if line_end == -1 else line_end
            tail = raw[after:line_end].strip(b" \t\r")
            if tail in (b"", b"--"):
                if begins is not None:
                    spans.append((begins, max(begins, _before_delimiter(raw, at))))
                if tail:
                    return spans, True
                begins = after = min(line_end + 1, part.end)
        at = raw.find(mark, after, part.end)
    if begins is not None:
        spans.append((begins, part.end))
    return spans, False


def _before_delimiter(raw: bytes, at: int) -> int:
    """Return where a part ends: the line end before a delimiter belongs to the delimiter."""
    if raw[at - 1 : at] != b"\n":
        return at
    return at - 2 if raw[at - 2 : at] == b"\r\n" else at - 1


def _of_base64(coded: bytes) -> tuple[bytes, bool]:
    """Return (what the letters say, whether they are sound): strange characters are passed over, a rest is cut off."""
    usual = sum(map(coded.count, _USUAL))
    letters = coded.translate(None, _NO_LETTERS)
    strange, rest = len(coded) - len(letters) != usual, len(letters) % 4
    del coded  # a large file is in memory as seldom as can be
    if rest == 1:
        letters = letters[:-1]
    elif rest:
        letters += b"=" * (4 - rest)
    return binascii.a2b_base64(letters), not strange and rest != 1


def uuencoded(lines: list[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Yield (content, is sound) of each uuencoded file in the lines."""
    for start, end in uu_spans(lines):
        content, is_sound = [], end < len(lines) and lines[end].strip() == b"end"
        for line in lines[start + 1 : end]:
            try:
                content.append(binascii.a2b_uu(line))
            except binascii.Error:
                is_sound = False
        yield b"".join(content), is_sound


_UU_BEGIN = re.compile(rb"begin [0-7]{3,4} \S")


def uu_spans(lines: list[bytes]) -> Iterator[tuple[int, int]]:
    """Yield (line of ``begin``, line of ``end`` or where the letters stop) of each uuencoded file."""
    at = 0
    while at < len(lines):
        if _UU_BEGIN.match(lines[at]) and at + 1 < len(lines) and _is_uu(lines[at + 1]):
            end = at + 1
            while end < len(lines) and lines[end].strip() != b"end" and _is_uu(lines[end]):
                end += 1
            yield at, end
            at = end
        at += 1


def _is_uu(line: bytes) -> bool:
    """Return whether the line's first letter says the length that it has."""
    line = line.rstrip(b"\r\n")
    if not line:
        return False
    count = (line[0] - 32) & 63
    return 32 <= line[0] <= 96 and len(line) - 1 >= (count * 8 + 5) // 6 and len(line) <= 66
