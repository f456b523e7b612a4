"""Moodle XML, as Moodle exports its question banks. https://docs.moodle.org/en/Moodle_XML_format

When the file as a whole is not well formed, each <question> is read by itself: a broken one does not take the others
along. Questions that only a person could grade, or that are drawn by rules of Moodle's own, are refused by name.
"""

import re
from collections.abc import Iterator
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from quizzes.formats.base import (
    Item,
    NotThisFormat,
    Refused,
    Share,
    Told,
    checked,
    number,
    share_of,
    tags_of,
    written,
)
from quizzes.formats.moodle_writing import NO_UNITS, write
from quizzes.formats.plain import decoded, of_format
from quizzes.formats.xml import Broken, Node, parsed, text_of
from quizzes.kinds.base import EVERYTHING, NOTHING

__all__ = ["EXTENSION", "NAME", "read", "write"]

NAME, EXTENSION = "Moodle XML", "xml"
OPENING = re.compile(r"<question\b(?:<!\[CDATA\[.*?\]\]>|[^<]|<(?!/question>|question\b))*", re.DOTALL)
FORMATS = {"html": "html", "markdown": "markdown", "plain_text": "plain", "moodle_auto_format": "moodle"}
NOT_OURS = {
    "essay": gettext_noop("an essay: only a person could grade it"),
    "description": gettext_noop("it asks nothing (a description)"),
    "cloze": gettext_noop("a cloze: write a question for each gap"),
    "multianswer": gettext_noop("a cloze: write a question for each gap"),
    "calculated": gettext_noop("its numbers are drawn by a formula of Moodle's"),
    "calculatedmulti": gettext_noop("its numbers are drawn by a formula of Moodle's"),
    "calculatedsimple": gettext_noop("its numbers are drawn by a formula of Moodle's"),
    "randomsamatch": gettext_noop("it is put together from other questions"),
    "random": gettext_noop("it is put together from other questions"),
}
FULL_GRADE = ("fullgrade", "100")


def read(data: bytes, language: str, notes: list[str]) -> Iterator[Item]:
    """Yield every question of the file. What holds for the file as a whole is noted. Raises NotThisFormat."""
    text = text_of(data, decoded, notes)
    if "<question" not in text:
        raise NotThisFormat(_("there is no <question> in it"))
    category = ""
    for count, (line, node) in enumerate(_questions(text, notes), start=1):
        if isinstance(node, Node) and node.get("type") == "category":
            category = node.child("category").text_of("text") if node.child("category") else ""
            continue
        item = Item(_("line %(line)s") % {"line": line}, name=f"question {count}")
        try:
            if isinstance(node, str):
                raise Refused(node)
            _fill(item, node, Told(language), category)
        except Refused as error:
            item.refused = str(error)
        yield checked(item)


def _questions(text: str, notes: list[str]) -> Iterator[tuple[int, Node | str]]:
    """Yield (line, question), or what is wrong with it."""
    try:
        root = parsed(text)
    except Broken as error:
        notes.append(
            _("the file is not well-formed XML (%(error)s); each question was read by itself") % {"error": error}
        )
        for found in OPENING.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            piece = found[0] + "</question>"
            try:
                yield line, parsed(piece)
            except Broken as broken:
                yield line, _("it is not well-formed XML: %(what)s") % {"what": broken.what}
        return
    for node in [root] if root.tag == "question" else root.all("question"):
        yield node.line, node


def _fill(item: Item, node: Node, tell: Told, category: str) -> None:
    kind = node.get("type")
    item.name = _text(node.child("name"), item.notes, "plain") or node.text_of("idnumber") or item.name
    if kind in NOT_OURS:
        raise Refused(_(NOT_OURS[kind]))
    reader = READERS.get(kind)
    if reader is None:
        raise Refused(_("there is no kind here for Moodle's '%(kind)s'") % {"kind": kind})
    if number_ := node.text_of("idnumber"):
        item.name = number_
    stem = _text(node.child("questiontext"), item.notes)
    tags = node.child("tags")
    told = [_text(tag, item.notes, "plain") for tag in tags.children("tag")] if tags else []
    fields = {
        "tags": tags_of(category.removeprefix("$course$"), *told),
        "explanation": tell(_text(node.child("generalfeedback"), item.notes)),
        "points": _points(node, item.notes),
    }
    if picture := node.text_of("image"):
        item.notes.append(_("the picture '%(name)s' was left out") % {"name": picture[:80]})
    if node.child("hint"):
        item.notes.append(_("hints were left out"))
    item.question = reader(node, stem, tell, item.notes, fields)


def _points(node: Node, notes: list[str]) -> int:
    stated = number(node.text_of("defaultgrade") or "1")
    if stated is None or stated.denominator != 1 or not 1 <= stated <= 100:
        notes.append(
            _("it is worth %(defaultgrade)s; taken as 1 point") % {"defaultgrade": node.text_of("defaultgrade")}
        )
        return 1
    return int(stated)


