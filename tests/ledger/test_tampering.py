"""What somebody with the database in hand can do, and that it is found: over 50 ways, each at several places.

Every deed is done to a ledger with Seals, a change of key and a disposal, looked for, and undone.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.db import connection, transaction

from portal.ledger import guards, keys, notes, outside, sealing, services, verifying
from portal.ledger.models import Entry, Head, Key, Seal
from tests.ledger.deeds import ON_ENTRIES, House
from tests.ledger.deeds_on_seals import ON_SEALS, WITH_THE_KEY, rewrite, seal_everything_again

pytestmark = pytest.mark.django_db

PLACES = 5  # how often each way is tried, elsewhere each time


@pytest.fixture
def house(write, without_guards, settings) -> House:
    rng = random.Random(20260331)
    signers: dict[str, notes.Signer] = {}

    def seal() -> None:
        sealed = sealing.seal()
        private = load_pem_private_key(Path(settings.LEDGER_KEY_FILE).read_bytes(), None)
        signers[sealed.key_id] = notes.Signer(Key.objects.get(number=1).name, private)

    for count in (90, 200, 1, 150):
        write(count)
        seal()
    services.dispose(
        seqs=[20, 21, 22, 180], rule="R-1", citation="Law 1", asked_by="a", approved_by="b", by="system:test"
    )
    seal()
    keys.rotate(by="system:test", reason="yearly")
    write(130)
    seal()
    seal()  # a day on which nothing happened
    write(40)
    seal()
    write(9)
    copies = [outside.Outside.read(f"copy {seal.number}", seal.note) for seal in Seal.objects.all()]
    return House(copies, signers, rng, Seal.objects.last().size, Entry.objects.last().seq)


def looked_at(house: House, deed: Callable[[House], int | None], *, copies: bool) -> tuple[verifying.Walk, int | None]:
    """Do the deed, verify, and undo it."""
    with transaction.atomic():
        wanted = deed(house)
        walk = verifying.verify(outside=house.copies if copies else ())
        transaction.set_rollback(True)
    return walk, wanted


def test_every_tampering_is_found_and_the_first_bad_entry_is_named(house):
    """300 tamperings in 60 ways, without any copy from outside."""
    assert verifying.verify().fault is None
    missed, misplaced, done = [], [], 0
    for way, deed in {**ON_ENTRIES, **ON_SEALS}.items():
        for place in range(PLACES):
            house.rng.seed(f"{way} {place}")
            walk, wanted = looked_at(house, deed, copies=False)
            done += 1
            if walk.fault is None:
                missed.append((way, place))
            elif wanted is not None and walk.fault.seq != wanted:
                misplaced.append((way, place, wanted, walk.fault.seq, walk.fault.code))
    assert (missed, misplaced) == ([], [])
    assert done >= 300
    assert verifying.verify(outside=house.copies).fault is None


def test_who_has_the_key_as_well_is_found_by_the_copies_outside_and_by_nothing_else(house):
    for way, deed in WITH_THE_KEY.items():
        for place in range(PLACES):
            house.rng.seed(f"{way} {place}")
            assert looked_at(house, deed, copies=False)[0].fault is None, f"{way}: not the deed that it should be"
            house.rng.seed(f"{way} {place}")
            walk, _ = looked_at(house, deed, copies=True)
            assert walk.fault is not None, way
            assert walk.fault.code.startswith("outside_"), way


def test_a_rewritten_entry_lies_between_the_last_copy_that_agrees_and_the_first_that_does_not(house):
    with transaction.atomic():
        house.rng.seed(7)
        seq = rewrite(house, lowest=300)
        seal_everything_again(house, house.signers)
        fault = verifying.verify(outside=house.copies).fault
        transaction.set_rollback(True)
    agreed = max(copy.size for copy in house.copies if copy.size < seq)
    assert (fault.code, fault.seq) == ("outside_root", agreed + 1)
    assert fault.seq <= seq <= fault.detail["upto"]


def test_an_incremental_run_finds_what_was_done_since_and_leaves_the_rest_to_the_night(house):
    begin = Seal.objects.get(number=4)
    for seq, found in ((begin.size + 5, True), (begin.size - 5, False)):
        with transaction.atomic():
            Entry.objects.filter(seq=seq).update(verb="forged")
            walk = verifying.Walk.since(begin).finish()
            transaction.set_rollback(True)
        assert (walk.fault is not None) is found
        assert walk.after == begin.size


def test_a_hundred_clean_ledgers_raise_no_alarm(write, settings):
    """Whatever is done properly is sound: 100 times something is done, and the ledger is read."""
    rng, disposable = random.Random(9), []
    settings.LEDGER_ORIGIN = "example.com/ledger"
    for run in range(100):
        disposable += [entry.seq for entry in write(rng.randrange(1, 12))]
        if rng.random() < 0.5:
            sealing.seal()
        if rng.random() < 0.1 and Key.objects.exists():
            keys.rotate(by="system:test", reason="often")
        if rng.random() < 0.2:
            gone = [disposable.pop(rng.randrange(len(disposable))) for _ in range(min(3, len(disposable)))]
            services.dispose(seqs=gone, rule="R", citation="L", asked_by="a", approved_by="b", by="system:test")
        copies = [outside.Outside.read(str(seal.number), seal.note) for seal in Seal.objects.all()]
        walk = verifying.verify(outside=copies)
        assert walk.fault is None, f"run {run}: entry {walk.fault.seq}, {walk.fault}"
        assert walk.seq == Head.objects.get().seq
        if rng.random() < 0.3 and copies:
            begin = rng.choice(list(Seal.objects.all()))
            assert verifying.Walk.since(begin, outside=copies).finish().fault is None
    assert Seal.objects.count() > 30


def test_the_guards_are_off_in_these_tests_and_only_here(house):
    assert guards.missing(connection) != []
