"""Words that point away from the captured channel: a hit is a pattern and its context.

The lists are data: archive/lexicon.yaml is the one that ships, archive.lexicon_text reads it. Patterns go through RE2,
whose time grows with the text alone, whatever somebody writes; so there is no looking ahead or behind. A pattern that
needs to see what stands around a hit names the hit itself: ``(?:^|[^a-z])(?P<hit>vx)``.

Nearly all messages hold nothing. A filter that knows which pieces of text each pattern cannot do without reads a
message once, however many rules there are, and only the patterns whose pieces are there are tried.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import re2

from archive.normalising import has_han, joiner, normalise

FINDING_WEIGHT = 2  # a rule below this only names a thing: whatever stands around it, it is no signal
SIGNAL_WEIGHT = 2  # a lighter hit is forgotten
WORDS_BEFORE, CHARACTERS_BEFORE = 8, 12  # how far back a negation reaches
NEGATED, WITH_CONTACT = -2, 1
BEFORE_RECALL = 1  # added where the sender took something back within policy's recall_minutes after
LANGUAGES = ("en", "zh")
NOTHING = r"[^\s\S]"  # a pattern that is nowhere
PATTERN_MEMORY = 2**21  # bytes that one compiled pattern may take; a larger one is refused


class BadPattern(ValueError):
    """Not a regular expression that we take; the message says why, in RE2's words."""


def compiled(pattern: str) -> re2._Regexp:
    """Return the pattern for RE2. Raises BadPattern, also for one that finds nothing at all everywhere."""
    options = re2.Options()
    options.max_mem, options.log_errors = PATTERN_MEMORY, False
    try:
        found = re2.compile(pattern, options)
    except re2.error as error:
        told = error.args[0] if error.args else ""
        raise BadPattern(told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)) from error
    except UnicodeEncodeError as error:
        raise BadPattern("a character that is none") from error
    if found.search("") is not None:
        raise BadPattern("it finds nothing at all, everywhere")
    return found


def span_of(match: re2._Match) -> tuple[int, int]:
    """Return what a match marks: its group named hit, if it has one."""
    if "hit" in match.re.groupindex and (span := match.span(match.re.groupindex["hit"])) != (-1, -1):
        return span
    return match.span()


@dataclass(frozen=True, slots=True)
class Hit:
    """What one rule found. ``weight`` is after context; ``start`` and ``end`` count in the normalised text.

    ``language`` says which one: of English patterns the text as normalise() has it, of Chinese ones joined besides.
    """

    rule: str
    kind: str  # off_channel or deletion
    weight: int
    start: int
    end: int
    is_signal: bool
    language: str = ""  # empty: the hit is not in a text
    base: int = 0  # the rule's own weight
    negation: str = ""  # what stands before it; empty: nothing


@dataclass(frozen=True)
class Rule:
    """``patterns`` by language, as they were written."""

    id: str
    weight: int
    kind: str
    patterns: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Disguise:
    pattern: str
    means: str


@dataclass(frozen=True)
class _Pattern:
    rule: Rule
    regex: re2._Regexp


class _Net:
    """The patterns of one language, and which of them a text may hold."""

    def __init__(self, rules: Sequence[Rule], language: str) -> None:
        self.patterns = [_Pattern(rule, compiled(text)) for rule in rules for text in rule.patterns[language]]
        self.filter = re2.Filter()
        options = re2.Options()
        options.max_mem, options.log_errors = PATTERN_MEMORY, False
        for one in self.patterns:
            self.filter.Add(one.regex.pattern, options)
        if self.patterns:
            self.filter.Compile()

    def candidates(self, text: str) -> list[_Pattern]:
        """Return those patterns that may be in the text, in the order of the lexicon."""
        if not self.patterns:
            return []
        found = self.filter.Match(text.encode(), True)
        return [self.patterns[at] for at in sorted(found)] if found else []


