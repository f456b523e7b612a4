"""Moodle XML, as Moodle exports its question banks. https://docs.moodle.org/en/Moodle_XML_format

When the file as a whole is not well formed, each <question> is read by itself: a broken one does not take the others
along. Questions that only a person could grade, or that are drawn by rules of Moodle's own, are refused by name.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from quizzes.formats.base import (
    TRUE_FALSE,
    Item,
    NotThisFormat,
    Refused,
    Share,
    Told,
    checked,
    decimal,
    leeway_of,
    number,
    percent,
    share_of,
    tags_of,
    written,
)
from quizzes.formats.plain import decoded, of_format
from quizzes.formats.xml import Broken, Node, element, parsed, text_of, words
from quizzes.kinds.base import EVERYTHING, NOTHING, weight

NAME, EXTENSION = "Moodle XML", "xml"
OPENING = re.compile(r"<question\b(?:<!\[CDATA\[.*?\]\]>|[^<]|<(?!/question>|question\b))*", re.DOTALL)
FORMATS = {"html": "html", "markdown": "markdown", "plain_text": "plain", "moodle_auto_format": "moodle"}
NOT_OURS = {
    "essay": "an essay: only a person could grade it",
    "description": "it asks nothing (a description)",
    "cloze": "a cloze: write a question for each gap",
    "multianswer": "a cloze: write a question for each gap",
    "calculated": "its numbers are drawn by a formula of Moodle's",
    "calculatedmulti": "its numbers are drawn by a formula of Moodle's",
    "calculatedsimple": "its numbers are drawn by a formula of Moodle's",
    "randomsamatch": "it is put together from other questions",
    "random": "it is put together from other questions",
}
NO_UNITS = "3"  # showunits: the question is asked without them
FULL_GRADE = ("fullgrade", "100")


def read(data: bytes, language: str, notes: list[str]) -> Iterator[Item]:
    """Yield every question of the file. What holds for the file as a whole is noted. Raises NotThisFormat."""
    text = text_of(data, decoded, notes)
    if "<question" not in text:
        raise NotThisFormat("there is no <question> in it")
    category = ""
    for count, (line, node) in enumerate(_questions(text, notes), start=1):
        if isinstance(node, Node) and node.get("type") == "category":
            category = node.child("category").text_of("text") if node.child("category") else ""
            continue
        item = Item(f"line {line}", name=f"question {count}")
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
        notes.append(f"the file is not well-formed XML ({error}); each question was read by itself")
        for found in OPENING.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            piece = found[0] + "</question>"
            try:
                yield line, parsed(piece)
            except Broken as broken:
                yield line, f"it is not well-formed XML: {broken.what}"
        return
    for node in [root] if root.tag == "question" else root.all("question"):
        yield node.line, node


def _fill(item: Item, node: Node, tell: Told, category: str) -> None:
    kind = node.get("type")
    item.name = _text(node.child("name"), item.notes, "plain") or node.text_of("idnumber") or item.name
    if kind in NOT_OURS:
        raise Refused(NOT_OURS[kind])
    reader = READERS.get(kind)
    if reader is None:
        raise Refused(f"there is no kind here for Moodle's '{kind}'")
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
        item.notes.append(f"the picture '{picture[:80]}' was left out")
    if node.child("hint"):
        item.notes.append("hints were left out")
    item.question = reader(node, stem, tell, item.notes, fields)


def _points(node: Node, notes: list[str]) -> int:
    stated = number(node.text_of("defaultgrade") or "1")
    if stated is None or stated.denominator != 1 or not 1 <= stated <= 100:
        notes.append(f"it is worth {node.text_of('defaultgrade')}; taken as 1 point")
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
        notes.append("an attached file was left out")
    return of_format(raw, style or FORMATS.get(node.get("format"), "moodle"), notes)


def _shares(node: Node, notes: list[str]) -> list[Share]:
    found = []
    for answer in node.children("answer"):
        share = share_of(answer.get("fraction") or answer.text_of("fraction") or "0")
        if share is None:
            raise Refused(f"the fraction '{answer.get('fraction')}' on line {answer.line} is not from -100 to 100")
        style = "" if answer.get("format") else "html" if node.get("type") == "multichoice" else "plain"
        found.append(Share(_text(answer, notes, style), share, _text(answer.child("feedback"), notes)))
    return found


def _choice(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    fields["shuffle"] = node.text_of("shuffleanswers").lower() not in ("0", "false")
    shares = _shares(node, notes)
    if any(_text(node.child(name), notes) for name in ("correctfeedback", "partiallycorrectfeedback")) and not all(
        _is_stock(_text(node.child(name), [])) for name in ("correctfeedback", "partiallycorrectfeedback")
    ):
        notes.append("the feedback on the question as a whole was left out")
    if node.get("type") == "multichoiceset":
        right = sum(share.share == EVERYTHING for share in shares)
        if not right:
            raise Refused("no option is right: give the right ones the fraction 100")
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
        raise Refused("it does not say which of true and false is right")
    return tell.truefalse(stem, yes.share == EVERYTHING, (yes.why, no.why), **fields)


def _shortanswer(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    return tell.text(stem, _shares(node, notes), case=node.text_of("usecase") in ("1", "true"), **fields)


def _numerical(node: Node, stem: str, tell: Told, notes: list[str], fields: dict) -> dict:
    found = []
    for share, answer in zip(_shares(node, notes), node.children("answer"), strict=True):
        if share.text.strip() == "*":
            notes.append("the feedback on all other numbers was left out")
            continue
        value, leeway = number(share.text), number(answer.text_of("tolerance") or "0")
        if value is None or leeway is None or leeway < 0:
            raise Refused(f"'{share.text}' with the tolerance '{answer.text_of('tolerance')}' is no number")
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
            raise Refused(f"the multiplier '{unit.text_of('multiplier')}' on line {unit.line} is no number above 0")
        found.append({"id": f"u{place}", "text": tell(unit.text_of("unit_name")), "factor": written(1 / times)})
    if found and node.text_of("unitgradingtype") not in ("1", "2") and len(found) > 1:
        notes.append("without its unit a number counts for less in Moodle, and for nothing here")
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


# --- written -----------------------------------------------------------------------------------------------------


def write(questions: Sequence[dict], language: str, title: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the file, and what it cannot carry: [(slug, what)]."""
    lost: list[tuple[str, str]] = []
    parts = []
    for question in questions:
        try:
            parts.append(_written(question, language, lost))
        except Refused as error:
            lost.append((question["slug"], f"left out: {error}"))
    return '<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n{}</quiz>\n'.format("".join(parts)).encode(), lost


