"""The proofs of a pack: its Entries under one Seal, that Seal over earlier ones, and the keys they are signed with."""

import json
from collections.abc import Iterator
from itertools import groupby

from portal.evidence import entries
from portal.evidence.entries import Written
from portal.evidence.workshop import ENTRIES, Workshop
from portal.ledger import keys, merkle
from portal.ledger import services as ledger
from portal.ledger.models import Disposal, Entry, Key, Seal

DAYS = 31  # of which the last Seal of each is proved to be contained; before that, of each month
KEY_VERBS = ("ledger.key_begun", "ledger.key_rotated", "ledger.key_replaced")


def seal_for(upto: int) -> Seal:
    """Return the first Seal over the Entry and over the beginning of today's key, made now if there is none.

    So it is the same one for an Entry until the key changes.
    """
    begun = Key.objects.order_by("number").values_list("begun_by", flat=True).last() or 0
    seal = Seal.objects.filter(size__gte=max(upto, begun, 1)).order_by("size", "number").first()
    return seal or ledger.seal()


def key_entries(seal: Seal) -> Iterator[Written]:
    """Yield the Entries under the Seal that began the keys of the log."""
    yield from entries.read(Entry.objects.filter(verb__in=KEY_VERBS, seq__lte=seal.size).order_by("seq"))


def orders(workshop: Workshop) -> Iterator[Written]:
    """Yield the Entries that disposed of what Entries of the pack said."""
    silent = []
    with workshop.path(ENTRIES).open(encoding="utf-8") as stream:
        for line in map(json.loads, stream):
            if line["body"] is None:
                silent.append(json.loads(line["entry"])["seq"])
    named: set[int] = set()
    for at in range(0, len(silent), 1000):
        named |= set(Disposal.objects.filter(seq__in=silent[at : at + 1000]).values_list("ordered_by", flat=True))
    yield from entries.read(Entry.objects.filter(seq__in=sorted(named)).order_by("seq"))


def write(workshop: Workshop, seal: Seal) -> int:
    """Write the folder ``proof``, checked before it goes out. Return how many Entries it is about.

    Raises merkle.BadProof if what is stored does not lead to the Seal.
    """
    digests = sorted(_digests(workshop))
    proof = ledger.of_entries(digests=digests, seal=seal)
    workshop.write("proof/inclusion.json", json.dumps(proof, separators=(",", ":")).encode())
    workshop.write("proof/seal.txt", seal.note.encode())
    known = Key.objects.filter(begun_by__lte=seal.size).order_by("number")
    workshop.write("proof/keys.txt", "".join(f"{keys.public_key(key)}\n" for key in known).encode())
    proofs = [ledger.of_seals(first=one, second=seal) for one in earlier(seal)]
    before = [{"seal": one["first_seal"], "path": one["path"]} for one in proofs]
    workshop.write("proof/earlier.json", json.dumps(before, ensure_ascii=False, indent=1).encode())
    return len(digests)


def _digests(workshop: Workshop) -> Iterator[tuple[int, bytes]]:
    with workshop.path(ENTRIES).open(encoding="utf-8") as stream:
        for line in stream:
            leaf = json.loads(line)["entry"]
            yield json.loads(leaf)["seq"], merkle.leaf_hash(leaf.encode())


def earlier(seal: Seal) -> list[Seal]:
    """Return earlier Seals that others may hold: the last of each day lately, and of each month before that."""
    rows = list(Seal.objects.filter(number__lt=seal.number).order_by("number").values_list("number", "at"))
    days = [list(found)[-1] for _day, found in groupby(rows, key=lambda row: row[1].date())]
    late, before = days[-DAYS:], days[:-DAYS]
    months = [list(found)[-1] for _month, found in groupby(before, key=lambda row: (row[1].year, row[1].month))]
    return list(Seal.objects.filter(number__in=[number for number, _at in months + late]).order_by("number"))
