"""The tree over all Entry digests, and over any batch of leaves: hashing and proofs of RFC 9162, section 2.1.

A leaf hash is SHA-256 over 0x00 and the leaf's bytes; an Entry's digest is one already. An inner node is SHA-256 over
0x01, left and right. The left half of a tree is the largest power of two smaller than the whole.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

EMPTY_ROOT = sha256().digest()
TILE_BITS = 8  # inner nodes are kept for every 256 leaves, every 256 of those, and so on
TILE = 1 << TILE_BITS
HELD = 64  # tiles in memory: who goes through a long tree from left to right needs no more

# (stored level, index, hash): level 1 stands over 256 leaves, level 2 over 65 536.
Grown = tuple[int, int, bytes]
# Gives the hashes [start, end) of a stored level; level 0 are the leaves.
Source = Callable[[int, int, int], Sequence[bytes]]


class BadProof(ValueError):
    """The proof does not show what it claims."""


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Edge:
    """The right edge of a growing tree: roots of its full subtrees, left to right, one for each 1 in ``size``.

    All that is needed to let the tree grow and to tell its root; never more than 64 hashes.
    """

    size: int = 0
    nodes: list[bytes] = field(default_factory=list)

    @classmethod
    def from_bytes(cls, size: int, packed: bytes) -> "Edge":
        """Raises ValueError if so many bytes cannot be the edge of a tree of that size."""
        if size < 0 or len(packed) != 32 * size.bit_count():
            raise ValueError(f"{len(packed)} bytes are not the edge of a tree of {size}")
        return cls(size, [packed[at : at + 32] for at in range(0, len(packed), 32)])

    def to_bytes(self) -> bytes:
        return b"".join(self.nodes)

    def extend(self, leaves: Iterable[bytes]) -> list[Grown]:
        """Append leaf hashes. Return the inner nodes that came to be full and that are worth keeping."""
        nodes, size, grown = self.nodes, self.size, []
        for node in leaves:
            level, rest = 0, size
            while rest & 1:
                node = sha256(b"\x01" + nodes.pop() + node).digest()
                rest >>= 1
                level += 1
                if level % TILE_BITS == 0:
                    grown.append((level // TILE_BITS, size >> level, node))
            nodes.append(node)
            size += 1
        self.size = size
        return grown

    def root(self) -> bytes:
        if not self.nodes:
            return EMPTY_ROOT
        root = self.nodes[-1]
        for node in reversed(self.nodes[:-1]):
            root = node_hash(node, root)
        return root


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    edge = Edge()
    edge.extend(leaf_hashes)
    return edge.root()


class Tree:
    """Proofs about the first ``size`` leaves of a tree whose kept nodes ``source`` gives, read a tile at a time."""

    def __init__(self, size: int, source: Source) -> None:
        self.size = size
        self._source = source
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}

    @classmethod
    def over(cls, leaf_hashes: Sequence[bytes]) -> "Tree":
        """A tree whose leaves are all at hand, such as one batch."""
        kept: dict[int, dict[int, bytes]] = {}
        for level, index, node in Edge().extend(leaf_hashes):
            kept.setdefault(level, {})[index] = node

        def source(level: int, start: int, end: int) -> Sequence[bytes]:
            if level == 0:
                return leaf_hashes[start:end]
            row = kept.get(level, {})
            return [row[index] for index in range(start, end) if index in row]

        return cls(len(leaf_hashes), source)

    def root(self) -> bytes:
        return self._range(0, self.size) if self.size else EMPTY_ROOT

    def inclusion(self, index: int) -> list[bytes]:
        """Return the path from leaf ``index`` up to the root, nearest first. Raises ValueError beyond the tree."""
        if not 0 <= index < self.size:
            raise ValueError(f"leaf {index} is not in a tree of {self.size}")
        path, start, count = [], 0, self.size
        while count > 1:
            split = _split(count)
            if index < start + split:
                path.append(self._range(start + split, count - split))
                count = split
            else:
                path.append(self._range(start, split))
                start, count = start + split, count - split
        return path[::-1]

    def consistency(self, first: int) -> list[bytes]:
        """Return the proof that the tree of the ``first`` leaves is the beginning of this one."""
        if not 0 < first <= self.size:
            raise ValueError(f"a tree of {first} is not the beginning of one of {self.size}")
        path, start, count, whole = [], 0, self.size, True
        while first != start + count:
            split = _split(count)
            if first <= start + split:
                path.append(self._range(start + split, count - split))
                count = split
            else:
                path.append(self._range(start, split))
                start, count, whole = start + split, count - split, False
        return path[::-1] if whole else [self._range(start, count), *path[::-1]]

    def around(self, indexes: Sequence[int]) -> Iterator[bytes]:
        """Yield the roots of the largest subtrees that hold none of these leaves, left to right.

        Together with the leaves they give the root (``root_around``): one proof for many leaves, in which no hash
        stands twice. ``indexes`` ascend, each once. Raises ValueError beyond the tree.
        """
        if any(after <= before for before, after in pairwise(indexes)):
            raise ValueError("the leaves do not ascend")
        if indexes and not 0 <= indexes[0] <= indexes[-1] < self.size:
            raise ValueError(f"a leaf is not in a tree of {self.size}")
        if self.size:
            yield from self._around(indexes, 0, self.size, 0, len(indexes))

    def _around(self, indexes: Sequence[int], start: int, count: int, first: int, end: int) -> Iterator[bytes]:
        if first == end:
            yield self._range(start, count)
        elif count > 1 and end - first < count:  # a subtree that is given whole needs nothing around it
            split = _split(count)
            middle = bisect_left(indexes, start + split, first, end)
            yield from self._around(indexes, start, split, first, middle)
            yield from self._around(indexes, start + split, count - split, middle, end)

    def _range(self, start: int, count: int) -> bytes:
        """The root over [start, start + count), where start is a multiple of the largest power of two in count."""
        if count & (count - 1) == 0:
            return self._full(count.bit_length() - 1, start)
        split = _split(count)
        return node_hash(self._range(start, split), self._range(start + split, count - split))

    def _full(self, level: int, start: int) -> bytes:
        kept, within = divmod(level, TILE_BITS)
        first, count = start >> (kept * TILE_BITS), 1 << within
        number, offset = divmod(first, TILE)
        tile = self._tile(kept, number)
        if offset + count > len(tile):
            raise BadProof(f"nodes {first} to {first + count - 1} of level {kept} are not there")
        return root_of(tile[offset : offset + count])

    def _tile(self, level: int, number: int) -> Sequence[bytes]:
        if (level, number) not in self._tiles:
            end = min((number + 1) * TILE, self.size >> (level * TILE_BITS))
            while len(self._tiles) >= HELD:
                del self._tiles[next(iter(self._tiles))]
            self._tiles[level, number] = self._source(level, number * TILE, end)
        return self._tiles[level, number]


def _split(count: int) -> int:
    """The largest power of two smaller than ``count``, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def root_around(*, leaves: Sequence[tuple[int, bytes]], size: int, nodes: Iterable[bytes]) -> bytes:
    """Return the root that these leaf hashes (index, hash) and the nodes around them lead to. Raises BadProof."""
    indexes, rest = [index for index, _ in leaves], iter(nodes)
    if any(after <= before for before, after in pairwise(indexes)):
        raise BadProof("the leaves do not ascend")
    if size < 1 or (indexes and not 0 <= indexes[0] <= indexes[-1] < size):
        raise BadProof(f"a leaf is not in a tree of {size}")

    def over(start: int, count: int, first: int, end: int) -> bytes:
        if first == end:
            node = next(rest, None)
            if node is None:
                raise BadProof("the proof is too short")
            return node
        if count == 1:
            return leaves[first][1]
        split = _split(count)
        middle = bisect_left(indexes, start + split, first, end)
        return node_hash(over(start, split, first, middle), over(start + split, count - split, middle, end))

    root = over(0, size, 0, len(indexes))
    if next(rest, None) is not None:
        raise BadProof("the proof is too long")
    return root


