"""What somebody with the database in hand can do to Entries, Bodies, Disposals and the head."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from django.db import connection

from portal.ledger import notes, outside, rules
from portal.ledger.models import Body, Disposal, Entry, Head, Seal


@dataclass
class House:
    """``copies`` are the Seals as they had left the machine, ``signers`` who signed them, by key id."""

    copies: list[outside.Outside]
    signers: dict[str, notes.Signer]
    rng: random.Random
    sealed: int
    last: int

    def entry(self, lowest: int = 1) -> Entry:
        """An Entry that says something and that nothing else stands on."""
        plain = Entry.objects.filter(seq__gte=lowest, seq__lt=self.sealed, verb="test.done", body__isnull=False)
        return self.rng.choice(list(plain))

    def seal(self) -> Seal:
        return self.rng.choice(list(Seal.objects.filter(number__lt=len(self.copies))))


# --- deeds: each takes the house and returns where the fault must be, or None where several places are right --------


def column(**change: object) -> Callable[[House], int]:
    def deed(house: House) -> int:
        seq = house.entry().seq
        Entry.objects.filter(seq=seq).update(**change)
        return seq

    return deed


def shift_time(by: timedelta) -> Callable[[House], int]:
    def deed(house: House) -> int:
        entry = house.entry()
        Entry.objects.filter(seq=entry.seq).update(at=entry.at + by)
        return entry.seq

    return deed


def body(**change: object) -> Callable[[House], int]:
    def deed(house: House) -> int:
        seq = house.entry().seq
        Body.objects.filter(entry=seq).update(**change)
        return seq

    return deed


def body_gone(house: House) -> int:
    seq = house.entry().seq
    Body.objects.filter(entry=seq).delete()
    return seq


def bodies_swapped(house: House) -> int:
    one, two = sorted({house.entry().seq, house.entry().seq, house.entry().seq})[:2]
    first, second = Body.objects.get(entry=one), Body.objects.get(entry=two)
    Body.objects.filter(entry=one).update(content=second.content, salt=second.salt)
    Body.objects.filter(entry=two).update(content=first.content, salt=first.salt)
    return one


def entry_gone(house: House) -> int:
    seq = house.entry().seq
    remove(seq, seq)
    return seq


def remove(first: int, last: int) -> None:
    Body.objects.filter(entry__gte=first, entry__lte=last).delete()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM ledger_entry WHERE seq BETWEEN %s AND %s", [first, last])


def several_gone(house: House) -> int:
    seq = house.entry().seq
    remove(seq, seq + 3)
    return seq


def last_gone(house: House) -> int:
    remove(house.last, house.last)
    return house.last


def sealed_tail_gone(house: House) -> int:
    """The newest Entries go, and the head says so too: chain and head agree, the Seals do not."""
    first = house.sealed - house.rng.randrange(60)
    remove(first, house.last)
    put_head(first - 1)
    return first


def put_head(seq: int) -> None:
    Head.objects.update(seq=seq, digest=Entry.objects.get(seq=seq).digest)


def renumbered(house: House) -> int:
    seq = house.entry().seq
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ledger_entry SET seq = %s WHERE seq = %s", [house.last + 1000, seq])
    return seq


def entries_swapped(house: House) -> int:
    one, two = sorted(house.rng.sample(range(30, 170), 2))
    first, second = Entry.objects.get(seq=one), Entry.objects.get(seq=two)
    for seq, other in ((one, second), (two, first)):
        Entry.objects.filter(seq=seq).update(subject=f"swapped {other.seq}", at=other.at)
    return one


def added_at_the_end(house: House) -> int:
    """A forged Entry that follows the last, without the head."""
    forge(house.last + 1)
    return house.last + 1


def forge(seq: int, content: bytes = b"{}") -> Entry:
    before = Entry.objects.get(seq=seq - 1)
    columns = {"seq": seq, "at": before.at, "verb": "test.done", "actor": "system:test", "subject": "system:forged"}
    columns |= {"commitment": rules.commitment(bytes(32), content), "prev": bytes(before.digest)}
    entry = Entry.objects.create(**columns, digest=rules.entry_digest(**columns))
    Body.objects.create(entry=entry, content=content, salt=bytes(32))
    return entry


def number_below_the_first(house: House) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
        else:
            cursor.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_counts_from_one")
            cursor.execute("ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_seq_check")
        try:
            cursor.execute(
                "INSERT INTO ledger_entry SELECT 0, at, verb, actor, subject, commitment, %s, digest, v "
                "FROM ledger_entry WHERE seq = 1",
                [sha256(b"before").digest()],
            )
        finally:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA ignore_check_constraints = OFF")
    return 1


def head(**change: object) -> Callable[[House], int]:
    def deed(house: House) -> int:
        Head.objects.update(**change)
        return house.last + 1

    return deed


def head_lowered(house: House) -> int:
    seq = house.last - 1 - house.rng.randrange(100)
    put_head(seq)
    return seq + 1


def head_gone(house: House) -> int:
    Head.objects.all().delete()
    return house.last + 1


def stray_body(house: House) -> int:
    Body.objects.create(entry_id=house.last + 1 + house.rng.randrange(9), content=b"{}", salt=bytes(32))
    return house.last + 1


def disposal_forged(house: House) -> int:
    """The guards let a Body go that a Disposal names: whoever writes one without an order is seen."""
    seq = house.entry().seq
    Disposal.objects.create(seq=seq, ordered_by_id=house.last)
    Body.objects.filter(entry=seq).delete()
    return seq


def disposal_slipped_under_an_order(house: House) -> int:
    seq, order = house.entry().seq, Entry.objects.get(verb="ledger.disposed")
    Disposal.objects.create(seq=seq, ordered_by=order)
    Body.objects.filter(entry=seq).delete()
    return min(seq, order.seq)


def disposal_laid_ready(house: House) -> int:
    seq = house.entry().seq
    Disposal.objects.create(seq=seq, ordered_by=Entry.objects.get(verb="ledger.disposed"))
    return seq


def disposal_forgotten(house: House) -> int:
    seq = house.rng.choice([20, 21, 22, 180])
    Disposal.objects.filter(seq=seq).delete()
    return seq


def disposed_body_invented(house: House) -> int:
    seq = house.rng.choice([20, 21, 22, 180])
    Body.objects.create(entry_id=seq, content=b'{"n":7}', salt=bytes(32))
    return seq


ON_ENTRIES: dict[str, Callable[[House], int | None]] = {
    "verb": column(verb="forged"),
    "actor": column(actor="somebody else"),
    "subject": column(subject="somebody else"),
    "a second later": shift_time(timedelta(seconds=1)),
    "a microsecond earlier": shift_time(timedelta(microseconds=-1)),
    "a day earlier": shift_time(timedelta(days=-1)),
    "commitment": column(commitment=sha256(b"x").digest()),
    "prev": column(prev=sha256(b"x").digest()),
    "digest": column(digest=sha256(b"x").digest()),
    "digest cut short": column(digest=b"x"),
    "version": column(v=2),
    "body changed": body(content=b'{"n":9999}'),
    "body written otherwise": body(content=b'{"n": 0}'),
    "body emptied": body(content=b""),
    "salt changed": body(salt=sha256(b"x").digest()),
    "body gone": body_gone,
    "bodies swapped": bodies_swapped,
    "entry gone": entry_gone,
    "several gone": several_gone,
    "last entry gone": last_gone,
    "sealed entries gone at the end": sealed_tail_gone,
    "entry renumbered": renumbered,
    "entries swapped": entries_swapped,
    "entry added at the end": added_at_the_end,
    "entry below the first": number_below_the_first,
    "head's number raised": head(seq=10**9),
    "head's digest": head(digest=sha256(b"x").digest()),
    "head lowered": head_lowered,
    "head gone": head_gone,
    "body without an entry": stray_body,
    "disposal forged": disposal_forged,
    "disposal slipped under an order": disposal_slipped_under_an_order,
    "disposal laid ready": disposal_laid_ready,
    "disposal forgotten": disposal_forgotten,
    "disposed body invented": disposed_body_invented,
}
