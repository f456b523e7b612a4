"""One of each block that a lesson can hold, for the page on which authors see them all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

from quizzes.formats.fields import Report
from training import blocks, loading
from training.parsing import parse

FOLDER = Path(__file__).with_name("samples")
THEMES = ("light", "dark")
SOURCES = {
    "sec-17a-4": {
        "kind": "rule",
        "name": "Exchange Act Rule 17a-4: records to be preserved by certain exchange members, brokers and dealers",
        "number": "17 CFR 240.17a-4",
        "body": "SEC",
        "checked": "2026-11-23",
        "short": {"en": "SEC Rule 17a-4", "zh-hans": "SEC 17a-4规则"},
        "link": "https://www.ecfr.gov/current/title-17/section-240.17a-4",
    },
    "case-jpmorgan-2021": {
        "kind": "case",
        "name": "J.P. Morgan Securities, Release 34-93807",
        "number": "34-93807",
        "body": "SEC",
        "checked": "2026-11-23",
        "short": {"en": "J.P. Morgan 2021", "zh-hans": "摩根大通案（2021）"},
        "link": "https://www.sec.gov/",
        "where": {
            "en": "sec.gov, administrative proceedings: Release 34-93807, 17 December 2021.",
            "zh-hans": "sec.gov行政程序：Release 34-93807，2021年12月17日。",
        },
    },
}
# What was answered where a block is shown answered: some rightly, some wrongly.
ANSWERS: dict[str, list[blocks.Answer]] = {
    "sample-check": [0],
    "sample-chat": [{"0": "personal", "1": "both", "2": "both", "3": "business"}],
    "sample-moments": [{"0": "personal", "1": "both"}],
    "sample-branch": [[0], [1]],
    "sample-steps": [1, 3],
}


@dataclass(frozen=True)
class Sample:
    """A block in one of its states, as components/lesson_*.html take it."""

    template: str
    block: dict
    feedback: dict | None


@cache
def _lesson(language: str) -> list[dict]:
    told = loading.told(SOURCES, language)
    text = (FOLDER / f"{language}.md").read_text(encoding="utf-8")
    return [block for _line, block in parse(text, sources=told, report=_refuse(language))]


def _refuse(language: str) -> Report:
    def refuse(line: int, what: str, remedy: str) -> None:
        raise ValueError(f"{FOLDER.name}/{language}.md:{line}: {what} – {remedy}")

    return refuse


def samples(language: str, theme: str, given: Mapping[str, blocks.Answer]) -> list[Sample]:
    """Return every block in every state, each under a name of its own in this theme; ``given``: what was just tried."""
    return [_sample(block, given.get(block.get("name", ""), answer)) for block, answer in _named(language, theme)]


def answered(language: str, sent: Mapping[str, str]) -> tuple[str, blocks.Answer, Sample] | None:
    """Return the name of the block that a form was sent from, the answer, and the block answered so; None if it
    offered no such thing."""
    for theme in THEMES:
        for block, _answer in _named(language, theme):
            if block.get("name") == sent.get("block"):
                try:
                    answer = blocks.read_answer(block, sent)
                except blocks.BadAnswer:
                    return None
                return block["name"], answer, _sample(block, answer)
    return None


def _named(language: str, theme: str) -> Iterator[tuple[dict, blocks.Answer | None]]:
    known = language if (FOLDER / f"{language}.md").is_file() else settings.LANGUAGE_CODE
    for block in _lesson(known):
        name = block.get("name", "")
        for number, answer in enumerate([None, *ANSWERS.get(name, [])]):
            yield ({**block, "name": f"{name}-{number}-{theme}"} if name else block), answer


def _sample(block: dict, answer: blocks.Answer | None) -> Sample:
    shown = blocks.shown(block, answer)
    return Sample(shown["template"], shown["block"], shown["feedback"])
