import pytest
from django.db import transaction

from portal.ledger import services
from portal.ledger.models import Entry

pytestmark = pytest.mark.django_db


def test_entries_are_numbered_without_a_gap_and_follow_each_other(write):
    first, second, third = write()
    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert bytes(second.prev) == bytes(first.digest)
    assert services.head_seq() == 3


def test_the_body_can_be_read_back(write):
    [entry] = write(1)
    assert services.body_of(entry) == {"n": 0}


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused():
    with pytest.raises(services.OutsideTransaction):
        services.append(verb="x", actor="x", subject="x", body={})


def test_many_entries_take_as_many_queries_as_one_and_follow_each_other(write, count_queries):
    write(1)
    tellings = [services.Telling(verb="x", actor="x", subject="x", body={"n": n}) for n in range(50)]
    told = []
    assert count_queries(lambda: told.extend(services.append_all(tellings))) == 4
    assert [one.seq for one in told] == list(range(2, 52))
    assert [services.body_of(one)["n"] for one in told] == list(range(50))
    assert services.verify() == (51, None)
    assert services.append_all([]) == []


@pytest.mark.django_db(transaction=True)
def test_an_entry_of_a_change_that_was_rolled_back_leaves_no_gap(write):
    write(1)
    with transaction.atomic():
        services.append(verb="x", actor="x", subject="x", body={})
        transaction.set_rollback(True)
    write(1)
    assert list(Entry.objects.values_list("seq", flat=True)) == [1, 2]
    assert services.verify() == (2, None)


def test_an_entry_takes_four_queries(write, count_queries):
    """Every request that changes something pays for this."""
    write(1)

    def one() -> None:
        services.append(verb="x", actor="x", subject="x", body={"before": None})

    assert count_queries(one) == 4