def _text(node: Node | None, notes: list[str], style: str = "") -> str:
    """Return the plain text of an element that holds <text>, in the format that it states."""
    if node is None:
        return ""
    inner = node.child("text")
    raw = (inner or node).raw()
    if inner and inner.children():  # markup that was not put into CDATA
        return inner.plain(notes)
    if any(file.tag == "file" for file in node.children()) and "@@PLUGINFILE@@" not in raw:
        notes.append(_("an attached file was left out"))
    return of_format(raw, style or FORMATS.get(node.get("format"), "moodle"), notes)


def _shares(node: Node, notes: list[str]) -> list[Share]:
    found = []
    for answer in node.children("answer"):
        share = share_of(answer.get("fraction") or answer.text_of("fraction") or "0")
        if share is None:
            raise Refused(
                _("the fraction '%(fraction)s' on line %(line)s is not from -100 to 100")
                % {"fraction": answer.get("fraction"), "line": answer.line}
            )
        style = "" if answer.get("format") else "html" if node.get("type") == "multichoice" else "plain"
        found.append(Share(_text(answer, notes, style), share, _text(answer.child("feedback"), notes)))
    return found


def _choice(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    fields["shuffle"] = node.text_of("shuffleanswers").lower() not in ("0", "false")
    shares = _shares(node, notes)
    if any(_text(node.child(name), notes) for name in ("correctfeedback", "partiallycorrectfeedback")) and not all(
        _is_stock(_text(node.child(name), [])) for name in ("correctfeedback", "partiallycorrectfeedback")
    ):
        notes.append(_("the feedback on the question as a whole was left out"))
    if node.get("type") == "multichoiceset":
        right = sum(share.share == EVERYTHING for share in shares)
        if not right:
            raise Refused(_("no option is right: give the right ones the fraction 100"))
        even = [
            share._replace(share=Fraction(1, right) if share.share == EVERYTHING else -Fraction(1, right))
            for share in shares
        ]
        return tell.choice(stem, even, notes, multiple=True, **fields) | {"detail": {}}
    is_single = node.text_of("single").lower() in ("", "true", "1")
    return tell.choice(stem, shares, notes, multiple=not is_single, **fields)


def _is_stock(text: str) -> bool:
    return text.rstrip(".。!") in (
        "",
        "Your answer is correct",
        "Your answer is partially correct",
        "回答正确",
        "部分正确",
    )


def _truefalse(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    shares = {share.text.strip().lower(): share for share in _shares(node, notes)}
    yes = shares.get("true") or shares.get("正确") or shares.get("对")
    no = shares.get("false") or shares.get("错误") or shares.get("错")
    if yes is None or no is None or {yes.share, no.share} != {NOTHING, EVERYTHING}:
        raise Refused(_("it does not say which of true and false is right"))
    return tell.truefalse(stem, yes.share == EVERYTHING, (yes.why, no.why), **fields)


def _shortanswer(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    return tell.text(stem, _shares(node, notes), case=node.text_of("usecase") in ("1", "true"), **fields)


def _numerical(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    found = []
    for share, answer in zip(_shares(node, notes), node.children("answer"), strict=True):
        if share.text.strip() == "*":
            notes.append(_("the feedback on all other numbers was left out"))
            continue
        value, leeway = number(share.text), number(answer.text_of("tolerance") or "0")
        if value is None or leeway is None or leeway < 0:
            raise Refused(
                _("'%(text)s' with the tolerance '%(tolerance)s' is no number")
                % {"text": share.text, "tolerance": answer.text_of("tolerance")}
            )
        found.append((share._replace(text=written(value)), written(leeway)))
    return tell.numeric(stem, found, _units(node, tell, notes), **fields)


def _units(node: Node, tell: Told, notes: list[str]) -> list[dict]:
    """Return the units; Moodle says how many of a unit one of the first is, we how much of the first one is."""
    units = node.child("units")
    if units is None or node.text_of("showunits") == NO_UNITS:
        return []
    found = []
    for place, unit in enumerate(units.children("unit"), start=1):
        times = number(unit.text_of("multiplier") or "1")
        if not times or times < 0:
            raise Refused(
                _("the multiplier '%(multiplier)s' on line %(line)s is no number above 0")
                % {"multiplier": unit.text_of("multiplier"), "line": unit.line}
            )
        found.append({"id": f"u{place}", "text": tell(unit.text_of("unit_name")), "factor": written(1 / times)})
    if found and node.text_of("unitgradingtype") not in ("1", "2") and len(found) > 1:
        notes.append(_("without its unit a number counts for less in Moodle, and for nothing here"))
    return found


def _matching(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    fields["shuffle"] = node.text_of("shuffleanswers").lower() not in ("0", "false")
    pairs, left_over = [], []
    for part in node.children("subquestion"):
        prompt, match = _text(part, notes), _text(part.child("answer"), notes, "plain")
        if prompt:
            pairs.append((prompt, match))
        elif match:
            left_over.append(match)
    return tell.matching(stem, pairs, left_over, **fields)


def _ordering(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    items = [_text(answer, notes) for answer in node.children("answer")]
    return tell.ordering(stem, items, **fields)


READERS = {
    "multichoice": _choice,
    "multichoiceset": _choice,
    "truefalse": _truefalse,
    "shortanswer": _shortanswer,
    "numerical": _numerical,
    "matching": _matching,
    "ordering": _ordering,
}
