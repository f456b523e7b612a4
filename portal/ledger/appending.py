"""Writing an Entry: what every change that matters pays for, so plain SQL without the models' detours."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from portal.ledger import rules
from portal.ledger.models import Entry, Head

_HEAD = 'SELECT seq, digest FROM "ledger_head" WHERE id = 1'
_COLUMNS = ("seq", "at", "verb", "actor", "subject", "commitment", "prev", "digest", "v")  # as the model has them
_ENTRY = (
    'INSERT INTO "ledger_entry" (seq, at, verb, actor, subject, commitment, prev, digest, v) '
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_BODY = 'INSERT INTO "ledger_body" (entry_id, content, salt) VALUES (%s, %s, %s)'
_NEW_HEAD = 'UPDATE "ledger_head" SET seq = %s, digest = %s WHERE id = 1'


class OutsideTransaction(RuntimeError):
    """An Entry must be written in the transaction of the change that it records."""


@dataclass(frozen=True)
class Telling:
    """What one Entry is to say. ``actor`` and ``subject`` are an Employee's uid or ``system:<name>``.

    ``body`` is what may be personal: before, after, reason, details.
    """

    verb: str
    actor: str
    subject: str
    body: dict


def append(*, verb: str, actor: str, subject: str, body: dict) -> Entry:
    """Write the next Entry, in the caller's transaction, and return it. What it takes: see Telling.

    Call it after the business rows are locked and changed: the head is the last lock.
    """
    [entry] = append_all([Telling(verb, actor, subject, body)])
    return entry


def append_all(tellings: Collection[Telling]) -> list[Entry]:
    """Write the next Entries in this order, as append() does one, and return them. Four queries, however many."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(next((one.verb for one in tellings), ""))
    if not tellings:
        return []
    entries, bodies = [], []
    with connection.cursor() as cursor:
        seq, digest = _locked_head(cursor)
        for one in tellings:
            content, salt = rules.canonical(one.body), secrets.token_bytes(rules.SALT_BYTES)
            seq += 1
            fields = {
                "seq": seq,
                "at": timezone.now(),
                "verb": one.verb,
                "actor": one.actor,
                "subject": one.subject,
                "commitment": rules.commitment(salt, content),
                "prev": digest,
                "v": rules.VERSION,
            }
            digest = fields["digest"] = rules.entry_digest(**fields)
            entries.append(fields)
            bodies.append((seq, content, salt))
        adapt = connection.ops.adapt_datetimefield_value
        rows = [[{**one, "at": adapt(one["at"])}[name] for name in _COLUMNS] for one in entries]
        _insert(cursor, _ENTRY, rows)
        _insert(cursor, _BODY, bodies)
        cursor.execute(_NEW_HEAD, [seq, digest])
    return [Entry.from_db(connection.alias, _COLUMNS, [one[name] for name in _COLUMNS]) for one in entries]


def _insert(cursor, statement: str, rows: list) -> None:
    if len(rows) == 1:
        cursor.execute(statement, rows[0])
    else:
        cursor.executemany(statement, rows)


def head_seq() -> int:
    """Return the number of the newest committed Entry, 0 if there is none."""
    return Head.objects.values_list("seq", flat=True).filter(pk=1).first() or 0


def _locked_head(cursor) -> tuple[int, bytes]:
    """Return number and digest of the last Entry; nobody else writes one until this transaction has ended."""
    query = f"{_HEAD} FOR UPDATE" if connection.features.has_select_for_update else _HEAD
    cursor.execute(query)
    row = cursor.fetchone()
    if row is None:
        Head.objects.get_or_create(pk=1, defaults={"digest": rules.GENESIS})
        cursor.execute(query)
        row = cursor.fetchone()
    return row[0], bytes(row[1])
