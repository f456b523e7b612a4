"""The lexicon as people write it: YAML, read with the line of every fault, changed rule by rule, compared.

disguises:  [[pattern, what it stands for], …]        written out before Chinese patterns look
negations:  {en: [phrase, …], zh: [pattern, …]}
rules:      [{id, weight: 1–4, class: off_channel or deletion, en: [pattern, …], zh: [pattern, …]}, …]
"""

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml
from django.utils.translation import gettext as _

from archive import lexicon
from archive.lexicon import LANGUAGES, Disguise, Lexicon, Rule
from archive.normalising import normalise

SHIPPED = Path(__file__).with_name("lexicon.yaml")
TEXT_LIMIT, RULES_LIMIT, PATTERNS_LIMIT, PATTERN_LIMIT = 256 * 1024, 1000, 100, 500
DEPTH_LIMIT = 8
KINDS = ("off_channel", "deletion")
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
_REFUSED = (yaml.AliasToken, yaml.AnchorToken, yaml.TagToken, yaml.DirectiveToken)


@dataclass(frozen=True)
class Fault:
    """``line`` counts from 1; 0: the text as a whole."""

    line: int
    what: str

    def __str__(self) -> str:
        return _("Line %(line)d: %(what)s") % {"line": self.line, "what": self.what} if self.line else self.what


