"""Reads the ledger and says whether it is what was written: Entries, Seals, the copies outside, the rows beside.

A Walk reads in order and can be put down and taken up again. It stops at the first Entry that is bad, repairs nothing,
and holds a few thousand Entries in memory at most.
"""

from collections.abc import Iterable, Sequence

from django.db import connection

from portal.ledger import checks, keys, merkle, proofs, reading, rows, rules, sealing
from portal.ledger.findings import Fault
from portal.ledger.models import Entry, Key, Node, Seal, Verification
from portal.ledger.outside import Outside
from portal.ledger.seals import SealCheck

CHUNK = 5_000
A_PERSON = 50  # Entries that can be read in the time in which one person's rows of a table are compared
MOST_NOTES = 20


class Walk:
    """One reading, from the first Entry or from a Seal that was verified before, up to the Entry that is last now.

    Others go on writing, sealing and disposing meanwhile, which must not look like tampering.
    """

    def __init__(self, *, outside: Iterable[Outside] = (), state: dict | None = None) -> None:
        state = state or {"after": 0, "seq": 0, "prev": rules.GENESIS.hex(), "edge": ""}
        self.seals = SealCheck(state.get("seals"))  # before the last Entry is looked for: a Seal never covers more
        self.upto: int = state.get("upto") or _last_seq()
        self.after, self.seq = state["after"], state["seq"]
        self.prev = bytes.fromhex(state["prev"])
        self.edge = merkle.Edge.from_bytes(self.seq, bytes.fromhex(state["edge"]))
        self.vouched = state.get("vouched", self.seq)  # the last Entry that a Seal has been compared for
        self.vouched_outside = state.get("vouched_outside", 0)  # …and a copy that had left the machine
        self.last_at: str = state.get("last_at", "")
        self.notes: list[dict] = state.get("notes", [])
        self.outside = sorted(outside, key=lambda copy: copy.size)
        self.compared = state.get("compared", 0)  # copies outside
        self.rows = rows.Comparison(self.after, state.get("rows"))
        self.is_read = state.get("is_read", False)  # all but the rows
        self.fault: Fault | None = None
        self.is_finished = False

    @classmethod
    def since(cls, seal: Seal, *, outside: Iterable[Outside] = ()) -> "Walk":
        """Begin at a Seal that was verified before; the Seal itself is looked at again."""
        entry = Entry.objects.filter(seq=seal.size).first()
        state = {"after": seal.size, "seq": seal.size, "edge": bytes(seal.edge).hex()}
        state |= {"prev": bytes(entry.digest).hex() if entry else "", "seals": {"number": seal.number - 1}}
        try:
            sealing.edge_of(seal)
            place = {"leaf": bytes.fromhex(state["prev"]), "index": seal.size - 1, "size": seal.size}
            path = proofs.tree_of(seal).inclusion(seal.size - 1)
            sound = merkle.root_by_inclusion(**place, path=path) == bytes(seal.root)
        except ValueError:
            sound = False
        if not sound:
            return cls(outside=outside)  # whatever is wrong there: only the whole ledger can tell
        return cls(outside=outside, state=state)

    def state(self) -> dict:
        """Return where the walk stands, as JSON can hold it."""
        return {
            "after": self.after,
            "seq": self.seq,
            "upto": self.upto,
            "prev": self.prev.hex(),
            "edge": self.edge.to_bytes().hex(),
            "vouched": self.vouched,
            "vouched_outside": self.vouched_outside,
            "last_at": self.last_at,
            "notes": self.notes,
            "seals": self.seals.state(),
            "compared": self.compared,
            "is_read": self.is_read,
            "rows": self.rows.state(),
        }

    def advance(self, most: int) -> None:
        """Read up to ``most`` Entries, and after the last one what stands beside them, some people at a time."""
        self._compare()
        while most > 0 and not self.fault and self.seq < self.upto:
            entries = reading.rows(after=self.seq, upto=self.upto, most=min(most, CHUNK))
            self._take(entries)
            most -= len(entries)
        if not self.fault and self.seq >= self.upto and not self.is_read:
            self._end()
            self.is_read = True
        while most > 0 and not self.fault and self.is_read and not self.rows.is_finished:
            most -= A_PERSON * self.rows.advance()
        if self.is_read and self.rows.is_finished:
            self.fault = self.fault or self.rows.fault()
            self.is_finished = True
        self.is_finished = self.is_finished or self.fault is not None

    def finish(self) -> "Walk":
        while not self.is_finished:
            self.advance(1_000_000)
        return self

    def _take(self, entries: Sequence[tuple]) -> None:
        """Check one chunk of Entries, and what the Seals say about it."""
        seen = reading.check(entries, after=self.seq, prev=self.prev, last_at=self.last_at)
        for seq in seen.steps_back:
            self._note("time_back", seq=seq)
        self._grow(seen.digests)
        if self.fault:
            return  # an earlier Entry than where the chunk breaks off
        if seen.digests:
            self.prev, self.last_at = seen.digests[-1], seen.last_at
        self.fault = seen.fault or (None if entries else Fault(self.seq + 1, "missing"))

    def _grow(self, digests: Sequence[bytes]) -> None:
        """Let the tree grow by these Entries, and compare it wherever a Seal or a copy outside stands."""
        grown, at = [], 0
        while at < len(digests) and not self.fault:
            count = min(self._next_stop() - self.edge.size, len(digests) - at)
            grown += self.edge.extend(digests[at : at + count])
            at += count
            self._compare()
        self.seq = self.edge.size
        if not self.fault:
            self.fault = _node_fault(grown, upto=self.seals.covered)

    def _next_stop(self) -> int:
        seal, copy = self.seals.next(), self.outside[self.compared] if self.compared < len(self.outside) else None
        sizes = [one.size for one in (seal, copy) if one and one.size > self.edge.size]
        return min(sizes, default=1 << 62)

    def _compare(self) -> None:
        """Compare the tree with every Seal and copy outside that stands at its size; Seals first."""
        root: bytes | None = None
        while not self.fault and (seal := self.seals.next()) and seal.size <= self.edge.size:
            root = root or self.edge.root()
            self.fault = self.seals.fault(seal, self.edge, root, vouched=self.vouched)
            if not self.fault:
                self.vouched = seal.size
                self.seals.passed(seal)
        while (
            not self.fault and self.compared < len(self.outside) and self.outside[self.compared].size <= self.edge.size
        ):
            copy = self.outside[self.compared]
            root = root or self.edge.root()
            # One that stands before the beginning of this walk was compared by an earlier one.
            at_hand = root if copy.size == self.edge.size else None
            self.fault = copy.fault(at_hand, vouched=self.vouched_outside)
            self.vouched_outside = max(self.vouched_outside, copy.size)
            self.compared += 1
        for number in self.seals.steps_back():
            self._note("seal_time_back", seal=number)

    def _end(self) -> None:
        self.fault = (
            self.seals.end_fault(self.upto)
            or next((copy.beyond(self.upto) for copy in self.outside[self.compared :]), None)
            or _end_fault(self.upto, self.prev)
        )
        if self.fault:
            return
        if keys.fits_file() is False and Key.objects.exists():
            self.fault = Fault(Key.objects.order_by("number").last().begun_by_id, "key_file")
        elif found := checks.first(after=self.after, upto=self.upto):
            self.fault = Fault(found.seq, "check", {"what": found.what})
        for seq in Entry.objects.filter(verb="ledger.key_replaced", seq__gt=self.after).values_list("seq", flat=True):
            self._note("key_replaced", seq=seq)
        if self.upto and not self.seals.number:
            self._note("unsealed")

    def _note(self, code: str, **detail: int) -> None:
        kinds = [note for note in self.notes if note["code"] == code]
        if len(kinds) < MOST_NOTES:
            self.notes.append({"code": code, **detail})
            return
        more = next((note for note in self.notes if note.get("of") == code), None)
        if more is None:
            more = {"code": "more", "of": code, "count": 0}
            self.notes.append(more)
        more["count"] += 1


