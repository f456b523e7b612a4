"""Moodle XML as we write it: one question element for each question, texts as they are."""

from collections.abc import Sequence
from fractions import Fraction

from django.utils.translation import gettext as _

from quizzes.formats.base import (
    TRUE_FALSE,
    Refused,
    decimal,
    leeway_of,
    number,
    percent,
)
from quizzes.formats.xml import element, words
from quizzes.kinds.base import EVERYTHING, NOTHING, weight

NO_UNITS = "3"  # showunits: the question is asked without them


def write(questions: Sequence[dict], language: str, title: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the file, and what it cannot carry: [(slug, what)]."""
    lost: list[tuple[str, str]] = []
    parts = []
    for question in questions:
        try:
            parts.append(_written(question, language, lost))
        except Refused as error:
            lost.append((question["slug"], _("left out: %(error)s") % {"error": error}))
    return '<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n{}</quiz>\n'.format("".join(parts)).encode(), lost


def _written(question: dict, language: str, lost: list[tuple[str, str]]) -> str:
    def told(texts: dict) -> str:
        return texts.get(language, "")

    if language not in question["stem"]:
        raise Refused(_("it has no text in '%(language)s'") % {"language": language})
    for name, dull in (("must_pass", False), ("cites", []), ("difficulty", 2)):
        if question[name] != dull:
            lost.append((question["slug"], _("'%(name)s' is not kept") % {"name": name}))
    if question["kind"] not in WRITERS:
        raise Refused(_("Moodle has no %(kind)s questions") % {"kind": question["kind"]})
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
        lost.append((question["slug"], _("becomes a single choice: it does not say true and false")))
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
        raise Refused(_("no answer is told in '%(language)s'") % {"language": language})
    return "shortanswer", inside


def _numeric_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    inside = []
    for option in question["options"]:
        value, leeway = decimal(number(option["value"])), decimal(leeway_of(option))
        if value is None or leeway is None:
            raise Refused(_("its value is a fraction that no decimal ends"))
        inside.append(_answer(value, weight(option), told(option["why"]), element("tolerance", leeway)))
    units = []
    for unit in question["detail"].get("units", []):
        times = decimal(1 / number(unit["factor"]))
        if times is None:
            raise Refused(
                _("the factor %(factor)s of a unit is none that Moodle can write") % {"factor": unit["factor"]}
            )
        units.append(element("unit", element("multiplier", times), element("unit_name", words(told(unit["text"])))))
    if units:
        inside += [element("unitgradingtype", "1"), element("showunits", "1"), element("units", *units)]
    return "numerical", inside


def _matching_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    prompts, text = question["detail"]["prompts"], {o["id"]: told(o["text"]) for o in question["options"]}
    used = {prompt["match"] for prompt in prompts}
    if any(part.get("why") for part in (*prompts, *question["options"])):
        lost.append((question["slug"], _("what is said about each pair is not kept")))
    if question["detail"].get("credit") == "all":
        lost.append((question["slug"], _("'all or nothing' becomes part credit")))
    pairs = [(told(prompt["text"]), text[prompt["match"]]) for prompt in prompts]
    pairs += [("", text[name]) for name in text if name not in used]
    inside = [element("shuffleanswers", _flag(question["shuffle"]))]
    inside += [_told("subquestion", prompt, element("answer", _plain(match))) for prompt, match in pairs]
    return "matching", inside


def _ordering_written(question: dict, told, language: str, lost: list) -> tuple[str, list[str]]:
    if any(option["why"] for option in question["options"]):
        lost.append((question["slug"], _("what is said about each item is not kept")))
    if question["detail"].get("credit") == "all":
        lost.append((question["slug"], _("'all or nothing' becomes part credit")))
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
