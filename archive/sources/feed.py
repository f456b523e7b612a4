"""A delivery as the importer sees it: something that yields records from any place, and says how far it has come.

A place is a number of the record and a byte of what the file holds when it is unpacked, so that a run that was cut off
goes on from there, whatever the file is wrapped in.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

from archive.sources import mailboxes, wecom
from archive.sources.base import END, KEPT_OF_ASIDE, Aside, Captured, Place
from archive.sources.csv_rows import Table
from archive.sources.mapping import How
from archive.sources.zipped import SIGNATURES, ZipOfMails

__all__ = ["END", "Feed", "GoingOn", "How", "open_feed"]

GZIP = b"\x1f\x8b"
BEGINNING = 4096  # bytes by which it is told what a file holds
HONEST_RATIO = 100  # unpacked bytes a packed byte; messages in JSON come to about 10
ALWAYS_FINE = 64 * 2**20  # unpacked bytes below which no ratio is asked

# Reads records from where a stream stands, which is the place that it is given.
Reader = Callable[..., Iterator[Captured | Aside]]


class Feed(Protocol):
    """What the importer needs of a delivery. ``size`` and ``passed`` are bytes of the file itself."""

    size: int

    @property
    def passed(self) -> int: ...

    def read(self, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        """Yield what comes after the place. Never raises for a record."""
        ...


class Bounded:
    """The first ``size`` bytes of a stream: what was appended after it was hashed is not there."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.left, self.size = stream, size, size

    def seek(self, offset: int) -> None:
        self.stream.seek(offset)
        self.left = max(0, self.size - offset)

    def read(self, count: int) -> bytes:
        return self._took(self.stream.read(min(count, self.left)))

    def readline(self, limit: int) -> bytes:
        return self._took(self.stream.readline(min(limit, self.left)))

    def _took(self, raw: bytes) -> bytes:
        self.left -= len(raw)
        return raw


class Bomb(Exception):
    """The file unpacks to more than any honest one does."""


class Unpacked:
    """What a gzip file unpacks to, as far as that is honest. Raises Bomb."""

    def __init__(self, unpacked: gzip.GzipFile, packed: BinaryIO) -> None:
        self.unpacked, self.packed = unpacked, packed

    def seek(self, offset: int) -> None:
        if self.unpacked.tell() != offset:
            self.unpacked.seek(offset)

    def read(self, count: int) -> bytes:
        return self._honest(self.unpacked.read(count))

    def readline(self, limit: int) -> bytes:
        return self._honest(self.unpacked.readline(limit))

    def _honest(self, raw: bytes) -> bytes:
        at = self.unpacked.tell()
        if at > ALWAYS_FINE and at > HONEST_RATIO * self.packed.tell():
            raise Bomb
        return raw


class Lines:
    """Records in a plain file. What was appended after it was hashed is not part of it."""

    def __init__(self, stream: BinaryIO, size: int, reader: Reader = wecom.read) -> None:
        self.stream, self.size, self.passed, self.reader = stream, size, 0, reader

    def read(self, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        self.stream.seek(min(offset, self.size))
        for one in self.reader(self.stream, line=line, offset=offset):
            if one.place.offset >= self.size > 0:
                return
            self.passed = min(one.place.end, self.size)
            yield one


class PackedLines:
    """Records in a gzip file. Damage and bombs end it with one record set aside; what came before is kept."""

    def __init__(self, stream: BinaryIO, size: int, reader: Reader = wecom.read) -> None:
        self.stream, self.size, self.reader = stream, size, reader
        self.unpacked = gzip.GzipFile(fileobj=stream, mode="rb")

    @property
    def passed(self) -> int:
        return min(self.stream.tell(), self.size)

    def read(self, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        place = Place(line, offset, offset)
        if offset >= END:
            return
        try:
            if self.unpacked.tell() != offset:
                self.unpacked.seek(offset)
            for one in self.reader(Unpacked(self.unpacked, self.stream), line=line, offset=offset):
                yield one
                place = one.place
        except Bomb:
            yield self._ends(place, "unpacks_too_large")
        except (OSError, EOFError, zlib.error):
            yield self._ends(place, "cannot_unpack")

    def beginning(self) -> bytes:
        """Return the first bytes that it unpacks to, none of what cannot be unpacked."""
        try:
            self.unpacked.seek(0)
            return self.unpacked.read(BEGINNING)
        except (OSError, EOFError, zlib.error):
            return b""

    def _ends(self, after: Place, reason: str) -> Aside:
        """Return the aside that stands for the rest of the file, with the packed bytes where it was met."""
        self.stream.seek(max(0, self.stream.tell() - KEPT_OF_ASIDE))
        raw = self.stream.read(KEPT_OF_ASIDE)
        self.stream.seek(0, 2)
        return Aside(Place(after.line + 1, after.end, END), reason, raw, max(1, len(raw)))


class GoingOn:
    """A feed that goes on by itself when it is asked for the place where it stopped, and begins anew for any other.

    Readers look ahead: to find the end of a mail they have read the first line of the next. To begin anew for each
    batch would unpack a packed file, or list a folder, from its beginning each time.
    """

    def __init__(self, feed: Feed) -> None:
        self.feed, self.size = feed, feed.size
        self.going: Iterator[Captured | Aside] | None = None
        self.stands_at: tuple[int, int] | None = None

    @property
    def passed(self) -> int:
        return self.feed.passed

    def read(self, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        if self.going is None or self.stands_at != (line, offset):
            self.going = self.feed.read(line=line, offset=offset)
        self.stands_at = None
        for one in self.going:
            self.stands_at = (one.place.line, one.place.end)
            yield one
        self.going = None


def open_feed(stream: BinaryIO, size: int, how: How) -> Feed:
    """Return the feed that a file of a source holds, by the source's kind and the file's first bytes."""
    stream.seek(0)
    beginning = stream.read(min(BEGINNING, size))
    stream.seek(0)
    if beginning.startswith(GZIP):
        return _packed(stream, size, how)
    if how.kind == "wecom":
        return Lines(stream, size)
    if how.kind == "mail" and beginning.startswith(SIGNATURES):
        return GoingOn(ZipOfMails(stream, size, how))
    return GoingOn(Lines(Bounded(stream, size), size, _reader(beginning, how)))


def _packed(stream: BinaryIO, size: int, how: How) -> Feed:
    if how.kind == "wecom":
        return PackedLines(stream, size)
    feed = PackedLines(stream, size)
    feed.reader = _reader(feed.beginning(), how)
    return GoingOn(feed)


def _reader(beginning: bytes, how: How) -> Reader:
    if how.kind == "csv":
        return Table(how)
    return mailboxes.Mbox(how, beginning) if mailboxes.is_mbox(beginning) else mailboxes.OneMail(how)
