"""Disposal: what an Entry says goes, the Entry and every proof stay, and the bytes leave the disk."""

import logging
from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.module_loading import import_string

from portal.ledger.appending import append
from portal.ledger.checks import DISPOSED, KEY_VERBS
from portal.ledger.models import Body, Disposal, Entry

logger = logging.getLogger(__name__)

BATCH = 5_000  # Bodies an Entry; numbers that follow each other are written as one range
SYSTEM = "system:ledger"


class Held(RuntimeError):
    """Some of these must be kept: a Hold beats every retention. ``seqs`` says which."""

    def __init__(self, seqs: Collection[int]) -> None:
        super().__init__(f"held: {', '.join(map(str, sorted(seqs)[:20]))}")
        self.seqs = frozenset(seqs)


class OnePersonAlone(RuntimeError):
    """What is disposed of by hand needs two people."""


class NeverDisposed(RuntimeError):
    """Entries about keys and disposals are what proofs stand on, and hold nothing personal."""


@transaction.atomic
def dispose(*, seqs: Iterable[int], rule: str, citation: str, asked_by: str, approved_by: str, by: str) -> list[Entry]:
    """Delete what these Entries say. Return the Entries that record it, none if nothing was left to delete.

    ``asked_by`` and ``approved_by`` are opaque ids; ``system:<name>`` stands for a retention that ran by itself, and is
    then both. Whoever is asked by the setting LEDGER_HOLDS may object. Raises Held, OnePersonAlone, NeverDisposed.
    """
    if asked_by == approved_by and not asked_by.startswith("system:"):
        raise OnePersonAlone(asked_by)
    wanted = sorted(Body.objects.filter(entry__in=list(seqs)).values_list("entry_id", flat=True))
    if Entry.objects.filter(seq__in=wanted, verb__in=[DISPOSED, *KEY_VERBS]).exists():
        raise NeverDisposed(rule)
    if held := {seq for name in settings.LEDGER_HOLDS for seq in import_string(name)(wanted)}:
        raise Held(held)
    told = {"rule": rule, "citation": citation, "asked_by": asked_by, "approved_by": approved_by}
    orders = [_disposed(wanted[at : at + BATCH], told, by) for at in range(0, len(wanted), BATCH)]
    if orders:
        erase_on_commit()
    return orders


def _disposed(seqs: list[int], told: dict, by: str) -> Entry:
    order = append(verb=DISPOSED, actor=by, subject=SYSTEM, body={**told, "count": len(seqs), "seqs": _ranges(seqs)})
    Disposal.objects.bulk_create([Disposal(seq=seq, ordered_by=order) for seq in seqs], batch_size=500)
    for at in range(0, len(seqs), 500):
        Body.objects.filter(entry__in=seqs[at : at + 500]).delete()
    return order


def _ranges(seqs: list[int]) -> list[list[int]]:
    """Return [first, last] of every run of numbers that follow each other."""
    runs: list[list[int]] = []
    for seq in seqs:
        if runs and runs[-1][1] == seq - 1:
            runs[-1][1] = seq
        else:
            runs.append([seq, seq])
    return runs


def erase_on_commit() -> None:
    transaction.on_commit(erase)


def erase() -> bool:
    """Let what was deleted leave the disk. Return False if that must wait; the nightly run tries again.

    SQLite overwrites deleted rows at once (secure_delete) and here empties its write-ahead log. PostgreSQL makes the
    room free for other rows; docs/ledger.md says what else to do there.
    """
    if connection.in_atomic_block:
        return False
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                return cursor.fetchone()[0] == 0
            if connection.vendor == "postgresql":
                cursor.execute("VACUUM ledger_body")
    except DatabaseError:
        logger.warning("what was disposed of could not leave the disk yet", exc_info=True)
        return False
    return True
