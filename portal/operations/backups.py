"""Backups: a folder with the database, the files, and a manifest that says what belongs into it.

A backup is made beside its place and moved there when it is whole: a folder with a manifest is a whole backup. The
keys are not in it: who has the backup shall not be able to read what is kept encrypted, nor to sign.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.operations import databases

MANIFEST, FILES, HALF = "manifest.json", "files", ".half"
BY, SITE = "system:backup", "site"
FORMAT = 1
CHUNK = 2**20


class BadBackup(ValueError):
    """This is no backup, or not as it was made; the message says where and what."""


class NotEmpty(RuntimeError):
    """There is something here that a restore would overwrite."""


@dataclass(frozen=True)
class Backup:
    folder: Path
    manifest: dict

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(size for size, _digest in self.manifest["files"].values())


# --- making --------------------------------------------------------------------------------------------------------


def make(into: Path, now: datetime | None = None) -> Backup:
    """Make a backup in a new folder below ``into``, and record it. Raises databases.CannotCopy, OSError.

    The database comes first: a file is stored before the row that names it, so each row finds its file.
    """
    now = now or timezone.now()
    place = into / f"onchannel-{now:%Y%m%dT%H%M%SZ}"
    half = place.with_name(place.name + HALF)
    half.mkdir(mode=0o700, parents=True)
    try:
        databases.dump(half / databases.file_name())
        if not settings.FILES_BUCKET:
            _copy_files(settings.PRIVATE_DIR, half / FILES)
        manifest = {
            "format": FORMAT,
            "made_at": now.isoformat(),
            "database": databases.file_name(),
            "files_in_bucket": settings.FILES_BUCKET or None,
            "files": {name: _seen(half / name) for name in _names(half)},
        }
        (half / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
        _settle(half)
        half.rename(place)
    except BaseException:
        shutil.rmtree(half, ignore_errors=True)
        raise
    backup = Backup(place, manifest)
    _record("operations.backed_up", backup, {"files_in_bucket": bool(settings.FILES_BUCKET)})
    return backup


def _copy_files(source: Path, target: Path) -> None:
    """Copy what is kept; not what is being uploaded. A file that is deleted meanwhile is left out."""
    for path in _walk(source):
        if settings.FILE_UPLOAD_TEMP_DIR in path.parents:
            continue
        copy = target / path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(path, copy)
        except FileNotFoundError:
            copy.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Have everything on the disk before the backup gets its name."""
    for path in [*_walk(folder), *(p for p in folder.rglob("*") if p.is_dir()), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# --- restoring ----------------------------------------------------------------------------------------------------


def read(folder: Path) -> Backup:
    """Return the backup in a folder after looking at each of its files. Raises BadBackup, OSError."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        told = {str(name): (int(size), str(digest)) for name, (size, digest) in manifest["files"].items()}
        form, database = manifest["format"], str(manifest["database"])
    except FileNotFoundError as error:
        raise BadBackup(f"{folder} has no {MANIFEST}: it is no backup, or one that was not finished.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadBackup(f"{folder / MANIFEST} cannot be read: {error}") from error
    if form != FORMAT:
        raise BadBackup(f"{folder} has the format {form}; this version reads {FORMAT}.")
    there = set(_names(folder))
    if missing := sorted(told.keys() - there):
        raise BadBackup(f"{missing[0]} is missing ({len(missing)} in all).")
    if extra := sorted(there - told.keys()):
        raise BadBackup(f"{extra[0]} does not belong to it ({len(extra)} in all).")
    if database not in told:
        raise BadBackup(f"The database {database} is missing.")
    for name, seen in told.items():
        if tuple(_seen(folder / name)) != seen:
            raise BadBackup(f"{name} is not as it was when the backup was made.")
    return Backup(folder, manifest)


def restore(backup: Backup) -> None:
    """Put a backup that ``read`` returned into this empty site. Raises BadBackup, NotEmpty, databases.CannotCopy.

    The files come first and the database last, wholly or not at all: what was cut off can be done again.
    """
    database = backup.manifest["database"]
    if database != databases.file_name():
        raise BadBackup(f"It holds {database}, and this site's database is another engine: see DATABASE_URL.")
    if not databases.is_empty():
        raise NotEmpty("The database is not empty. Restore into a new one, or into an empty DATA_DIR.")
    for name in backup.manifest["files"]:
        if name.startswith(f"{FILES}/"):
            target = settings.PRIVATE_DIR / name.removeprefix(f"{FILES}/")
            if target.exists() and _seen(target) != list(backup.manifest["files"][name]):
                raise NotEmpty(f"{target} is there already and is another file.")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(backup.folder / name, target)
    databases.load(backup.folder / database)


def record_restored(backup: Backup) -> None:
    """Say in the log that the site goes on from here."""
    _record("operations.restored", backup, {"made_at": backup.manifest["made_at"]})


# --- both ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def _record(verb: str, backup: Backup, more: dict) -> None:
    entries = Entry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    _size, digest = _seen(backup.folder / MANIFEST)
    body = {"backup": backup.folder.name, "manifest": digest, "bytes": backup.size, "entries": entries}
    ledger.append(verb=verb, actor=BY, subject=SITE, body=body | more)


def _walk(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _names(folder: Path) -> list[str]:
    return [name for path in _walk(folder) if (name := path.relative_to(folder).as_posix()) != MANIFEST]


def _seen(path: Path) -> list:
    """Return size in bytes and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return [size, digest.hexdigest()]
