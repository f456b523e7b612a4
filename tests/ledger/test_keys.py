"""The sealing key: made once, closed to others, changed under the old one's signature."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.core.management import CommandError, call_command

from portal.ledger import keys, notes, sealing, services, verifying
from portal.ledger.models import Entry, Key, Seal

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(settings) -> Path:
    return Path(settings.LEDGER_KEY_FILE)


def test_the_first_seal_makes_the_key_for_its_owner_alone_and_begins_it_with_an_entry(write, path):
    write()
    seal = sealing.seal()
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    [key] = Key.objects.all()
    assert services.body_of(key.begun_by) == {"key": str(keys.public_key(key))}
    assert (key.begun_by.verb, seal.size, seal.key_id) == ("ledger.key_begun", 4, keys.public_key(key).id.hex())
    assert [file.name for file in path.parent.iterdir() if "ledger-key" in file.name] == [path.name]


def test_a_key_that_the_firm_names_is_the_firms_to_make(write, settings, path):
    settings.LEDGER_KEY_MAY_BE_MADE = False
    write()
    with pytest.raises(CommandError, match="openssl genpkey -algorithm ed25519"):
        call_command("seal_ledger")
    assert not path.exists()


def test_a_key_that_others_can_read_is_not_used(write, path):
    write()
    sealing.seal()
    path.chmod(0o440)
    with pytest.raises(keys.KeyTrouble, match="can be read by others"):
        sealing.seal()


@pytest.mark.parametrize(
    "content",
    [
        b"no key",
        generate_private_key(SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    ],
    ids=["no key at all", "another kind of key"],
)
def test_what_is_no_ed25519_key_is_refused(write, path, content):
    path.write_bytes(content)
    path.chmod(0o400)
    write()
    with pytest.raises(keys.KeyTrouble, match="is not a"):
        sealing.seal()


def test_a_key_that_vanished_is_not_replaced_in_silence(write, path):
    write()
    sealing.seal()
    path.unlink()
    with pytest.raises(keys.KeyTrouble, match="cannot be read"):
        sealing.seal()
    assert Seal.objects.count() == 1


def test_another_key_in_the_file_does_not_seal(write, path, tmp_path):
    write()
    sealing.seal()
    path.unlink()
    keys._write(path, keys.Ed25519PrivateKey.generate())
    with pytest.raises(keys.KeyTrouble, match="is not the key that this ledger was last signed with"):
        sealing.seal()
    assert verifying.verify().fault.code == "key_file"


def test_the_old_key_seals_once_more_signs_for_the_new_one_and_is_destroyed(write, path, capsys):
    write()
    sealing.seal()
    before = path.read_bytes()
    write()
    call_command("rotate_ledger_key", by="system:test", reason="yearly")
    old, new = keys.public_keys()
    assert str(new) in capsys.readouterr().out
    assert path.read_bytes() != before
    assert not path.with_name(f"{path.name}.new").exists()
    entry = Entry.objects.get(verb="ledger.key_rotated")
    text, signed_by = notes.opened(services.body_of(entry)["note"], [old, new])
    assert set(signed_by) == {old, new}
    assert text.startswith(f"onchannel key rotation\n{old.name}\nfrom {old}\nto {new}\ntime 2")
    assert [seal.key_id for seal in Seal.objects.all()] == [old.id.hex(), old.id.hex(), new.id.hex()]
    assert [seal.size for seal in Seal.objects.all()] == [4, 7, 8]
    assert services.verify() == (8, None)


@pytest.mark.parametrize(("dies_at", "known"), [("_handed_over", 1), ("_finish_rotation", 2)])
def test_a_change_of_key_that_was_cut_off_leaves_a_key_that_seals(write, monkeypatch, dies_at, known):
    write()
    sealing.seal()
    signer = keys.signer()

    def dies(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keys, "signer", lambda: signer)
        patch.setattr(keys, dies_at, dies)
        with pytest.raises(KeyboardInterrupt):
            keys.rotate(by="system:test", reason="cut off")
    assert Key.objects.count() == known
    write()
    assert sealing.seal().key_id == keys.public_keys()[-1].id.hex()
    keys.rotate(by="system:test", reason="once more")
    sealing.seal()
    assert services.verify()[1] is None


def test_a_lost_key_can_be_replaced_and_every_verification_says_so(write, path):
    write()
    sealing.seal()
    path.unlink()
    call_command("rotate_ledger_key", by="system:test", reason="disk died", lost=True)
    walk = verifying.verify()
    assert walk.fault is None
    assert walk.notes == [{"code": "key_replaced", "seq": Entry.objects.get(verb="ledger.key_replaced").seq}]


def test_a_rotation_without_a_key_is_refused():
    with pytest.raises(CommandError, match="no key yet"):
        call_command("rotate_ledger_key", by="system:test", reason="none", lost=True)


def test_a_name_that_no_note_can_carry_is_refused(write, settings):
    settings.LEDGER_ORIGIN = "two words"
    write()
    with pytest.raises(keys.KeyTrouble, match="holds a space"):
        sealing.seal()


def test_the_name_of_the_log_stays_what_the_first_seal_said(write, settings):
    settings.LEDGER_ORIGIN = "old.example.com/ledger"
    write()
    sealing.seal()
    settings.LEDGER_ORIGIN = "new.example.com/ledger"
    assert sealing.seal().note.startswith("old.example.com/ledger\n")
