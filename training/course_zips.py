"""A course folder that comes as a ZIP: looked through before anything of it is unpacked, and never trusted.

Names in it are labels: only those that a course folder may hold become files, in a folder of our own. Sizes that it
declares are not believed: each member is read with a limit.
"""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils.translation import gettext as _

from quizzes.formats.fields import Fault
from training.files import workshop
from training.loading import CourseText, read_courses
from training.reading import FILE_MOST

ZIP_MOST = 2 * 2**20  # bytes as sent; the course that ships takes a tenth of it
FILES_MOST = 2_000
UNPACKED_MOST = 16 * 2**20  # bytes of all files together
RATIO_MOST = 100  # so many times larger than packed, and it was made to be
SLUG = r"[0-9]{2}-[a-z0-9]+(?:-[a-z0-9]+)*"
OF_A_COURSE = re.compile(
    rf"(?:course|sources)\.yaml|{SLUG}/(?:module|questions)\.yaml|{SLUG}/[a-z]{{2}}(?:-[a-z]{{2,8}})?/[^/]{{1,80}}\.md"
)
LITTER = re.compile(r"(?:^|/)(?:__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._)")


class BadZip(ValueError):
    """It is not taken; the words say why."""


def read(data: bytes, known_languages: Collection[str]) -> tuple[CourseText | None, list[Fault], dict[str, str]]:
    """Return (the course, its mistakes by file and line, its files' text). Raises BadZip. Nothing of it stays."""
    files = files_in(data)
    with TemporaryDirectory(dir=workshop()) as name:
        folder = Path(name)
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        courses, faults = read_courses(folder, known_languages)
    texts = {file: content.decode("utf-8", "replace") for file, content in files.items()}
    return (courses[0] if courses else None), faults, texts


def files_in(data: bytes) -> dict[str, bytes]:
    """Return {path in the course's folder: bytes}. Raises BadZip."""
    if len(data) > ZIP_MOST:
        raise BadZip(_("The file is larger than %(n)s MB.") % {"n": ZIP_MOST // 2**20})
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _taken(archive)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,
        EOFError,
        OSError,
        UnicodeError,
        RuntimeError,
    ) as error:
        raise BadZip(_("This is no ZIP that can be read.")) from error


def _taken(archive: zipfile.ZipFile) -> dict[str, bytes]:
    members = [one for one in archive.infolist() if not one.is_dir() and not LITTER.search(one.filename)]
    if len(members) > FILES_MOST:
        raise BadZip(_("There are more than %(n)s files in it.") % {"n": FILES_MOST})
    for member in members:
        _refuse_trick(member)
    top = _top_folder([member.filename for member in members])
    found: dict[str, bytes] = {}
    left = UNPACKED_MOST
    for member in members:
        name = member.filename.removeprefix(top)
        if not OF_A_COURSE.fullmatch(name):
            raise BadZip(_("“%(name)s” is no part of a course folder.") % {"name": member.filename[:120]})
        if name in found:
            raise BadZip(_("“%(name)s” is there twice.") % {"name": name})
        found[name] = _content(archive, member, min(left, FILE_MOST))
        left -= len(found[name])
    return found


def _refuse_trick(member: zipfile.ZipInfo) -> None:
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    told = {"name": name[:120]}
    parts = name.split("/")
    if name.startswith("/") or "\\" in name or ":" in name or ".." in parts or "." in parts or not name.isprintable():
        raise BadZip(_("“%(name)s” points outside the course folder.") % told)
    if kind and not stat.S_ISREG(kind):
        raise BadZip(_("“%(name)s” is a link or a device, no file.") % told)
    if member.flag_bits & 1:
        raise BadZip(_("“%(name)s” is encrypted.") % told)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadZip(_("“%(name)s” is packed in a way that is not taken: use an ordinary ZIP.") % told)
    if member.file_size > RATIO_MOST * max(member.compress_size, 1):
        raise BadZip(_("“%(name)s” unpacks to more than %(n)s times its size.") % (told | {"n": RATIO_MOST}))


def _top_folder(names: list[str]) -> str:
    """Return the one folder in which everything lies, with its slash; empty if course.yaml stands at the top."""
    if not names:
        raise BadZip(_("There is nothing in it."))
    if "course.yaml" in names:
        return ""
    tops = {name.partition("/")[0] for name in names}
    top = f"{tops.pop()}/" if len(tops) == 1 else ""
    if f"{top}course.yaml" not in names:
        raise BadZip(_("There is no course.yaml in it: pack the course's folder itself."))
    return top


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    with archive.open(member) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise BadZip(_("“%(name)s” is too large.") % {"name": member.filename[:120]})
    return content
