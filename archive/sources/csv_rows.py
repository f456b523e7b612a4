"""Messages as rows of a table, in the form of docs/feeds.md or with the columns that the source's mapping names.

The rows are split on the stream: a row may go over several lines in quotes, and its place is that of its first byte.
"""

import codecs
import csv
import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO

from archive.sources import kinds, moments, strict
from archive.sources.addresses import addresses
from archive.sources.base import (
    CONSENT,
    CONTENT,
    END,
    KEPT_OF_ASIDE,
    LINE_LIMIT,
    Aside,
    Captured,
    Place,
    Word,
)
from archive.sources.mapping import COLUMNS, SEPARATORS, How
from archive.sources.strict import Refused
from archive.sources.text import clean, strictly
from archive.sources.wecom import ID_LIMIT, KIND_LIMIT, RECIPIENTS_LIMIT
from archive.sources.wecom_payload import without_quotation

SAMPLE = 64 * 1024  # bytes by which the charset is told
NEEDED = ("message_id", "sent_at", "sender")
MEDIA_LIMIT = 32767
ROW_LINES = 500  # lines that a row may go over: what an open quote may swallow before it is given up

csv.field_size_limit(LINE_LIMIT)  # of the process, as Python has it: a row's limit, not less for one of its fields

_SEP_LINE = re.compile(rb"\A(?:\xef\xbb\xbf)?sep=([,;\t])\r?\n", re.IGNORECASE)
_AS_TEXT = re.compile(r'="?([^"]*)"?\Z')  # ="000318": how tables are told to keep the zeros
_ROUNDED = re.compile(r"\d([.,]\d+)?E\+?\d+\Z", re.IGNORECASE)  # 7.10118E+18: the digits are gone


class _TooLong(Exception):
    """The row goes on and on: a quote in it was never closed."""


