"""ZIPs written member by member into a file that somebody may have left half written: stored, with a fixed date.

Each member carries its own size and checksum, so what is in the file can be read back from its beginning; the
directory is written last. ZIP64 where it has to be.
"""

import hashlib
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import BinaryIO

Member = zipfile.ZipInfo
DATE = (1980, 1, 1, 0, 0, 0)  # the same for all: a ZIP made again is the same ZIP
LOCAL_HEADER = struct.Struct("<4s5HLLL2H")
LOCAL, DIRECTORY = 30, 46  # bytes that a member takes besides its name, beside its data and in the directory


def room(name: str, data: bytes) -> int:
    """Return how many bytes a member takes, in the directory too."""
    return LOCAL + DIRECTORY + 2 * len(name) + len(data)


def add(stream: BinaryIO, name: str, data: bytes) -> None:
    """Append a member where the stream stands."""
    member = _member(name)
    member.CRC, member.compress_size, member.file_size = zlib.crc32(data), len(data), len(data)
    stream.write(member.FileHeader())
    stream.write(data)


def members_in(stream: BinaryIO, end: int) -> list[Member]:
    """Read back what was added: one local header after the other, up to ``end``, where the stream stands again."""
    found, offset = [], 0
    while offset < end:
        stream.seek(offset)
        header = LOCAL_HEADER.unpack(stream.read(LOCAL_HEADER.size))
        _sign, _version, _flags, _method, _time, _date, crc, size, _full, name_length, extra = header
        member = _member(stream.read(name_length).decode("ascii"))
        member.CRC, member.compress_size, member.file_size, member.header_offset = crc, size, size, offset
        found.append(member)
        offset += LOCAL_HEADER.size + name_length + extra + size
    stream.seek(end)
    return found


def digest(stream: BinaryIO, member: Member) -> str:
    """Return the SHA-256 of a member's data. The stream stands where it stood."""
    stood = stream.tell()
    stream.seek(member.header_offset + LOCAL + len(member.filename))
    found = hashlib.sha256(stream.read(member.file_size)).hexdigest()
    stream.seek(stood)
    return found


def close(stream: BinaryIO, members: Sequence[Member]) -> None:
    """Append the directory of all members."""
    with zipfile.ZipFile(stream, "w") as archive:
        archive.filelist[:0] = members


def _member(name: str) -> Member:
    member = zipfile.ZipInfo(name, DATE)
    member.external_attr = 0o600 << 16
    member.create_system = 3  # told to be Unix everywhere, or the bytes would differ between machines
    return member
