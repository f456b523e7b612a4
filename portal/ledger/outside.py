"""Copies of Seals that had left the machine: they alone see what somebody did who has the database and the key."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from portal.ledger import keys, notes
from portal.ledger.findings import Fault
from portal.ledger.models import Seal


@dataclass(frozen=True)
class Outside:
    """``label`` is what the person who brought it calls it. A note that cannot be read has size 0."""

    label: str
    note: str
    size: int
    root: bytes

    @classmethod
    def read(cls, label: str, note: str) -> "Outside":
        try:
            said = notes.Checkpoint.parse(notes.text_of(note))
        except notes.BadNote:
            return cls(label, note, 0, b"")
        return cls(label, note, said.size, said.root)

    @classmethod
    def from_file(cls, path: Path) -> "Outside":
        """Raises OSError if the file cannot be read."""
        return cls.read(path.name, path.read_bytes().decode("utf-8", "replace"))

    def fault(self, root: bytes | None, *, vouched: int) -> Fault | None:
        """Return what the copy shows to be wrong; ``root`` is the tree's at its size, None if it is not at hand.

        ``vouched`` is the last Entry for which another copy from outside has been compared.
        """
        try:
            notes.opened(self.note, keys.public_keys())
        except notes.BadNote:
            return Fault(vouched + 1, "outside_note", {"seal": self.label})
        if root is not None and root != self.root:
            return Fault(vouched + 1, "outside_root", {"seal": self.label, "upto": self.size})
        if not Seal.objects.filter(size=self.size, digest=sha256(self.note.encode()).digest()).exists():
            return Fault(vouched + 1, "outside_unknown", {"seal": self.label})
        return None

    def beyond(self, upto: int) -> Fault:
        """Say that the ledger ends before what the copy covers."""
        return Fault(upto + 1, "outside_beyond", {"seal": self.label, "upto": self.size})


def in_folder(*, after: int = 0, upto: int | None = None) -> Iterator[Outside]:
    """Yield the copies in the folder to which Seals are sent, if there is one, of Seals between these numbers."""
    if not settings.SEALS_OUT_DIR:
        return
    for path in sorted(Path(settings.SEALS_OUT_DIR).glob("seal-*.txt")):
        number = path.stem.removeprefix("seal-")
        if not number.isdecimal() or after < int(number) <= (int(number) if upto is None else upto):
            yield Outside.from_file(path)
