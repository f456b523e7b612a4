"""Many mails in one delivery: an mbox file, a folder or Maildir; and the single mail in a file of its own."""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from archive.sources.base import KEPT_OF_ASIDE, Aside, Captured, Place
from archive.sources.mail import Mails, aside
from archive.sources.mapping import How
from archive.sources.mime import MAIL_LIMIT

LINE_PIECE = 64 * 1024  # bytes read at a time of a line without end
DEEPEST = 40  # folders in folders
NAMES_DIGEST = b"onchannel folder 1\0"

FROM = b"From "
_DATED = re.compile(rb"From .*\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b.*\d:\d\d")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)


def is_mbox(beginning: bytes) -> bool:
    return beginning.lstrip(b"\r\n").startswith(FROM)


class Mbox:
    """Reads an mbox, whatever its dialect, one mail in memory at a time.

    A mail begins at a ``From `` line with a weekday and a time. Where the first such line of the file has no date, at
    every ``From `` line after an empty one. ``>From `` in a mail loses one ``>``, as it got one when it was written.
    """

    def __init__(self, how: How, beginning: bytes) -> None:
        self.mails = Mails(how)
        first = beginning.lstrip(b"\r\n").partition(b"\n")[0]
        self.is_dated = bool(_DATED.match(first))

    def __call__(self, stream: BinaryIO, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        for place, pieces, whole in self.split(stream, line, offset):
            yield self._one(place, pieces, whole)

    def _one(self, place: Place, pieces: list[bytes], whole: bool) -> Captured | Aside:
        raw = b"".join(pieces)
        pieces.clear()  # a large mail is in memory once
        if not whole:
            return aside(place, raw, "mail_too_large")
        if b"\n>" in raw:
            raw = _QUOTED.sub(rb"\1", raw)
        return self.mails.parse(place, raw)

    def split(self, stream: BinaryIO, number: int, offset: int) -> Iterator[tuple[Place, list[bytes], bool]]:
        """Yield (place, pieces, whole) for each mail from where ``stream`` stands: the start of one or of the file."""
        begins, at = None, offset
        pieces: list[bytes] = []
        size = 0
        at_line_start = after_empty = True
        while raw := stream.readline(LINE_PIECE):
            if at_line_start and raw.startswith(FROM) and self.is_separator(raw, after_empty):
                if begins is not None:
                    number += 1
                    yield Place(number, begins, at), pieces, size <= MAIL_LIMIT
                begins, pieces, size = at, [], 0
            elif begins is not None:
                if size <= MAIL_LIMIT:
                    pieces.append(raw)
                size += len(raw)
                if size > MAIL_LIMIT and len(pieces) > 1:
                    pieces = [b"".join(pieces)[:KEPT_OF_ASIDE]]
            at += len(raw)
            after_empty = at_line_start and raw in (b"\n", b"\r\n")
            at_line_start = raw.endswith(b"\n")
        if begins is not None:
            yield Place(number + 1, begins, at), pieces, size <= MAIL_LIMIT

    def is_separator(self, raw: bytes, after_empty: bool) -> bool:
        return bool(_DATED.match(raw)) if self.is_dated else after_empty


class OneMail:
    """Reads a file that is one mail."""

    def __init__(self, how: How) -> None:
        self.mails = Mails(how)

    def __call__(self, stream: BinaryIO, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        if line:
            return
        raw = stream.read(MAIL_LIMIT + 1)
        end = offset + len(raw)
        while more := stream.read(LINE_PIECE):
            end += len(more)
        place = Place(1, offset, end)
        if len(raw) > MAIL_LIMIT:
            yield aside(place, raw, "mail_too_large")
        else:
            yield self.mails.parse(place, raw)


class Folder:
    """The mails in a folder and those below it, by name. Of a Maildir, what is in ``cur`` and ``new``.

    Links and devices are never opened: each is set aside. ``size`` is known once ``digest`` has been taken.
    """

    def __init__(self, path: Path, how: How) -> None:
        self.path, self.how, self.size, self.passed = path, how, 0, 0

    def digest(self) -> str:
        """Return the SHA-256 over the names and contents of the files, and set ``size``."""
        whole = hashlib.sha256(NAMES_DIGEST)
        self.size = 0
        for name, path in self.files():
            content = hashlib.sha256()
            for piece in _pieces(path):
                content.update(piece)
                self.size += len(piece)
            encoded = os.fsencode(name)
            whole.update(len(encoded).to_bytes(4, "big") + encoded + content.digest())
        return whole.hexdigest()

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield (name within the folder, path) of every file, in the order of names."""
        yield from _walk(self.path, "", DEEPEST)

    def read(self, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        mails = Mails(self.how)
        for number, (_name, path) in enumerate(self.files(), start=1):
            if number <= line:
                continue
            raw, length = _content(path)
            place = Place(number, offset, offset + length)
            offset = place.end
            self.passed = min(offset, self.size)
            yield of_member(mails, place, raw, length)


def of_member(mails: Mails, place: Place, raw: bytes | None, length: int) -> Captured | Aside:
    """Return what one file of a folder or ZIP is read into. ``raw`` is None where it could not be read."""
    if not raw:
        return Aside(place, "bad_member", b"", length)
    if length > MAIL_LIMIT:
        return aside(place, raw, "mail_too_large")
    found = mails.parse(place, raw)
    return replace(found, reason="bad_member") if isinstance(found, Aside) and found.reason == "not_a_mail" else found


def _walk(folder: Path, prefix: str, deeper: int) -> Iterator[tuple[str, Path]]:
    names = sorted(os.listdir(folder))
    is_maildir = {"cur", "new"} <= set(names)
    for name in names:
        path = folder / name
        if _mode_is(path, stat.S_ISDIR):
            if deeper and not (is_maildir and name == "tmp"):
                yield from _walk(path, f"{prefix}{name}/", deeper - 1)
        elif not is_maildir:
            yield f"{prefix}{name}", path


def _mode_is(path: Path, what: Callable[[int], bool]) -> bool:
    try:
        return what(path.lstat().st_mode)
    except OSError:
        return False


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a plain file; nothing of what is no plain file, or cannot be read."""
    if not _mode_is(path, stat.S_ISREG):
        return
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            while piece := file.read(2**20):
                yield piece
    except OSError:
        return


def _content(path: Path) -> tuple[bytes | None, int]:
    """Return (the bytes of a file, or the beginning of one over the limit, its length); None for no plain file."""
    if not _mode_is(path, stat.S_ISREG):
        return None, 0
    kept, length = bytearray(), 0
    for piece in _pieces(path):
        length += len(piece)
        if length <= MAIL_LIMIT:
            kept += piece
        else:
            del kept[KEPT_OF_ASIDE:]
    return bytes(kept), length
