"""Tables as files: CSV and XLSX, written row by row: many rows need no more memory than a few."""

import csv
import hashlib
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import BinaryIO

import xlsxwriter
from django.utils import timezone

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet may take for a formula at the start of a cell
ODD_SPACES = " \u00a0\u2000\u200b\u3000\ufeff"
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Written:
    """A table in a temporary file, gone when closed. ``rows`` without the heading; ``digest``: SHA-256, hex."""

    file: BinaryIO
    rows: int
    size: int
    digest: str


def safe(value: object) -> object:
    """Return a cell that no spreadsheet runs: text that looks like a formula begins with an apostrophe."""
    if isinstance(value, str) and value.lstrip(ODD_SPACES)[:1] in FORMULA:
        return f"'{value}"
    return value


def _plain(value: object) -> object:
    """Return the value as a file says it: moments in the firm's zone, yes and no as words, nothing as empty."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
    return value


class _Echo:
    """Gives back what a csv.writer writes."""

    def write(self, line: str) -> str:
        return line


def csv_lines(heading: Sequence[str], rows: Iterable[Sequence]) -> Iterator[str]:
    """Yield the table as RFC 4180 has it, line by line."""
    writer = csv.writer(_Echo())
    yield writer.writerow([safe(one) for one in heading])
    for row in rows:
        yield writer.writerow([safe(_plain(one)) for one in row])


def written(kind: str, heading: Sequence[str], rows: Iterable[Sequence]) -> Written:
    """Write the table to a temporary file and return it, at its beginning. Raises KeyError for another kind."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - whoever takes it closes it
    try:
        count = {"csv": _write_csv, "xlsx": _write_xlsx}[kind](file, heading, rows)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return Written(file, count, size, digest)


def _write_csv(file: BinaryIO, heading: Sequence[str], rows: Iterable[Sequence]) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)  # Excel wants the mark
    count = -1
    for line in csv_lines(heading, rows):
        text.write(line)
        count += 1
    text.detach()
    return count


def _write_xlsx(file: BinaryIO, heading: Sequence[str], rows: Iterable[Sequence]) -> int:
    book = xlsxwriter.Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet, bold, count = book.add_worksheet(), book.add_format({"bold": True}), 0
    day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.set_column(0, len(heading) - 1, 18)
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(heading):
        sheet.write_string(0, column, name, bold)
    for count, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if isinstance(value, datetime):  # in the firm's zone, as a spreadsheet knows none
                local = timezone.localtime(value).replace(tzinfo=None, microsecond=0)
                sheet.write_datetime(count, column, local, moment)
            elif isinstance(value, date):
                sheet.write_datetime(count, column, value, day)
            elif isinstance(plain := _plain(value), int | float):
                sheet.write_number(count, column, plain)
            else:
                sheet.write_string(count, column, str(plain))
    book.close()
    return count
