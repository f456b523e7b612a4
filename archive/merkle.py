"""The tree over one batch of messages, hashed as RFC 9162 section 2.1.1 says."""

import hashlib
from collections.abc import Sequence


def root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle root of the leaves' bytes; of none, the hash of nothing.

    Pairing level by level and carrying an odd last node upward gives the RFC's tree, whose left half is the largest
    power of two smaller than the whole.
    """
    if not leaves:
        return hashlib.sha256().digest()
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0]