class Table:
    """Reads the table of one source."""

    def __init__(self, how: How) -> None:
        self.how, self.mapping, self.zone = how, how.mapping, how.zone
        self.charset: str | None = None
        self.head: _Head | None = None

    def __call__(self, stream: BinaryIO, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        """Yield what each row holds. The stream stands at its beginning; rows before the place are passed over."""
        if offset >= END:
            return
        if self.head is None:
            self.head = self._read_head(stream)
        head = self.head
        if head.refused:
            if head.length:
                yield Aside(Place(line + 1, 0, END), head.refused, head.raw[:KEPT_OF_ASIDE], head.length)
            return
        if offset < head.end:
            line, offset = 1, head.end
        stream.seek(offset)
        for place, raw, fields in _rows(stream, line, offset, self._decode, head.separator):
            yield self._row(place, raw, fields)

    def _read_head(self, stream: BinaryIO) -> "_Head":
        stream.seek(0)
        sample = stream.read(SAMPLE)
        if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _Head(refused="not_utf8", raw=sample, length=len(sample))
        self.charset = self.mapping.get("encoding") or _charset_of(sample)
        sep = _SEP_LINE.match(sample)
        begins = sep.end() if sep else 3 if sample.startswith(codecs.BOM_UTF8) else 0
        told = sep[1].decode() if sep else self.mapping.get("separator")
        best = _Head(refused="bad_row", raw=sample, length=len(sample))
        for separator in [told] if told else SEPARATORS:
            stream.seek(begins)
            place, _raw, fields = next(_rows(stream, 0, begins, self._decode, separator), (None, b"", None))
            if place is not None and isinstance(fields, list):
                found = _Head(separator, self._columns(fields), place.end, len(fields))
                if len(found.columns) > len(best.columns):
                    best = found
        if not set(NEEDED) <= best.columns.keys():
            best.refused, best.raw, best.length = "bad_row", sample, len(sample)
        return best

    def _columns(self, fields: list[str]) -> dict[str, int]:
        """Return {canonical name: where it stands}, by the mapping's names and for the rest by the canonical ones."""
        places = {}
        for at, name in enumerate(fields):
            places.setdefault(name.strip().casefold(), at)
        wanted = {name: str(self.mapping.get(name, name)).strip().casefold() for name in COLUMNS}
        return {name: places[column] for name, column in wanted.items() if column in places}

    def _decode(self, raw: bytes) -> str:
        if self.charset:
            return raw.decode(self.charset)
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("gb18030")

    def _row(self, place: Place, raw: bytes, fields: list[str] | str) -> Captured | Aside:
        try:
            if isinstance(fields, str):
                raise Refused(fields)
            if len(fields) != self.head.width:
                raise Refused("bad_row")
            return _Row(self, {name: fields[at] for name, at in self.head.columns.items()}).record(place)
        except Refused as refused:
            return Aside(place, refused.reason, raw[:KEPT_OF_ASIDE], place.end - place.offset)


class _Head:
    """The heading of a table: what stands in which column, and where the rows begin."""

    def __init__(
        self,
        separator: str = ",",
        columns: dict[str, int] | None = None,
        end: int = 0,
        width: int = 0,
        refused: str = "",
        raw: bytes = b"",
        length: int = 0,
    ) -> None:
        self.separator, self.columns, self.end, self.width = separator, columns or {}, end, width
        self.refused, self.raw, self.length = refused, raw, length


def _charset_of(sample: bytes) -> str | None:
    """Return the charset that most lines beyond ASCII are sound in; None if there are none: then each row tells."""
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8"
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    if len(lines) > 1 and len(sample) == SAMPLE:
        lines.pop()  # it may be cut in the middle of a character
    sound = sum(strictly(line, "utf-8") is not None for line in lines)
    return ("utf-8" if sound * 2 >= len(lines) else "gb18030") if lines else None


def _rows(
    stream: BinaryIO, number: int, offset: int, decode: Callable[[bytes], str], separator: str
) -> Iterator[tuple[Place, bytes, list[str] | str]]:
    """Yield (place, bytes, fields or the reason why there are none) of each row; empty lines are passed over.

    A row that cannot be read to its end gives up its first line only, so that one open quote costs one line.
    """
    waiting: deque[bytes] = deque()

    def pull(taken: list[bytes]) -> Iterator[str]:
        length = 0
        while raw := waiting.popleft() if waiting else stream.readline(LINE_LIMIT + 1):
            taken.append(raw)
            length += len(raw)
            if length > LINE_LIMIT or len(taken) > ROW_LINES:
                raise _TooLong
            yield decode(raw)

    while True:
        taken: list[bytes] = []
        try:
            fields: list[str] | str = next(csv.reader(pull(taken), delimiter=separator, strict=True))
        except StopIteration:
            return
        except UnicodeDecodeError:
            fields = "not_utf8"
        except _TooLong:
            fields = "too_long" if len(taken) == 1 else "bad_row"
        except csv.Error:
            fields = "bad_row"
        if isinstance(fields, str):
            waiting.extendleft(reversed(taken[1:]))
            del taken[1:]
        raw = b"".join(taken)
        end = offset + len(raw)
        if len(taken[0]) > LINE_LIMIT and not raw.endswith(b"\n"):
            end += _rest_of_line(stream)
        if fields or raw.strip():
            number += 1
            yield Place(number, offset, end), raw, fields or "bad_row"
        offset = end


def _rest_of_line(stream: BinaryIO) -> int:
    passed = 0
    while more := stream.readline(LINE_LIMIT):
        passed += len(more)
        if more.endswith(b"\n"):
            break
    return passed


class _Row:
    """One row by the canonical names of its columns."""

    def __init__(self, table: Table, cells: dict[str, str]) -> None:
        self.table, self.was_repaired = table, False
        self.cells = {name: self.stored(cell) for name, cell in cells.items()}

    def stored(self, cell: str) -> str:
        cleaned = clean(cell)
        self.was_repaired = self.was_repaired or cleaned != cell
        return cleaned

    def cell(self, name: str) -> str:
        """Return a cell without what tables put around it: spaces, ``="…"``, a leading apostrophe."""
        told = self.cells.get(name, "").strip()
        if found := _AS_TEXT.match(told):
            told = found[1].strip()
        return told.removeprefix("'")

    def handle(self, name: str) -> str:
        told = self.cell(name)
        if _ROUNDED.match(told):
            raise Refused("bad_number")
        return told

    def moment(self, name: str) -> datetime | None:
        try:
            return moments.told(self.cell(name), self.table.zone, self.table.mapping.get("date_format", ""))
        except moments.Unreadable as error:
            raise Refused("bad_time") from error

    def record(self, place: Place) -> Captured:
        if not (msgid := self.handle("message_id")):
            raise Refused("no_msgid")
        if len(msgid) > ID_LIMIT:
            raise Refused("field_too_long")
        if not (sender := next(iter(addresses(self.handle("sender"))), "")):
            raise Refused("no_sender")
        kind = self.kind()
        category = kinds.category_of(kind)
        sent_at, is_known, captured_at = moments.settled(self.moment("sent_at"), self.moment("captured_at"))
        words = self.cells.get("text", "") if category == CONTENT else ""
        sender = kinds.short_handle(sender)
        return Captured(
            place=place,
            seq=None,
            msgid=msgid,
            category=category,
            msgtype=kind,
            fingerprint=self.fingerprint(),
            channel=kinds.channel_of(self.cell("channel"), self.table.mapping.get("channels", {})),
            is_known_kind=kinds.is_known(kind),
            sender=sender,
            recipients=self.recipients(),
            room=kinds.short_handle(self.cell("conversation_id")),
            sent_at=sent_at,
            sent_at_is_known=is_known,
            captured_at=captured_at,
            media_refs=self.media(),
            own_text=without_quotation(words) if kind == "text" else words,
            recalled_at=self.moment("recalled_at"),
            word=Word(sender, "agreed" if kind == "agree" else "refused", sent_at) if category == CONSENT else None,
            was_repaired=self.was_repaired,
        )

    def kind(self) -> str:
        if self.table.how.granularity == "conversation":
            return kinds.CONVERSATION
        told = self.cell("kind")
        told = self.table.mapping.get("kinds", {}).get(told, told) or "text"
        if len(told) > KIND_LIMIT:
            raise Refused("field_too_long")
        return told

    def recipients(self) -> tuple[str, ...]:
        told = self.cells.get("recipients", "")
        cells = [one.strip().strip("'") for one in re.split(r"[;\n]", told)]
        if any(_ROUNDED.match(one) for one in cells):
            raise Refused("bad_number")
        found = addresses(";".join(cells))
        if len(found) > RECIPIENTS_LIMIT:
            raise Refused("too_many_recipients")
        return tuple(kinds.short_handle(one) for one in found)

    def media(self) -> int:
        """Return how many files came along: the cell counts them or names them, with ; between."""
        told = self.cell("attachments")
        count = int(told) if told.isdecimal() and len(told) < 6 else sum(1 for one in told.split(";") if one.strip())
        return min(count, MEDIA_LIMIT)

    def fingerprint(self) -> bytes:
        """Return the SHA-256 of the cells by their canonical names, empty ones left out: not of how they were quoted.

        When it was captured and when it was taken back is not what was said: the same message exported later is known.
        """
        said = {name: cell for name, cell in self.cells.items() if cell and name not in ("captured_at", "recalled_at")}
        return hashlib.sha256(strict.canonical(said)).digest()
