"""Proofs, and that a stranger can check them with docs/ledger.md alone."""

import json
import re
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from portal.ledger import keys, merkle, notes, proofs, rules, sealing, services
from portal.ledger.models import Entry, Node, Seal
from tests.ledger.checker import PAGE

pytestmark = pytest.mark.django_db
OF_A_LEAF, OF_SEALS = (json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
[VKEY] = OF_A_LEAF["keys"]


def test_the_checker_proves_the_vectors_of_the_page(checked):
    assert checked(OF_A_LEAF, VKEY) == (
        0,
        "PROVED: entry 2 (archive.batch_imported, 2026-03-31T15:59:59.000001Z) is under the seal over 3 entries.\n"
        f"PROVED: it says {OF_A_LEAF['body']}\n"
        "PROVED: leaf 2 of that batch is 7468697264206d657373616765\n",
    )
    assert checked(OF_SEALS, VKEY) == (
        0,
        "PROVED: the 2 entries under the first seal are under the second, unchanged.\n",
    )


def test_the_vectors_of_the_page_are_what_this_code_computes():
    """If this fails, proofs that were handed out can no longer be checked."""
    prev, digests = rules.GENESIS, []
    signer = notes.Signer("example.com/ledger", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    messages = [merkle.leaf_hash(text) for text in (b"first message", b"second message", b"third message")]
    batch = {"batch": 1, "count": 3, "root": merkle.root_of(messages).hex()}
    said = [
        ("people.added", {"before": None}),
        ("archive.batch_imported", batch),
        ("people.moved", {"reason": "合规审查"}),
    ]
    for seq, (verb, body) in enumerate(said, start=1):
        columns = {
            "seq": seq,
            "at": rules.datetime(2026, 3, 31, 15, 59, 59, seq - 1, rules.UTC),
            "verb": verb,
            "actor": "system:import_people",
            "subject": "0" * 32,
            "commitment": rules.commitment(bytes([seq]) * 32, rules.canonical(body)),
            "prev": prev,
        }
        digests.append(prev := rules.entry_digest(**columns))
        if seq == 2:
            assert rules.leaf(**columns).decode() == OF_A_LEAF["entry"]
    first, second = (
        notes.sign(
            sealing.text_of(
                origin=signer.name, size=size, root=merkle.root_of(digests[:size]), prev=before,
                at=rules.datetime(2026, 3, 31, hour, tzinfo=rules.UTC),
            ),
            signer,
        )
        for size, hour, before in ((2, 16, rules.GENESIS), (3, 17, sha256(OF_SEALS["first_seal"].encode()).digest()))
    )  # fmt: skip
    assert (first, second, str(signer.public)) == (OF_SEALS["first_seal"], OF_SEALS["seal"], VKEY)
    assert [node.hex() for node in merkle.Tree.over(digests).inclusion(1)] == OF_A_LEAF["path"]
    assert [node.hex() for node in merkle.Tree.over(digests).consistency(2)] == OF_SEALS["path"]
    assert [node.hex() for node in merkle.Tree.over(messages).inclusion(2)] == OF_A_LEAF["batch"]["path"]
    assert OF_A_LEAF["seal"] == second
    assert digests[2].hex() in PAGE


TOUCHED = [
    lambda proof: proof.update(entry=proof["entry"].replace("imported", "invented")),
    lambda proof: proof.update(path=proof["path"][:-1]),
    lambda proof: proof.update(path=[*proof["path"], "00" * 32]),
    lambda proof: proof.update(path=["00" * 32, *proof["path"][1:]]),
    lambda proof: proof.update(seal=proof["seal"].replace("17:00", "18:00")),
    lambda proof: proof.update(seal=proof["seal"].replace("\n3\n", "\n4\n")),
    lambda proof: proof.update(body=proof["body"].replace("3", "2")),
    lambda proof: proof.update(salt="00" * 32),
    lambda proof: proof["batch"].update(leaf="00"),
    lambda proof: proof["batch"].update(index=1),
    lambda proof: proof["batch"].update(path=[]),
]


@pytest.mark.parametrize("touch", TOUCHED, ids=range(len(TOUCHED)))
def test_the_checker_proves_nothing_that_was_touched(checked, touch):
    proof = json.loads(json.dumps(OF_A_LEAF))
    touch(proof)
    status, said = checked(proof, VKEY)
    assert status != 0
    assert "NOT PROVED" in said or "InvalidSignature" in said


def test_the_checker_trusts_no_other_key(checked):
    other = notes.PublicKey("example.com/ledger", bytes(32))
    assert checked(OF_A_LEAF, str(other)) == (1, "NOT PROVED: the seal is not signed with this key\n")


def test_an_entry_of_a_long_log_is_proved_under_its_first_seal_and_under_any_later_one(write, checked, count_queries):
    write(600)
    first = sealing.seal()
    write(500)
    second = sealing.seal()
    [key] = keys.public_keys()
    for seq in (1, 256, 257, 600):
        entry = Entry.objects.get(seq=seq)
        for seal in (first, second):
            status, said = checked(proofs.of_entry(entry=entry, seal=seal), str(key))
            assert (status, f"entry {seq} " in said, f"over {seal.size} entries" in said) == (0, True, True), said
    assert proofs.of_entry(entry=Entry.objects.get(seq=601))["seal"] == first.note
    assert proofs.of_entry(entry=Entry.objects.get(seq=602))["seal"] == second.note
    entry = Entry.objects.get(seq=300)
    assert count_queries(lambda: proofs.of_entry(entry=entry, seal=second)) <= 5
    assert checked(proofs.of_seals(first=first, second=second), str(key))[0] == 0


def test_seals_of_two_keys_are_proved_to_be_one_log(write, checked):
    write(5)
    first = sealing.seal()
    keys.rotate(by="system:test", reason="yearly")
    second = sealing.seal()
    old, new = map(str, keys.public_keys())
    assert checked(proofs.of_seals(first=first, second=second), new, old)[0] == 0
    assert checked(proofs.of_seals(first=first, second=second), new)[0] == 1


def test_a_message_of_a_batch_is_proved_from_the_entry_that_holds_the_batchs_root(write, checked):
    write(3)
    prints = [sha256(str(n).encode()).digest() for n in range(40)]
    root = merkle.root_of(map(merkle.leaf_hash, prints))
    with transaction.atomic():
        body = {"count": len(prints), "root": root.hex()}
        entry = services.append(verb="archive.batch_imported", actor="system:a", subject="system:archive", body=body)
    sealing.seal()
    [key] = keys.public_keys()
    for index in (0, 17, 39):
        proof = services.of_batch_leaf(entry=entry, leaves=prints, index=index)
        status, said = checked(proof, str(key))
        assert (status, f"leaf {index} of that batch is {prints[index].hex()}" in said) == (0, True), said
    with pytest.raises(merkle.BadProof, match="not the leaves of the batch"):
        services.of_batch_leaf(entry=entry, leaves=prints[::-1], index=0)


def test_a_proof_holds_what_an_entry_says_only_if_that_is_asked_for(write, checked):
    [entry] = write(1)
    sealing.seal()
    assert "body" not in proofs.of_entry(entry=entry)
    proof = proofs.of_entry(entry=entry, with_body=True)
    assert 'it says {"n":0}' in checked(proof, *proof["keys"])[1]


def test_what_was_disposed_of_is_still_proved_to_have_been_there(write, checked):
    write(4)
    services.dispose(seqs=[2], rule="R", citation="L", asked_by="a", approved_by="b", by="a")
    sealing.seal()
    entry = Entry.objects.get(seq=2)
    proof = proofs.of_entry(entry=entry)
    assert checked(proof, *proof["keys"])[0] == 0
    with pytest.raises(proofs.NoBody):
        proofs.of_entry(entry=entry, with_body=True)


def test_an_entry_that_no_seal_covers_has_no_proof_yet(write):
    write(1)
    seal = sealing.seal()
    [entry] = write(1)
    with pytest.raises(proofs.NotSealed):
        proofs.of_entry(entry=entry)
    with pytest.raises(proofs.NotSealed):
        proofs.of_entry(entry=entry, seal=seal)


@pytest.mark.parametrize(
    "deed",
    [
        lambda: Entry.objects.filter(seq=3).update(digest=bytes(32)),
        lambda: Node.objects.update(digest=bytes(32)),
        lambda: Node.objects.all().delete(),
        lambda: Seal.objects.update(root=bytes(32)),
    ],
)
def test_no_proof_leaves_that_does_not_lead_to_the_root(write, without_guards, deed):
    write(600)
    sealing.seal()
    deed()
    with pytest.raises(merkle.BadProof):
        proofs.of_entry(entry=Entry.objects.get(seq=2))


def test_a_proof_for_other_tools_is_written_as_c2sp_says(write):
    write(5)
    seal = sealing.seal()
    proof = proofs.of_entry(entry=Entry.objects.get(seq=3))
    head, _, checkpoint = proofs.as_tlog_proof(proof).partition("\n\n")
    first, extra, index, *path = head.split("\n")
    assert (first, index, checkpoint) == ("c2sp.org/tlog-proof@v1", "index 2", seal.note)
    assert notes._unb64(extra.removeprefix("extra ")).decode() == proof["entry"]
    steps = [notes._unb64(step) for step in path]
    leaf = merkle.leaf_hash(proof["entry"].encode())
    assert merkle.root_by_inclusion(leaf=leaf, index=2, size=seal.size, path=steps) == bytes(seal.root)
