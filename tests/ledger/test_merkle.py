"""The tree against the published vectors of certificate transparency, and against the definitions of RFC 9162."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.ledger import merkle

# From the reference of RFC 6962: github.com/transparency-dev/merkle, testonly/constants.go and reference_test.go.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
LEAVES = [merkle.leaf_hash(leaf) for leaf in INPUTS]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [
    (0, 1, []),
    (0, 2, ["96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"]),
    (1, 2, ["6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"]),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    assert merkle.root_of(LEAVES[:size]).hex() == ROOTS[size]
    assert merkle.Tree.over(LEAVES[:size]).root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_inclusion_proofs_are_those_of_certificate_transparency(index, size, path):
    assert [node.hex() for node in merkle.Tree.over(LEAVES[:size]).inclusion(index)] == path
    told = [bytes.fromhex(node) for node in path]
    assert merkle.root_by_inclusion(leaf=LEAVES[index], index=index, size=size, path=told).hex() == ROOTS[size]


@pytest.mark.parametrize(("first", "second", "path"), CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(first, second, path):
    assert [node.hex() for node in merkle.Tree.over(LEAVES[:second]).consistency(first)] == path
    roots = {"first_root": bytes.fromhex(ROOTS[first]), "second_root": bytes.fromhex(ROOTS[second])}
    merkle.check_consistency(first=first, second=second, **roots, path=[bytes.fromhex(node) for node in path])


# --- the definitions of RFC 9162, word by word -------------------------------------------------------------------


def mth(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else merkle.EMPTY_ROOT
    k = half(len(leaves))
    return merkle.node_hash(mth(leaves[:k]), mth(leaves[k:]))


def half(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def path_to(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = half(len(leaves))
    if m < k:
        return [*path_to(m, leaves[:k]), mth(leaves[k:])]
    return [*path_to(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = half(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def some(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(n).encode()) for n in range(count)]


@given(st.integers(1, 70), st.data())
def test_roots_and_proofs_are_what_the_rfc_defines(size, data):
    leaves, index = some(size), data.draw(st.integers(0, size - 1))
    tree = merkle.Tree.over(leaves)
    assert tree.root() == mth(leaves)
    assert tree.inclusion(index) == path_to(index, leaves)
    assert tree.consistency(index + 1) == subproof(index + 1, leaves, True)


@pytest.mark.parametrize("size", [255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_proofs_from_kept_nodes_hold_where_tiles_begin_and_end(size):
    leaves = some(size)
    tree = merkle.Tree.over(leaves)
    for index in {0, 1, 254, size // 2, size - 2, size - 1}:
        path = tree.inclusion(index)
        assert merkle.root_by_inclusion(leaf=leaves[index], index=index, size=size, path=path) == tree.root()
        first = index + 1
        roots = {"first_root": merkle.root_of(leaves[:first]), "second_root": tree.root()}
        merkle.check_consistency(first=first, second=size, **roots, path=tree.consistency(first))


@given(st.integers(0, 700), st.integers(0, 700))
def test_an_edge_that_was_put_down_grows_on_as_if_it_had_not_been(first, more):
    leaves = some(first + more)
    edge = merkle.Edge()
    grown = edge.extend(leaves[:first])
    edge = merkle.Edge.from_bytes(edge.size, edge.to_bytes())
    grown += edge.extend(leaves[first:])
    assert edge.root() == merkle.root_of(leaves)
    assert grown == merkle.Edge().extend(leaves)
    assert all(node == mth(leaves[index * 256**level : (index + 1) * 256**level]) for level, index, node in grown)


@given(st.integers(2, 40), st.data())
def test_a_proof_that_was_touched_does_not_hold(size, data):
    leaves, index = some(size), data.draw(st.integers(0, size - 1))
    tree = merkle.Tree.over(leaves)
    path, root = tree.inclusion(index), tree.root()
    place = data.draw(st.integers(0, len(path) - 1))
    bad = [
        [*path[:place], bytes(32), *path[place + 1 :]],
        path[:-1],
        [*path, bytes(32)],
        [*path[:place], bytes(32), *path[place:]],
    ]
    for touched in bad:
        assert not leads(leaves[index], index, size, touched, root)
    assert not leads(merkle.leaf_hash(b"other"), index, size, path, root)
    assert not leads(leaves[index], index ^ 1, size, path, root)
    assert leads(leaves[index], index, size, path, root)


def leads(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    try:
        return merkle.root_by_inclusion(leaf=leaf, index=index, size=size, path=path) == root
    except merkle.BadProof:
        return False


@given(st.integers(2, 40), st.data())
def test_a_consistency_proof_between_other_trees_does_not_hold(size, data):
    leaves, first = some(size), data.draw(st.integers(1, size - 1))
    path = merkle.Tree.over(leaves).consistency(first)
    good = {"first": first, "second": size, "path": path}
    good |= {"first_root": merkle.root_of(leaves[:first]), "second_root": merkle.root_of(leaves)}
    merkle.check_consistency(**good)
    changes: list[dict] = [
        {"first_root": bytes(32)},
        {"second_root": bytes(32)},
        {"path": [*path, bytes(32)]},
        {"path": path[:-1]},
        {"first": 0},
        {"first": size + 1},
        {"second_root": merkle.root_of([*leaves[:first][::-1], *leaves[first:]])} if first > 1 else {"path": []},
    ]
    for change in changes:
        with pytest.raises(merkle.BadProof):
            merkle.check_consistency(**{**good, **change})


def test_an_edge_of_another_size_is_refused():
    with pytest.raises(ValueError, match="not the edge of a tree of 3"):
        merkle.Edge.from_bytes(3, bytes(32))
