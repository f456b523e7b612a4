"""The whole database into one file and back, by the engine's own tools, while the site runs."""

import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import connection
from django.db.backends.sqlite3 import _functions as sqlite_functions

from portal.env import of_a_child

SQLITE_FILE, POSTGRES_FILE = "database.sqlite3", "database.dump"


class CannotCopy(RuntimeError):
    """The engine's tool is missing or refused; the message says which and why."""


def file_name() -> str:
    return SQLITE_FILE if connection.vendor == "sqlite" else POSTGRES_FILE


def dump(to: Path) -> None:
    """Write the database as it is at one moment. Writers go on meanwhile. Raises CannotCopy."""
    if connection.vendor == "sqlite":
        _copy_sqlite(Path(connection.settings_dict["NAME"]), to, "mode=ro")
    else:
        _run("pg_dump", "--format", "custom", "--no-owner", "--no-privileges", "--file", str(to))


def is_empty() -> bool:
    """Say whether nothing has been set up in the database yet."""
    return not connection.introspection.table_names()


def load(copy: Path) -> None:
    """Fill the empty database from a copy: wholly, or not at all. Raises CannotCopy."""
    if connection.vendor == "sqlite":
        place = Path(connection.settings_dict["NAME"])
        connection.close()
        half = place.with_name(f"{place.name}.restoring")
        half.unlink(missing_ok=True)
        _copy_sqlite(copy, half, "immutable=1")  # else SQLite would put files of its own beside the backup's
        for left in ("-wal", "-shm"):  # of the empty database that was looked into
            place.with_name(place.name + left).unlink(missing_ok=True)
        half.replace(place)
    else:
        connection.close()
        _run("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(copy))


def _copy_sqlite(source: Path, target: Path, how: str) -> None:
    try:
        with (
            closing(sqlite3.connect(f"{source.resolve().as_uri()}?{how}", uri=True)) as read,
            closing(sqlite3.connect(target)) as written,
        ):
            read.backup(written)
            written.execute("PRAGMA journal_mode=DELETE")  # one file that is whole by itself; the site goes back to WAL
            sqlite_functions.register(written)  # the check computes indexes that are made of Django's own functions
            [(state,)] = written.execute("PRAGMA quick_check(1)").fetchall()
    except sqlite3.Error as error:
        raise CannotCopy(f"SQLite: {error}") from error
    if state != "ok":
        raise CannotCopy(f"SQLite: the copy of {source.name} is damaged: {state}")


def _run(tool: str, *words: str) -> None:
    """Run one of PostgreSQL's tools on this site's database. No list of processes shows the password."""
    path = shutil.which(tool)
    if path is None:
        raise CannotCopy(f"{tool} is not on this machine: install PostgreSQL's client (Debian: postgresql-client).")
    told = connection.settings_dict
    env = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD"}
    env = {name: str(told[key]) for name, key in env.items() if told.get(key)}
    options = {"PGSSLMODE": "sslmode", "PGSSLROOTCERT": "sslrootcert", "PGSERVICE": "service"}
    env |= {name: str(told["OPTIONS"][key]) for name, key in options.items() if told.get("OPTIONS", {}).get(key)}
    done = subprocess.run(  # noqa: S603
        [path, "--dbname", str(told["NAME"]), *words],
        env=of_a_child(**env),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotCopy(f"{tool}: {done.stderr.strip()[-1000:] or done.returncode}")
