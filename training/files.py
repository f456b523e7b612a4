"""Files that must be whole or not there: written beside, flushed to disk, put in place by a rename."""

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage


def workshop() -> Path:
    """Return the private folder in which files are made before they are put in place."""
    folder = Path(settings.PRIVATE_DIR) / "workshop"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def put_in_place(made: Path, name: str) -> str:
    """Move a finished file from the workshop to its name in the storage, and return its SHA-256.

    On a disk the rename is the last step, so a reader sees the old file, none, or the whole new one.
    """
    flush(made)
    digest = digest_of(made)
    if not _is_on_disk():
        with made.open("rb") as stream:
            default_storage.delete(name)
            default_storage.save(name, File(stream))
        made.unlink()
        return digest
    target = Path(default_storage.path(name))
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.chmod(made, 0o600)
    os.replace(made, target)
    flush(target.parent)
    return digest


def _is_on_disk() -> bool:
    try:
        default_storage.path("x")
    except NotImplementedError:
        return False
    return True


def flush(path: Path) -> None:
    """Make the disk hold what was written to a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_stream(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Changed(RuntimeError):
    """A file is not what was written: it must not be handed out."""


def open_checked(name: str, sha256: str) -> File:
    """Open a stored file for reading after checking that it is still what was written. Raises Changed."""
    stream = default_storage.open(name, "rb")
    if hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
        stream.close()
        raise Changed(name)
    stream.seek(0)
    return stream
