import secrets

from django.db import connection
from django.utils import timezone

from portal.ledger import rules
from portal.ledger.models import Body, Entry, Head


class OutsideTransaction(RuntimeError):
    """An Entry must be written in the transaction of the change that it records."""


def append(*, verb: str, actor: str, subject: str, body: dict) -> Entry:
    """Write the next Entry, in the caller's transaction, and return it.

    ``actor`` and ``subject`` are an Employee's uid or ``system:<name>``. ``body`` is what may be personal: before,
    after, reason, details. Call it after the business rows are locked and changed: the head is the last lock.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(verb)
    head, _ = Head.objects.select_for_update().get_or_create(pk=1, defaults={"digest": rules.GENESIS})
    content, salt = rules.canonical(body), secrets.token_bytes(rules.SALT_BYTES)
    fields = {
        "seq": head.seq + 1,
        "at": timezone.now(),
        "verb": verb,
        "actor": actor,
        "subject": subject,
        "commitment": rules.commitment(salt, content),
        "prev": bytes(head.digest),
        "v": rules.VERSION,
    }
    entry = Entry(**fields, digest=rules.entry_digest(**fields))
    entry.save(force_insert=True)
    Body(entry=entry, content=content, salt=salt).save(force_insert=True)
    Head.objects.filter(pk=1).update(seq=entry.seq, digest=entry.digest)
    return entry


def head_seq() -> int:
    """Return the number of the newest committed Entry, 0 if there is none."""
    return Head.objects.values_list("seq", flat=True).filter(pk=1).first() or 0
