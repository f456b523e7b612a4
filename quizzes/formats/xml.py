"""XML of strangers, read safely: no entities, nothing from outside, limits on size and depth; and every line known."""

import re
from collections.abc import Iterator
from html.entities import html5
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError
from django.utils.translation import gettext as _

from quizzes.formats.base import NotThisFormat
from quizzes.formats.plain import CONTROLS, Collector, tidy

DEEPEST, MOST_ELEMENTS = 100, 2_000_000
KNOWN_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
ENTITY = re.compile(r"<!\[CDATA\[.*?\]\]>|&([A-Za-z][A-Za-z0-9]*);|&(?!#?\w+;)", re.DOTALL)
DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Broken(ValueError):
    """The XML is not well formed."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line, self.what = line, what


class Node:
    """An element: its name without namespace, attributes, line, and its texts and elements in order."""

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag, self.attributes, self.line = tag, attributes, line
        self.parts: list[str | Node] = []

    def children(self, *tags: str) -> list["Node"]:
        return [part for part in self.parts if isinstance(part, Node) and (not tags or part.tag in tags)]

    def child(self, tag: str) -> "Node | None":
        return next(iter(self.children(tag)), None)

    def all(self, *tags: str) -> Iterator["Node"]:
        """Yield the elements of these names below, in the order in which they stand."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node is not self and node.tag in tags:
                yield node
            waiting += reversed(node.children())

    def first(self, *tags: str) -> "Node | None":
        return next(self.all(*tags), None)

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)

    def raw(self) -> str:
        """Return the texts directly in it."""
        return "".join(part for part in self.parts if isinstance(part, str))

    def text_of(self, tag: str) -> str:
        """Return the trimmed text of a child, "" without one."""
        child = self.child(tag)
        return child.raw().strip() if child else ""

    def plain(self, notes: list[str], without: tuple[str, ...] = ()) -> str:
        """Return what is written in it as plain text, as a reader would see it, without the elements named."""
        collector = Collector(notes)
        _collect(self, collector, without)
        return collector.text()


def _collect(node: Node, into: Collector, without: tuple[str, ...]) -> None:
    for part in node.parts:
        if isinstance(part, str):
            into.data(part)
        elif part.tag not in without:
            into.start(part.tag, part.attributes)
            _collect(part, into, without)
            into.end(part.tag)


class _Builder:
    """What the parser tells, made into Nodes."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self.open: list[Node] = []
        self.count = 0
        self.parser = None

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.open) >= DEEPEST or self.count > MOST_ELEMENTS:
            raise NotThisFormat(_("the XML is nested too deeply, or has too many elements"))
        names = {_bare(name): value for name, value in attributes.items()}
        node = Node(_bare(tag), names, self.parser.CurrentLineNumber)
        if self.open:
            self.open[-1].parts.append(node)
        self.root = self.root or node
        self.open.append(node)

    def end(self, tag: str) -> None:
        self.open.pop()

    def data(self, text: str) -> None:
        if self.open:
            self.open[-1].parts.append(text)

    def close(self) -> Node | None:
        return self.root


def _bare(name: str) -> str:
    return name.rsplit("}", 1)[-1]


def parsed(text: str) -> Node:
    """Return the root element. Raises Broken; NotThisFormat where it is made to do harm."""
    builder = _Builder()
    parser = DefusedXMLParser(target=builder)
    builder.parser = parser.parser
    try:
        parser.feed(text)
        root = parser.close()
    except ParseError as error:
        raise Broken(error.position[0], str(error).split(":")[0]) from error
    except DefusedXmlException as error:
        raise NotThisFormat(_("it declares entities or refers to other files, which is not allowed")) from error
    if root is None:
        raise Broken(1, _("there is nothing in it"))
    return root


def text_of(data: bytes, decode, notes: list[str]) -> str:
    """Return XML as text that a strict parser takes: no characters that XML cannot have, HTML's entities resolved."""
    declared = DECLARED.search(data[:200])
    text = ""
    if declared and declared[1].lower() not in (b"utf-8", b"utf8", b"utf-16"):
        try:
            text = data.decode(declared[1].decode())
        except (LookupError, UnicodeDecodeError):
            notes.append(_("the file is not %(value)s, as it says") % {"value": declared[1].decode()})
    text = text or decode(data, notes)
    text = CONTROLS.sub("", text).lstrip()
    return ENTITY.sub(_resolved, re.sub(r"\A<\?xml[^>]*\?>", lambda found: "\n" * found[0].count("\n"), text))


def _resolved(found: re.Match) -> str:
    if found[0].startswith("<!") or found[1] in KNOWN_ENTITIES:
        return found[0]
    if found[1]:
        return html5.get(f"{found[1]};", f"&amp;{found[1]};")
    return "&amp;"


def element(tag: str, *inside: str, **attributes: str) -> str:
    """Return XML for an element; what is inside is XML already."""
    named = "".join(f" {name.rstrip('_').replace('_', '-')}={quoteattr(value)}" for name, value in attributes.items())
    return f"<{tag}{named}>{''.join(inside)}</{tag}>"


def words(text: str) -> str:
    """Return text as XML."""
    return escape(tidy(text))


def paragraphs(text: str) -> str:
    """Return text as XML paragraphs, which read back as the same lines."""
    return "".join(f"<p>{broken(part)}</p>" for part in tidy(text).split("\n\n") if part)


def broken(text: str) -> str:
    """Return text as XML in which lines are broken as they were."""
    return words(text).replace("\n", "<br/>")
