import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from portal.ledger import rules
from portal.ledger.models import Body, Disposal, Entry, Head


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


def body_of(entry: Entry) -> dict | None:
    """Return what the Entry says, or None if its Body has been disposed of."""
    body = Body.objects.filter(entry=entry).first()
    return json.loads(bytes(body.content)) if body else None


@dataclass(frozen=True)
class Fault:
    seq: int
    what: str


def verify(*, chunk: int = 2000) -> tuple[int, Fault | None]:
    """Read the whole ledger in order. Return how many Entries were read and the first fault, if any.

    Checks: numbers without a gap, each Entry after the one before it, digests, the commitment of each Body that is
    there, Bodies missing without a Disposal, and the head. Reads in chunks, so memory stays flat.
    """
    seq, prev = 0, rules.GENESIS
    disposed = set(Disposal.objects.values_list("seq", flat=True))
    for entry, body in _entries_with_bodies(chunk):
        if fault := _fault_of(entry, body, seq + 1, prev, disposed):
            return seq, fault
        seq, prev = entry.seq, bytes(entry.digest)
    head = Head.objects.filter(pk=1).first()
    if (head.seq, bytes(head.digest)) != (seq, prev) if head else seq:
        return seq, Fault(seq + 1, "the head does not name the last Entry")
    return seq, None


def _entries_with_bodies(chunk: int) -> Iterator[tuple[Entry, Body | None]]:
    last = 0
    while entries := list(Entry.objects.filter(seq__gt=last).order_by("seq")[:chunk]):
        last = entries[-1].seq
        bodies = Body.objects.in_bulk([entry.seq for entry in entries])
        yield from ((entry, bodies.get(entry.seq)) for entry in entries)


def _fault_of(entry: Entry, body: Body | None, seq: int, prev: bytes, disposed: set[int]) -> Fault | None:
    if entry.seq != seq:
        return Fault(seq, f"Entry {seq} is missing")
    if bytes(entry.prev) != prev:
        return Fault(seq, "does not follow the Entry before it")
    fields = {name: getattr(entry, name) for name in ("seq", "at", "verb", "actor", "subject", "v")}
    try:
        digest = rules.entry_digest(**fields, commitment=bytes(entry.commitment), prev=prev)
    except ValueError as error:
        return Fault(seq, str(error))
    if digest != bytes(entry.digest):
        return Fault(seq, "its digest does not fit what it says")
    if body is None:
        return None if seq in disposed else Fault(seq, "its Body is missing and no Disposal names it")
    if rules.commitment(bytes(body.salt), bytes(body.content)) != bytes(entry.commitment):
        return Fault(seq, "its Body was changed")
    return None


def dispose_body(*, seq: int, ordered_by: Entry) -> None:
    """Delete what Entry ``seq`` says, on the order of another Entry. The Entry and every proof stay."""
    with transaction.atomic():
        Disposal.objects.create(seq=seq, ordered_by=ordered_by)
        Body.objects.filter(entry_id=seq).delete()