class BrokenLexicon(ValueError):
    """The text cannot be used; ``faults`` say where and why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


def parse(text: str, *, version: str = "") -> Lexicon:
    """Return the lexicon that the text describes. ``version`` goes before the one that it names.

    Raises BrokenLexicon with every fault.
    """
    return _Reader(text).lexicon(version)


def digest(text: str) -> str:
    """Return the SHA-256 of the text, hex: by this the evidence log names it."""
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1)
def shipped_text() -> str:
    return SHIPPED.read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def shipped() -> Lexicon:
    """Return the lexicon that ships, compiled once."""
    return parse(shipped_text())


@dataclass
class _Reader:
    text: str
    faults: list[Fault] = field(default_factory=list)

    def lexicon(self, version: str) -> Lexicon:
        told = self._mapping(self._root(), {"version", "disguises", "negations", "rules"})
        if not version and "version" in told:
            version = self._scalar(told["version"], _("version"))
        disguises = tuple(self._disguise(node) for node in self._sequence(told.get("disguises"), "disguises"))
        by_language = self._mapping(told.get("negations"), set(LANGUAGES))
        negations = {
            language: tuple(
                self._negation(node, language) for node in self._sequence(by_language.get(language), language)
            )
            for language in LANGUAGES
        }
        if told.get("rules") is None and not self.faults:
            self._fault(None, _("rules are missing"))
        nodes = self._sequence(told.get("rules"), "rules")
        if len(nodes) > RULES_LIMIT:
            self._fault(nodes[RULES_LIMIT], _("more than %(n)d rules") % {"n": RULES_LIMIT})
        rules = [self._rule(node) for node in nodes[:RULES_LIMIT]]
        seen: set[str] = set()
        for node, rule in zip(nodes, rules, strict=False):
            if rule.id in seen:
                self._fault(node, _("the rule %(id)s is there twice") % {"id": rule.id})
            seen.add(rule.id)
        if self.faults:
            raise BrokenLexicon(sorted(self.faults, key=lambda fault: fault.line))
        return Lexicon(version[:20], tuple(rules), disguises, negations)

    def _fault(self, node: yaml.Node | None, what: str) -> None:
        self.faults.append(Fault(node.start_mark.line + 1 if node is not None else 0, what))

    def _root(self) -> yaml.Node | None:
        """Return the document. What YAML can do beyond lists, names and plain values is refused before it is built."""
        if len(self.text) > TEXT_LIMIT:
            raise BrokenLexicon([Fault(0, _("The text is longer than %(n)d characters.") % {"n": TEXT_LIMIT})])
        try:
            depth = 0
            for token in yaml.scan(self.text, Loader=_Loader):
                depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
                line = token.start_mark.line + 1
                if isinstance(token, _REFUSED):
                    raise BrokenLexicon([Fault(line, _("anchors, aliases, tags and directives are not taken"))])
                if depth > DEPTH_LIMIT:
                    raise BrokenLexicon([Fault(line, _("nested too deeply"))])
            return yaml.compose(self.text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = _("unreadable from here on: look for a quotation mark, a dash or an indent, also in the line before")
            raise BrokenLexicon([Fault(mark.line + 1 if mark else 0, what)]) from error
        except (yaml.YAMLError, ValueError) as error:
            if isinstance(error, BrokenLexicon):
                raise
            raise BrokenLexicon([Fault(0, str(error).splitlines()[0])]) from error

    def _mapping(self, node: yaml.Node | None, known: set[str]) -> dict[str, yaml.Node]:
        if node is None:
            return {}
        if not isinstance(node, yaml.MappingNode):
            self._fault(node, _("names with values are expected here: %(names)s") % {"names": ", ".join(sorted(known))})
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name not in known:
                wanted = ", ".join(sorted(known))
                self._fault(
                    key, _("“%(name)s” is not known here; known are: %(names)s") % {"name": name, "names": wanted}
                )
            elif name in found:
                self._fault(key, _("“%(name)s” is there twice") % {"name": name})
            found[name] = value
        return found

    def _sequence(self, node: yaml.Node | None, name: str) -> list[yaml.Node]:
        if node is None or (isinstance(node, yaml.ScalarNode) and node.value == ""):
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._fault(node, _("“%(name)s” must be a list") % {"name": name})
            return []
        return node.value

    def _scalar(self, node: yaml.Node | None, name: str) -> str:
        if node is None:
            self._fault(None, _("“%(name)s” is missing") % {"name": name})
            return ""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self._fault(node, _("“%(name)s” must be a text") % {"name": name})
            return ""
        return node.value

    def _rule(self, node: yaml.Node) -> Rule:
        told = self._mapping(node, {"id", "weight", "class", *LANGUAGES})
        for name in ("id", "weight", "class"):
            if name not in told:
                self._fault(node, _("the rule has no “%(name)s”") % {"name": name})
        identity = self._scalar(told["id"], "id") if "id" in told else ""
        if identity and not ID.match(identity):
            self._fault(told["id"], _("an id is small letters, digits and -, at most 40 of them"))
        weight = self._scalar(told["weight"], "weight") if "weight" in told else "1"
        if weight not in ("1", "2", "3", "4"):
            self._fault(told["weight"], _("a weight is 1, 2, 3 or 4"))
            weight = "1"
        kind = self._scalar(told["class"], "class") if "class" in told else KINDS[0]
        if kind not in KINDS:
            self._fault(told["class"], _("a class is off_channel or deletion"))
        patterns = {
            language: tuple(self._pattern(one) for one in self._patterns(told.get(language), language))
            for language in LANGUAGES
        }
        if not any(patterns.values()):
            self._fault(node, _("the rule has no patterns"))
        return Rule(identity, int(weight), kind, patterns)

    def _patterns(self, node: yaml.Node | None, language: str) -> list[yaml.Node]:
        nodes = self._sequence(node, language)
        if len(nodes) > PATTERNS_LIMIT:
            self._fault(nodes[PATTERNS_LIMIT], _("more than %(n)d patterns in one rule") % {"n": PATTERNS_LIMIT})
        return nodes[:PATTERNS_LIMIT]

    def _pattern(self, node: yaml.Node) -> str:
        pattern = self._scalar(node, _("pattern"))
        if len(pattern) > PATTERN_LIMIT:
            self._fault(node, _("a pattern is longer than %(n)d characters") % {"n": PATTERN_LIMIT})
        elif pattern:
            self._try(node, pattern)
        return pattern

    def _try(self, node: yaml.Node, pattern: str) -> None:
        try:
            lexicon.compiled(pattern)
        except lexicon.BadPattern as error:
            where = {"pattern": pattern, "why": str(error)}
            self._fault(node, _("“%(pattern)s” is not a pattern that is taken: %(why)s") % where)

    def _negation(self, node: yaml.Node, language: str) -> str:
        return normalise(self._scalar(node, _("phrase"))) if language == "en" else self._pattern(node)

    def _disguise(self, node: yaml.Node) -> Disguise:
        parts = self._sequence(node, _("disguise"))
        if len(parts) != 2:
            self._fault(node, _("a disguise is [pattern, what it stands for]"))
            return Disguise("", "")
        return Disguise(self._pattern(parts[0]), self._scalar(parts[1], _("what it stands for")))


def written(rule: Rule) -> str:
    """Return the rule as it stands in the text, four lines and one for each pattern."""
    lines = [f"  - id: {rule.id}", f"    weight: {rule.weight}", f"    class: {rule.kind}"]
    for language in LANGUAGES:
        if rule.patterns[language]:
            lines.append(f"    {language}:")
            lines += [f"      - {_quoted(pattern)}" for pattern in rule.patterns[language]]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**6).strip()


def with_rule(text: str, rule: Rule, *, replaces: str = "") -> str:
    """Return the text with the rule in the place of the one of that id, or at the end. All other lines stay.

    ``text`` must be one that parses.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    first, last = _lines_of(text, replaces) if replaces else (None, None)
    if first is None:
        return "".join(lines) + written(rule)
    return "".join([*lines[:first], written(rule), *lines[last:]])


