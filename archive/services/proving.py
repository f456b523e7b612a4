"""The proof that a message was delivered as it is here: what an auditor needs to check it without the portal."""

from collections.abc import Iterable

from archive import merkle
from archive.models import Batch, Delivery, Message, Tombstone
from archive.services.tombstones import id_digest
from portal.ledger import rules as ledger_rules
from portal.ledger.models import Body, Entry


class NotHere(LookupError):
    """No message of this id is here, nor has one been disposed of."""


def proof_of(*, channel: str, msgid: str) -> dict:
    """Return the proof of a message, or of what was disposed of: plain values, ready for JSON. Raises NotHere.

    For each delivered copy: its fingerprint, its place and path in the tree of its batch, the root, and the ledger
    Entry that holds the root with what it says and the salt of its commitment. For a copy that was disposed of also
    the Entry of the disposal. docs/keeping.md says how to check it.
    """
    copies = _copies(channel, msgid)
    if not copies:
        raise NotHere(msgid)
    return {
        "channel": channel,
        "msgid": msgid,
        "id_digest": id_digest(channel, msgid).hex(),
        "copies": [_proof(batch, leaf, fingerprint, disposed) for batch, leaf, fingerprint, disposed in copies],
    }


def _copies(channel: str, msgid: str) -> list[tuple[int, int, bytes, int | None]]:
    """Return (batch, leaf, fingerprint, the Entry of its disposal or None) of each copy, the one that is kept first."""
    found = []
    message = Message.objects.filter(channel=channel, msgid=msgid).first()
    if message:
        found.append((message.batch_id, message.leaf, bytes(message.fingerprint), None))
        rows = Delivery.objects.filter(message=message).order_by("pk")
        found += [(one.batch_id, one.leaf, bytes(one.fingerprint), None) for one in rows]
    stones = Tombstone.objects.filter(id_digest=id_digest(channel, msgid)).order_by("pk")
    found += [(one.batch_id, one.leaf, bytes(one.fingerprint), one.entry_seq) for one in stones]
    return found


def _proof(batch_id: int, leaf: int, fingerprint: bytes, disposed: int | None) -> dict:
    batch = Batch.objects.select_related("run", "run__source").get(pk=batch_id)
    leaves = [one for _leaf, one in sorted(leaves_of([batch_id])[batch_id])]
    return {
        "fingerprint": fingerprint.hex(),
        "source": batch.run.source.name,
        "import": batch.run.uid,
        "batch": batch.number,
        "leaf": leaf,
        "leaves": batch.count,
        "path": [one.hex() for one in merkle.path(leaves, leaf)],
        "root": bytes(batch.root).hex(),
        "entry": entry_as_told(batch.entry_seq),
        "disposed": entry_as_told(disposed) if disposed else None,
    }


def leaves_of(batches: Iterable[int]) -> dict[int, list[tuple[int, bytes]]]:
    """Return (leaf, fingerprint) of everything that came in each batch, in no order. Three queries."""
    wanted = list(batches)
    found: dict[int, list[tuple[int, bytes]]] = {pk: [] for pk in wanted}
    for model in (Message, Delivery, Tombstone):
        rows = model.objects.filter(batch__in=wanted).values_list("batch_id", "leaf", "fingerprint")
        for pk, leaf, fingerprint in rows.iterator(chunk_size=5000):
            found[pk].append((leaf, bytes(fingerprint)))
    return found


def entry_as_told(seq: int) -> dict:
    """Return an Entry as docs/ledger.md writes it, with what it says: everything its digest can be computed from."""
    entry, body = Entry.objects.get(pk=seq), Body.objects.filter(entry=seq).first()
    return {
        "seq": entry.seq,
        "at": ledger_rules.timestamp(entry.at),
        "verb": entry.verb,
        "actor": entry.actor,
        "subject": entry.subject,
        "commitment": bytes(entry.commitment).hex(),
        "prev": bytes(entry.prev).hex(),
        "digest": bytes(entry.digest).hex(),
        "v": entry.v,
        "body": bytes(body.content).decode() if body else None,
        "salt": bytes(body.salt).hex() if body else None,
    }
