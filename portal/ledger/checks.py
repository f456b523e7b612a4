"""Do the rows beside the Entries agree with them? Every room may ask that of its own tables.

A check is a function named by its dotted name in the setting LEDGER_CHECKS. It is called with ``after`` and ``upto``,
looks at the Entries after the one and up to the other, and yields a Disagreement for each that a row contradicts. It
must not take long for a few Entries, and not hold all of them in memory for many.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils.module_loading import import_string

from portal.ledger import keys, notes
from portal.ledger.models import Body, Disposal, Entry, Key

KEY_VERBS = ("ledger.key_begun", "ledger.key_rotated", "ledger.key_replaced")
DISPOSED = "ledger.disposed"


@dataclass(frozen=True)
class Disagreement:
    seq: int
    what: str


def first(*, after: int, upto: int) -> Disagreement | None:
    """Ask every check that the setting names. Return the disagreement about the lowest Entry."""
    found = [one for name in settings.LEDGER_CHECKS for one in import_string(name)(after=after, upto=upto)]
    return min(found, key=lambda one: one.seq, default=None)


def keys_agree(*, after: int, upto: int) -> Iterator[Disagreement]:
    """Each Key is what an Entry began, and the key before it has signed for it. Looks at all of them: they are few."""
    begun = {entry.seq: entry for entry in Entry.objects.filter(verb__in=KEY_VERBS, seq__lte=upto)}
    said = _said(begun)
    before: notes.PublicKey | None = None
    for number, key in enumerate(Key.objects.order_by("number").filter(begun_by__lte=upto), start=1):
        entry, body = begun.pop(key.begun_by_id, None), said.get(key.begun_by_id, {})
        now = keys.public_key(key)
        if entry is None or key.number != number or key.since != entry.at or not _begins(entry, body, before, now):
            yield Disagreement(key.begun_by_id, f"the row of key {number} is not what an Entry began")
        before = now
    for seq in begun:
        yield Disagreement(seq, "it begins a key that has no row")


def _begins(entry: Entry, body: dict, before: notes.PublicKey | None, now: notes.PublicKey) -> bool:
    if before is None:
        return entry.verb == "ledger.key_begun" and body.get("key") == str(now)
    if (body.get("before"), body.get("after")) != (str(before), str(now)):
        return False
    if entry.verb == "ledger.key_replaced":
        return True  # nobody could sign; a note of every verification says so
    return entry.verb == "ledger.key_rotated" and keys.is_signed_over(body, before, now)


def disposals_agree(*, after: int, upto: int) -> Iterator[Disagreement]:
    """Each Disposal is named by the Entry that ordered it, which came later, and each that is named has its row."""
    rows = Disposal.objects.filter(ordered_by__gt=after, ordered_by__lte=upto)
    ordered = set(rows.values_list("ordered_by", flat=True))
    orders = Entry.objects.filter(verb=DISPOSED, seq__gt=after, seq__lte=upto).values_list("seq", flat=True)
    for order in sorted(ordered | set(orders)):
        entry = Entry.objects.filter(seq=order, verb=DISPOSED).first()
        named = _seqs(_said([order]).get(order, {})) if entry else set()
        rows = set(Disposal.objects.filter(ordered_by=order).values_list("seq", flat=True))
        for seq in sorted(named ^ rows):
            yield Disagreement(min(seq, order), f"the disposal of Entry {seq} is not what Entry {order} ordered")
        if any(seq >= order for seq in rows):
            yield Disagreement(order, "it orders the disposal of what came after it")


def _seqs(body: dict) -> set[int]:
    return {seq for first, last in body.get("seqs", []) for seq in range(first, last + 1)}


def _said(seqs: Iterable[int]) -> dict[int, dict]:
    """Return what these Entries say, as far as it can be read."""
    said = {}
    for body in Body.objects.filter(entry__in=list(seqs)):
        try:
            said[body.entry_id] = json.loads(bytes(body.content))
        except (ValueError, TypeError):
            said[body.entry_id] = {}
    return said
