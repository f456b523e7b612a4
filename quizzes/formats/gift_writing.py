"""GIFT as we write it: every sign escaped, nothing left to guess."""

import re
from collections.abc import Sequence
from fractions import Fraction

from django.utils.translation import gettext as _

from quizzes.formats.base import TRUE_FALSE, Refused, decimal, leeway_of, number, percent
from quizzes.formats.plain import tidy
from quizzes.kinds.base import EVERYTHING, weight

ESCAPED = "\\:#={}~"
FORMAT = re.compile(r"\[(html|moodle|plain|markdown)\]", re.IGNORECASE)


def write(questions: Sequence[dict], language: str, title: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the file, and what it cannot carry: [(slug, what)]. Each question has its ``slug``."""
    lost: list[tuple[str, str]] = []
    parts = [f"// {tidy(title).splitlines()[0] if title else ''}\n"]
    for question in questions:
        try:
            parts.append(_written(question, language, lost))
        except Refused as error:
            lost.append((question["slug"], _("left out: %(error)s") % {"error": error}))
    return "\n".join(parts).encode(), lost


def _written(question: dict, language: str, lost: list[tuple[str, str]]) -> str:
    def told(texts: dict) -> str:
        text = texts.get(language, "")
        return _escaped(f"[plain]{text}" if FORMAT.match(text) else text)

    if language not in question["stem"]:
        raise Refused(_("it has no text in '%(language)s'") % {"language": language})
    slug, options = question["slug"], question["options"]
    for name, dull in (("points", 1), ("must_pass", False), ("shuffle", True), ("cites", []), ("difficulty", 2)):
        if question[name] != dull:
            lost.append((slug, _("'%(name)s' is not kept") % {"name": name}))
    body = WRITERS.get(question["kind"], _no_kind)(question, told, language, lost)
    feedback = told(question["explanation"])
    after = f"####{feedback}\n" if feedback else ""
    meta = "".join(f" [tag:{tag}]" for tag in question["tags"])
    del options
    return (
        f"// [id:{slug}]{meta}\n::{_escaped(slug)}::[plain]{_escaped(question['stem'][language])} {{{body}{after}}}\n"
    )


def _no_kind(question: dict, *_about) -> str:
    raise Refused(_("GIFT has no %(kind)s questions") % {"kind": question["kind"]})


def _with_why(text: str, why: str) -> str:
    return f"{text}#{why}" if why else text


def _choice(question: dict, told, language: str, lost: list) -> str:
    options, rule = question["options"], question["detail"].get("credit") or "all"
    rights = sum(bool(option.get("right")) for option in options)
    lines = []
    for option in options:
        is_right = bool(option.get("right"))
        if question["kind"] != "multiple":
            stated = "" if is_right or rule != "weights" or not weight(option) else f"%{percent(weight(option))}%"
            mark = "=" if is_right else f"~{stated}"
        else:
            share = Fraction(1, rights)
            worth = weight(option) if rule == "weights" else share if is_right else -share
            mark = f"~%{percent(worth)}%" if worth else "~"
        lines.append(f"\n{mark}{_with_why(told(option['text']), told(option['why']))}")
    if question["kind"] == "multiple" and rule == "all":
        lost.append((question["slug"], _("'all or nothing' becomes part credit")))
    return "".join(lines) + "\n"


def _truefalse(question: dict, told, language: str, lost: list) -> str:
    words = tuple(option["text"].get(language) for option in question["options"])
    if words != TRUE_FALSE.get(language, TRUE_FALSE["en"]) or question["detail"]:
        lost.append((question["slug"], _("becomes a single choice: it does not say true and false")))
        return _choice(question | {"kind": "single"}, told, language, lost)
    right, wrong = sorted(question["options"], key=lambda option: not option.get("right"))
    letter = "T" if question["options"][0].get("right") else "F"
    whys = told(wrong["why"]), told(right["why"])
    return f"{letter}#{whys[0]}#{whys[1]}\n" if any(whys) else letter


def _matching_written(question: dict, told, language: str, lost: list) -> str:
    prompts, text = question["detail"]["prompts"], {o["id"]: told(o["text"]) for o in question["options"]}
    used = {prompt["match"] for prompt in prompts}
    if any("->" in part for part in (*text.values(), *(told(prompt["text"]) for prompt in prompts))):
        raise Refused(_("a text has '->' in it, which GIFT cannot tell from its own"))
    if any(part.get("why") for part in (*prompts, *question["options"])):
        lost.append((question["slug"], _("what is said about each pair is not kept")))
    if question["detail"].get("credit") == "all":
        lost.append((question["slug"], _("'all or nothing' becomes part credit")))
    pairs = [f"\n={told(prompt['text'])} -> {text[prompt['match']]}" for prompt in prompts]
    return "".join(pairs) + "".join(f"\n= -> {text[name]}" for name in text if name not in used) + "\n"


def _text(question: dict, told, language: str, lost: list) -> str:
    if question["detail"].get("case"):
        lost.append((question["slug"], _("that capitals count is not kept")))
    lines = []
    for option in question["options"]:
        share = weight(option)
        stated = "" if share == EVERYTHING else f"%{percent(share)}%"
        lines += [
            f"\n={stated}{_with_why(_escaped(wording), told(option['why']))}"
            for wording in option["accepts"].get(language, ())
        ]
    if not lines:
        raise Refused(_("no answer is told in '%(language)s'") % {"language": language})
    return "".join(lines) + "\n"


def _numeric_written(question: dict, told, language: str, lost: list) -> str:
    units = question["detail"].get("units", [])
    if len(units) > 1:
        raise Refused(_("GIFT has no units"))
    if units:
        lost.append((question["slug"], _("its unit is not kept")))
    lines = []
    for option in question["options"]:
        value, leeway = number(option["value"]), leeway_of(option)
        texts = decimal(value), decimal(leeway)
        if None in texts:
            raise Refused(_("its value is a fraction that no decimal ends"))
        share = weight(option)
        stated = "" if share == EVERYTHING else f"%{percent(share)}%"
        amount = f"{texts[0]}:{texts[1]}" if leeway else texts[0]
        lines.append(f"\n={stated}{_with_why(amount, told(option['why']))}")
    return "#" + "".join(lines) + "\n"


WRITERS = {
    "single": _choice,
    "multiple": _choice,
    "truefalse": _truefalse,
    "matching": _matching_written,
    "text": _text,
    "numeric": _numeric_written,
}


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in ESCAPED else letter for letter in text).replace("\n", "\\n")
