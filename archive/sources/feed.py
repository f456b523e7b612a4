"""A delivery as the importer sees it: something that yields records from any place, and says how far it has come.

A place is a number of the record and a byte of what the file holds when it is unpacked, so that a run that was cut off
goes on from there, whatever the file is wrapped in.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol

from archive.sources import wecom
from archive.sources.base import KEPT_OF_ASIDE, Aside, Captured, Place

GZIP = b"\x1f\x8b"
END = 2**62  # the place after a record that stands for all the rest
HONEST_RATIO = 100  # unpacked bytes a packed byte; messages in JSON come to about 10
ALWAYS_FINE = 64 * 2**20  # unpacked bytes below which no ratio is asked


@dataclass(frozen=True)
class How:
    """How a source is read: its kind (a Source.Kind), mapping of fields and zone, and the file's name as it came."""

    kind: str = "wecom"
    mapping: Mapping = field(default_factory=dict)
    time_zone: str = "UTC"
    label: str = ""


class Feed(Protocol):
    """What the importer needs of a delivery. ``size`` and ``passed`` are bytes of the file itself."""

    size: int

    @property
    def passed(self) -> int: ...

    def read(self, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        """Yield what comes after the place. Never raises for a record."""
        ...


class Lines:
    """JSON lines in a plain file. What was appended after it was hashed is not part of it."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size, self.passed = stream, size, 0

    def read(self, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        self.stream.seek(offset)
        for one in wecom.read(self.stream, line=line, offset=offset):
            if one.place.offset >= self.size:
                return
            self.passed = min(one.place.end, self.size)
            yield one


class PackedLines:
    """JSON lines in a gzip file. Damage and bombs end it with one record set aside; what came before is kept."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.size = stream, size
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
            for one in wecom.read(self.unpacked, line=line, offset=offset):
                yield one
                place = one.place
                if place.end > max(ALWAYS_FINE, HONEST_RATIO * self.stream.tell()):
                    yield self._ends(place, "unpacks_too_large")
                    return
        except (OSError, EOFError, zlib.error):
            yield self._ends(place, "cannot_unpack")

    def _ends(self, after: Place, reason: str) -> Aside:
        """Return the aside that stands for the rest of the file, with the packed bytes where it was met."""
        self.stream.seek(max(0, self.stream.tell() - KEPT_OF_ASIDE))
        raw = self.stream.read(KEPT_OF_ASIDE)
        self.stream.seek(0, 2)
        return Aside(Place(after.line + 1, after.end, END), reason, raw, max(1, len(raw)))


def open_feed(stream: BinaryIO, size: int, how: How) -> Feed:
    """Return the feed that a file of a source holds, by the source's kind and the file's first bytes."""
    stream.seek(0)
    packed = stream.read(2) == GZIP
    stream.seek(0)
    return PackedLines(stream, size) if packed else Lines(stream, size)
