"""A list of people as a file: CSV in any of the charsets of an office, or XLSX. Rows come out as text."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime
from typing import BinaryIO

from django.utils.translation import gettext as _
from openpyxl import load_workbook

LARGEST = 32 * 2**20  # bytes of a file
LARGEST_UNPACKED = 512 * 2**20  # bytes that the parts of an XLSX may say they have
MOST_ROWS = 300_000
MOST_PARTS = 1000  # files in a workbook
LONGEST = 1000  # characters of a cell; a quote that is not closed swallows the rows below it
MOST_COLUMNS = 200
SEPARATORS = ",;\t"


class NotATable(ValueError):
    """The file cannot be read as a table. The text says why, and what to do."""


def rows(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield (line, cells) of every row that is not empty, headings first. Lines count from 1. Raises NotATable."""
    stream.seek(0)
    begins = stream.read(4)
    stream.seek(0)
    found = _of_xlsx(stream) if begins == b"PK\x03\x04" else _of_csv(stream)
    for count, (line, cells) in enumerate(found):
        if count > MOST_ROWS:
            raise NotATable(_("The file has more than %(most)s rows. Split it.") % {"most": MOST_ROWS})
        if any(cells):
            yield line, cells


def _of_csv(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    text = _text(stream.read(LARGEST + 1))
    if "\0" in text:
        raise NotATable(_("This is no table of text. Save it as CSV or XLSX."))
    head = text.partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        for cells in reader:
            yield reader.line_num, _cut(cells, reader.line_num)
    except csv.Error as error:
        place = {"line": reader.line_num, "why": error}
        raise NotATable(_("Line %(line)s cannot be read: %(why)s.") % place) from error


def _text(raw: bytes) -> str:
    if len(raw) > LARGEST:
        raise NotATable(_("The file is larger than 32 MiB. Leave out columns that are not needed, or split it."))
    is_utf16 = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for charset in ("utf-16",) if is_utf16 else ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    raise NotATable(_("The charset of the file is not known. Save it as CSV in UTF-8, or as XLSX."))


def _of_xlsx(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    _look_into(stream)
    try:
        book = load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        for line, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield line, _cut([_said(cell) for cell in cells[:MOST_COLUMNS]], line)
    except NotATable:
        raise
    except Exception as error:  # a broken workbook fails in more ways than its reader has names for
        raise NotATable(_("The workbook cannot be read. Open it, save it anew as XLSX, and try again.")) from error


def _look_into(stream: BinaryIO) -> None:
    """Refuse a bomb, or entities of its own, before the workbook is read. Raises NotATable."""
    try:
        with zipfile.ZipFile(stream) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
            declares = any(_declares(parts, part) for part in parts.infolist()[:MOST_PARTS])
            declares |= len(parts.infolist()) > MOST_PARTS
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, zlib.error) as error:
        raise NotATable(_("The workbook is damaged. Save it anew as XLSX, and try again.")) from error
    if unpacked > LARGEST_UNPACKED or declares:
        raise NotATable(_("The workbook holds far more than a list of people. Copy the list into a new one."))
    stream.seek(0)


def _declares(parts: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    """Return whether a part begins with a document type, in which entities are declared. No workbook needs one."""
    with parts.open(part) as content:
        return b"<!DOCTYPE" in content.read(4096).replace(b"\0", b"")


def _said(cell: object) -> str:
    """Return what a cell shows: whole numbers without a point, days as ISO dates."""
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _cut(cells: list[str], line: int) -> list[str]:
    """Return the cells without spaces around them. Raises NotATable for what no list of people has."""
    if len(cells) > MOST_COLUMNS:
        raise NotATable(_("The file has more than %(most)s columns.") % {"most": MOST_COLUMNS})
    if any(len(cell) > LONGEST for cell in cells):
        told = {"line": line, "most": LONGEST}
        raise NotATable(
            _("A cell that ends on line %(line)s has more than %(most)s characters. Is a quote not closed?") % told
        )
    return [cell.strip() for cell in cells]
