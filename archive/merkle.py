"""The tree over one batch of messages, hashed as RFC 9162 section 2.1.1 says, and proofs that a leaf is in it."""

import hashlib
from collections.abc import Sequence


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle root of the leaves' bytes; of none, the hash of nothing.

    Pairing level by level and carrying an odd last node upward gives the RFC's tree, whose left half is the largest
    power of two smaller than the whole.
    """
    if not leaves:
        return hashlib.sha256().digest()
    level = [_of_leaf(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the inclusion path of a leaf, from the leaf upward (RFC 9162 section 2.1.3.1). Raises IndexError."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    level, found = [_of_leaf(leaf) for leaf in leaves], []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):  # an odd last node goes upward alone
            found.append(level[beside])
        level, index = _above(level), index // 2
    return found


def root_from_path(leaf: bytes, index: int, count: int, path: Sequence[bytes]) -> bytes:
    """Return the root to which the path leads from a leaf of a tree of ``count`` leaves (RFC 9162 section 2.1.3.2).

    Raises ValueError if a path of that length cannot be of that leaf.
    """
    if not 0 <= index < count:
        raise ValueError(f"leaf {index} of {count}")
    node, last, steps = _of_leaf(leaf), count - 1, iter(path)
    while last:
        if index % 2 or index < last:
            beside = next(steps, None)
            if beside is None:
                raise ValueError("the path is too short")
            node = _of_pair(beside, node) if index % 2 else _of_pair(node, beside)
        index, last = index // 2, last // 2
    if next(steps, None) is not None:
        raise ValueError("the path is too long")
    return node


def _of_leaf(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def _of_pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _above(level: list[bytes]) -> list[bytes]:
    paired = [_of_pair(left, right) for left, right in zip(level[::2], level[1::2], strict=False)]
    return paired + level[len(paired) * 2 :]
