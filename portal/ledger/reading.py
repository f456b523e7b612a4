"""The hot path of verification: Entries with their Bodies as the database gives them, thousands at a time.

Everything is computed anew from the columns. A row that does not fit at once is looked at again with care, which says
what is wrong with it, or that it was merely written in another way.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from json.encoder import encode_basestring as quoted

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, OuterRef

from portal.ledger import rules
from portal.ledger.findings import Fault
from portal.ledger.models import Disposal, Entry

# The moment as text: in SQLite as it is stored, which spares parsing; in PostgreSQL as the leaf says it.
_AT = {"sqlite": "e.at || ''", "postgresql": """to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""}
_SQL = """
SELECT e.seq, {at}, e.verb, e.actor, e.subject, e.commitment, e.prev, e.digest, e.v, b.content, b.salt, d.id
FROM ledger_entry e LEFT JOIN ledger_body b ON b.entry_id = e.seq LEFT JOIN ledger_disposal d ON d.seq = e.seq
WHERE e.seq > %s AND e.seq <= %s ORDER BY e.seq LIMIT %s
"""


@dataclass
class Seen:
    """``digests`` of the good rows before the first bad one, ``last_at`` as the leaf of the last good one says it."""

    digests: list[bytes]
    last_at: str
    fault: Fault | None = None
    steps_back: list[int] = field(default_factory=list)


def rows(*, after: int, upto: int, most: int) -> Sequence[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(at=_AT[connection.vendor]), [after, upto, most])
        return cursor.fetchall()


def check(rows: Sequence[tuple], *, after: int, prev: bytes, last_at: str) -> Seen:
    """Check rows that follow Entry ``after``, whose digest is ``prev``."""
    digests: list[bytes] = []
    seen, wanted, hash_of, mac, text = Seen(digests, last_at), after, sha256, hmac.digest, quoted
    for seq, at, verb, actor, subject, commitment, before, digest, v, content, salt, disposal in rows:
        wanted += 1
        try:
            moment = at if len(at) == 27 else _sqlite_moment(at)
            leaf = (
                f'\0{{"actor":{text(actor)},"at":"{moment}","commitment":"{commitment.hex()}","prev":"{prev.hex()}",'
                f'"seq":{seq},"subject":{text(subject)},"v":{v},"verb":{text(verb)}}}'
            )
            good = (
                seq == wanted
                and v == 1
                and before == prev
                and hash_of(leaf.encode()).digest() == digest
                and (disposal is not None if content is None else mac(salt, content, "sha256") == commitment)
                and (disposal is None or content is None)
            )
        except (TypeError, ValueError, AttributeError):
            good = False
        if not good:
            seen.fault = _fault(seq, wanted, prev)
            if seen.fault:
                return seen
            moment = rules.timestamp(Entry.objects.values_list("at", flat=True).get(seq=seq))
        if moment < seen.last_at:
            seen.steps_back.append(seq)
        prev, seen.last_at = bytes(digest), moment
        digests.append(prev)
    return seen


def _sqlite_moment(at: str) -> str:
    """Turn what SQLite holds into what the leaf says. Raises ValueError for what is not written as Django writes."""
    if at[10:11] != " " or len(at) not in (19, 26):
        raise ValueError
    return f"{at[:10]}T{at[11:]}Z" if len(at) == 26 else f"{at[:10]}T{at[11:]}.000000Z"


def _fault(seq: int, wanted: int, prev: bytes) -> Fault | None:
    """Say what is wrong with a row, None if it is sound after all."""
    if seq != wanted:
        return Fault(wanted, "missing")
    try:
        entry = Entry.objects.get(seq=seq)
        names = ("seq", "at", "verb", "actor", "subject", "v")
        columns = {name: getattr(entry, name) for name in names} | {"commitment": bytes(entry.commitment)}
        if bytes(entry.prev) != prev:
            return Fault(seq, "order")
        if rules.entry_digest(**columns, prev=prev) != bytes(entry.digest):
            return Fault(seq, "digest")
        return _body_fault(seq, columns["commitment"])
    except rules.UnknownVersion:
        return Fault(seq, "version")
    except (TypeError, ValueError, AttributeError, ValidationError):
        return Fault(seq, "unreadable")


def _body_fault(seq: int, commitment: bytes) -> Fault | None:
    """Look at Body and Disposal in one query, since a disposal may be going on."""
    is_disposed = Exists(Disposal.objects.filter(seq=OuterRef("seq")))
    entries = Entry.objects.filter(seq=seq).annotate(is_disposed=is_disposed)
    content, salt, is_disposed = entries.values_list("body__content", "body__salt", "is_disposed").get()
    if content is None:
        return None if is_disposed else Fault(seq, "body_gone")
    if is_disposed:
        return Fault(seq, "body_kept")
    if rules.commitment(bytes(salt), bytes(content)) != commitment:
        return Fault(seq, "body_changed")
    return None
