"""What is not ours to mend, a full disk or a database that is away, is said in words and by 503."""

import errno
import os
import sqlite3
import sys

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import translation

from portal import trouble, views


def chained(outer: Exception, cause: Exception) -> Exception:
    try:
        raise outer from cause
    except Exception as error:
        return error


def of_sqlite(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk")
    error.sqlite_errorcode = code
    return error


CASES = [
    (OSError(errno.ENOSPC, "No space left on device"), "full"),
    (OSError(errno.EFBIG, "File too large"), "full"),
    (OSError(errno.ENOENT, "No such file"), ""),
    (chained(OperationalError("x"), of_sqlite(sqlite3.SQLITE_FULL)), "full"),
    (chained(OperationalError("x"), of_sqlite(sqlite3.SQLITE_IOERR_WRITE)), "full"),
    (chained(OperationalError("x"), of_sqlite(sqlite3.SQLITE_IOERR_READ)), "away"),
    (chained(OperationalError("x"), of_sqlite(sqlite3.SQLITE_BUSY_SNAPSHOT)), "away"),
    (chained(OperationalError("x"), of_sqlite(sqlite3.SQLITE_ERROR)), ""),
    (chained(OperationalError("x"), psycopg.errors.DiskFull("could not extend file")), "full"),
    (chained(OperationalError("x"), psycopg.errors.AdminShutdown("terminating connection")), "away"),
    (chained(OperationalError("x"), psycopg.OperationalError("connection refused")), "away"),
    (chained(DatabaseError("x"), psycopg.errors.UndefinedTable("no such table")), ""),
    (chained(ValueError("x"), OSError(errno.EDQUOT, "quota")), "full"),
    (ZeroDivisionError(), ""),
    (None, ""),
]


@pytest.mark.parametrize(("error", "kind"), CASES)
def test_what_lies_behind_an_error(error, kind):
    assert trouble.kind_of(error) == kind


def shown(error: Exception, request: HttpRequest | None = None) -> HttpResponse:
    try:
        raise error
    except Exception:
        assert sys.exc_info()[1] is error
        return views.server_error(request or RequestFactory().get("/"))


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_says_what_it_is_and_that_nothing_was_recorded(language):
    with translation.override(language):
        full = shown(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
        away = shown(chained(OperationalError("x"), psycopg.OperationalError("refused")))
    assert (full.status_code, away.status_code) == (503, 503)
    assert full.headers["Retry-After"] == "30"
    words = {
        "en": ("There is no room", "cannot reach its data", "was not recorded"),
        "zh-hans": ("空间", "数据", "没有"),
    }
    room, data, nothing = words[language]
    assert room in full.content.decode()
    assert data in away.content.decode()
    assert all(nothing in page.content.decode() for page in (full, away))


def test_what_was_taken_of_a_file_gives_its_room_back_at_once(rf, tmp_path, settings):
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = str(tmp_path), 0
    request = rf.post("/", {"file": SimpleUploadedFile("feed.jsonl", b"x" * 1000)})
    assert request.FILES["file"].size == 1000
    assert len(list(tmp_path.iterdir())) == 1
    views.server_error(request)
    assert len(list(tmp_path.iterdir())) == 1  # a mistake of ours: what handles it may want the file
    shown(OSError(errno.ENOSPC, "full"), request)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_of_ours_stays_one():
    response = shown(ZeroDivisionError())
    assert response.status_code == 500
    assert "Retry-After" not in response.headers
