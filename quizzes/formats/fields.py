"""YAML that remembers its lines, and fields read from it that say what is wrong, where, and what to do."""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date

import yaml
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

Report = Callable[[int, str, str], None]  # line in the file, what is wrong, what to do
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NULL = "tag:yaml.org,2002:null"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SLUG_REMEDY = gettext_noop("Use lower-case letters, digits and single hyphens, at most 80 in all.")
TEXT_MOST = 3000
DEEPEST = 20  # levels of lists and mappings; a course needs six
HTTPS = re.compile(r"https://[^\s/]+\.\S+")
HTML = re.compile(r"</?[A-Za-z][^<>]*>|<!--")
MAY_LACK = {"why", "explanation"}  # in a bank that is no course's
CITATION = re.compile(r"\[@[^\]\n]*\]?")
QUOTE = gettext_noop("Put it in double quotes.")


def unreported(line: int, what: str, remedy: str) -> None:
    """A Report that says nothing: that the file cannot be read was said, its fields need no further word."""


@dataclass(frozen=True, order=True)
class Fault:
    file: str
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} – {self.remedy}"


class Map(dict):
    """A YAML mapping. ``line`` is where it begins, ``lines`` where each key stands."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class List(list):
    """A YAML sequence. ``line`` is where it begins, ``lines`` where each item begins."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def is_slug(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 80 and SLUG.fullmatch(value) is not None


def read_yaml(text: str, report: Report, *, first_line: int = 1) -> object:
    """Return what the YAML says, made of Map, List and plain values; None, reported, if it cannot be read.

    ``first_line`` is the line of the file on which ``text`` begins. Aliases are refused: a few lines of them can
    unfold into gigabytes. So is deep nesting: building it would end the process, not raise.
    """
    try:
        if bomb := next(_bombs(text), None):
            report(first_line + bomb[0], *bomb[1:])
            return None
        loader = LOADER(text)
        node = loader.get_single_node()
        if node is None or node.tag == NULL:
            report(first_line, _("there is nothing here"), _("Fill it in; see docs/course-files.md."))
            return None
        return _Tree(loader, report, first_line).value(node)
    except yaml.MarkedYAMLError as error:
        # A quote that is never closed is noticed at the end of the file; where it was opened is more use.
        unclosed = "end of stream" in (error.problem or "")
        mark = (unclosed and error.context_mark) or error.problem_mark or error.context_mark
        remedy = _("Check the indentation, and put text that holds ': ' or begins with a special character in quotes.")
        report(
            first_line + (mark.line if mark else 0),
            _("this is not YAML: %(value)s") % {"value": error.problem or error.context},
            remedy,
        )
    except yaml.reader.ReaderError as error:
        line = first_line + text[: error.position].count("\n")
        report(line, _("character U+%(code)s is not allowed") % {"code": f"{error.character:04X}"}, _("Delete it."))
    return None


