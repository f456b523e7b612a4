"""Which errors are not ours: the disk is full, or the database is away. The site then says so, and goes on by itself.

Nothing of the request has been recorded: its transaction was rolled back, or never begun.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import suppress

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest

FULL, AWAY = "full", "away"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Extended codes first: an error of writing is a disk without room, one of reading is a disk that fails.
SQLITE_FULL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}
SQLITE_AWAY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}
# Classes of SQLSTATE: out of resources, of which 53100 is the disk; connection, shutdown or start-up, system.
POSTGRES_FULL, POSTGRES_AWAY = ("53100",), ("08", "53", "57P", "58")


def kind_of(error: BaseException | None) -> str:
    """Return FULL or AWAY if that is what lies behind the error, else an empty text."""
    for one in _behind(error):
        if isinstance(one, OSError) and one.errno in NO_ROOM:
            return FULL
        if isinstance(one, sqlite3.Error) and (kind := _of_sqlite(one)):
            return kind
        if isinstance(one, (OperationalError, InterfaceError)) and (kind := _of_postgres(one)):
            return kind
    return ""


def drop_uploads(request: HttpRequest) -> None:
    """Delete what had been taken of a file when the request failed.

    Django leaves it to the garbage collector, which comes when it likes: on a full disk it takes the room of others.
    """
    for handler in getattr(request, "_upload_handlers", ()):
        with suppress(OSError):  # closing writes what is left in memory, for which there is no room either
            handler.upload_interrupted()


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _of_sqlite(error: sqlite3.Error) -> str:
    code = getattr(error, "sqlite_errorcode", 0)
    if code in SQLITE_FULL:
        return FULL
    return AWAY if code & 0xFF in SQLITE_AWAY else ""  # the lowest byte: without what details it


def _of_postgres(error: Exception) -> str:
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error) or cause is None:
        return ""
    state = getattr(cause, "sqlstate", None)
    if state is None:
        return AWAY  # the driver itself: nobody answers, or the connection broke
    if state.startswith(POSTGRES_FULL):
        return FULL
    return AWAY if state.startswith(POSTGRES_AWAY) else ""
