"""What is known of messages that were disposed of, so that a feed which delivers them again changes nothing."""

import hashlib
from collections.abc import Collection

from archive.models import Source, Tombstone


def id_digest(channel: str, msgid: str) -> bytes:
    """Return what a tombstone keeps of a message's name."""
    return hashlib.sha256(f"{channel}\0{msgid}".encode()).digest()


def disposed_of(
    source: Source, ids: Collection[tuple[str, str]], seqs: Collection[int]
) -> tuple[set[tuple[str, str]], set[int]]:
    """Return those (channel, id), and of the source's numbers those, that belong to what was disposed of.

    Two lookups by index; one where nothing has ever been disposed of.
    """
    if not Tombstone.objects.exists():
        return set(), set()
    by_digest = {id_digest(*one): one for one in ids}
    known = Tombstone.objects.filter(id_digest__in=by_digest).values_list("id_digest", flat=True)
    numbers = Tombstone.objects.filter(source=source, seq__among=seqs).values_list("seq", flat=True)
    return {by_digest[bytes(digest)] for digest in known}, set(numbers)


def leaf_of(batch_entry_seq: int, stone: Tombstone) -> bytes:
    """Return what a tombstone is in the tree of its step: which leaf of which sealed batch, whose, and of what content.

    The batch is named by the ledger Entry that holds its root.
    """
    return b"%d:%d:" % (batch_entry_seq, stone.leaf) + bytes(stone.id_digest) + bytes(stone.fingerprint)
