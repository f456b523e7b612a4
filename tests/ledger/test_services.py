import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from portal.ledger import guards, services
from portal.ledger.models import Body, Entry, Head

pytestmark = pytest.mark.django_db


def write(count: int = 3) -> list[Entry]:
    with transaction.atomic():
        return [
            services.append(verb="test.done", actor="system:test", subject="system:test", body={"n": n})
            for n in range(count)
        ]


@pytest.fixture
def without_guards():
    """Somebody with the database in hand can lift the guards; verification has to see what they did."""
    guards.lift(connection)
    yield
    guards.install(connection)


def test_entries_are_numbered_without_a_gap_and_follow_each_other():
    first, second, third = write()
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert bytes(second.prev) == bytes(first.digest)
    assert services.head_seq() == 3


def test_the_body_can_be_read_back():
    [entry] = write(1)
    assert services.body_of(entry) == {"n": 0}


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused():
    with pytest.raises(services.OutsideTransaction):
        services.append(verb="x", actor="x", subject="x", body={})


@pytest.mark.django_db(transaction=True)
def test_an_entry_of_a_change_that_was_rolled_back_leaves_no_gap():
    write(1)
    with transaction.atomic():
        services.append(verb="x", actor="x", subject="x", body={})
        transaction.set_rollback(True)
    write(1)
    assert list(Entry.objects.values_list("seq", flat=True)) == [1, 2]
    assert services.verify() == (2, None)


@pytest.mark.parametrize(
    "deed",
    [
        lambda: Entry.objects.filter(seq=2).update(verb="forged"),
        lambda: Entry.objects.filter(seq=2).delete(),
        lambda: Body.objects.filter(entry_id=2).update(content=b"{}"),
        lambda: Body.objects.filter(entry_id=2).delete(),
    ],
    ids=["change an entry", "delete an entry", "change a body", "delete a body"],
)
def test_the_database_refuses_to_change_the_ledger(deed):
    write()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        deed()


def test_a_disposed_body_goes_and_the_ledger_still_verifies():
    write()
    [order] = write(1)
    services.dispose_body(seq=2, ordered_by=order)
    assert not Body.objects.filter(entry_id=2).exists()
    assert services.verify() == (4, None)


def test_an_untouched_ledger_verifies_over_several_chunks():
    write(25)
    assert services.verify(chunk=10) == (25, None)


@pytest.mark.parametrize(
    ("deed", "seq"),
    [
        (lambda: Entry.objects.filter(seq=2).update(verb="forged"), 2),
        (lambda: Entry.objects.filter(seq=2).update(actor="somebody else"), 2),
        (lambda: Entry.objects.filter(seq=2).update(at="2020-01-01T00:00Z"), 2),
        (lambda: Body.objects.filter(entry_id=2).update(content=b'{"n":9}'), 2),
        (lambda: Body.objects.filter(entry_id=3).delete(), 3),
        (lambda: (Body.objects.filter(entry_id=2).delete(), Entry.objects.filter(seq=2).delete()), 2),
        (lambda: (Body.objects.filter(entry_id=3).delete(), Entry.objects.filter(seq=3).delete()), 3),
        (lambda: Head.objects.update(seq=7), 4),
    ],
    ids=["verb", "actor", "time", "body", "body gone", "entry gone", "last entry gone", "head"],
)
def test_verification_names_the_first_entry_that_was_tampered_with(without_guards, deed, seq):
    write()
    deed()
    _, fault = services.verify()
    assert fault is not None
    assert fault.seq == seq


def test_the_command_fails_loudly(without_guards, capsys):
    write()
    call_command("verify_ledger")
    assert "3 entries, all sound" in capsys.readouterr().out
    Entry.objects.filter(seq=2).update(verb="forged")
    with pytest.raises(CommandError, match="Entry 2"):
        call_command("verify_ledger")


def test_a_missing_guard_is_a_failed_system_check(without_guards):
    write(1)
    errors = guards.guards_are_in_place(None, ["default"])
    assert {error.id for error in errors} == {"ledger.E001"}
    guards.install(connection)
    assert guards.guards_are_in_place(None, ["default"]) == []