def _written(question: dict, language: str, lost: list[tuple[str, str]]) -> str:
    def told(texts: dict) -> str:
        return texts.get(language, "")

    if language not in question["stem"]:
        raise Refused(f"it has no text in '{language}'")
    for name, dull in (("must_pass", False), ("cites", []), ("difficulty", 2)):
        if question[name] != dull:
            lost.append((question["slug"], f"'{name}' is not kept"))
    if question["kind"] not in WRITERS:
        raise Refused(f"Moodle has no {question['kind']} questions")
    kind, inside = WRITERS[question["kind"]](question, told, language, lost)
    head = [
        element("name", _plain(question["slug"])),
        _told("questiontext", told(question["stem"])),
        _told("generalfeedback", told(question["explanation"])),
        element("defaultgrade", str(question["points"])),
        element("idnumber", words(question["slug"])),
        element("tags", *(element("tag", _plain(tag)) for tag in question["tags"])),
    ]
    return element("question", "\n", *(f"  {part}\n" for part in [*head, *inside]), type=kind) + "\n"


def _plain(text: str) -> str:
    return element("text", words(text))


def _told(tag: str, text: str, *inside: str, **attributes: str) -> str:
    return element(tag, _plain(text), *inside, format="plain_text", **attributes)


def _answer(text: str, share: Fraction, why: str, *inside: str) -> str:
    return _told("answer", text, _told("feedback", why), *inside, fraction=percent(share))


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _choice_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    options, rule = question["options"], question["detail"].get("credit") or "all"
    is_multiple, rights = question["kind"] == "multiple", sum(bool(o.get("right")) for o in question["options"])
    kind = "multichoiceset" if is_multiple and rule == "all" else "multichoice"
    inside = [element("single", _flag(not is_multiple)), element("shuffleanswers", _flag(question["shuffle"]))]
    for option in options:
        right = bool(option.get("right"))
        if rule == "weights" and (is_multiple or not right):
            share = weight(option)
        elif is_multiple and rule == "parts":
            share = Fraction(1, rights) if right else -Fraction(1, rights)
        else:
            share = EVERYTHING if right else NOTHING
        inside.append(_answer(told(option["text"]), share, told(option["why"])))
    return kind, inside


