"""The front door of the ledger for the rooms above."""

import json
from datetime import datetime

from portal.ledger import verifying
from portal.ledger.appending import OutsideTransaction, Telling, append, append_all, head_seq
from portal.ledger.checks import Disagreement
from portal.ledger.disposal import Held, NeverDisposed, OnePersonAlone, dispose
from portal.ledger.findings import Fault
from portal.ledger.models import Body, Entry
from portal.ledger.proofs import NoBody, NotSealed, as_tlog_proof, of_batch_leaf, of_entries, of_entry, of_seals
from portal.ledger.sealing import Overtaken, SealRefused, newest, seal, seal_if_due, signed

__all__ = [
    "Disagreement",
    "Fault",
    "Held",
    "NeverDisposed",
    "NoBody",
    "NotSealed",
    "OnePersonAlone",
    "OutsideTransaction",
    "Overtaken",
    "SealRefused",
    "Telling",
    "append",
    "append_all",
    "as_tlog_proof",
    "body_of",
    "dispose",
    "head_seq",
    "newest",
    "of_batch_leaf",
    "of_entries",
    "of_entry",
    "of_seals",
    "seal",
    "seal_if_due",
    "seq_at",
    "signed",
    "verify",
]


def body_of(entry: Entry) -> dict | None:
    """Return what the Entry says, or None if its Body has been disposed of."""
    body = Body.objects.filter(entry=entry).first()
    return json.loads(bytes(body.content)) if body else None


def seq_at(moment: datetime) -> int:
    """Return the number of the last Entry written until the moment, 0 if there was none. A few dozen queries.

    Always the same answer, however the log has grown since; where a clock had stepped back, one of the numbers there.
    """
    seq, head = 0, head_seq()
    for step in (1 << bit for bit in reversed(range(head.bit_length()))):
        found = seq + step <= head and Entry.objects.values_list("at", flat=True).get(seq=seq + step) <= moment
        seq += step if found else 0
    return seq


def verify() -> tuple[int, Fault | None]:
    """Read the whole ledger. Return how many Entries are sound before the first fault, and that fault, if any."""
    walk = verifying.verify()
    return walk.seq, walk.fault
