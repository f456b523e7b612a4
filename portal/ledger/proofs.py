"""Proofs that leave the portal: that an Entry is under a Seal, that a Seal contains an earlier one, that one leaf of a
batch is in an Entry. docs/ledger.md tells a stranger how to check them; every proof is checked here before it goes out.
"""

from base64 import b64encode
from collections.abc import Sequence

from portal.ledger import keys, merkle, rules
from portal.ledger.models import Body, Entry, Node, Seal

FORMAT = "onchannel-proof/1"


class NotSealed(RuntimeError):
    """The Entry is too new: no Seal covers it yet."""


class NoBody(RuntimeError):
    """What the Entry says has been disposed of, so nothing can be proved from it."""


def tree_of(seal: Seal) -> merkle.Tree:
    """Return the tree over the Entries of a Seal. Reading it takes a few queries, however large it is."""
    return merkle.Tree(seal.size, _stored)


def _stored(level: int, start: int, end: int) -> list[bytes]:
    if level == 0:
        rows = Entry.objects.filter(seq__gt=start, seq__lte=end).order_by("seq")
    else:
        rows = Node.objects.filter(level=level, index__gte=start, index__lt=end).order_by("index")
    return [bytes(digest) for digest in rows.values_list("digest", flat=True)]


def seal_over(seq: int) -> Seal:
    """Return the first Seal that covers the Entry. Raises NotSealed."""
    seal = Seal.objects.filter(size__gte=seq).order_by("size", "number").first()
    if seal is None:
        raise NotSealed(seq)
    return seal


def of_entry(*, entry: Entry, seal: Seal | None = None, with_body: bool = False) -> dict:
    """Return the proof that the Entry is under a Seal: by default the first that covers it.

    Holds no personal data unless ``with_body`` adds what the Entry says and its salt. Raises NotSealed, NoBody, and
    merkle.BadProof if the stored rows do not lead to the Seal's root.
    """
    seal = seal or seal_over(entry.seq)
    if seal.size < entry.seq:
        raise NotSealed(entry.seq)
    path = tree_of(seal).inclusion(entry.seq - 1)
    leaf = rules.leaf(**_columns(entry))
    place = {"leaf": merkle.leaf_hash(leaf), "index": entry.seq - 1, "size": seal.size, "path": path}
    if merkle.root_by_inclusion(**place) != bytes(seal.root):
        raise merkle.BadProof(f"Entry {entry.seq} does not lead to the root of Seal {seal.number}")
    proof = {
        "format": FORMAT,
        "entry": leaf.decode(),
        "path": [node.hex() for node in path],
        "seal": seal.note,
        "keys": [str(key) for key in keys.public_keys()],
    }
    return {**proof, **_body(entry)} if with_body else proof


def of_batch_leaf(*, entry: Entry, leaves: Sequence[bytes], index: int, seal: Seal | None = None) -> dict:
    """Return the proof that ``leaves[index]`` is in the batch whose root the Entry's Body names as ``root``.

    ``leaves`` are the bytes of all leaves of the batch, such as the fingerprints of its messages, in their order.
    Raises as of_entry does, and merkle.BadProof if these are not the leaves of that batch.
    """
    proof = of_entry(entry=entry, seal=seal, with_body=True)
    tree = merkle.Tree.over([merkle.leaf_hash(leaf) for leaf in leaves])
    told = rules.read(proof["body"].encode())
    if told.get("root") != tree.root().hex() or told.get("count") != len(leaves):
        raise merkle.BadProof(f"these are not the leaves of the batch in Entry {entry.seq}")
    path = [node.hex() for node in tree.inclusion(index)]
    return {**proof, "batch": {"leaf": leaves[index].hex(), "index": index, "path": path}}


def of_entries(*, digests: Sequence[tuple[int, bytes]], seal: Seal) -> dict:
    """Return one proof for many Entries, given as (seq, digest) in ascending order: the nodes of the tree around them.

    Raises NotSealed if one is too new for the Seal, and merkle.BadProof if they do not lead to its root.
    """
    if digests and digests[-1][0] > seal.size:
        raise NotSealed(digests[-1][0])
    leaves = [(seq - 1, digest) for seq, digest in digests]
    nodes = list(tree_of(seal).around([index for index, _ in leaves]))
    if merkle.root_around(leaves=leaves, size=seal.size, nodes=nodes) != bytes(seal.root):
        raise merkle.BadProof(f"these Entries do not lead to the root of Seal {seal.number}")
    return {"size": seal.size, "nodes": [node.hex() for node in nodes]}


def of_seals(*, first: Seal, second: Seal) -> dict:
    """Return the proof that everything under the first Seal is under the second, unchanged. Raises merkle.BadProof."""
    path = tree_of(second).consistency(first.size)
    sizes = {"first": first.size, "second": second.size}
    roots = {"first_root": bytes(first.root), "second_root": bytes(second.root)}
    merkle.check_consistency(**sizes, **roots, path=path)
    return {
        "format": FORMAT,
        "first_seal": first.note,
        "seal": second.note,
        "path": [node.hex() for node in path],
        "keys": [str(key) for key in keys.public_keys()],
    }


def as_tlog_proof(proof: dict) -> str:
    """Return the proof of an Entry as other tools read it: c2sp.org/tlog-proof, the Entry's bytes as extra data."""
    seq = rules.read(proof["entry"].encode())["seq"]
    path = [b64encode(bytes.fromhex(node)).decode() for node in proof["path"]]
    extra = b64encode(proof["entry"].encode()).decode()
    lines = ["c2sp.org/tlog-proof@v1", f"extra {extra}", f"index {seq - 1}", *path, ""]
    return "\n".join(lines) + "\n" + proof["seal"]


def _columns(entry: Entry) -> dict:
    names = ("seq", "at", "verb", "actor", "subject", "v")
    hashes = {"commitment": bytes(entry.commitment), "prev": bytes(entry.prev)}
    return {name: getattr(entry, name) for name in names} | hashes


def _body(entry: Entry) -> dict:
    body = Body.objects.filter(entry=entry).first()
    if body is None:
        raise NoBody(entry.seq)
    return {"body": bytes(body.content).decode(), "salt": bytes(body.salt).hex()}