def _truefalse_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    texts = tuple(option["text"].get(language) for option in question["options"])
    if texts != TRUE_FALSE.get(language, TRUE_FALSE["en"]) or question["detail"]:
        lost.append((question["slug"], "becomes a single choice: it does not say true and false"))
        return _choice_written(question | {"kind": "single", "shuffle": False}, told, language, lost)
    pairs = zip(("true", "false"), question["options"], strict=True)
    inside = [_answer(name, EVERYTHING if o.get("right") else NOTHING, told(o["why"])) for name, o in pairs]
    return "truefalse", inside


def _text_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    inside = [element("usecase", "1" if question["detail"].get("case") else "0")]
    for option in question["options"]:
        for wording in option["accepts"].get(language, ()):
            inside.append(_answer(wording, weight(option), told(option["why"])))
    if len(inside) == 1:
        raise Refused(f"no answer is told in '{language}'")
    return "shortanswer", inside


def _numeric_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    inside = []
    for option in question["options"]:
        value, leeway = decimal(number(option["value"])), decimal(leeway_of(option))
        if value is None or leeway is None:
            raise Refused("its value is a fraction that no decimal ends")
        inside.append(_answer(value, weight(option), told(option["why"]), element("tolerance", leeway)))
    units = []
    for unit in question["detail"].get("units", []):
        times = decimal(1 / number(unit["factor"]))
        if times is None:
            raise Refused(f"the factor {unit['factor']} of a unit is none that Moodle can write")
        units.append(element("unit", element("multiplier", times), element("unit_name", words(told(unit["text"])))))
    if units:
        inside += [element("unitgradingtype", "1"), element("showunits", "1"), element("units", *units)]
    return "numerical", inside


def _matching_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    prompts, text = question["detail"]["prompts"], {o["id"]: told(o["text"]) for o in question["options"]}
    used = {prompt["match"] for prompt in prompts}
    if any(part.get("why") for part in (*prompts, *question["options"])):
        lost.append((question["slug"], "what is said about each pair is not kept"))
    if question["detail"].get("credit") == "all":
        lost.append((question["slug"], "'all or nothing' becomes part credit"))
    pairs = [(told(prompt["text"]), text[prompt["match"]]) for prompt in prompts]
    pairs += [("", text[name]) for name in text if name not in used]
    inside = [element("shuffleanswers", _flag(question["shuffle"]))]
    inside += [_told("subquestion", prompt, element("answer", _plain(match))) for prompt, match in pairs]
    return "matching", inside


def _ordering_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    if any(option["why"] for option in question["options"]):
        lost.append((question["slug"], "what is said about each item is not kept"))
    if question["detail"].get("credit") == "all":
        lost.append((question["slug"], "'all or nothing' becomes part credit"))
    items = [_told("answer", told(o["text"]), fraction=f"{n}.0000000") for n, o in enumerate(question["options"], 1)]
    return "ordering", [element("layouttype", "VERTICAL"), element("selecttype", "ALL"), *items]


WRITERS = {
    "single": _choice_written,
    "multiple": _choice_written,
    "truefalse": _truefalse_written,
    "text": _text_written,
    "numeric": _numeric_written,
    "matching": _matching_written,
    "ordering": _ordering_written,
}
