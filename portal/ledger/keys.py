"""The key that seals: a file of its own that only the sealing process need read, and the public keys in the open.

Every Key begins with an Entry. That of a later one holds a note which the key before it has signed too.
"""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.ledger import notes, rules
from portal.ledger.appending import append
from portal.ledger.models import Key

SYSTEM = "system:ledger"
HOW = "Make one with: (umask 277; openssl genpkey -algorithm ed25519 -out FILE)."


class KeyTrouble(RuntimeError):
    """The key file cannot be used to seal this ledger; the message says why and what to do."""


class _BegunMeanwhile(Exception):
    """Another process has begun the first key."""


def public_keys() -> list[notes.PublicKey]:
    """Return the keys of this ledger, oldest first."""
    return [public_key(key) for key in Key.objects.order_by("number")]


def public_key(key: Key) -> notes.PublicKey:
    return notes.PublicKey(key.name, bytes(key.public))


def signer() -> notes.Signer:
    """Return who signs the next Seal. On first use the key and its Entry are made. Raises KeyTrouble.

    Only the key of the embedded default makes itself: one that LEDGER_KEY_FILE names is the firm's to make.
    """
    path, newest = Path(settings.LEDGER_KEY_FILE), Key.objects.order_by("number").last()
    if newest is None:
        if not path.exists() and settings.LEDGER_KEY_MAY_BE_MADE:
            _write(path, Ed25519PrivateKey.generate())
        try:
            return _begin(notes.Signer(settings.LEDGER_ORIGIN, _read(path)))
        except _BegunMeanwhile:
            newest = Key.objects.order_by("number").last()
    _finish_rotation(path, newest)
    found = notes.Signer(newest.name, _read(path))
    if found.public.raw != bytes(newest.public):
        raise KeyTrouble(f"{path} is not the key that this ledger was last signed with: see rotate_ledger_key.")
    return found


def fits_file() -> bool | None:
    """Say whether the key file, or the one that waits beside it, is the newest Key; None if none can be read here."""
    newest, path = Key.objects.order_by("number").last(), Path(settings.LEDGER_KEY_FILE)
    found = []
    for file in (path, path.with_name(f"{path.name}.new")):
        with suppress(KeyTrouble):
            found.append(_read(file).public_key().public_bytes_raw())
    return newest is not None and bytes(newest.public) in found if found else None


def rotate(*, by: str, reason: str) -> Key:
    """Make a new key, let the old one sign for it in an Entry, and put it in the old one's place, which is destroyed.

    Killed at any point, the next ``signer`` goes on with whichever of the two keys the ledger names.
    """
    path, old = Path(settings.LEDGER_KEY_FILE), signer()
    return _replace(path, [old], by=by, reason=reason)


def replace_lost(*, by: str, reason: str) -> Key:
    """Begin a new key when the old one is lost: nobody signs for it, and every verification will say so."""
    return _replace(Path(settings.LEDGER_KEY_FILE), [], by=by, reason=reason)


def handover(old: notes.PublicKey, new: notes.PublicKey) -> str:
    """Return the text that both keys sign; a line with the time follows it."""
    return f"onchannel key rotation\n{old.name}\nfrom {old}\nto {new}\n"


@transaction.atomic
def _begin(first: notes.Signer) -> notes.Signer:
    """Make the first Key with its Entry. Raises KeyTrouble; _BegunMeanwhile, which takes the Entry back."""
    if not notes.is_name(first.name):
        raise KeyTrouble(f"LEDGER_ORIGIN={first.name!r} holds a space or a plus, or is empty.")
    entry = append(verb="ledger.key_begun", actor=SYSTEM, subject=SYSTEM, body={"key": str(first.public)})
    if Key.objects.exists():  # looked at again under the head's lock
        raise _BegunMeanwhile
    Key.objects.create(number=1, name=first.name, public=first.public.raw, since=entry.at, begun_by_id=entry.seq)
    return first


def _replace(path: Path, signers: Iterable[notes.Signer], *, by: str, reason: str) -> Key:
    waiting = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):
        waiting.unlink()
    private = Ed25519PrivateKey.generate()
    _write(waiting, private)
    with transaction.atomic():
        key = _handed_over(notes.Signer("", private), list(signers), by=by, reason=reason)
    _finish_rotation(path, key)
    return key


def _handed_over(new: notes.Signer, signers: list[notes.Signer], *, by: str, reason: str) -> Key:
    old = Key.objects.order_by("number").last()
    if old is None:
        raise KeyTrouble("This ledger has no key yet: seal_ledger makes the first one.")
    new = notes.Signer(old.name, new.private)
    text = handover(public_key(old), new.public) + f"time {rules.timestamp(timezone.now())}\n"
    body = {
        "reason": reason,
        "before": str(public_key(old)),
        "after": str(new.public),
        "note": notes.sign(text, *signers, new),
    }
    verb = "ledger.key_rotated" if signers else "ledger.key_replaced"
    entry = append(verb=verb, actor=by, subject=SYSTEM, body=body)
    return Key.objects.create(
        number=old.number + 1, name=old.name, public=new.public.raw, since=entry.at, begun_by_id=entry.seq
    )


def _finish_rotation(path: Path, newest: Key) -> None:
    """Put a new key that the ledger already names in its place, if it still waits beside it."""
    waiting = path.with_name(f"{path.name}.new")
    if not waiting.exists():
        return
    if _read(waiting).public_key().public_bytes_raw() == bytes(newest.public):
        os.replace(waiting, path)
        _sync_folder(path.parent)


def _read(path: Path) -> Ed25519PrivateKey:
    """Raises KeyTrouble if the file is not there, is open to others, or is no Ed25519 key."""
    try:
        if path.stat().st_mode & 0o077:
            raise KeyTrouble(f"{path} can be read by others: chmod 0400 {path}")
        private = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise KeyTrouble(f"The key file {path} cannot be read: {error.strerror}. {HOW}") from error
    except (ValueError, TypeError) as error:
        raise KeyTrouble(f"{path} is not a private key in PEM without a password. {HOW}") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyTrouble(f"{path} is not an Ed25519 key. {HOW}")
    return private


def _write(path: Path, private: Ed25519PrivateKey) -> None:
    """Put the key into a file of its own, whole or not at all. One that is there already stays."""
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):  # another process was quicker: its key is read next
        os.link(draft, path)
    draft.unlink()
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_signed_over(body: dict, old: notes.PublicKey, new: notes.PublicKey) -> bool:
    """Say whether what a rotation's Entry says holds a note that both keys have signed, about these two keys."""
    try:
        text, signed_by = notes.opened(body["note"], [old, new])
    except (KeyError, TypeError, notes.BadNote):
        return False
    return text.startswith(handover(old, new)) and set(signed_by) == {old, new}
