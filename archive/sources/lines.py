"""Lines of a feed of any size in memory of fixed size."""

from collections.abc import Iterator
from typing import BinaryIO

from archive.sources.base import KEPT_OF_ASIDE, LINE_LIMIT, Place


def lines(stream: BinaryIO, *, line: int = 0, offset: int = 0) -> Iterator[tuple[Place, bytes, bool]]:
    """Yield (place, bytes, whole) from where ``stream`` stands; ``line`` and ``offset`` say where that is.

    The line end is not part of the bytes. Of a line over LINE_LIMIT only the beginning comes, and ``whole`` is False.
    Empty lines are numbered but not yielded: they hold nothing that could be lost.
    """
    while raw := stream.readline(LINE_LIMIT + 1):
        line, start = line + 1, offset
        offset += len(raw)
        if len(raw) > LINE_LIMIT and not raw.endswith(b"\n"):
            raw = raw[:KEPT_OF_ASIDE]
            while more := stream.readline(LINE_LIMIT):
                offset += len(more)
                if more.endswith(b"\n"):
                    break
            yield Place(line, start, offset), raw, False
        elif raw.strip():
            yield Place(line, start, offset), raw.rstrip(b"\r\n"), True
