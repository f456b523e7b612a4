"""A ZIP of mails, as vendors deliver them over SFTP. Its directory is checked before any member is read.

Names in it are labels and never paths: nothing is unpacked to disk, and a name that tries to be a path does nothing.
"""

import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from archive.sources.base import END, KEPT_OF_ASIDE, Aside, Captured, Place
from archive.sources.mail import Mails
from archive.sources.mailboxes import of_member
from archive.sources.mapping import How
from archive.sources.mime import MAIL_LIMIT
from archive.sources.strict import Refused
from archive.sources.text import decode

SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
MEMBERS_LIMIT = 50_000
DIRECTORY_LIMIT = 8 * 2**20  # bytes of the directory, which is read at once
UNPACKED_LIMIT = 8 * 2**30
HONEST_RATIO = 100  # unpacked bytes a packed byte
ALWAYS_FINE = 2**20  # unpacked bytes below which no ratio is asked
MANIFEST_LIMIT = 8 * 2**20

_END_RECORD = b"PK\x05\x06"
_END_SIZE = 22
_COUNT = re.compile(r"\s*count\s*[:=]\s*(\d+)\s*\Z", re.IGNORECASE)


class ZipOfMails:
    """Reads the members one after another, in the order of the directory."""

    def __init__(self, stream: BinaryIO, size: int, how: How) -> None:
        self.stream, self.size, self.passed, self.mails = stream, size, 0, Mails(how)
        self.zip: zipfile.ZipFile | None = None

    def read(self, *, line: int = 0, offset: int = 0) -> Iterator[Captured | Aside]:
        if offset >= END:
            return
        try:
            members = self._members()
        except Refused as refused:
            yield self._whole(line, refused.reason)
            return
        offset = sum(one.file_size for one in members[:line])
        for number, member in enumerate(members[line:], start=line + 1):
            place = Place(number, offset, offset + member.file_size)
            offset = place.end
            self.passed = min(self.size, member.header_offset + member.compress_size)
            yield of_member(self.mails, place, self._content(member), member.file_size)

    def _members(self) -> list[zipfile.ZipInfo]:
        """Return the mails, after every check of the whole. Raises Refused."""
        if self.zip is None:
            self._check_directory_size()
            try:
                self.zip = zipfile.ZipFile(self.stream)
            except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError) as error:
                raise Refused("cannot_unpack") from error
            self._check_sums()
            self._check_manifest()
        return [one for one in self.zip.infolist() if not one.is_dir() and not _is_manifest(one)]

    def _check_directory_size(self) -> None:
        """Refuse a directory that would itself fill the memory, before it is read."""
        begins = max(0, self.size - _END_SIZE - 2**16)
        self.stream.seek(begins)
        tail = self.stream.read(self.size - begins)
        at = tail.rfind(_END_RECORD)
        if at == -1 or len(tail) - at < _END_SIZE:
            raise Refused("cannot_unpack")
        count, length = struct.unpack("<10xHL6x", tail[at : at + _END_SIZE])
        locator = tail[at - 20 : at]
        if locator.startswith(b"PK\x06\x07"):  # a ZIP64: the true numbers stand elsewhere
            self.stream.seek(min(self.size, struct.unpack("<8xQ4x", locator)[0]))
            record = self.stream.read(56)
            if len(record) < 56:
                raise Refused("cannot_unpack")
            count, length = struct.unpack("<32xQQ8x", record)
        if count > MEMBERS_LIMIT or length > DIRECTORY_LIMIT:
            raise Refused("unpacks_too_large")

    def _check_sums(self) -> None:
        members = self.zip.infolist()
        packed, unpacked = sum(one.compress_size for one in members), sum(one.file_size for one in members)
        if len(members) > MEMBERS_LIMIT or unpacked > UNPACKED_LIMIT or packed > self.size:
            raise Refused("unpacks_too_large")  # members that lie over each other are a bomb, too
        if unpacked > max(ALWAYS_FINE, HONEST_RATIO * packed):
            raise Refused("unpacks_too_large")

    def _check_manifest(self) -> None:
        """Refuse the whole where the vendor's list and the directory differ: to take a part would hide a loss."""
        members = [one for one in self.zip.infolist() if not one.is_dir()]
        manifests = [one for one in members if _is_manifest(one)]
        if not manifests:
            return
        raw = self._content(manifests[0], MANIFEST_LIMIT) if len(manifests) == 1 else None
        if raw is None:
            raise Refused("manifest_differs")
        mails = [one for one in members if one.filename.lower().endswith(".eml")]
        lines = [line.strip() for line in decode(raw)[0].removeprefix("\ufeff").splitlines() if line.strip()]
        counts = [int(found[1][:18]) for line in lines if (found := _COUNT.match(line))]
        named = Counter(line for line in lines if not _COUNT.match(line))
        here, short = (Counter(name(one.filename) for one in mails) for name in (str, _last_part))
        is_named = not here - named or not short - named
        is_here = all(name in here or name in short for name in named if name.lower().endswith(".eml"))
        if counts != [len(mails)] or not is_named or not is_here or any(not one.file_size for one in mails):
            raise Refused("manifest_differs")

    def _content(self, member: zipfile.ZipInfo, limit: int = MAIL_LIMIT) -> bytes | None:
        """Return a member's bytes, None if it is a link, encrypted, packed in another way, damaged, or lies.

        Of one over the limit the beginning. Never more than the directory declares, and its check sum must hold.
        """
        is_link = stat.S_ISLNK(member.external_attr >> 16)
        if is_link or member.flag_bits & 1 or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return None
        try:
            with self.zip.open(member) as file:
                if member.file_size > limit:
                    return file.read(KEPT_OF_ASIDE)
                raw = file.read(member.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, RuntimeError, NotImplementedError):
            return None
        return raw if len(raw) == member.file_size else None

    def _whole(self, line: int, reason: str) -> Aside:
        """Return the aside that stands for the whole file."""
        self.stream.seek(0)
        self.passed = self.size
        return Aside(Place(line + 1, 0, END), reason, self.stream.read(KEPT_OF_ASIDE), max(1, self.size))


def _is_manifest(member: zipfile.ZipInfo) -> bool:
    return member.filename.lower().endswith(".mf")


def _last_part(name: str) -> str:
    return re.split(r"[/\\]", name)[-1]
