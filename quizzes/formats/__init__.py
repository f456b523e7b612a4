"""Question files: what others write is read leniently, what we write is exact.

Each module is a format and has ``NAME``, ``EXTENSION``, ``read(data, language, notes)``, which yields base.Item after
Item, and ``write(questions, language, title)``, which returns the bytes and what the format could not carry. Nothing
in this package knows the database. What each carries stands in docs/question-files.md.
"""

import re
from types import ModuleType

from quizzes.formats import aiken, gift, moodle, own, qti
from quizzes.formats.plain import decoded

ALSO = {"moodle-xml": "moodle", "moodlexml": "moodle", "xml": "moodle", "qti3": "qti", "qti-3.0": "qti", "yml": "yaml"}
FORMATS: dict[str, ModuleType] = {"gift": gift, "moodle": moodle, "qti": qti, "aiken": aiken, "yaml": own}


STARTS = re.compile(r"\s*(?:#.*\s*|---\s*)*- +(?:id|kind|stem|tags) *:")
AIKEN_ANSWER = re.compile(r"^\s*ANSWERS? ?:", re.IGNORECASE | re.MULTILINE)
AIKEN_OPTION = re.compile(r"^\s*A[.)]\s", re.MULTILINE)


def guessed(data: bytes, name: str = "") -> str:
    """Return the format that a file seems to have: by what is in it; by the end of its name where that says little."""
    if data.startswith(b"PK"):
        return "qti"
    text = decoded(data[:100_000], [])
    if text.lstrip().startswith("<"):
        return "qti" if "assessment-item" in text or "assessmentItem" in text else "moodle"
    if STARTS.match(text) or name.lower().endswith((".yaml", ".yml")):
        return "yaml"
    if AIKEN_ANSWER.search(text) and AIKEN_OPTION.search(text):
        return "aiken"
    return "gift"


def format_of(name: str) -> str:
    """Return the name of a format that somebody typed. Raises ValueError."""
    name = name.strip().lower().replace("_", "-")
    found = ALSO.get(name, name)
    if found not in FORMATS:
        raise ValueError(name)
    return found
