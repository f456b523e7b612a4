"""Words that point away from the captured channel: a hit is a pattern and its context.

The lists are data, archive/lexicon.yaml. Normalising: NFKC, lower case, invisible characters dropped, spaces
collapsed; for the Chinese patterns also spaces and punctuation next to a Chinese character dropped and disguises
written out. Spans count characters of that normalised text.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import yaml

PATH = Path(__file__).with_name("lexicon.yaml")

FINDING_WEIGHT = 2  # a rule below this only names a thing: whatever stands around it, it is no signal
WORDS_BEFORE, CHARACTERS_BEFORE = 8, 12  # how far back a negation reaches
NEGATED, WITH_CONTACT = -2, 1
BEFORE_RECALL = 1  # added where the sender took something back within policy's recall_minutes after

# Zero-width and joining characters, variation selectors, soft hyphen, direction marks.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f"
    "\u202a-\u202e\u2060-\u2064\u206a-\u206f\ufe00-\ufe0f\ufeff]"
)
_SPACES = re.compile(r"\s+")
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAS_HAN = re.compile(f"[{_HAN}]")
_AROUND_HAN = re.compile(rf"(?<=[{_HAN}❤])[^\w❤]+|[^\w❤]+(?=[{_HAN}])")
_LATIN = re.compile("[a-z]{2}")


@dataclass(frozen=True, slots=True)
class Hit:
    """What one rule found. ``weight`` is after context; ``start`` and ``end`` count in the normalised text."""

    rule: str
    kind: str  # off_channel or deletion
    weight: int
    start: int
    end: int
    is_signal: bool


@dataclass(frozen=True)
class Rule:
    id: str
    weight: int
    kind: str
    patterns: dict[str, tuple[re.Pattern, ...]]


class BrokenLexicon(ValueError):
    """The file cannot be used; the message says what to mend."""


@dataclass(frozen=True)
class Lexicon:
    version: str
    rules: tuple[Rule, ...]
    disguises: tuple[tuple[re.Pattern, str], ...]
    negations: dict[str, re.Pattern]

    @cached_property
    def gates(self) -> dict[str, re.Pattern]:
        """One pattern a language that says whether any rule can hit: nearly all messages stop here."""
        return {
            language: re.compile("|".join(f"(?:{p.pattern})" for rule in self.rules for p in rule.patterns[language]))
            for language in ("en", "zh")
        }

    def in_chinese(self, text: str) -> str:
        """Return a normalised text as the Chinese patterns want it, empty if nothing in it is Chinese."""
        text = _AROUND_HAN.sub("", text)
        for pattern, plain in self.disguises:
            text = pattern.sub(plain, text)
        return _AROUND_HAN.sub("", text) if _HAS_HAN.search(text) else ""

    def judge(self, text: str, *, with_contact: bool = False) -> list[Hit]:
        """Return the heaviest hit of each rule that is still worth something, heaviest first."""
        plain = normalise(text)
        found: dict[str, Hit] = {}
        if _LATIN.search(plain):
            self._judge_in("en", plain, with_contact, found)
        if chinese := self.in_chinese(plain):
            self._judge_in("zh", chinese, with_contact, found)
        return sorted(found.values(), key=lambda hit: (-hit.weight, hit.rule))

    def _judge_in(self, language: str, text: str, with_contact: bool, found: dict[str, Hit]) -> None:
        if not self.gates[language].search(text):
            return
        for rule in self.rules:
            for match in (m for pattern in rule.patterns[language] for m in pattern.finditer(text)):
                weight = rule.weight + (WITH_CONTACT if with_contact and rule.weight >= FINDING_WEIGHT else 0)
                if self._is_negated(language, text, match.start()):
                    weight += NEGATED
                if weight > 0 and (rule.id not in found or found[rule.id].weight < weight):
                    signal = rule.weight >= FINDING_WEIGHT
                    found[rule.id] = Hit(rule.id, rule.kind, weight, match.start(), match.end(), signal)

    def _is_negated(self, language: str, text: str, start: int) -> bool:
        if language == "zh":
            before = text[max(0, start - CHARACTERS_BEFORE) : start]
        else:
            before = " ".join(text[max(0, start - 200) : start].split(" ")[-WORDS_BEFORE - 1 :])
        return bool(self.negations[language].search(before))


def normalise(text: str) -> str:
    """Return the text in compatibility form, lower case, without invisible characters, with single spaces."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return _SPACES.sub(" ", plain if text.isascii() else _INVISIBLE.sub("", plain)).strip()


def _pattern(text: str, where: str) -> re.Pattern:
    try:
        return re.compile(text)
    except re.error as error:
        raise BrokenLexicon(f"{where}: {text!r} is not a regular expression: {error}") from error


def build(data: dict) -> Lexicon:
    """Return a lexicon from what its file says. Raises BrokenLexicon."""
    try:
        rules = tuple(
            Rule(
                id=str(row["id"]),
                weight=int(row["weight"]),
                kind=str(row["class"]),
                patterns={
                    language: tuple(_pattern(text, f"rule {row['id']}") for text in row.get(language, ()))
                    for language in ("en", "zh")
                },
            )
            for row in data["rules"]
        )
        negations = {"en": _words(data["negations"]["en"]), "zh": _any_of(data["negations"]["zh"])}
        disguises = tuple((_pattern(text, "disguises"), plain) for text, plain in data["disguises"])
        return Lexicon(str(data["version"]), rules, disguises, negations)
    except (KeyError, TypeError) as error:
        raise BrokenLexicon(f"the lexicon lacks or misspells {error}") from error


def _words(phrases: Iterable[str]) -> re.Pattern:
    return re.compile("|".join(rf"(?<!\w){re.escape(phrase)}(?!\w)" for phrase in phrases))


def _any_of(patterns: Iterable[str]) -> re.Pattern:
    return _pattern("|".join(patterns), "negations")


@lru_cache(maxsize=1)
def current() -> Lexicon:
    """Return the lexicon that ships, compiled once."""
    return build(yaml.safe_load(PATH.read_text(encoding="utf-8")))
