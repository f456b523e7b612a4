"""Sealing: when, what it reads, and that it may be killed at any point."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from portal.ledger import delivery, guards, keys, merkle, notes, sealing, sending, services
from portal.ledger.models import Delivery, Entry, Key, Node, Seal

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


def test_a_seal_is_a_checkpoint_over_all_digests_with_its_time_and_the_seal_before(write):
    write(5)
    first = sealing.seal()
    write(4)
    second = sealing.seal()
    digests = [bytes(digest) for digest in Entry.objects.order_by("seq").values_list("digest", flat=True)]
    assert (first.size, second.size) == (6, 10)  # five and the Entry that begins the key
    for seal in (first, second):
        text, [key] = notes.opened(seal.note, keys.public_keys())
        said = notes.Checkpoint.parse(text)
        assert (said.origin, said.size, said.root) == (key.name, seal.size, merkle.root_of(digests[: seal.size]))
        assert said.line("time") == f"{seal.at:%Y-%m-%dT%H:%M:%S.%f}Z"
    assert notes.Checkpoint.parse(notes.text_of(second.note)).line("prev") == bytes(first.digest).hex()


def test_a_later_seal_reads_new_entries_only(write, monkeypatch):
    write(700)
    sealing.seal()
    write(3)
    with CaptureQueriesContext(connection) as captured:
        sealing.seal()
    reads = [query["sql"] for query in captured if '"digest" FROM "ledger_entry"' in query["sql"]]
    assert len(reads) == 2  # the digest of the last sealed Entry, and one chunk of those after it
    assert sum("700" in sql or "701" in sql for sql in reads) == 2
    assert Node.objects.count() == 2


def test_inner_nodes_are_kept_as_the_tree_grows_over_many_seals(write):
    for count in (100, 155, 1, 1, 400):
        write(count)
        sealing.seal()
    digests = [bytes(digest) for digest in Entry.objects.order_by("seq").values_list("digest", flat=True)]
    kept = [(node.level, node.index, bytes(node.digest)) for node in Node.objects.order_by("level", "index")]
    assert kept == merkle.Edge().extend(digests)


def test_a_seal_is_due_when_anything_is_new_for_an_hour_and_after_a_day_anyway(write):
    assert sealing.seal_if_due() is None  # nothing to seal yet
    write()
    first = sealing.seal_if_due()
    now = first.at
    assert sealing.seal_if_due(now=now + timedelta(hours=5)) is None  # nothing is new
    write()
    assert sealing.seal_if_due(now=now + timedelta(minutes=59)) is None
    assert sealing.seal_if_due(now=now + timedelta(minutes=61)).size == first.size + 3
    assert sealing.seal_if_due(now=timezone.now() + timedelta(hours=23)) is None
    assert sealing.seal_if_due(now=timezone.now() + timedelta(hours=25)).number == 3


def test_who_was_overtaken_begins_again(write, monkeypatch):
    write()
    sealing.seal()
    write()
    grow, others = sealing._grow, [sealing.seal]

    def overtaken(last, upto):
        growth = grow(last, upto)
        if others:
            monkeypatch.setattr(sealing, "_grow", grow)
            others.pop()()
            monkeypatch.setattr(sealing, "_grow", overtaken)
        return growth

    monkeypatch.setattr(sealing, "_grow", overtaken)
    assert sealing.seal().number == 3
    assert services.verify() == (7, None)


def test_a_key_that_changed_in_between_does_not_seal(write, monkeypatch):
    write()
    sealing.seal()
    grow, rotations = sealing._grow, [lambda: keys.rotate(by="system:test", reason="now")]

    def with_a_rotation(last, upto):
        growth = grow(last, upto)
        if rotations:
            rotations.pop()()
        return growth

    monkeypatch.setattr(sealing, "_grow", with_a_rotation)
    seal = sealing.seal()
    assert seal.key_id == keys.public_key(Key.objects.get(number=2)).id.hex()
    assert services.verify() == (5, None)


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (lambda: Entry.objects.filter(seq=6).update(prev=b"x" * 32), "Entry 6 does not follow"),
        (lambda: raw_delete(6), "Entry 7 does not follow"),
        (lambda: raw_delete(8), "Entry 8 is missing"),
        (lambda: Seal.objects.update(edge=bytes(32)), "does not lead to its root"),
    ],
    ids=["chain", "gap", "end", "edge"],
)
def test_what_is_not_sound_is_not_sealed(write, without_guards, deed, why):
    write()
    sealing.seal()
    write(4)
    with transaction.atomic():
        deed()
        with pytest.raises(sealing.SealRefused, match=why):
            sealing.seal()
        transaction.set_rollback(True)
    assert Seal.objects.count() == 1


def raw_delete(seq: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_entry WHERE seq = %s", [seq])


def test_an_edge_that_was_touched_at_rest_is_refused(write, without_guards):
    write(9)
    sealing.seal()
    Seal.objects.update(edge=b"short")
    with pytest.raises(sealing.SealRefused, match="not the edge of a tree"):
        sealing.seal()
    guards.install(connection)


@pytest.mark.django_db(transaction=True)
def test_many_who_seal_at_once_make_seals_that_follow_each_other(write):
    write()
    sealing.seal()
    write(50)
    seals = at_once(*[sealing.seal] * 4)
    assert sorted(seal.number for seal in seals) == [2, 3, 4, 5]
    assert list(Seal.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
    assert services.verify() == (54, None)


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do each in a thread of its own; return what they returned, or the exception that they raised."""
    found: list[object] = [None] * len(acts)

    def run(n: int, act: Callable[[], object]) -> None:
        try:
            found[n] = act()
        except Exception as error:
            found[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_of_several_who_begin_the_first_key_at_once_one_does_and_all_seal(write, monkeypatch):
    write(5)
    together, read = threading.Barrier(3), keys._read

    def read_together(file):
        if not Key.objects.exists():
            with suppress(threading.BrokenBarrierError):
                together.wait(3)
        return read(file)

    monkeypatch.setattr(keys, "_read", read_together)
    seals = at_once(*[sealing.seal] * 3)
    assert sorted(seal.number for seal in seals) == [1, 2, 3]
    assert Key.objects.count() == Entry.objects.filter(verb="ledger.key_begun").count() == 1
    assert services.verify() == (6, None)


def test_machines_with_other_key_files_do_not_both_begin(write, settings, tmp_path, monkeypatch):
    write()
    begin = keys._begin

    def after_another(first):
        monkeypatch.setattr(keys, "_begin", begin)
        mine, settings.LEDGER_KEY_FILE = settings.LEDGER_KEY_FILE, str(tmp_path / "other.pem")
        sealing.seal()
        settings.LEDGER_KEY_FILE = mine
        return begin(first)

    monkeypatch.setattr(keys, "_begin", after_another)
    with pytest.raises(keys.KeyTrouble, match="is not the key that this ledger was last signed with"):
        sealing.seal()
    assert (Key.objects.count(), Seal.objects.count()) == (1, 1)
    settings.LEDGER_KEY_FILE = str(tmp_path / "other.pem")
    assert services.verify() == (4, None)


@pytest.mark.django_db(transaction=True)
def test_of_two_clocks_that_ring_at_once_one_seals(write, monkeypatch):
    write()
    together, grow = threading.Barrier(2), sealing._grow

    def grow_together(last, upto):
        with suppress(threading.BrokenBarrierError):
            together.wait(3)
        return grow(last, upto)

    monkeypatch.setattr(sealing, "_grow", grow_together)
    made = at_once(sealing.seal_if_due, sealing.seal_if_due)
    assert {seal.number if seal else None for seal in made} == {1, None}
    assert Seal.objects.count() == 1


def test_a_seal_from_the_future_does_not_keep_what_is_new_from_being_sealed(write):
    write()
    first = sealing.seal()
    now = first.at - timedelta(days=1)  # the machine that sealed it was a day ahead
    assert sealing.seal_if_due(now=now) is None  # nothing is new
    write()
    assert sealing.seal_if_due(now=first.at - timedelta(seconds=2)) is None  # as clocks that are kept in step differ
    assert sealing.seal_if_due(now=now).number == 2


KILLED = """
import os, signal, sys
import django
django.setup()
from portal.ledger import delivery, sealing, sending

def dies(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

where, name = sys.argv[1].split(".")
setattr({"sealing": sealing, "delivery": delivery, "sending": sending}[where], name, dies)
sealing.seal()
sending.deliver_due()
"""


@pytest.mark.django_db(transaction=True)
def test_a_sealer_that_is_killed_anywhere_leaves_all_or_nothing_and_the_next_goes_on(write, settings, tmp_path):
    settings.SEALS_OUT_DIR = str(tmp_path / "out")
    (tmp_path / "out").mkdir()
    write(20)
    sealing.seal()
    sending.deliver_due()
    sealed = 1
    for where, adds in (
        ("sealing._digests", 0),  # while it reads
        ("sealing.text_of", 0),  # before it signs, the head locked
        ("delivery.order", 0),  # the Seal written and not committed
        ("delivery.ring", 1),  # committed, and nobody told
        ("sending.deliver_due", 1),
        ("sending._put", 1),  # while it is sent
    ):
        write(7)
        answer = subprocess.run(  # noqa: S603
            [sys.executable, "-c", KILLED, where], cwd=ROOT, env=_environment(settings), capture_output=True, text=True
        )
        assert answer.returncode == -signal.SIGKILL, answer.stderr
        sealed += adds
        assert Seal.objects.count() == sealed, where
        assert services.verify()[1] is None, where
    sealing.seal()
    Delivery.objects.update(lease_until=None)  # the lease of whoever was killed has run out
    sending.deliver_due()
    assert Delivery.objects.filter(delivered_at=None).count() == 0
    files = sorted(path.name for path in (tmp_path / "out").glob("seal-*"))
    assert files == [f"seal-{number:08}.txt" for number in range(1, sealed + 2)]
    assert Seal.objects.last().size == Entry.objects.count() == 20 + 1 + 6 * 7
    assert services.verify() == (63, None)


def _environment(settings) -> dict[str, str]:
    at = connection.settings_dict
    url = f"sqlite:///{at['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    wanted = {
        "DATABASE_URL": url,
        "DATA_DIR": str(settings.DATA_DIR),
        "SECRET_KEY": settings.SECRET_KEY,
        "HTTPS": "0",
        "LEDGER_KEY_FILE": settings.LEDGER_KEY_FILE,
        "SEALS_OUT_DIR": settings.SEALS_OUT_DIR,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    return {"PATH": os.environ["PATH"], **wanted}


def test_a_bell_that_cannot_be_rung_does_not_stop_a_seal(write, settings, monkeypatch, tmp_path, caplog):
    settings.SEALS_OUT_DIR = str(tmp_path)

    def away(*args, **kwargs):
        raise OSError("no broker")

    monkeypatch.setattr("celery.current_app.send_task", away, raising=False)
    delivery.ring()
    assert "could not ring" in caplog.text
