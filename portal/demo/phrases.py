"""Picks what is said: phrases.yaml filled in at random."""

import random
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

PATH = Path(__file__).with_name("phrases.yaml")


class Line(NamedTuple):
    speaker: str  # E employee, C client, A and B colleagues
    kind: str  # text, or what is sent instead
    text: str


@cache
def all_phrases() -> dict:
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


def conversation(chance: random.Random, where: str, language: str) -> list[Line]:
    """Return the lines of one conversation. ``where`` is client or internal."""
    told = chance.choice(all_phrases()[where][language])
    blanks = filled(chance, language)
    return [_line(line.format(**blanks)) for line in told]


def one(chance: random.Random, what: str, language: str) -> str:
    """Return one phrase of a kind such as hello, off_channel, slip."""
    return chance.choice(all_phrases()[what][language]).format(**filled(chance, language))


def filled(chance: random.Random, language: str) -> dict[str, str]:
    return {name: chance.choice(words) for name, words in all_phrases()["fill"][language].items()}


def _line(line: str) -> Line:
    speaker, _, rest = line.partition(" ")
    if not rest.startswith("["):
        return Line(speaker, "text", rest)
    kind, _, text = rest[1:].partition("]")
    return Line(speaker, kind, text.strip())
