"""Writing an Entry: what every change that matters pays for, so plain SQL without the models' detours."""

import secrets

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


def append(*, verb: str, actor: str, subject: str, body: dict) -> Entry:
    """Write the next Entry, in the caller's transaction, and return it.

    ``actor`` and ``subject`` are an Employee's uid or ``system:<name>``. ``body`` is what may be personal: before,
    after, reason, details. Call it after the business rows are locked and changed: the head is the last lock.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(verb)
    content, salt = rules.canonical(body), secrets.token_bytes(rules.SALT_BYTES)
    commitment = rules.commitment(salt, content)
    with connection.cursor() as cursor:
        seq, prev = _locked_head(cursor)
        fields = {
            "seq": seq + 1,
            "at": timezone.now(),
            "verb": verb,
            "actor": actor,
            "subject": subject,
            "commitment": commitment,
            "prev": prev,
            "v": rules.VERSION,
        }
        fields["digest"] = rules.entry_digest(**fields)
        stored = {**fields, "at": connection.ops.adapt_datetimefield_value(fields["at"])}
        cursor.execute(_ENTRY, [stored[name] for name in _COLUMNS])
        cursor.execute(_BODY, [fields["seq"], content, salt])
        cursor.execute(_NEW_HEAD, [fields["seq"], fields["digest"]])
    return Entry.from_db(connection.alias, _COLUMNS, [fields[name] for name in _COLUMNS])


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