@dataclass(frozen=True)
class Lexicon:
    version: str
    rules: tuple[Rule, ...]
    disguises: tuple[Disguise, ...]
    negations: dict[str, tuple[str, ...]]  # English phrases, Chinese patterns

    @cached_property
    def nets(self) -> dict[str, _Net]:
        return {language: _Net(self.rules, language) for language in LANGUAGES}

    @cached_property
    def _negations(self) -> tuple[re2._Regexp, re2._Regexp]:
        english = "|".join(re2.escape(phrase) for phrase in self.negations["en"]) or NOTHING
        chinese = "|".join(f"(?:{pattern})" for pattern in self.negations["zh"]) or NOTHING
        return compiled(rf"(?:^|\W)(?P<hit>{english})(?:\W|$)"), compiled(chinese)

    @cached_property
    def _disguises(self) -> tuple[re2._Regexp, list[tuple[re2._Regexp, str]]]:
        each = [(compiled(one.pattern), one.means) for one in self.disguises]
        unnamed = [one.pattern.replace("(?P<hit>", "(").replace("(?<hit>", "(") for one in self.disguises]
        return compiled("|".join(f"(?:{pattern})" for pattern in unnamed) or NOTHING), each

    @cached_property
    def _kept(self) -> str:
        """Signs that disguises are made of: taking them out of a text would spoil the disguise."""
        signs = {one for disguise in self.disguises for one in disguise.pattern if not one.isascii()}
        return "".join(sorted(one for one in signs if not (one.isalnum() or one.isspace())))

    def in_chinese(self, text: str) -> str:
        """Return a normalised text as the Chinese patterns want it, empty if nothing in it is Chinese."""
        any_of, each = self._disguises
        if has_han(text):
            text = joiner(self._kept)(text)
            is_disguised = any_of.search(text) is not None
        elif not (is_disguised := any_of.search(text) is not None):
            return ""
        if is_disguised:
            for regex, means in each:
                text = _replaced(regex, means, text)
            text = joiner("")(text)
            return text if has_han(text) else ""
        return joiner("")(text) if self._kept and any(sign in text for sign in self._kept) else text

    def rule(self, identity: str) -> Rule | None:
        return next((one for one in self.rules if one.id == identity), None)

    def without_words(self, rule: Rule, *, with_contact: bool) -> Hit:
        """Return the hit of a rule whose meaning was done rather than written, as by handing a card over."""
        signal = rule.weight >= FINDING_WEIGHT
        weight = rule.weight + (WITH_CONTACT if with_contact and signal else 0)
        return Hit(rule.id, rule.kind, weight, 0, 0, is_signal=signal, base=rule.weight)

    def judge(self, text: str, *, with_contact: bool = False) -> list[Hit]:
        """Return the heaviest hit of each rule that is still worth something, heaviest first."""
        plain, found = normalise(text), {}
        if not plain:
            return []
        self._judge_in("en", plain, with_contact, found, self.nets["en"].candidates(plain))
        if chinese := self.in_chinese(plain):
            self._judge_in("zh", chinese, with_contact, found, self.nets["zh"].candidates(chinese))
        return in_order(found)

    def judge_plainly(self, text: str, *, with_contact: bool = False) -> list[Hit]:
        """Return what judge() returns, by trying every pattern: for testing that the filter hides nothing."""
        plain, found = normalise(text), {}
        self._judge_in("en", plain, with_contact, found, self.nets["en"].patterns)
        self._judge_in("zh", self.in_chinese(plain), with_contact, found, self.nets["zh"].patterns)
        return in_order(found)

    def _judge_in(
        self, language: str, text: str, with_contact: bool, found: dict[str, Hit], patterns: Sequence[_Pattern]
    ) -> None:
        for one in patterns:
            most = one.rule.weight + (WITH_CONTACT if with_contact and one.rule.weight >= FINDING_WEIGHT else 0)
            best = found.get(one.rule.id)
            if best is not None and best.weight >= most:
                continue
            for hit in self._matches(language, text, one, most):
                if hit.weight > 0 and (best is None or best.weight < hit.weight):
                    best = found[one.rule.id] = hit
                if hit.weight == most:
                    break  # nothing further on can be heavier

    def _matches(self, language: str, text: str, one: _Pattern, most: int) -> Iterator[Hit]:
        rule = one.rule
        for match in one.regex.finditer(text):
            start, end = span_of(match)
            if start == end:
                continue
            negation = self.negation_before(text, start)
            weight = most + (NEGATED if negation else 0)
            signal = rule.weight >= FINDING_WEIGHT
            yield Hit(rule.id, rule.kind, weight, start, end, signal, language, rule.weight, negation)

    def negation_before(self, text: str, start: int) -> str:
        """Return the negation or policy phrase that stands shortly before the place, empty if there is none."""
        english, chinese = self._negations
        for regex, before in (
            (chinese, text[max(0, start - CHARACTERS_BEFORE) : start]),
            (english, _words(text, start)),
        ):
            if before and (match := regex.search(before)):
                begin, end = span_of(match)
                return before[begin:end]
        return ""


def in_order(found: dict[str, Hit]) -> list[Hit]:
    return sorted(found.values(), key=lambda hit: (-hit.weight, hit.rule))


def signals(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits that are kept: of rules that point somewhere, and heavy enough in their context."""
    return [hit for hit in hits if hit.is_signal and hit.weight >= SIGNAL_WEIGHT]


def _words(text: str, start: int) -> str:
    """Return the last words before the place, as many as a negation may be away."""
    at = start - 1 if text[start - 1 : start] == " " else start
    for _word in range(WORDS_BEFORE):
        at = text.rfind(" ", 0, max(at, 0))
        if at < 0:
            return text[:start]
    return text[at + 1 : start]


def _replaced(regex: re2._Regexp, means: str, text: str) -> str:
    pieces, last = [], 0
    for match in regex.finditer(text):
        start, end = span_of(match)
        pieces += [text[last:start], means]
        last = end
    return "".join([*pieces, text[last:]])
