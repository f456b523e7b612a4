"""The proof that a message was delivered as it is here: what an auditor needs to check it without the portal."""

from collections.abc import Iterable

from django.db.models import F

from archive.models import Batch, Delivery, Message, Tombstone
from archive.services.tombstones import id_digest, leaf_of
from portal.ledger import services as ledger
from portal.ledger.models import Entry


class NotHere(LookupError):
    """No message of this id is here, nor has one been disposed of."""


def proof_of(*, channel: str, msgid: str) -> dict:
    """Return the proof of a message, or of what was disposed of: plain values, ready for JSON.

    For each delivered copy: where it came from, and the ledger's proof that its fingerprint is in the batch whose root
    an Entry holds, and that Entry under a signed seal. For a copy that was disposed of also the proof of the step that
    did it. docs/keeping.md says how to check it. Raises NotHere, and ledger.NotSealed for what came a moment ago.
    """
    copies = _copies(channel, msgid)
    if not copies:
        raise NotHere(msgid)
    return {
        "channel": channel,
        "msgid": msgid,
        "id_digest": id_digest(channel, msgid).hex(),
        "copies": [_proof(*one) for one in copies],
    }


def _copies(channel: str, msgid: str) -> list[tuple[int, int, int | None]]:
    """Return (batch, leaf, the Entry of its disposal or None) of each copy, the one that is kept first."""
    found = []
    message = Message.objects.filter(channel=channel, msgid=msgid).first()
    if message:
        found.append((message.batch_id, message.leaf, None))
        rows = Delivery.objects.filter(message=message).order_by("pk")
        found += [(one.batch_id, one.leaf, None) for one in rows]
    stones = Tombstone.objects.filter(id_digest=id_digest(channel, msgid)).order_by("pk")
    found += [(one.batch_id, one.leaf, one.entry_seq) for one in stones]
    return found


def _proof(batch_id: int, leaf: int, disposed: int | None) -> dict:
    batch = Batch.objects.select_related("run", "run__source").get(pk=batch_id)
    leaves = [one for _leaf, one in sorted(leaves_of([batch_id])[batch_id])]
    return {
        "source": batch.run.source.name,
        "import": batch.run.uid,
        **ledger.of_batch_leaf(entry=Entry.objects.get(pk=batch.entry_seq), leaves=leaves, index=leaf),
        "disposed": _disposal(disposed, batch, leaf) if disposed else None,
    }


def _disposal(step: int, batch: Batch, leaf: int) -> dict:
    """Return the proof that the copy is one of those that the step of a disposal took away."""
    stones = stones_of([step])[step]
    index = next(at for at, (root_in, one) in enumerate(stones) if (root_in, one.leaf) == (batch.entry_seq, leaf))
    leaves = [leaf_of(root_in, one) for root_in, one in stones]
    return ledger.of_batch_leaf(entry=Entry.objects.get(pk=step), leaves=leaves, index=index)


def leaves_of(batches: Iterable[int]) -> dict[int, list[tuple[int, bytes]]]:
    """Return (leaf, fingerprint) of everything that came in each batch, in no order. Three queries."""
    wanted = list(batches)
    found: dict[int, list[tuple[int, bytes]]] = {pk: [] for pk in wanted}
    for model in (Message, Delivery, Tombstone):
        rows = model.objects.filter(batch__in=wanted).values_list("batch_id", "leaf", "fingerprint")
        for pk, leaf, fingerprint in rows.iterator(chunk_size=5000):
            found[pk].append((leaf, bytes(fingerprint)))
    return found


def stones_of(steps: Iterable[int]) -> dict[int, list[tuple[int, Tombstone]]]:
    """Return what each step of a disposal left, by its Entry, in the order of its tree: (Entry of the batch, stone)."""
    found: dict[int, list[tuple[int, Tombstone]]] = {seq: [] for seq in steps}
    rows = Tombstone.objects.filter(entry_seq__in=found).annotate(root_in=F("batch__entry_seq"))
    for stone in rows.order_by("root_in", "leaf").iterator(chunk_size=5000):
        found[stone.entry_seq].append((stone.root_in, stone))
    return found
