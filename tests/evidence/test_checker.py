"""The stand-alone checker's own arithmetic, beside what others say: RFC 8032, the library, and the log's own tree."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from portal import tables
from portal.evidence import check_pack
from portal.ledger import merkle, notes

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe"
        "24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302ae"
        "eb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28"
        "dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2"
        "a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad"
        "9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_rfc_are_good_and_any_other_bit_is_not(public, message, signature):
    public, message, signature = map(bytes.fromhex, (public, message, signature))
    assert check_pack.ed25519_verifies(public, signature, message)
    for place in (0, 31, 32, 63):
        other = bytearray(signature)
        other[place] ^= 1
        assert not check_pack.ed25519_verifies(public, bytes(other), message)
    assert not check_pack.ed25519_verifies(public, signature, message + b"x")


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_what_the_library_signs_is_good(seed, message):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    assert check_pack.ed25519_verifies(private.public_key().public_bytes_raw(), private.sign(message), message)


def test_a_signature_whose_number_is_not_reduced_is_refused():
    private = Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"message")
    larger = int.from_bytes(signature[32:], "little") + check_pack.ORDER
    assert not check_pack.ed25519_verifies(public, signature[:32] + larger.to_bytes(32, "little"), b"message")


@pytest.mark.parametrize("public", [b"", b"\xff" * 32, (2**255 - 18).to_bytes(32, "little"), b"\x02" + bytes(31)])
def test_what_is_no_point_signs_nothing(public):
    assert not check_pack.ed25519_verifies(public, bytes(64), b"message")


@given(st.text(max_size=20))
def test_a_cell_is_made_safe_as_every_other_table_of_the_portal(text):
    assert check_pack.safe(text) == tables.safe(text)


@given(st.integers(1, 300), st.data())
def test_many_leaves_are_proved_by_what_stands_around_them(size, data):
    leaves = [merkle.leaf_hash(bytes([n % 251, n // 251])) for n in range(size)]
    chosen = sorted(data.draw(st.sets(st.integers(0, size - 1), max_size=size)))
    tree = merkle.Tree.over(leaves)
    nodes = list(tree.around(chosen))
    assert check_pack.root_around({n: leaves[n] for n in chosen}, size, nodes) == tree.root()
    assert merkle.root_around(leaves=[(n, leaves[n]) for n in chosen], size=size, nodes=nodes) == tree.root()
    if nodes:
        with pytest.raises(ValueError, match="missing"):
            check_pack.root_around({n: leaves[n] for n in chosen}, size, nodes[:-1])
    with pytest.raises(ValueError, match="too many"):
        check_pack.root_around({n: leaves[n] for n in chosen}, size, [*nodes, bytes(32)])


@given(st.integers(1, 200), st.integers(1, 200))
def test_one_seal_contains_another_only_by_its_own_path(one, two):
    first, second = sorted((one, two))
    leaves = [merkle.leaf_hash(bytes([n])) for n in range(second)]
    tree = merkle.Tree.over(leaves)
    path = tree.consistency(first)

    def seal(size: int) -> check_pack.Seal:
        found = object.__new__(check_pack.Seal)
        found.size, found.root = size, merkle.root_of(leaves[:size])
        return found

    earlier, later = seal(first), seal(second)
    assert check_pack.contains(later, earlier, path)
    earlier.root = bytes(32)
    assert not check_pack.contains(later, earlier, path)
    assert not check_pack.contains(later, seal(first), [*path, bytes(32)])


def test_notes_are_opened_as_the_log_opens_them():
    signer = notes.Signer("example.com/ledger", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    note = notes.sign("hello\nthere\n", signer)
    key = check_pack.Key(str(signer.public))
    assert check_pack.signers(note, [key]) == ("hello\nthere\n", [key])
    with pytest.raises(ValueError, match="does not fit"):
        check_pack.signers(note.replace("hello", "hallo"), [key])
    with pytest.raises(ValueError, match="not a public key"):
        check_pack.Key(str(signer.public).replace("+9", "+8", 1))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (7, "7"),
        ("=x", "=x"),
        (["b", 1], '["b",1]'),
        ({"b": 1, "a": None}, '{"a":null,"b":1}'),
    ],
)
def test_values_are_told_alike(value, cell):
    assert check_pack.cell(value) == cell
