"""What the course's files say: right answers and explanations, which no page tells before its time."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from tests.browser.house import ROOT

COURSE = ROOT / "training" / "courses" / "wechat-archiving"
SLUG = COURSE.name
FENCE = re.compile(r"^::: (check|chat|branch|steps) ([a-z0-9-]+)\n(.*?)^:::$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Question:
    stem: str
    right: frozenset[str]  # the texts of the options
    wrong: frozenset[str]
    whys: tuple[str, ...]
    explanation: str


def plain(text: str) -> str:
    """Return the text with every run of white space as one space: as a browser shows it."""
    return " ".join(text.split())


@cache
def questions() -> dict[str, Question]:
    """Return all questions of the course by their stem."""
    found = [_question(item) for file in sorted(COURSE.glob("*/questions.yaml")) for item in _yaml(file)]
    by_stem = {question.stem: question for question in found}
    assert len(by_stem) == len(found) > 80
    return by_stem


def _question(item: dict) -> Question:
    texts = {True: set(), False: set()}
    for option in item["options"]:
        texts[option.get("right", False)].add(plain(option["text"]["en"]))
    return Question(
        stem=plain(item["stem"]["en"]),
        right=frozenset(texts[True]),
        wrong=frozenset(texts[False]),
        whys=tuple(plain(option["why"]["en"]) for option in item["options"]),
        explanation=plain(item["explanation"]["en"]),
    )


@cache
def blocks() -> dict[tuple[str, str], dict]:
    """Return the blocks that ask something, of all lessons, by the lesson and their name."""
    found = {}
    for file in sorted(COURSE.glob("*/en/*.md")):
        for _kind, name, text in FENCE.findall(file.read_text(encoding="utf-8")):
            found[file.stem, name] = yaml.safe_load(text)
    return found


def lesson_count() -> int:
    return len(list(COURSE.glob("*/en/*.md")))


def _yaml(file: Path) -> list[dict]:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
