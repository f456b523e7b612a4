"""QTI 3.0 items and packages (1EdTech), read and written; items of 2.1 and 2.2, which say the same in other names, are
read too. https://www.imsglobal.org/spec/qti/v3p0/impl

An item is read by its interaction and its response declaration. Response processing that says something else than
those (rules written out, not one of the standard templates) is noted: the declaration is what counts here.
"""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from quizzes.formats.base import (
    Item,
    NotThisFormat,
)
from quizzes.formats.packages import Package
from quizzes.formats.plain import decoded
from quizzes.formats.qti_items import every, read_item
from quizzes.formats.qti_writing import MANIFEST, write
from quizzes.formats.xml import CAMEL, Broken, Node, parsed, text_of

__all__ = ["EXTENSION", "NAME", "read", "write"]

NAME, EXTENSION = "QTI 3.0", "zip"


def read(data: bytes, language: str, notes: list[str]) -> Iterator[Item]:
    """Yield every question of an item's XML or of a package. Raises NotThisFormat."""
    if data.startswith(b"PK"):
        yield from _package(Package(data), language, notes)
        return
    try:
        root = _named(parsed(text_of(data, decoded, notes)))
    except Broken as error:
        raise NotThisFormat(_("it is not well-formed XML: %(error)s") % {"error": error}) from error
    items = [root] if root.tag == "assessment-item" else list(root.all("assessment-item"))
    if not items:
        raise NotThisFormat(_("it is neither an item nor a package of QTI"))
    for node in items:
        yield read_item(node, f"line {node.line}", language, [])


def _package(package: Package, language: str, notes: list[str]) -> Iterator[Item]:
    notes += [f"'{name}' was not opened: its name leads out of the package, or it is no plain file"
              for name in package.refused]  # fmt: skip
    tags, listed = _manifest(package, notes)
    known = listed or [name for name in sorted(package.files) if name.endswith(".xml") and name != MANIFEST]
    found = 0
    for name in known:
        try:
            root = _named(parsed(text_of(package.read(name), decoded, notes)))
        except Broken as error:
            found += 1
            yield Item(name, refused=_("it is not well-formed XML: %(error)s") % {"error": error})
            continue
        except NotThisFormat as error:
            found += 1
            yield Item(name, refused=str(error))
            continue
        if root.tag == "assessment-item":
            found += 1
            yield read_item(root, name, language, tags.get(name, []))
    if not found:
        raise NotThisFormat(_("there is no item in the package"))


def _manifest(package: Package, notes: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return {file: keywords} and the items in the order in which the manifest lists them."""
    name = next((n for n in package.files if n.rsplit("/", 1)[-1].lower() == MANIFEST), None)
    if name is None:
        notes.append(_("the package has no imsmanifest.xml; every XML file in it was looked at"))
        return {}, []
    try:
        root = parsed(text_of(package.read(name), decoded, notes))
    except Broken as error:
        notes.append(
            _("imsmanifest.xml is not well-formed (%(error)s); every XML file in the package was looked at")
            % {"error": error}
        )
        return {}, []
    tags, listed = {}, []
    for resource in root.all("resource"):
        if "item" not in resource.get("type").lower():
            continue
        files = [resource.get("href"), *(file.get("href") for file in resource.children("file"))]
        path = next((found for file in files if file and (found := package.resolved(file, name))), None)
        if path is None:
            notes.append(_("imsmanifest.xml lists '%(name)s', which is not in the package") % {"name": files[0]})
        elif path not in tags:
            listed.append(path)
            tags[path] = [text for word in resource.all("keyword") for text in _strings(word)]
    return tags, listed


def _strings(node: Node) -> list[str]:
    below = [part.raw().strip() for part in node.all("string", "langstring")]
    return below or [node.raw().strip()]


def _named(root: Node) -> Node:
    """Give the elements of 2.x the names of 3.0, and leave the prefix out of all."""
    for node in [root, *root.all(*{n.tag for n in every(root)})]:
        node.tag = CAMEL.sub("-", node.tag).lower().removeprefix("qti-")
        node.attributes = {CAMEL.sub("-", name).lower(): value for name, value in node.attributes.items()}
    return root
