"""What somebody with the database in hand can do, and that it is found: over 50 ways, each at several places.

Every deed is done to a ledger with Seals, a change of key and a disposal, looked for, and undone.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.db import connection, transaction

from portal.ledger import guards, keys, merkle, notes, outside, rules, sealing, services, verifying
from portal.ledger.models import Body, Disposal, Entry, Head, Key, Node, Seal

pytestmark = pytest.mark.django_db

PLACES = 5  # how often each way is tried, elsewhere each time


@dataclass
class House:
    """``copies`` are the Seals as they had left the machine, ``signers`` who signed them, by key id."""

    copies: list[outside.Outside]
    signers: dict[str, notes.Signer]
    rng: random.Random
    sealed: int
    last: int

    def entry(self, lowest: int = 1) -> Entry:
        """An Entry that says something and that nothing else stands on."""
        plain = Entry.objects.filter(seq__gte=lowest, seq__lt=self.sealed, verb="test.done", body__isnull=False)
        return self.rng.choice(list(plain))

    def seal(self) -> Seal:
        return self.rng.choice(list(Seal.objects.filter(number__lt=len(self.copies))))


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


# --- deeds: each takes the house and returns where the fault must be, or None where several places are right --------


def column(**change: object) -> Callable[[House], int]:
    def deed(house: House) -> int:
        seq = house.entry().seq
        Entry.objects.filter(seq=seq).update(**change)
        return seq

    return deed


def shift_time(by: timedelta) -> Callable[[House], int]:
    def deed(house: House) -> int:
        entry = house.entry()
        Entry.objects.filter(seq=entry.seq).update(at=entry.at + by)
        return entry.seq

    return deed


def body(**change: object) -> Callable[[House], int]:
    def deed(house: House) -> int:
        seq = house.entry().seq
        Body.objects.filter(entry=seq).update(**change)
        return seq

    return deed


def body_gone(house: House) -> int:
    seq = house.entry().seq
    Body.objects.filter(entry=seq).delete()
    return seq


def bodies_swapped(house: House) -> int:
    one, two = sorted({house.entry().seq, house.entry().seq, house.entry().seq})[:2]
    first, second = Body.objects.get(entry=one), Body.objects.get(entry=two)
    Body.objects.filter(entry=one).update(content=second.content, salt=second.salt)
    Body.objects.filter(entry=two).update(content=first.content, salt=first.salt)
    return one


def entry_gone(house: House) -> int:
    seq = house.entry().seq
    remove(seq, seq)
    return seq


def remove(first: int, last: int) -> None:
    Body.objects.filter(entry__gte=first, entry__lte=last).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_entry WHERE seq BETWEEN %s AND %s", [first, last])


def several_gone(house: House) -> int:
    seq = house.entry().seq
    remove(seq, seq + 3)
    return seq


def last_gone(house: House) -> int:
    remove(house.last, house.last)
    return house.last


def sealed_tail_gone(house: House) -> int:
    """The newest Entries go, and the head says so too: chain and head agree, the Seals do not."""
    first = house.sealed - house.rng.randrange(60)
    remove(first, house.last)
    put_head(first - 1)
    return first


def put_head(seq: int) -> None:
    Head.objects.update(seq=seq, digest=Entry.objects.get(seq=seq).digest)


def renumbered(house: House) -> int:
    seq = house.entry().seq
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_entry SET seq = %s WHERE seq = %s", [house.last + 1000, seq])
    return seq


def entries_swapped(house: House) -> int:
    one, two = sorted(house.rng.sample(range(30, 170), 2))
    first, second = Entry.objects.get(seq=one), Entry.objects.get(seq=two)
    for seq, other in ((one, second), (two, first)):
        Entry.objects.filter(seq=seq).update(subject=f"swapped {other.seq}", at=other.at)
    return one


def added_at_the_end(house: House) -> int:
    """A forged Entry that follows the last, without the head."""
    forge(house.last + 1)
    return house.last + 1


def forge(seq: int, content: bytes = b"{}") -> Entry:
    before = Entry.objects.get(seq=seq - 1)
    columns = {"seq": seq, "at": before.at, "verb": "test.done", "actor": "system:test", "subject": "system:forged"}
    columns |= {"commitment": rules.commitment(bytes(32), content), "prev": bytes(before.digest)}
    entry = Entry.objects.create(**columns, digest=rules.entry_digest(**columns))
    Body.objects.create(entry=entry, content=content, salt=bytes(32))
    return entry


def number_below_the_first(house: House) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_counts_from_one")
            cursor.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_seq_check")
        try:
            cursor.execute(
                "INSERT INTO ledger_entry SELECT 0, at, verb, actor, subject, commitment, %s, digest, v "
                "FROM ledger_entry WHERE seq = 1",
                [sha256(b"before").digest()],
            )
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
    return 1


def head(**change: object) -> Callable[[House], int]:
    def deed(house: House) -> int:
        Head.objects.update(**change)
        return house.last + 1

    return deed


def head_lowered(house: House) -> int:
    seq = house.last - 1 - house.rng.randrange(100)
    put_head(seq)
    return seq + 1


def head_gone(house: House) -> int:
    Head.objects.all().delete()
    return house.last + 1


def stray_body(house: House) -> int:
    Body.objects.create(entry_id=house.last + 1 + house.rng.randrange(9), content=b"{}", salt=bytes(32))
    return house.last + 1


def disposal_forged(house: House) -> int:
    """The guards let a Body go that a Disposal names: whoever writes one without an order is seen."""
    seq = house.entry().seq
    Disposal.objects.create(seq=seq, ordered_by_id=house.last)
    Body.objects.filter(entry=seq).delete()
    return seq


def disposal_slipped_under_an_order(house: House) -> int:
    seq, order = house.entry().seq, Entry.objects.get(verb="ledger.disposed")
    Disposal.objects.create(seq=seq, ordered_by=order)
    Body.objects.filter(entry=seq).delete()
    return min(seq, order.seq)


def disposal_laid_ready(house: House) -> int:
    seq = house.entry().seq
    Disposal.objects.create(seq=seq, ordered_by=Entry.objects.get(verb="ledger.disposed"))
    return seq


def disposal_forgotten(house: House) -> int:
    seq = house.rng.choice([20, 21, 22, 180])
    Disposal.objects.filter(seq=seq).delete()
    return seq


def disposed_body_invented(house: House) -> int:
    seq = house.rng.choice([20, 21, 22, 180])
    Body.objects.create(entry_id=seq, content=b'{"n":7}', salt=bytes(32))
    return seq


def seal_column(**change: object) -> Callable[[House], int]:
    def deed(house: House) -> int:
        seal = house.seal()
        Seal.objects.filter(pk=seal.pk).update(**change)
        return after_the_seal_before(seal)

    return deed


def after_the_seal_before(seal: Seal) -> int:
    before = Seal.objects.filter(number=seal.number - 1).first()
    return before.size + 1 if before else 1


def seal_note(change: Callable[[str], str]) -> Callable[[House], int]:
    def deed(house: House) -> int:
        seal = house.seal()
        note = change(seal.note)
        Seal.objects.filter(pk=seal.pk).update(note=note, digest=sha256(note.encode()).digest())
        return after_the_seal_before(seal)

    return deed


def flipped(note: str) -> str:
    place = note.rindex(" ") + 20
    return f"{note[:place]}{'A' if note[place] != 'A' else 'B'}{note[place + 1 :]}"


def seal_gone(house: House) -> int:
    seal = house.seal()
    Seal.objects.filter(pk=seal.pk).delete()
    return after_the_seal_before(seal)


def seal_moved_in_time(house: House) -> int:
    seal = house.seal()
    Seal.objects.filter(pk=seal.pk).update(at=seal.at - timedelta(days=30))
    return after_the_seal_before(seal)


def seal_of_a_stranger(house: House) -> int:
    """Signed anew with another key, in the same name."""
    seal = house.seal()
    stranger = notes.Signer(Key.objects.get(number=1).name, Ed25519PrivateKey.generate())
    sign_again(seal, stranger, bytes(seal.root), bytes(seal.prev))
    return after_the_seal_before(seal)


def seal_by_the_wrong_key(house: House) -> int:
    """A Seal from before the change of key, signed with the key that came after it."""
    seal = house.rng.choice(list(Seal.objects.filter(number__lte=5)))
    later = house.signers[Seal.objects.last().key_id]
    sign_again(seal, later, bytes(seal.root), bytes(seal.prev))
    return after_the_seal_before(seal)


def sign_again(seal: Seal, signer: notes.Signer, root: bytes, prev: bytes, edge: bytes | None = None) -> bytes:
    text = sealing.text_of(origin=signer.name, size=seal.size, root=root, at=seal.at, prev=prev)
    note = notes.sign(text, signer)
    digest = sha256(note.encode()).digest()
    fresh = {"note": note, "root": root, "prev": prev, "digest": digest, "key_id": signer.public.id.hex()}
    Seal.objects.filter(pk=seal.pk).update(**fresh, edge=seal.edge if edge is None else edge)
    return digest


def seals_all_gone(house: House) -> int:
    Seal.objects.all().delete()
    return 1


def node_changed(house: House) -> int:
    node = house.rng.choice(list(Node.objects.all()))
    Node.objects.filter(pk=node.pk).update(digest=sha256(b"other").digest())
    return node.index * 256 + 1


def node_gone(house: House) -> int:
    node = house.rng.choice(list(Node.objects.all()))
    node.delete()
    return node.index * 256 + 1


def key_column(number: int, **change: object) -> Callable[[House], None]:
    return lambda house: Key.objects.filter(number=number).update(**change) and None


def key_gone(house: House) -> None:
    Key.objects.filter(number=house.rng.choice([1, 2])).delete()


def key_invented(house: House) -> None:
    Key.objects.create(
        number=3, name=Key.objects.get(number=1).name, public=sha256(b"mine").digest(),
        since=Entry.objects.get(seq=house.last).at, begun_by_id=house.last,
    )  # fmt: skip


def rewrite(house: House, lowest: int = 1) -> int:
    """Change one Entry and everything after it, so that chain, commitments and head agree again. Return its number."""
    seq = house.entry(lowest).seq
    salt, content = bytes(Body.objects.get(entry=seq).salt), b'{"n":4711}'
    Body.objects.filter(entry=seq).update(content=content)
    Entry.objects.filter(seq=seq).update(commitment=rules.commitment(salt, content))
    prev = bytes(Entry.objects.get(seq=seq).prev)
    for entry in Entry.objects.filter(seq__gte=seq).order_by("seq"):
        names = ("seq", "at", "verb", "actor", "subject", "v")
        columns = {name: getattr(entry, name) for name in names} | {"commitment": bytes(entry.commitment)}
        digest = rules.entry_digest(**columns, prev=prev)
        Entry.objects.filter(seq=entry.seq).update(prev=prev, digest=digest)
        prev = digest
    put_head(house.last)
    return seq


def rewritten(house: House) -> None:
    rewrite(house)


def seal_everything_again(house: House, signers: dict[str, notes.Signer]) -> None:
    """Make Seals and inner nodes fit what the Entries now say."""
    digests = [bytes(digest) for digest in Entry.objects.order_by("seq").values_list("digest", flat=True)]
    prev = rules.GENESIS
    for seal in Seal.objects.order_by("number"):
        edge = merkle.Edge()
        edge.extend(digests[: seal.size])
        prev = sign_again(seal, signers[seal.key_id], edge.root(), prev, edge.to_bytes())
    for level, index, node in merkle.Edge().extend(digests[: house.sealed]):
        Node.objects.filter(level=level, index=index).update(digest=node)


def rewritten_and_sealed_with_a_key_of_ones_own(house: House) -> None:
    """All that can be done with the database alone: Keys and their Entries are forged as well. The file tells."""
    name = Key.objects.get(number=1).name
    mine = {key.number: notes.Signer(name, Ed25519PrivateKey.generate()) for key in Key.objects.all()}
    by_id = {keys.public_key(key).id.hex(): mine[key.number] for key in Key.objects.all()}
    for key in Key.objects.all():
        Key.objects.filter(pk=key.pk).update(public=mine[key.number].public.raw)
    told = {1: {"key": str(mine[1].public)}}
    text = keys.handover(mine[1].public, mine[2].public)
    told[2] = {"before": str(mine[1].public), "after": str(mine[2].public), "note": notes.sign(text, mine[1], mine[2])}
    for key in Key.objects.all():
        content, salt = rules.canonical(told[key.number]), bytes(Body.objects.get(entry=key.begun_by_id).salt)
        Body.objects.filter(entry=key.begun_by_id).update(content=content)
        Entry.objects.filter(seq=key.begun_by_id).update(commitment=rules.commitment(salt, content))
    house.rng.seed(1)
    rewrite_from(house, 1)
    seal_everything_again(house, by_id)


def rewrite_from(house: House, seq: int) -> None:
    prev = bytes(Entry.objects.get(seq=seq).prev)
    for entry in Entry.objects.filter(seq__gte=seq).order_by("seq"):
        names = ("seq", "at", "verb", "actor", "subject", "v")
        columns = {name: getattr(entry, name) for name in names} | {"commitment": bytes(entry.commitment)}
        digest = rules.entry_digest(**columns, prev=prev)
        Entry.objects.filter(seq=entry.seq).update(prev=prev, digest=digest)
        prev = digest
    put_head(house.last)


# With the key as well, only a copy outside can tell.


def rewritten_and_sealed_with_the_key(house: House) -> None:
    rewrite(house)
    seal_everything_again(house, house.signers)


def cut_off_with_its_seals(house: House) -> None:
    """The ledger as it was some Seals ago: complete, sealed, and not all of it."""
    seal = house.rng.choice(list(Seal.objects.filter(number__in=[6, 7])))
    Seal.objects.filter(number__gt=seal.number).delete()
    Key.objects.filter(begun_by__gt=seal.size).delete()
    Disposal.objects.filter(ordered_by__gt=seal.size).delete()
    remove(seal.size + 1, house.last)
    Node.objects.filter(index__gte=seal.size // 256).delete()
    put_head(seal.size)


def newest_seal_gone(house: House) -> None:
    Seal.objects.order_by("number").last().delete()


def seal_made_again(house: House) -> None:
    """The same Seal at another time: signed with the key, and not the one that was sent."""
    seal = Seal.objects.order_by("number").last()
    Seal.objects.filter(pk=seal.pk).update(at=seal.at + timedelta(seconds=1))
    seal.refresh_from_db()
    sign_again(seal, house.signers[seal.key_id], bytes(seal.root), bytes(seal.prev))


WITHIN: dict[str, Callable[[House], int | None]] = {
    "verb": column(verb="forged"),
    "actor": column(actor="somebody else"),
    "subject": column(subject="somebody else"),
    "a second later": shift_time(timedelta(seconds=1)),
    "a microsecond earlier": shift_time(timedelta(microseconds=-1)),
    "a day earlier": shift_time(timedelta(days=-1)),
    "commitment": column(commitment=sha256(b"x").digest()),
    "prev": column(prev=sha256(b"x").digest()),
    "digest": column(digest=sha256(b"x").digest()),
    "digest cut short": column(digest=b"x"),
    "version": column(v=2),
    "body changed": body(content=b'{"n":9999}'),
    "body written otherwise": body(content=b'{"n": 0}'),
    "body emptied": body(content=b""),
    "salt changed": body(salt=sha256(b"x").digest()),
    "body gone": body_gone,
    "bodies swapped": bodies_swapped,
    "entry gone": entry_gone,
    "several gone": several_gone,
    "last entry gone": last_gone,
    "sealed entries gone at the end": sealed_tail_gone,
    "entry renumbered": renumbered,
    "entries swapped": entries_swapped,
    "entry added at the end": added_at_the_end,
    "entry below the first": number_below_the_first,
    "head's number raised": head(seq=10**9),
    "head's digest": head(digest=sha256(b"x").digest()),
    "head lowered": head_lowered,
    "head gone": head_gone,
    "body without an entry": stray_body,
    "disposal forged": disposal_forged,
    "disposal slipped under an order": disposal_slipped_under_an_order,
    "disposal laid ready": disposal_laid_ready,
    "disposal forgotten": disposal_forgotten,
    "disposed body invented": disposed_body_invented,
    "seal's root": seal_column(root=sha256(b"x").digest()),
    "seal's size": seal_column(size=3),
    "seal's prev": seal_column(prev=sha256(b"x").digest()),
    "seal's digest": seal_column(digest=sha256(b"x").digest()),
    "seal's key": seal_column(key_id="00000000"),
    "seal's edge": seal_column(edge=b""),
    "seal's note, another size": seal_note(lambda note: note.replace("\ntime", "0\ntime", 1)),
    "seal's note, another time": seal_note(lambda note: note.replace("time 2", "time 3", 1)),
    "seal's note, a flipped signature": seal_note(flipped),
    "seal's note, no signature": seal_note(lambda note: note.partition("\n\n")[0]),
    "seal gone": seal_gone,
    "seal moved in time": seal_moved_in_time,
    "seal signed by a stranger": seal_of_a_stranger,
    "seal signed by a later key": seal_by_the_wrong_key,
    "all seals gone": seals_all_gone,
    "inner node changed": node_changed,
    "inner node gone": node_gone,
    "first key replaced": key_column(1, public=sha256(b"mine").digest()),
    "second key replaced": key_column(2, public=sha256(b"mine").digest()),
    "key older than it is": key_column(2, since="2020-01-01T00:00Z"),
    "key begun by another entry": key_column(2, begun_by=3),
    "key gone": key_gone,
    "key invented": key_invented,
    "rewritten, with chain and head": rewritten,
    "rewritten and sealed with a key of one's own": rewritten_and_sealed_with_a_key_of_ones_own,
}
WITH_THE_KEY: dict[str, Callable[[House], int | None]] = {
    "rewritten and sealed with the key": rewritten_and_sealed_with_the_key,
    "cut off with its seals": cut_off_with_its_seals,
    "newest seal gone": newest_seal_gone,
    "newest seal made again": seal_made_again,
}


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
    for way, deed in WITHIN.items():
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
