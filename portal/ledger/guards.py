"""Append-only guards in the database: they catch mistakes and bulk calls; sealing catches people.

Created after every migrate, because SQLite drops a table's triggers without a word when a migration rebuilds it. One
that is there but is not what it should be is put right as well.
"""

from django.core.checks import Error, Tags, register
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

FOREVER = ("ledger_entry", "ledger_disposal", "ledger_key", "ledger_seal", "ledger_node")  # no change, no deletion
GUARDED = (*FOREVER, "ledger_body")  # a Body may go once a Disposal names it
REFUSAL = "the ledger is append-only"

_SQLITE = {
    f"{table}_{deed}_refused": (
        f"CREATE TRIGGER {table}_{deed}_refused BEFORE {deed.upper()} ON {table} {when}"
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )
    for table in GUARDED
    for deed in ("update", "delete")
    for when in [
        "WHEN NOT EXISTS (SELECT 1 FROM ledger_disposal WHERE seq = OLD.entry_id) "
        if (table, deed) == ("ledger_body", "delete")
        else ""
    ]
}
_POSTGRESQL_BODY = """
        BEGIN
            IF TG_TABLE_NAME = 'ledger_body' AND TG_OP = 'DELETE' THEN
                IF EXISTS (SELECT 1 FROM ledger_disposal WHERE seq = OLD.entry_id) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION 'the ledger is append-only';
        END """
_POSTGRESQL = {
    f"{table}_{name}": f"CREATE TRIGGER {table}_{name} BEFORE {deeds} ON {table} "
    f"FOR EACH {each} EXECUTE FUNCTION ledger_refuse()"
    for table in GUARDED
    for name, deeds, each in [("append_only", "DELETE OR UPDATE", "ROW"), ("not_truncated", "TRUNCATE", "STATEMENT")]
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Create every guard that is missing or altered, of the tables that are there. Safe to run at any time."""
    tables = set(connection.introspection.table_names())
    wrong = [name for name, _ in missing(connection) if _table_of(name) in tables]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in wrong:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
                cursor.execute(_SQLITE[name])
        elif connection.vendor == "postgresql" and wrong:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $${_POSTGRESQL_BODY}$$"
            )
            for name in wrong:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {_table_of(name)}")
                cursor.execute(_POSTGRESQL[name])


def lift(connection: BaseDatabaseWrapper) -> None:
    """Remove the guards, so that a test database can be emptied."""
    with connection.cursor() as cursor:
        for name in _names(connection):
            on = f" ON {_table_of(name)}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def missing(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """Return (guard, what is wrong with it) for each that the database lacks or that is not what it should be."""
    present = _present(connection)
    wrong = []
    for name, wanted in _names(connection).items():
        if name not in present:
            wrong.append((name, "is missing from the database"))
        elif present[name] != wanted:
            wrong.append((name, "is not what it should be"))
    return wrong


def ineffective(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    """Try what the guards must refuse, on a row of each table, and undo it. Return (table, deed) that went through."""
    through = []
    for table in GUARDED:
        with connection.cursor() as cursor:
            key = connection.introspection.get_primary_key_column(cursor, table)
        last = f"WHERE {key} = (SELECT max({key}) FROM {table})"  # noqa: S608  names of our own tables
        deeds = {"update": f"UPDATE {table} SET {key} = {key} {last}", "delete": f"DELETE FROM {table} {last}"}  # noqa: S608
        through += [(table, deed) for deed, sql in deeds.items() if _goes_through(connection, sql)]
    return through


def _goes_through(connection: BaseDatabaseWrapper, sql: str) -> bool:
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(sql)
            transaction.set_rollback(True, using=connection.alias)
            return cursor.rowcount > 0
    except DatabaseError:  # refused by the guard, or by the rights of the role before it came to that
        return False


def _names(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}.get(connection.vendor, {})


def _table_of(name: str) -> str:
    return next(table for table in GUARDED if name.startswith(f"{table}_"))


def _present(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Return the guards that the database has, with what each does; one that is switched off is not there."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            return dict(cursor.fetchall())
        if connection.vendor != "postgresql":
            return {}
        cursor.execute(
            "SELECT t.tgname, pg_get_triggerdef(t.oid, true), p.prosrc "
            "FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        )
        return {
            name: definition if body == _POSTGRESQL_BODY else "another function"
            for name, definition, body in cursor.fetchall()
        }


@register(Tags.database)
def guards_are_in_place(app_configs, databases, **kwargs) -> list[Error]:
    errors = []
    for alias in databases or []:
        connection = connections[alias]
        if not set(GUARDED) <= set(connection.introspection.table_names()):
            continue  # migrate makes the tables first, and then the guards
        wrong = missing(connection)
        hint = "Run manage.py migrate: it puts every guard back."
        errors += [Error(f"The ledger's guard {name} {what}.", hint=hint, id="ledger.E001") for name, what in wrong]
        if not wrong:
            errors += _that_do_not_work(connection)
    return errors


def _that_do_not_work(connection: BaseDatabaseWrapper) -> list[Error]:
    errors = [
        Error(
            f"The database lets a {deed} of {table} through, although its guard is there.",
            hint="Look at session_replication_role, and at what else was done to this database.",
            id="ledger.E002",
        )
        for table, deed in ineffective(connection)
    ]
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA recursive_triggers")
            if cursor.fetchone()[0] != 1:
                message = "INSERT OR REPLACE would pass the ledger's guards: recursive_triggers is off."
                errors.append(Error(message, hint="Put the pragmas of settings.py back.", id="ledger.E003"))
    return errors
