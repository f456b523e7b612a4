"""Question files, read as tests read them."""

import io
import zipfile

from quizzes.formats.base import Item as Found

DULL = {"points": 1, "must_pass": False, "shuffle": True, "detail": {}}


def read(module, text: str | bytes, language: str = "en") -> list[Found]:
    data = text if isinstance(text, bytes) else text.encode()
    return list(module.read(data, language, []))


def one(module, text: str | bytes) -> Found:
    [item] = read(module, text)
    return item


def right_texts(question: dict) -> list[str]:
    return [option["text"]["en"] for option in question["options"] if option.get("right")]


def zipped(files: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return made.getvalue()
