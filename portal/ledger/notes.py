"""Signed notes and checkpoints, as C2SP writes them down: c2sp.org/signed-note and c2sp.org/tlog-checkpoint.

A note is text, an empty line, and signature lines. A checkpoint is a note over one size of a growing tree.
"""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"
MOST_SIGNATURES = 100
MOST_BYTES = 1_000_000
_SIGNATURE = re.compile(r"— (?P<name>\S+) (?P<signature>[A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class BadNote(ValueError):
    """The note is malformed, or nobody who is known has signed it."""


@dataclass(frozen=True)
class PublicKey:
    name: str
    raw: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell keys of one name apart: no proof of anything."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.raw).digest()[:4]

    def __str__(self) -> str:
        """The key as other tools take it: name+id+base64."""
        return f"{self.name}+{self.id.hex()}+{_b64(ED25519 + self.raw)}"

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """Raises BadNote for anything but ``name+id+base64`` of an Ed25519 key."""
        name, _, rest = text.partition("+")
        claimed, _, encoded = rest.partition("+")
        raw = _unb64(encoded)
        if not is_name(name) or raw[:1] != ED25519 or len(raw) != 33:
            raise BadNote("not the public key of a note's signer")
        key = cls(name, raw[1:])
        if key.id.hex() != claimed:
            raise BadNote("the key's id does not fit it")
        return key

    def verifies(self, text: str, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.name, self.private.public_key().public_bytes_raw())

    def line(self, text: str) -> str:
        return f"— {self.name} {_b64(self.public.id + self.private.sign(text.encode()))}\n"


def is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def sign(text: str, *signers: Signer) -> str:
    """Return the text as a note with a signature of each signer. Raises BadNote if it cannot be a note's text."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise BadNote("a note's text ends in a newline and holds no other control character")
    return text + "\n" + "".join(signer.line(text) for signer in signers)


def opened(note: str, known: Iterable[PublicKey]) -> tuple[str, list[PublicKey]]:
    """Return the note's text and who of the known has signed it, each once.

    Signatures of strangers are passed over. Raises BadNote if it is malformed, if a signature under a known key does
    not fit, or if none of the known has signed.
    """
    text, signatures = _parted(note)
    keys = {(key.name, key.id): key for key in known}
    signed_by: list[PublicKey] = []
    for name, signature in signatures:
        key = keys.get((name, signature[:4]))
        if key is None or key in signed_by:
            continue
        if not key.verifies(text, signature[4:]):
            raise BadNote(f"the signature of {name} does not fit the text")
        signed_by.append(key)
    if not signed_by:
        raise BadNote("nobody who is known has signed it")
    return text, signed_by


def text_of(note: str) -> str:
    """Return the text of a note without asking who signed it. Raises BadNote if it is malformed."""
    return _parted(note)[0]


def _parted(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    if len(note) > MOST_BYTES or _CONTROL.search(note) or not note.endswith("\n"):
        raise BadNote("not a signed note")
    text, gap, tail = note.rpartition("\n\n")
    lines = tail[:-1].split("\n")
    if not gap or not 0 < len(lines) <= MOST_SIGNATURES:
        raise BadNote("not a signed note")
    signatures = []
    for line in lines:
        match = _SIGNATURE.fullmatch(line)
        signature = _unb64(match["signature"]) if match and is_name(match["name"]) else b""
        if len(signature) < 5:
            raise BadNote("a signature line is malformed")
        signatures.append((match["name"], signature))
    return text + "\n", signatures


@dataclass(frozen=True)
class Checkpoint:
    """``lines`` are our own, after the three that the format asks for."""

    origin: str
    size: int
    root: bytes
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in (self.origin, str(self.size), _b64(self.root), *self.lines))

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Raises BadNote unless this is a checkpoint, written as it must be."""
        lines = text.split("\n")
        if lines.pop() or "" in lines or len(lines) < 3 or not _SIZE.fullmatch(lines[1]):
            raise BadNote("not a checkpoint")
        origin, size, root, *own = lines
        raw = _unb64(root)
        if len(raw) != 32:
            raise BadNote("the root of a checkpoint is 32 bytes")
        return cls(origin, int(size), raw, tuple(own))

    def line(self, word: str) -> str:
        """Return what stands after ``word`` in our own lines. Raises BadNote if it is not there exactly once."""
        found = [line[len(word) + 1 :] for line in self.lines if line.startswith(f"{word} ")]
        if len(found) != 1:
            raise BadNote(f"the checkpoint does not say its {word} once")
        return found[0]


def _b64(raw: bytes) -> str:
    return b64encode(raw).decode()


def _unb64(text: str) -> bytes:
    """Raises BadNote unless this is base64 as it must be written."""
    try:
        raw = b64decode(text, validate=True)
    except (NotBase64, ValueError) as error:
        raise BadNote("not base64") from error
    if _b64(raw) != text:
        raise BadNote("not base64 as it must be written")
    return raw
