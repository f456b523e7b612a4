"""The database itself refuses to change the ledger; guards that are gone or do nothing are told."""

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

from portal.ledger import guards, sealing, services
from portal.ledger.models import Body, Disposal, Entry, Key, Node, Seal

pytestmark = pytest.mark.django_db


def told() -> set[str]:
    return {error.id for error in guards.guards_are_in_place(None, ["default"])}


@pytest.fixture
def sealed(write) -> None:
    write(300)
    sealing.seal()
    services.dispose(seqs=[7], rule="R", citation="L", asked_by="a", approved_by="b", by="a")


@pytest.mark.parametrize(
    "deed",
    [
        lambda: Entry.objects.filter(seq=2).update(verb="forged"),
        lambda: Entry.objects.filter(seq=2).delete(),
        lambda: Body.objects.filter(entry_id=2).update(content=b"{}"),
        lambda: Body.objects.filter(entry_id=2).delete(),
        lambda: Disposal.objects.update(seq=9),
        lambda: Disposal.objects.all().delete(),
        lambda: Key.objects.update(public=b"x"),
        lambda: Key.objects.all()._raw_delete("default"),
        lambda: Seal.objects.update(size=1),
        lambda: Seal.objects.all().delete(),
        lambda: Node.objects.update(digest=b"x"),
        lambda: Node.objects.all().delete(),
    ],
    ids=lambda deed: None,
)
def test_the_database_refuses_to_change_the_ledger(sealed, deed):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        deed()


def test_replacing_a_row_does_not_pass_the_guard_either(sealed):
    """SQLite's INSERT OR REPLACE deletes without a delete trigger unless recursive triggers are on."""
    replace = {
        "sqlite": "INSERT OR REPLACE INTO ledger_entry SELECT seq, at, 'forged', actor, subject, commitment, prev, "
        "digest, v FROM ledger_entry WHERE seq = 2",
        "postgresql": "INSERT INTO ledger_entry SELECT * FROM ledger_entry WHERE seq = 2 "
        "ON CONFLICT (seq) DO UPDATE SET verb = 'forged'",
    }[connection.vendor]
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(replace)
    assert services.verify()[1] is None


def test_everything_is_in_place_and_works(sealed):
    assert told() == set()


@pytest.mark.parametrize("name", ["ledger_entry", "ledger_seal", "ledger_key", "ledger_body"])
def test_one_missing_guard_is_a_failed_check_and_migrate_puts_it_back(sealed, name):
    found = next(guard for guard in guards._names(connection) if guard.startswith(name))
    on = f" ON {name}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {found}{on}")
    assert told() == {"ledger.E001"}
    call_command("migrate", verbosity=0)
    assert told() == set()


def test_a_guard_that_was_made_harmless_is_told_and_put_right(sealed):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER ledger_entry_update_refused")
            cursor.execute(
                "CREATE TRIGGER ledger_entry_update_refused BEFORE UPDATE ON ledger_entry WHEN 0 "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )
        else:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS "
                "$$BEGIN RETURN COALESCE(NEW, OLD); END$$"
            )
    assert told() == {"ledger.E001"}
    guards.install(connection)
    assert told() == set()


def test_what_goes_through_in_spite_of_its_guard_is_told(sealed):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA recursive_triggers = OFF")
            wanted, back = "ledger.E003", "PRAGMA recursive_triggers = ON"
        else:
            cursor.execute("SET session_replication_role = replica")
            wanted, back = "ledger.E002", "SET session_replication_role = origin"
        assert told() == {wanted}
        cursor.execute(back)
    assert told() == set()


@pytest.mark.django_db(transaction=True)
def test_guards_come_back_after_a_migration_that_rebuilds_the_table(write):
    """SQLite rebuilds a table to change a column, and drops its triggers without a word."""
    write(3)
    old = Entry._meta.get_field("verb")
    new = models.CharField(max_length=65)
    new.set_attributes_from_name("verb")
    new.model = Entry
    with connection.schema_editor() as editor:
        editor.alter_field(Entry, old, new, strict=True)
    if connection.vendor == "sqlite":
        assert told() == {"ledger.E001"}
    with connection.schema_editor() as editor:
        editor.alter_field(Entry, new, old, strict=True)
    call_command("migrate", verbosity=0)
    assert told() == set()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Entry.objects.filter(seq=2).update(verb="forged")


@pytest.mark.django_db(transaction=True)
def test_a_table_cannot_be_emptied_at_a_stroke(write):
    write(1)
    emptying = {"sqlite": "DELETE FROM ledger_body", "postgresql": "TRUNCATE ledger_body"}[connection.vendor]
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute(emptying)
