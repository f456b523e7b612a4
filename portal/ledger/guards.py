"""Append-only guards in the database: they catch mistakes and bulk calls; sealing catches people.

Created after every migrate, because SQLite drops a table's triggers without a word when a migration rebuilds it.
"""

from django.core.checks import Error, Tags, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

FOREVER = ("ledger_entry", "ledger_disposal")  # never changed, never deleted
NAMES = {
    "sqlite": [
        *[f"{table}_{deed}_refused" for table in FOREVER for deed in ("update", "delete")],
        "ledger_body_update_refused",
        "ledger_body_delete_refused",
    ],
    "postgresql": [*[f"{table}_append_only" for table in (*FOREVER, "ledger_body")]],
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Create every guard that is missing. Safe to run at any time."""
    if connection.vendor not in NAMES:
        return
    statements = _sqlite() if connection.vendor == "sqlite" else _postgresql()
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def lift(connection: BaseDatabaseWrapper) -> None:
    """Remove the guards, so that a test database can be emptied."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in NAMES["sqlite"]:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            for table in (*FOREVER, "ledger_body"):
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}")
                cursor.execute(f"DROP TRIGGER IF EXISTS {table}_not_truncated ON {table}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of guards that the database does not have."""
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
    }.get(connection.vendor)
    if query is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(query)
        present = {row[0] for row in cursor.fetchall()}
    return [name for name in NAMES[connection.vendor] if name not in present]


def _sqlite() -> list[str]:
    refuse = "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
    undisposed = "WHEN NOT EXISTS (SELECT 1 FROM ledger_disposal WHERE seq = OLD.entry_id)"
    deeds = [(table, deed, "") for table in FOREVER for deed in ("update", "delete")]
    deeds += [("ledger_body", "update", ""), ("ledger_body", "delete", undisposed)]
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_{deed}_refused BEFORE {deed.upper()} ON {table} {when} {refuse}"
        for table, deed, when in deeds
    ]


def _postgresql() -> list[str]:
    statements = [
        """CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_TABLE_NAME = 'ledger_body' AND TG_OP = 'DELETE' THEN
                IF EXISTS (SELECT 1 FROM ledger_disposal WHERE seq = OLD.entry_id) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION 'the ledger is append-only';
        END $$"""
    ]
    for table in (*FOREVER, "ledger_body"):
        statements += [
            f"""CREATE OR REPLACE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION ledger_refuse()""",
            f"""CREATE OR REPLACE TRIGGER {table}_not_truncated BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()""",
        ]
    return statements


@register(Tags.database)
def guards_are_in_place(app_configs, databases, **kwargs) -> list[Error]:
    errors = []
    for alias in databases or []:
        connection = connections[alias]
        if "ledger_entry" not in connection.introspection.table_names():
            continue
        errors += [
            Error(
                f"The ledger's guard {name} is missing from the database.",
                hint="Run manage.py migrate: it puts every guard back.",
                id="ledger.E001",
            )
            for name in missing(connection)
        ]
    return errors