def verify(*, outside: Iterable[Outside] = ()) -> Walk:
    """Read the whole ledger. Return the walk: what it read, its notes, and its fault if there is one."""
    return Walk(outside=outside).finish()


def told(walk: Walk) -> dict:
    """Return what a walk read and found, as a Verification keeps it."""
    return {
        "after": walk.after,
        "upto": walk.seq,
        "seals": walk.seals.seen,
        "outside": walk.compared,
        "notes": walk.notes,
        "fault_seq": walk.fault.seq if walk.fault else None,
        "fault_code": walk.fault.code if walk.fault else "",
        "fault_detail": walk.fault.detail if walk.fault else {},
    }


def last_verified_seal() -> Seal | None:
    """Return the newest Seal that the last verification has covered, None if that found a fault or there was none."""
    last = Verification.objects.order_by("ended_at", "pk").last()
    if last is None or not last.is_sound:
        return None
    return Seal.objects.filter(size__lte=last.upto, at__lte=last.ended_at).order_by("number").last()


def _last_seq() -> int:
    return Entry.objects.order_by("-seq").values_list("seq", flat=True).first() or 0


def _node_fault(grown: Sequence[merkle.Grown], *, upto: int) -> Fault | None:
    """Compare inner nodes with those that were kept with the Seals that cover up to ``upto``."""
    for level in sorted({level for level, _, _ in grown}):
        width = merkle.TILE**level
        wanted = {index: node for at, index, node in grown if at == level and (index + 1) * width <= upto}
        if not wanted:
            continue
        kept = Node.objects.filter(level=level, index__gte=min(wanted), index__lte=max(wanted))
        found = {index: bytes(digest) for index, digest in kept.values_list("index", "digest")}
        for index, node in sorted(wanted.items()):
            if found.get(index) != node:
                return Fault(index * width + 1, "node")
    return None


def _end_fault(upto: int, prev: bytes) -> Fault | None:
    """Compare the head with the last Entry, in one look, since others go on writing; and look for strays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT seq FROM ledger_head WHERE id = 1), (SELECT digest FROM ledger_head WHERE id = 1), "
            "max(seq), min(seq), count(*), (SELECT max(entry_id) FROM ledger_body), "
            "(SELECT digest FROM ledger_entry WHERE seq = (SELECT seq FROM ledger_head WHERE id = 1)) FROM ledger_entry"
        )
        head, head_digest, last, first, count, last_body, digest = cursor.fetchone()
    last = last or 0
    if (head or 0) != last or (last and bytes(head_digest) != bytes(digest)):
        return Fault(min(last if head is None else head, last) + 1, "head")
    if last == upto and last and bytes(digest) != prev:
        return Fault(last, "digest")
    if count != last or (last and first != 1):
        return Fault(1, "count")
    if (last_body or 0) > last:
        return Fault(last + 1, "body_strays")
    return None
