"""The folder in which a pack grows: files that are only ever added to, good up to the sizes that the Job remembers."""

import csv
import io
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from portal.evidence.rows import PERSON_COLUMNS
from portal.evidence.sections import ALL
from training import files

ENTRIES, PAPERS, QUESTIONS, PEOPLE = "entries.jsonl", "papers.jsonl", "questions.jsonl", "people.csv"
BOM = b"\xef\xbb\xbf"  # Excel wants it


class Lost(RuntimeError):
    """What was written before is not here: another machine made it, or somebody tidied up."""


class Workshop:
    def __init__(self, uid: str) -> None:
        self.folder = files.workshop() / f"pack-{uid}"

    def begin(self) -> dict[str, int]:
        """Make the folder anew, every table with its heading. Return the size of each file."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "proof").mkdir(parents=True, mode=0o700)
        headings = {section.file: [name for name, _ in section.columns] for section in ALL}
        for name, columns in (headings | {PEOPLE: PERSON_COLUMNS}).items():
            (self.folder / name).write_bytes(BOM + lines([columns]))
        for name in (ENTRIES, PAPERS, QUESTIONS):
            (self.folder / name).touch()
        return {path.name: path.stat().st_size for path in self.folder.iterdir() if path.is_file()}

    def rewind(self, sizes: dict[str, int]) -> None:
        """Cut off what a worker that was killed had begun to add. Raises Lost if less is here than was good."""
        for name, size in sizes.items():
            path = self.folder / name
            if not path.exists() or path.stat().st_size < size:
                raise Lost(name)
            os.truncate(path, size)

    def add(self, name: str, content: bytes) -> None:
        with (self.folder / name).open("ab") as stream:
            stream.write(content)

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole, over one that a worker before may have begun."""
        (self.folder / name).write_bytes(content)

    def flushed(self, sizes: dict[str, int]) -> dict[str, int]:
        """Make the disk hold what was added, and return the sizes as they are now."""
        for name in sizes:
            files.flush(self.folder / name)
        return {name: (self.folder / name).stat().st_size for name in sizes}

    def names(self) -> list[str]:
        """Return every file of the pack by its name in it, in order."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        return sorted(name for name in found if not name.startswith("."))

    def path(self, name: str) -> Path:
        return self.folder / name

    def clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    """Return rows as RFC 4180 has them."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
