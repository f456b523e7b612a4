"""Notes and checkpoints against what C2SP, Go's sumdb and its log have published."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from portal.ledger import notes

# golang.org/x/mod, sumdb/note/note_test.go: keys, text and signatures.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)  # fmt: skip
PETER_SIGNED = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_SIGNED = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)
# Checkpoints of sum.golang.org. The first has the size, root and signature of the example in c2sp.org/tlog-checkpoint.
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
CHECKPOINTS = [
    (
        20852163,
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=",
        "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=",
    ),
    (
        15081221,
        "BoMMe1wd25Tco0mYGROkyqxHZWx+hcSCtMV315Lu6Lg=",
        "Az3grilD7vQqTrv66jRgKM84Y80KTprrSt4bKmiOPxgmS5ZVBTeCl6dUvjYnN13R+C8j0jGY1WnUADGMkok3U0m2Zgo=",
    ),
]


def known(*texts: str) -> list[notes.PublicKey]:
    return [notes.PublicKey.parse(text) for text in texts]


def test_a_note_is_signed_as_go_signs_it():
    import base64

    private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(PETERS_SEED)[1:])
    signer = notes.Signer("PeterNeumann", private)
    assert str(signer.public) == PETER
    assert notes.sign(TEXT, signer) == f"{TEXT}\n{PETER_SIGNED}"


@pytest.mark.parametrize(
    ("trusted", "signers"), [([PETER], ["PeterNeumann"]), ([PETER, ENOCH], ["PeterNeumann", "EnochRoot"])]
)
def test_a_note_of_two_signers_is_opened_by_whom_one_knows(trusted, signers):
    text, signed_by = notes.opened(f"{TEXT}\n{PETER_SIGNED}{ENOCH_SIGNED}", known(*trusted))
    assert text == TEXT
    assert [key.name for key in signed_by] == signers


def test_a_signature_that_is_there_twice_counts_once():
    _, signed_by = notes.opened(f"{TEXT}\n{PETER_SIGNED}{PETER_SIGNED}", known(PETER))
    assert len(signed_by) == 1


@pytest.mark.parametrize(
    "note",
    [
        f"{TEXT}\n{ENOCH_SIGNED}",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n{PETER_SIGNED[:-1]}",
        f"\x01{TEXT}\n{PETER_SIGNED}",
        f"{TEXT}\n— Bad Name {PETER_SIGNED.split()[2]}\n",
        f"{TEXT}\n{PETER_SIGNED}Unexpected line.\n",
        f"{TEXT}\n{PETER_SIGNED * 101}",
        f"{TEXT}\n{PETER_SIGNED[:60]}ABCD{PETER_SIGNED[60:]}",
        f"x{TEXT}\n{PETER_SIGNED}",
        f"{TEXT}\n{PETER_SIGNED.replace('=', '')}",
        f"{TEXT}\n{PETER_SIGNED.replace('PeterNeumann', 'CarmenSandiego')}",
        f"{TEXT}\n{PETER_SIGNED.replace('x08g', 'xxxx')}",
    ],
    ids=[
        "only a stranger", "no signature", "an empty line and none", "cut off", "a control character", "a bad name",
        "another line", "too many", "a longer signature", "another text", "no padding", "another name", "another id",
    ],
)  # fmt: skip
def test_a_bad_note_is_refused(note):
    with pytest.raises(notes.BadNote):
        notes.opened(note, known(PETER))


def test_no_part_and_no_misprint_of_a_public_key_is_taken_for_one():
    """As Go's own test does it: every part, and every character turned into the next."""
    bad = [PETER[i:j] for i in range(len(PETER)) for j in range(i + 1, len(PETER) + 1) if (i, j) != (0, len(PETER))]
    bad += [f"{PETER[:i]}{chr(ord(PETER[i]) + 1)}{PETER[i + 1 :]}" for i in range(len(PETER))]
    bad += [  # wrong length, unknown algorithm; with the id that would fit
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ]
    for text in bad:
        with pytest.raises(notes.BadNote):
            notes.PublicKey.parse(text)


@pytest.mark.parametrize(("size", "root", "signature"), CHECKPOINTS)
def test_checkpoints_of_a_public_log_are_opened_and_written_alike(size, root, signature):
    note = f"go.sum database tree\n{size}\n{root}\n\n— sum.golang.org {signature}\n"
    text, [signed_by] = notes.opened(note, known(SUMDB))
    said = notes.Checkpoint.parse(text)
    assert (said.origin, said.size, str(said), str(signed_by)) == ("go.sum database tree", size, text, SUMDB)


def test_our_own_lines_of_a_checkpoint_are_found_by_their_word():
    said = notes.Checkpoint.parse(f"log\n1\n{CHECKPOINTS[0][1]}\ntime now\nprev 00\n")
    assert (said.line("time"), said.line("prev")) == ("now", "00")
    with pytest.raises(notes.BadNote):
        said.line("size")


@pytest.mark.parametrize(
    "text",
    [
        "log\n1\n",
        f"log\n01\n{CHECKPOINTS[0][1]}\n",
        f"log\n-1\n{CHECKPOINTS[0][1]}\n",
        f"log\n1\n{CHECKPOINTS[0][1]}",
        f"log\n1\n{CHECKPOINTS[0][1]}\n\n",
        f"\n1\n{CHECKPOINTS[0][1]}\n",
        "log\n1\nBoMM\n",
        "log\n1\n" + CHECKPOINTS[0][1][:-2] + "J=\n",  # the same bytes, written as they must not be
    ],
)
def test_what_is_no_checkpoint_is_refused(text):
    with pytest.raises(notes.BadNote):
        notes.Checkpoint.parse(text)


@given(st.text(max_size=40).map(lambda text: f"{text}\n"))
def test_what_was_signed_is_opened_and_the_rest_is_refused(text):
    signer = notes.Signer("log", Ed25519PrivateKey.generate())
    try:
        note = notes.sign(text, signer)
    except (notes.BadNote, UnicodeEncodeError):
        return
    assert notes.opened(note, [signer.public]) == (text, [signer.public])
    with pytest.raises(notes.BadNote):
        notes.opened("x" + note, [signer.public])
