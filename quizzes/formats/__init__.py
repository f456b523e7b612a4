"""Question files: what others write is read leniently, what we write is exact.

Each module is a format and has ``NAME``, ``EXTENSION``, ``read(data, language, notes)``, which yields base.Item after
Item, and ``write(questions, language, title)``, which returns the bytes and what the format could not carry. Nothing
in this package knows the database. What each carries stands in docs/question-files.md.
"""

from types import ModuleType

from quizzes.formats import aiken, gift, moodle, own, qti

ALSO = {"moodle-xml": "moodle", "moodlexml": "moodle", "xml": "moodle", "qti3": "qti", "qti-3.0": "qti", "yml": "yaml"}
FORMATS: dict[str, ModuleType] = {"gift": gift, "moodle": moodle, "qti": qti, "aiken": aiken, "yaml": own}


def format_of(name: str) -> str:
    """Return the name of a format that somebody typed. Raises ValueError."""
    name = name.strip().lower().replace("_", "-")
    found = ALSO.get(name, name)
    if found not in FORMATS:
        raise ValueError(name)
    return found