def _bombs(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line counted from 0, what, remedy) for each alias and each step too deep, without building anything."""
    depth = 0
    for event in yaml.parse(text, LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.AliasEvent):
            yield event.start_mark.line, _("an alias (*name) is used"), _("Write the text out where it is needed.")
        elif depth > DEEPEST:
            yield event.start_mark.line, _("this is nested too deeply"), _("Write it flatter.")


class _Tree:
    """Turns YAML nodes into values with lines."""

    def __init__(self, loader: yaml.Loader, report: Report, first_line: int) -> None:
        self.loader, self.report, self.first_line = loader, report, first_line

    def line(self, node: yaml.Node) -> int:
        return self.first_line + node.start_mark.line

    def value(self, node: yaml.Node) -> object:
        if isinstance(node, yaml.ScalarNode):
            return self.scalar(node)
        return self.mapping(node) if isinstance(node, yaml.MappingNode) else self.sequence(node)

    def scalar(self, node: yaml.ScalarNode) -> object:
        try:
            return self.loader.construct_object(node, deep=True)
        except ValueError:
            self.report(
                self.line(node), _("%(value)r is not a date") % {"value": node.value}, _("Write it as 2026-11-23.")
            )
            return None

    def mapping(self, node: yaml.MappingNode) -> Map:
        made = Map(self.line(node))
        for key_node, value_node in node.value:
            key, line = key_node.value, self.line(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.report(line, _("a name is not plain text"), _("Write 'name: value'."))
            elif key in made:
                self.report(
                    line,
                    _("'%(key)s' is there twice") % {"key": key},
                    _("Leave one; the other is on line %(name)s.") % {"name": made.lines[key]},
                )
            else:
                made[key], made.lines[key] = self.value(value_node), line
        return made

    def sequence(self, node: yaml.SequenceNode) -> List:
        made = List(self.line(node))
        for item in node.value:
            made.append(self.value(item))
            made.lines.append(self.line(item))
        return made


class Fields:
    """Reads a mapping field by field, reporting what is missing or wrong; ``done`` reports what nobody asked for.

    Every reader returns a value of its type even after a report, so that reading goes on to the next mistake.
    """

    def __init__(self, given: object, report: Report, *, of: str, line: int) -> None:
        self.report, self.of = report, of
        if not isinstance(given, Map):
            report(
                line,
                _("%(of)s is not made of 'name: value' lines") % {"of": of},
                _("See docs/course-files.md for its fields."),
            )
        self.is_readable = isinstance(given, Map)
        self.given = given if isinstance(given, Map) else Map(line)
        self.asked: set[str] = set()

    def line(self, name: str) -> int:
        return self.given.lines.get(name, self.given.line)

    def has(self, name: str) -> bool:
        return name in self.given

    def wrong(self, name: str, what: str, remedy: str) -> None:
        self.report(self.line(name), what, remedy)

    def take(self, name: str, *, optional: bool = False) -> object:
        """Return the raw value, None if it is not there; that is reported unless optional."""
        self.asked.add(name)
        value = self.given.get(name)
        if value is None and self.is_readable and not (optional and name not in self.given):
            self.wrong(
                name,
                _("%(of)s has no '%(name)s'") % {"of": self.of, "name": name},
                _("Add '%(name)s: …'.") % {"name": name},
            )
        return value

    def text(self, name: str, *, optional: bool = False) -> str:
        value = self.take(name, optional=optional)
        return "" if value is None else plain_text(value, f"'{name}'", self.line(name), self.report)

    def texts(self, name: str, languages: "Languages") -> dict[str, str]:
        value = self.take(name, optional=languages.lenient and name in MAY_LACK)
        if languages.lenient and name in MAY_LACK and isinstance(value, Map):
            languages = replace(languages, needed=[one for one in languages.needed if one in value])
        return {} if value is None else languages.texts(value, f"'{name}'", self.line(name), self.report)

    def number(self, name: str, *, least: int, most: int, optional: bool = False) -> int | None:
        """Return the whole number, None if it is optional and not there."""
        value = self.take(name, optional=optional)
        if value is None:
            return None if optional else least
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.wrong(
                name,
                _("'%(name)s' is not a whole number from %(least)s to %(most)s")
                % {"name": name, "least": least, "most": most},
                _("Correct it."),
            )
            return least
        return value

    def flag(self, name: str) -> bool:
        value = self.take(name, optional=True)
        if value is not None and not isinstance(value, bool):
            self.wrong(
                name,
                _("'%(name)s' is neither true nor false") % {"name": name},
                _("Write '%(name)s: true', or leave it out.") % {"name": name},
            )
        return value is True

    def one_of(self, name: str, choices: Collection[str], *, default: str = "") -> str:
        value = self.take(name, optional=bool(default))
        if value is None:
            return default or next(iter(choices))
        if value not in choices:
            self.wrong(
                name,
                _("'%(name)s' is %(value)r") % {"name": name, "value": value},
                _("Use one of: %(names)s.") % {"names": ", ".join(choices)},
            )
            return next(iter(choices))
        return str(value)

    def slug(self, name: str) -> str:
        value = self.take(name)
        if value is not None and not is_slug(value):
            self.wrong(name, _("'%(name)s' is %(value)r") % {"name": name, "value": value}, _(SLUG_REMEDY))
        return value if isinstance(value, str) else ""

    def link(self, name: str) -> str:
        """Return the https address; it may be written as "" where there is nothing to link to."""
        if self.given.get(name) == "":
            self.asked.add(name)
            return ""
        link = self.text(name)
        if link and not HTTPS.fullmatch(link):
            self.wrong(
                name,
                _("the link %(link)s is not an https address") % {"link": link},
                _("Give the address that begins with https://."),
            )
        return link

    def day(self, name: str) -> date:
        value = self.take(name)
        if value is not None and type(value) is not date:
            self.wrong(
                name, _("'%(name)s' is not a date") % {"name": name}, _("Write it as 2026-11-23, without quotes.")
            )
        return value if type(value) is date else date.min

    def items(self, name: str, *, least: int = 0, most: int = 500, optional: bool = False) -> List:
        """Return the list, empty if it is no list. Its own lines go with it."""
        value = self.take(name, optional=optional)
        if value is None:
            return List(self.line(name))
        if not isinstance(value, List):
            self.wrong(
                name,
                _("'%(name)s' is not a list") % {"name": name},
                _("Begin each item with '- ', or put them between [ and ]."),
            )
            return List(self.line(name))
        if not least <= len(value) <= most:
            self.wrong(
                name,
                _("'%(name)s' has %(n)s items") % {"name": name, "n": len(value)},
                _("Give it %(least)s to %(most)s.") % {"least": least, "most": most},
            )
        return value

    def cites(self, sources: Collection[str] | None) -> list[str]:
        """Return the ids in ``cites``; each must be a source of the course, where there is one."""
        found = self.items("cites", optional=True)
        for item, line in zip(found, found.lines, strict=True):
            if sources is not None and item not in sources:
                self.report(
                    line,
                    _("source %(item)r is not known") % {"item": item},
                    _("Correct the id, or add it to sources.yaml."),
                )
        return [item for item in found if isinstance(item, str)]

    def done(self) -> None:
        for name in sorted(self.given.keys() - self.asked):
            known = ", ".join(sorted(self.asked))
            self.wrong(
                name,
                _("%(of)s has no field '%(name)s'") % {"of": self.of, "name": name},
                _("Remove it or correct it; the fields are %(known)s.") % {"known": known},
            )


@dataclass(frozen=True)
class Languages:
    """``needed`` must be told everywhere; ``known`` may be, so that a translation can be prepared.

    ``lenient``: MAY_LACK may be left out, or be told in some languages only.
    """

    needed: list[str]
    known: Collection[str]
    lenient: bool = False

    def texts(self, value: object, of: str, line: int, report: Report) -> dict[str, str]:
        if not isinstance(value, Map):
            report(
                line,
                _("%(of)s is not told per language") % {"of": of},
                _('Write {%(name)s: "…"}.') % {"name": self.needed[0]},
            )
            return {}
        for name in sorted(value.keys() - set(self.known)):
            is_text = " " in name or value[name] is None  # {en: Hello, world}: the comma has ended the text
            remedy = _("Use %(names)s.") % {"names": ", ".join(self.known)}
            report(
                value.lines[name],
                _("%(of)s has the unknown language '%(name)s'") % {"of": of, "name": name},
                _("Put the text in double quotes: a comma ends it.") if is_text else remedy,
            )
        for name in self.needed:
            if value.get(name) is None:
                report(
                    value.lines.get(name, line),
                    _("%(of)s has no text in '%(name)s'") % {"of": of, "name": name},
                    _('Add %(name)s: "…".') % {"name": name},
                )
        return {
            name: plain_text(
                value[name],
                _("%(of)s in '%(name)s'") % {"of": of, "name": name},
                value.lines[name],
                report,
                lenient=self.lenient,
            )
            for name in self.needed
            if value.get(name) is not None
        }


def plain_text(value: object, of: str, line: int, report: Report, *, lenient: bool = False) -> str:
    """Return the text. It is shown as it stands: no Markdown, no HTML, no citation; lenient: so are their signs."""
    if not isinstance(value, str):
        kind = (
            _("a list") if isinstance(value, list) else _("a set of fields") if isinstance(value, dict) else repr(value)
        )
        report(line, _("%(of)s is %(kind)s, not text") % {"of": of, "kind": kind}, _(QUOTE))
        return ""
    if not value.strip():
        report(line, _("%(of)s is empty") % {"of": of}, _("Write the text."))
    if len(value) > TEXT_MOST:
        report(
            line,
            _("%(of)s is longer than %(text_most)s characters") % {"of": of, "text_most": TEXT_MOST},
            _("Shorten it."),
        )
    if not lenient and (tag := HTML.search(value)):
        report(line, _("%(of)s has raw HTML: %(name)s") % {"of": of, "name": tag[0]}, _("Write plain text."))
    if not lenient and (citation := CITATION.search(value)):
        report(
            line,
            _("%(of)s has %(name)s, which is not shown as a link here") % {"of": of, "name": citation[0]},
            _("Use 'cites: [id]' beside it."),
        )
    return value.strip()
