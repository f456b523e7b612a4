"""ZIP packages of strangers: the names in them are labels, never paths, and nothing unfolds beyond its limits."""

import io
import posixpath
import stat
import zipfile
import zlib

from django.utils.translation import gettext as _

from quizzes.formats.base import NotThisFormat

MOST_FILES, FILE_MOST, SUM_MOST, RATIO_MOST = 5_000, 8 * 2**20, 128 * 2**20, 100
CHUNK = 2**16
# What zipfile raises for files that are damaged, locked, or packed in a way it does not know.
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError)


class Package:
    """The files of a ZIP by name, read on demand and within limits. Nothing is ever written to disk."""

    def __init__(self, data: bytes) -> None:
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(data))
            listed = self.zip.infolist()
        except DAMAGED as error:
            raise NotThisFormat(_("it is no ZIP file: %(error)s") % {"error": error}) from error
        if len(listed) > MOST_FILES:
            raise NotThisFormat(
                _("it holds %(n)s files; %(most_files)s are the most") % {"n": len(listed), "most_files": MOST_FILES}
            )
        if sum(info.file_size for info in listed) > SUM_MOST:
            raise NotThisFormat(_("unpacked it would take more than %(most)s MiB") % {"most": SUM_MOST // 2**20})
        if any(info.file_size > RATIO_MOST * max(info.compress_size, 1) + CHUNK for info in listed):
            raise NotThisFormat(_("a file in it is packed suspiciously tightly"))
        self.left = SUM_MOST
        self.files: dict[str, zipfile.ZipInfo] = {}
        self.refused: list[str] = []
        for info in listed:
            self._note(info)

    def _note(self, info: zipfile.ZipInfo) -> None:
        if info.is_dir():
            return
        name = info.filename.replace("\\", "/")
        mode = info.external_attr >> 16
        is_odd = stat.S_IFMT(mode) not in (0, stat.S_IFREG) or info.flag_bits & 1
        if is_odd or name.startswith("/") or ":" in name.split("/")[0] or ".." in name.split("/") or name in self.files:
            self.refused.append(name[:200])
        else:
            self.files[name] = info

    def resolved(self, name: str, beside: str = "") -> str | None:
        """Return the name of a file that another file refers to, None if there is none."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(beside), name.replace("\\", "/")))
        return path if path in self.files else None

    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Declared sizes lie, so it is counted. Raises NotThisFormat."""
        found = bytearray()
        try:
            with self.zip.open(self.files[name]) as stream:
                while chunk := stream.read(CHUNK):
                    found += chunk
                    if len(found) > FILE_MOST or len(found) > self.left:
                        raise NotThisFormat(
                            _("%(name)s is larger than %(most)s MiB, or all files together are")
                            % {"name": name, "most": FILE_MOST // 2**20}
                        )
        except NotThisFormat:
            raise
        except DAMAGED as error:
            raise NotThisFormat(_("%(name)s cannot be unpacked") % {"name": name}) from error
        self.left -= len(found)
        return bytes(found)
