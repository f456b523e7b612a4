"""What somebody with the database in hand can do to Seals, keys and the tree, and what takes the key besides."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.ledger import keys, merkle, notes, rules, sealing
from portal.ledger.models import Body, Disposal, Entry, Key, Node, Seal
from tests.ledger.deeds import House, put_head, remove


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
    rewrite_from(house, seq)
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


ON_SEALS: dict[str, Callable[[House], int | None]] = {
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
