"""Reading the files of one course: bytes in, text and YAML out, every mistake with its file and line."""

import hashlib
from pathlib import Path

from quizzes.formats.fields import Fault, Fields, List, Report, read_yaml, unreported

FILE_MOST = 2**20  # bytes; the longest bank that ships has 40 thousand


class CourseFolder:
    """One course being read: where it lies, what was wrong, and the bytes of its files."""

    def __init__(self, root: Path, prefix: str, faults: list[Fault]) -> None:
        self.root, self.prefix, self.faults = root, prefix, faults
        self.bytes_of: dict[str, bytes] = {}
        self.question_ids: dict[str, str] = {}  # where each stands: ids are unique in the course

    def fault(self, file: str, line: int, what: str, remedy: str) -> None:
        self.faults.append(Fault(self.prefix + file, line, what, remedy))

    def report_on(self, file: str) -> Report:
        return lambda line, what, remedy: self.fault(file, line, what, remedy)

    def has_folder(self, name: str) -> bool:
        """Return whether the course has this folder. A link is none: it could lead anywhere."""
        path = self.root / name
        return path.is_dir() and not path.is_symlink()

    def text(self, file: str) -> str | None:
        """Return the file's text, None (reported) if it cannot be had."""
        path = self.root / file
        if not path.is_file() or path.is_symlink():
            remedy = "Copy the file here; links are not followed." if path.is_symlink() else "Write it."
            self.fault(file, 1, "this file is missing", remedy)
            return None
        with path.open("rb") as stream:
            content = stream.read(FILE_MOST + 1)
        if len(content) > FILE_MOST:
            self.fault(file, 1, f"this file is larger than {FILE_MOST} bytes", "Shorten it.")
            return None
        self.bytes_of[file] = content
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            self.fault(file, line, "this is not UTF-8 text", "Save the file as UTF-8.")
            return None

    def yaml(self, file: str) -> object:
        text = self.text(file)
        return None if text is None else read_yaml(text, self.report_on(file))

    def fields(self, file: str) -> Fields:
        """Return the fields of a file that is one mapping."""
        value = self.yaml(file)
        report = self.report_on(file) if value is not None else unreported
        return Fields(value, report, of=file.rsplit("/", 1)[-1], line=1)

    def listed(self, file: str) -> list[tuple[object, int]]:
        """Return the items of a file that is one list, each with its line."""
        value = self.yaml(file)
        if value is not None and not isinstance(value, List):
            self.fault(file, 1, "this file is not a list", "Begin each item with '- id: …'.")
        return list(zip(value, value.lines, strict=True)) if isinstance(value, List) else []

    def fingerprint(self) -> str:
        """Return SHA-256 over the names and bytes of all files read so far."""
        digest = hashlib.sha256()
        for file, content in sorted(self.bytes_of.items()):
            digest.update(f"{len(file.encode())}:{file}:{len(content)}:".encode() + content)
        return digest.hexdigest()