def root_by_inclusion(*, leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that the path leads to from this leaf hash (RFC 9162, 2.1.3.2). Raises BadProof for its shape."""
    if not 0 <= index < size:
        raise BadProof(f"leaf {index} is not in a tree of {size}")
    node, last = leaf, size - 1
    for step in path:
        if last == 0:
            raise BadProof("the path is too long")
        if index & 1 or index == last:
            node = node_hash(step, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, step)
        index, last = index >> 1, last >> 1
    if last:
        raise BadProof("the path is too short")
    return node


def check_consistency(*, first: int, first_root: bytes, second: int, second_root: bytes, path: Sequence[bytes]) -> None:
    """Raise BadProof unless the path shows the first tree to be the beginning of the second (RFC 9162, 2.1.4.2)."""
    if not 0 < first <= second:
        raise BadProof(f"a tree of {first} is not the beginning of one of {second}")
    if first == second:
        if path or first_root != second_root:
            raise BadProof("trees of one size have one root and an empty proof")
        return
    steps = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not steps:
        raise BadProof("the proof is empty")
    left, last = first - 1, second - 1
    while left & 1:
        left, last = left >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise BadProof("the proof is too long")
        if left & 1 or left == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not left & 1 and left:
                left, last = left >> 1, last >> 1
        else:
            new = node_hash(new, step)
        left, last = left >> 1, last >> 1
    if last or old != first_root or new != second_root:
        raise BadProof("the proof does not lead from the first root to the second")
