"""What a verification asks of a Seal: that it is what was signed, by a key of its time, and follows the one before."""

from hashlib import sha256

from portal.ledger import keys, merkle, notes, rules
from portal.ledger.findings import Fault
from portal.ledger.models import Key, Node, Seal

CHUNK = 500


class SealCheck:
    """Goes through the Seals in order, those that were there at the beginning. ``number`` is the last that passed."""

    def __init__(self, state: dict | None = None) -> None:
        state = state or {}
        self.number: int = state.get("number", 0)
        self.seen: int = state.get("seen", 0)
        newest = Seal.objects.order_by("number").last()
        self.last: int = state.get("last", newest.number if newest else 0)
        self.covered: int = state.get("covered", newest.size if newest else 0)
        before = Seal.objects.filter(number=self.number).first()
        self._prev = bytes(before.digest) if before else rules.GENESIS
        self._last_at, self._size = (before.at, before.size) if before else (None, 0)
        self._keys = list(Key.objects.order_by("number"))
        self._waiting: list[Seal] = []
        self._stepped_back: list[int] = []

    def state(self) -> dict:
        return {"number": self.number, "seen": self.seen, "last": self.last, "covered": self.covered}

    def next(self) -> Seal | None:
        if not self._waiting:
            later = Seal.objects.filter(number__gt=self.number, number__lte=self.last)
            self._waiting = list(later.order_by("number")[:CHUNK])
        return self._waiting[0] if self._waiting else None

    def passed(self, seal: Seal) -> None:
        self._waiting.pop(0)
        if self._last_at and seal.at < self._last_at:
            self._stepped_back.append(seal.number)
        self.number, self.seen = seal.number, self.seen + 1
        self._prev, self._last_at, self._size = bytes(seal.digest), seal.at, seal.size

    def steps_back(self) -> list[int]:
        """Return the Seals, since the last question, that were made before the Seal before them."""
        told, self._stepped_back = self._stepped_back, []
        return told

    def fault(self, seal: Seal, edge: merkle.Edge, root: bytes, *, vouched: int) -> Fault | None:
        """Return what is wrong with the Seal that is next, beside the tree as it is at its size.

        ``vouched`` is the last Entry that the Seal before it has been compared for.
        """
        if seal.number != self.number + 1:
            return Fault(vouched + 1, "seal_missing", {"seal": self.number + 1})
        if code := self._code(seal, edge, root):
            return Fault(vouched + 1, code, {"seal": seal.number, "upto": seal.size})
        return None

    def end_fault(self, upto: int) -> Fault | None:
        """Return what is wrong with Seals after the last Entry: one that covers more, or one that is gone."""
        if seal := self.next():
            return Fault(upto + 1, "seal_beyond", {"seal": seal.number, "upto": seal.size})
        last = Node.objects.order_by("level", "-index").first()  # inner nodes come with the Seal that covers them
        covered = Seal.objects.order_by("number").values_list("size", flat=True).last() or 0
        if last and (last.index + 1) * merkle.TILE**last.level > covered:
            return Fault(covered + 1, "seal_missing", {"seal": self.number + 1})
        return None

    def _code(self, seal: Seal, edge: merkle.Edge, root: bytes) -> str | None:
        if bytes(seal.prev) != self._prev:
            return "seal_order"
        try:
            text, signed_by = notes.opened(seal.note, [keys.public_key(key) for key in self._keys])
            said = notes.Checkpoint.parse(text)
        except notes.BadNote:
            return "seal_note"
        if not _columns_agree(seal, said):
            return "seal_columns"
        if not any(self._is_valid(seal, key) for key in signed_by):
            return "seal_key"
        if seal.size < self._size:
            return "seal_shrinks"
        if bytes(seal.root) != root:
            return "seal_root"
        return None if bytes(seal.edge) == edge.to_bytes() else "seal_edge"

    def _is_valid(self, seal: Seal, signed_by: notes.PublicKey) -> bool:
        """A key signs from the Entry that began it on, and before the Entry that began the next."""
        later = [*self._keys[1:], None]
        for key, following in zip(self._keys, later, strict=False):
            if keys.public_key(key) == signed_by and seal.key_id == signed_by.id.hex():
                return key.begun_by_id <= seal.size and (following is None or seal.size < following.begun_by_id)
        return False


def _columns_agree(seal: Seal, said: notes.Checkpoint) -> bool:
    lines = (f"time {rules.timestamp(seal.at)}", f"prev {bytes(seal.prev).hex()}")
    return (
        (said.size, said.root, said.lines) == (seal.size, bytes(seal.root), lines)
        and said.origin == Key.objects.values_list("name", flat=True).first()
        and sha256(seal.note.encode()).digest() == bytes(seal.digest)
    )
