"""Disposal: what an Entry says goes from the disk as well; Holds and two people stand before it; proofs stay whole."""

import secrets
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from portal.ledger import disposal, keys, sealing, services
from portal.ledger.models import Body, Disposal, Entry

pytestmark = pytest.mark.django_db
TOLD = {"rule": "R-CN-12", "citation": "PIPL 47", "asked_by": "a" * 32, "approved_by": "b" * 32, "by": "a" * 32}


def held(seqs):
    return [seq for seq in seqs if seq == 3]


def test_a_disposed_body_goes_the_entry_stays_and_an_entry_tells_of_it(write):
    write(9)
    sealing.seal()
    [order] = services.dispose(seqs=[2, 3, 4, 8], **TOLD)
    assert not Body.objects.filter(entry_id__in=[2, 3, 4, 8]).exists()
    assert services.body_of(Entry.objects.get(seq=3)) is None
    told = {name: TOLD[name] for name in ("rule", "citation", "asked_by", "approved_by")}
    assert services.body_of(order) == {**told, "count": 4, "seqs": [[2, 4], [8, 8]]}
    assert services.verify() == (order.seq, None)


def test_what_is_gone_already_is_not_disposed_of_twice(write):
    write(3)
    services.dispose(seqs=[2], **TOLD)
    assert services.dispose(seqs=[2], **TOLD) == []
    assert Disposal.objects.count() == 1


def test_one_person_alone_cannot_but_a_retention_can(write):
    write(3)
    with pytest.raises(services.OnePersonAlone):
        services.dispose(seqs=[2], **{**TOLD, "approved_by": TOLD["asked_by"]})
    alone = {"asked_by": "system:retention", "approved_by": "system:retention", "by": "system:retention"}
    assert len(services.dispose(seqs=[2], **{**TOLD, **alone})) == 1


def test_a_hold_beats_every_retention(write, settings):
    settings.LEDGER_HOLDS = ["tests.ledger.test_disposal.held"]
    write(5)
    with pytest.raises(services.Held) as error:
        services.dispose(seqs=[2, 3], **TOLD)
    assert error.value.seqs == {3}
    assert Body.objects.count() == 5
    services.dispose(seqs=[2], **TOLD)


def test_what_proofs_stand_on_is_never_disposed_of(write):
    write(2)
    sealing.seal()
    keys.rotate(by="system:test", reason="x")
    [order] = services.dispose(seqs=[1], **TOLD)
    for seq in Entry.objects.exclude(verb="test.done").values_list("seq", flat=True):
        with pytest.raises(services.NeverDisposed):
            services.dispose(seqs=[seq], **TOLD)
    assert services.verify() == (order.seq, None)


def test_a_large_disposal_is_written_in_several_entries(write, monkeypatch):
    monkeypatch.setattr(disposal, "BATCH", 4)
    write(10)
    orders = services.dispose(seqs=range(1, 11), **TOLD)
    assert [services.body_of(order)["seqs"] for order in orders] == [[[1, 4]], [[5, 8]], [[9, 10]]]
    assert services.verify() == (13, None)


@pytest.mark.django_db(transaction=True)
def test_the_bytes_leave_the_disk():
    """Looked for in every file of SQLite, before and after. PostgreSQL is told to free the room; see docs/ledger.md."""
    words = [secrets.token_hex(24) for _ in range(300)]
    with transaction.atomic():
        for word in words:
            services.append(verb="test.done", actor="system:test", subject="system:test", body={"said": word})
    assert found(words) == 300
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        services.dispose(seqs=range(1, 301), **TOLD)
    assert found(words) == 0
    erasing = {"sqlite": "PRAGMA wal_checkpoint(TRUNCATE)", "postgresql": "VACUUM ledger_body"}[connection.vendor]
    assert captured.captured_queries[-1]["sql"] == erasing
    assert services.verify() == (301, None)


def found(words: list[str]) -> int:
    """Return how many of the words can be read: in the files of SQLite, or in the rows of PostgreSQL."""
    if connection.vendor == "sqlite":
        database = Path(connection.settings_dict["NAME"])
        files = [file for file in database.parent.glob(f"{database.name}*") if file.is_file()]
        content = b"".join(file.read_bytes() for file in files)
        return sum(word.encode() in content for word in words)
    content = b"".join(bytes(content) for content in Body.objects.values_list("content", flat=True))
    return sum(word.encode() in content for word in words)


@pytest.mark.django_db(transaction=True)
def test_whoever_is_reading_delays_the_erasing_and_breaks_nothing(write):
    write(3)
    with transaction.atomic():
        assert disposal.erase() is False
    assert disposal.erase() is True