def without_rule(text: str, identity: str) -> str:
    lines = text.splitlines(keepends=True)
    first, last = _lines_of(text, identity)
    return "".join([*lines[:first], *lines[last:]])


def _lines_of(text: str, identity: str) -> tuple[int, int]:
    """Return the first line of a rule and the first after it, from 0. Raises KeyError."""
    root = yaml.compose(text, Loader=_Loader)
    nodes = next(value.value for key, value in root.value if key.value == "rules")
    for node in nodes:
        if any(key.value == "id" and value.value == identity for key, value in node.value):
            return node.start_mark.line, _end(text, node)
    raise KeyError(identity)


def _end(text: str, node: yaml.Node) -> int:
    """Return the line after the node's last one that holds anything: the parser counts what follows it in."""
    last = node
    while last.value and not isinstance(last, yaml.ScalarNode):
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    return max(last.end_mark.line + (last.end_mark.column > 0), last.start_mark.line + 1)


@dataclass(frozen=True)
class Change:
    """What differs in one place: a rule, the disguises or the negations. ``was`` and ``now`` are short texts."""

    what: str  # the rule's id, or disguises, negations
    sort: str  # added, removed, changed
    was: tuple[str, ...] = ()  # what is gone
    now: tuple[str, ...] = ()  # what is new


def differences(before: Lexicon, after: Lexicon) -> list[Change]:
    """Return what the second lexicon has other than the first, in the order of the second."""
    old, new = {rule.id: rule for rule in before.rules}, {rule.id: rule for rule in after.rules}
    changes = []
    for name, was, now in (
        ("disguises", _told_of_disguises(before), _told_of_disguises(after)),
        ("negations", _told_of_negations(before), _told_of_negations(after)),
        *((rule.id, _told(old.get(rule.id)), _told(rule)) for rule in after.rules),
        *((rule.id, _told(rule), []) for rule in before.rules if rule.id not in new),
    ):
        if was != now:
            sort = "changed" if was and now else "added" if now else "removed"
            gone, come = tuple(one for one in was if one not in now), tuple(one for one in now if one not in was)
            changes.append(Change(name, sort, gone, come))
    return changes


def _told(rule: Rule | None) -> list[str]:
    if rule is None:
        return []
    patterns = [f"{language}: {pattern}" for language in LANGUAGES for pattern in rule.patterns[language]]
    return [f"weight: {rule.weight}", f"class: {rule.kind}", *patterns]


def _told_of_disguises(one: Lexicon) -> list[str]:
    return [f"{disguise.pattern} → {disguise.means}" for disguise in one.disguises]


def _told_of_negations(one: Lexicon) -> list[str]:
    return [f"{language}: {phrase}" for language in LANGUAGES for phrase in one.negations[language]]
