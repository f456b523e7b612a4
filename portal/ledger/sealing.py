"""Seals: the tree over all Entries at one size, signed. The tree's right edge is kept, so only new Entries are read."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from portal.ledger import delivery, keys, merkle, notes, rules
from portal.ledger.appending import head_seq
from portal.ledger.models import Entry, Head, Key, Node, Seal

EVERY = timedelta(hours=1)  # if anything is new
AT_LEAST_EVERY = timedelta(days=1)
CHUNK = 10_000
TRIES = 5
CLOCKS_DIFFER = timedelta(minutes=5)  # more than clocks of machines that are kept in step


class SealRefused(RuntimeError):
    """The Entries since the last Seal are not what may be sealed: verify_ledger says more."""


class Overtaken(RuntimeError):
    """Another process sealed, or changed the key, in between."""


@dataclass
class Growth:
    """What a tree has come to: its edge, and the inner nodes to keep."""

    edge: merkle.Edge
    nodes: list[merkle.Grown]


def seal() -> Seal:
    """Seal every Entry that is committed now, and return the Seal. The first time, the key is made as well.

    Nothing is locked while the Entries are read. Killed before the end, nothing was sealed; killed after it, the
    deliveries stand in their table. Raises SealRefused, keys.KeyTrouble, or Overtaken after several tries.
    """
    for _ in range(TRIES):
        with suppress(Overtaken):
            return _seal_after(newest())
    raise Overtaken("others kept sealing in between")


def seal_if_due(*, now: datetime | None = None) -> Seal | None:
    """Seal if anything is new since an hour ago, and at least once a day. Return the Seal, None if none was due.

    Of several processes that find it due at once, one seals.
    """
    now = now or timezone.now()
    for _ in range(TRIES):
        last, head = newest(), head_seq()
        if not is_due(last, head=head, now=now):
            return None
        with suppress(Overtaken):
            return _seal_after(last)
    raise Overtaken("others kept sealing in between")


def is_due(last: Seal | None, *, head: int, now: datetime) -> bool:
    """Return whether the Entries up to ``head`` should be sealed. A Seal from the future, made by a machine whose clock
    is ahead, does not keep the others from sealing what is new."""
    if last is None:
        return head > 0
    age = now - last.at
    return age >= AT_LEAST_EVERY or (head > last.size and (age >= EVERY or age <= -CLOCKS_DIFFER))


def _seal_after(last: Seal | None) -> Seal:
    """Seal what has come after this Seal. Raises SealRefused, keys.KeyTrouble, Overtaken."""
    signer, upto = keys.signer(), head_seq()
    return _write(last, _grow(last, upto), signer)


def newest() -> Seal | None:
    return Seal.objects.order_by("number").last()


def signed(lines: Sequence[str]) -> str:
    """Return these lines as a note that the key of the Seals has signed: never to be taken for a Seal.

    Only for a process that may read the key. Raises ValueError for what could be read as a checkpoint.
    """
    signer = keys.signer()
    if lines[0] == signer.name:
        raise ValueError("what is signed beside Seals must not begin as one")
    return notes.sign("".join(f"{line}\n" for line in lines), signer)


def text_of(*, origin: str, size: int, root: bytes, at: datetime, prev: bytes) -> str:
    """Return what a Seal signs: a checkpoint with two lines of our own."""
    lines = (f"time {rules.timestamp(at)}", f"prev {prev.hex()}")
    return str(notes.Checkpoint(origin, size, root, lines))


def edge_of(seal: Seal | None) -> merkle.Edge:
    """Return the tree's right edge at a Seal. Raises ValueError if it does not lead to the Seal's root."""
    if seal is None:
        return merkle.Edge()
    edge = merkle.Edge.from_bytes(seal.size, bytes(seal.edge))
    if edge.root() != bytes(seal.root):
        raise ValueError(f"the edge that was kept with Seal {seal.number} does not lead to its root")
    return edge


def _grow(last: Seal | None, upto: int) -> Growth:
    try:
        edge = edge_of(last)
    except ValueError as error:
        raise SealRefused(str(error)) from error
    if upto < edge.size:
        raise SealRefused(f"Entries {upto + 1} to {edge.size} were sealed and are not there")
    prev, nodes = _digest_at(edge.size), []
    for rows in _digests(edge.size, upto):
        for wanted, (seq, before, digest) in enumerate(rows, start=edge.size + 1):
            if seq != wanted or before != prev:
                raise SealRefused(f"Entry {seq} does not follow the one before it")
            prev = digest
        nodes += edge.extend(digest for _, _, digest in rows)
    if edge.size != upto:
        raise SealRefused(f"Entry {edge.size + 1} is missing")
    return Growth(edge, nodes)


def _digest_at(seq: int) -> bytes:
    if seq == 0:
        return rules.GENESIS
    return bytes(Entry.objects.values_list("digest", flat=True).get(seq=seq))


def _digests(after: int, upto: int) -> Iterator[list[tuple[int, bytes, bytes]]]:
    while after < upto:
        new = Entry.objects.filter(seq__gt=after, seq__lte=upto).order_by("seq")
        found = new.values_list("seq", "prev", "digest")[:CHUNK]
        rows = [(seq, bytes(prev), bytes(digest)) for seq, prev, digest in found]
        if not rows:
            return
        yield rows
        after = rows[-1][0]


@transaction.atomic
def _write(last: Seal | None, growth: Growth, signer: notes.Signer) -> Seal:
    Head.objects.select_for_update().get(pk=1)  # the order of sealing and of changing the key
    key = Key.objects.order_by("number").last()
    if newest() != last or bytes(key.public) != signer.public.raw:
        raise Overtaken
    at, prev = timezone.now(), bytes(last.digest) if last else rules.GENESIS
    edge, root = growth.edge, growth.edge.root()
    note = notes.sign(text_of(origin=signer.name, size=edge.size, root=root, at=at, prev=prev), signer)
    sealed = Seal.objects.create(
        number=last.number + 1 if last else 1,
        at=at,
        size=edge.size,
        root=root,
        key_id=signer.public.id.hex(),
        note=note,
        prev=prev,
        digest=sha256(note.encode()).digest(),
        edge=edge.to_bytes(),
    )
    kept = [Node(level=level, index=index, digest=digest) for level, index, digest in growth.nodes]
    Node.objects.bulk_create(kept, batch_size=500)
    delivery.order(sealed)
    return sealed
