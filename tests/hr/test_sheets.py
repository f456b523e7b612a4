"""Lists of people as offices save them, and as attackers do."""

import io
import zipfile
from datetime import date, datetime

import pytest
from openpyxl import Workbook

from portal.hr import sheets

ROWS = [["employee_no", "姓名", "入职日期"], ["0007", "张伟", "2026-03-31"]]


def read(raw: bytes) -> list[tuple[int, list[str]]]:
    return list(sheets.rows(io.BytesIO(raw)))


def workbook(*rows) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_charset_and_separator_of_an_office(charset, separator):
    text = "\r\n".join(separator.join(row) for row in ROWS)
    assert read(text.encode(charset)) == [(1, ROWS[0]), (2, ROWS[1])]


def test_a_workbook_gives_days_as_dates_and_whole_numbers_without_a_point():
    raw = workbook(["no", "on", "at"], [1001.0, date(2026, 3, 31), datetime(2026, 3, 31, 9, 30)], [None, None, None])  # noqa: DTZ001
    assert read(raw) == [(1, ["no", "on", "at"]), (2, ["1001", "2026-03-31", "2026-03-31"])]


def test_lines_are_those_of_the_file_even_where_a_cell_has_several():
    raw = b'a,b\n"1\n2",x\n\n3,y\n'
    assert read(raw) == [(1, ["a", "b"]), (3, ["1\n2", "x"]), (5, ["3", "y"])]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"a,b\n\0\0,1\n", "no table of text"),
        (b"\xff\xfea", "charset"),
        (b"a\n\x80\xff\xff", "charset"),
        (b"PK\x03\x04 nothing", "damaged"),
        (b'a,b\n"' + b"x" * 2_000 + b'",1\n', "line 2.*quote not closed"),
        (b",".join(b"x" for _ in range(300)), "columns"),
    ],
)
def test_what_is_no_table_says_why(raw, why):
    with pytest.raises(sheets.NotATable, match=why):
        read(raw)


def test_a_workbook_that_unpacks_to_far_too_much_is_refused_unopened(monkeypatch):
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 10_000)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b"\0" * 20_000)
    with pytest.raises(sheets.NotATable, match="far more"):
        read(out.getvalue())


@pytest.mark.parametrize("where", ["workbook.xml", "sheet1.xml"])
def test_a_workbook_with_an_entity_in_it_is_refused(where):
    source, out = io.BytesIO(workbook(["a"])), io.BytesIO()
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.infolist():
            content = old.read(part)
            new.writestr(part.filename, bomb + content if part.filename.endswith(where) else content)
    with pytest.raises(sheets.NotATable, match="far more"):
        read(out.getvalue())


def test_too_many_rows_are_refused(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    with pytest.raises(sheets.NotATable, match="more than 3 rows"):
        read(b"a\n1\n2\n3\n4\n5\n")
