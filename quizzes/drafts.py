"""What an author types about a question, as plain data and back."""

import re
from collections.abc import Mapping

from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _

from quizzes.formats import own
from quizzes.formats.base import Item, NotThisFormat, checked, ids, slug_of, tags_of
from quizzes.formats.fields import is_slug
from quizzes.formats.plain import tidy
from quizzes.models import Question
from quizzes.publishing import LATER_FIELDS, QUESTION_FIELDS

LANGUAGES = [code for code, _name in settings.LANGUAGES]
CHOICES = {"single", "multiple", "truefalse"}
MOST_ROWS, FEWEST_ROWS = 8, 4
TEXT_MOST = 100_000  # characters of a question written as text

# With which a new question of a kind begins that fields cannot hold.
EXAMPLES = {
    "matching": """prompts:
- {id: p1, text: {en: …}, match: a, why: {en: …}}
- {id: p2, text: {en: …}, match: b, why: {en: …}}
options:
- {id: a, text: {en: …}}
- {id: b, text: {en: …}}
- {id: c, text: {en: …}, why: {en: …}}
""",
    "ordering": """options:  # in the right order
- {id: a, text: {en: …}, why: {en: …}}
- {id: b, text: {en: …}, why: {en: …}}
- {id: c, text: {en: …}, why: {en: …}}
""",
    "numeric": """options:
- {id: a, right: true, value: 3, tolerance: 0.5, why: {en: …}}
units:
- {id: years, text: {en: years}, factor: 1}
- {id: months, text: {en: months}, factor: 1/12}
""",
    "text": """options:
- {id: a, right: true, accepts: {en: [WeCom]}, why: {en: …}}
""",
    "chat": """title: {en: …}
messages:
- {id: m1, from: {en: Mr Chen}, text: {en: …}, mark: personal, why: {en: …}}
- {id: m2, from: {en: Lin}, me: true, text: {en: …}}
- {id: m3, from: {en: Mr Chen}, text: {en: …}, mark: business, why: {en: …}}
""",
    "scenario": """start: first
scenes:
- id: first
  text: {en: …}
  choices:
  - {id: a, text: {en: …}, to: good, why: {en: …}}
  - {id: b, text: {en: …}, to: bad, why: {en: …}}
- {id: good, text: {en: …}, weight: 1, why: {en: …}}
- {id: bad, text: {en: …}, weight: 0, why: {en: …}}
""",
}


class Draft:
    """A question as an author has typed it: ``question`` where it can be asked, ``flaws`` where not."""

    def __init__(self, question: dict | None, slug: str, flaws: list[str]) -> None:
        self.question, self.slug, self.flaws = question, slug, flaws

    @property
    def given(self) -> dict:
        return self.question | {"slug": self.slug}


def begun(kind: str) -> str:
    """Return the text with which a new question of a kind begins."""
    return f"- id: \n  kind: {kind}\n  tags: []\n  difficulty: 2\n  stem: {{en: …}}\n" + "".join(
        f"  {line}\n" for line in EXAMPLES[kind].splitlines()
    ) + "  explanation: {en: …}\n"  # fmt: skip


def text_of(question: Question) -> str:
    """Return a question as text, in the portal's own format."""
    names = (*QUESTION_FIELDS, *LATER_FIELDS)
    given = {"slug": question.slug} | {name: getattr(question, name) for name in names}
    return own.write([given], "", "")[0].decode()


def read_text(text: str) -> Draft:
    """Read one question that was typed as text."""
    if len(text) > TEXT_MOST:
        return Draft(None, "", [_("The text is longer than %(text_most)s characters.") % {"text_most": TEXT_MOST}])
    try:
        items = list(own.read(text.encode(), settings.LANGUAGE_CODE, []))
    except NotThisFormat as error:
        return Draft(None, "", [str(error)])
    if len(items) != 1:
        return Draft(None, "", [_("The text holds %(n)s questions; write one.") % {"n": len(items)}])
    return _drafted(items[0])


def _drafted(item: Item) -> Draft:
    if item.question is None:
        return Draft(None, item.name, item.refused.split("; "))
    return Draft(item.question, slug_of(item.name, item.question), [])


def read_fields(data: QueryDict) -> Draft:
    """Read a question with options that was typed into fields."""
    options = []
    for place in range(MOST_ROWS):
        text = _texts(data, f"o{place}-text")
        if text:
            name = data.get(f"o{place}-id", "")
            options.append(
                {
                    "id": name if is_slug(name) else "",
                    "right": f"o{place}-right" in data,
                    "text": text,
                    "why": _texts(data, f"o{place}-why"),
                }
            )
    _name_options(options)
    kind = data.get("kind", "")
    question = {
        "kind": kind if kind in CHOICES else "single",
        "tags": tags_of(*re.split(r"[,，;\n]", data.get("tags", ""))),
        "difficulty": _number(data.get("difficulty", ""), 2, most=3),
        "cites": [word for word in re.split(r"[,\s]+", data.get("cites", "")) if is_slug(word)],
        "stem": _texts(data, "stem"),
        "explanation": _texts(data, "explanation"),
        "points": _number(data.get("points", ""), 1, most=100),
        "must_pass": "must_pass" in data,
        "shuffle": "shuffle" in data,
        "options": options,
        "detail": {"credit": "parts"} if kind == "multiple" and "parts" in data else {},
    }
    return _drafted(checked(Item("", name=data.get("id", "").strip(), question=question)))


def _texts(data: Mapping, name: str) -> dict[str, str]:
    found = {language: tidy(data.get(f"{name}-{language}", "")) for language in LANGUAGES}
    return {language: text for language, text in found.items() if text}


def _number(text: str, otherwise: int, *, most: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= most else otherwise


def _name_options(options: list[dict]) -> None:
    """Give new options the first free ids."""
    taken = {option["id"] for option in options}
    free = (name for name in ids(MOST_ROWS * 2) if name not in taken)
    for option in options:
        option["id"] = option["id"] or next(free)


def fields_of(question: Mapping | None, slug: str = "") -> dict:
    """Return what the fields of a choice show: of a question, or of none yet."""
    blank = {"id": "", "right": False, "text": {}, "why": {}}
    options = list(question["options"]) if question else []
    rows = max(min(len(options) + 2, MOST_ROWS), FEWEST_ROWS)
    options += [blank] * (rows - len(options))
    return {
        "id": slug,
        "kind": question["kind"] if question else "single",
        "tags": ", ".join(question["tags"]) if question else "",
        "cites": ", ".join(question["cites"]) if question else "",
        "difficulty": question["difficulty"] if question else 2,
        "points": question["points"] if question else 1,
        "must_pass": bool(question and question["must_pass"]),
        "shuffle": question["shuffle"] if question else True,
        "parts": bool(question and question["detail"].get("credit") == "parts"),
        "stem": _shown("stem", question["stem"] if question else {}),
        "explanation": _shown("explanation", question["explanation"] if question else {}),
        "options": [
            {
                "place": place,
                "id": option["id"],
                "right": bool(option.get("right")),
                "text": _shown(f"o{place}-text", option["text"]),
                "why": _shown(f"o{place}-why", option["why"]),
            }
            for place, option in enumerate(options)
        ],
    }


def _shown(name: str, texts: Mapping[str, str]) -> list[dict]:
    return [
        {"name": f"{name}-{code}", "code": code, "label": label, "text": texts.get(code, "")}
        for code, label in settings.LANGUAGES
    ]


def typed(data: QueryDict) -> dict:
    """Return what was typed, as fields_of() shows it, however wrong it is."""
    draft = {name: data.get(name, "") for name in ("id", "kind", "tags", "cites", "difficulty", "points")}
    draft |= {name: name in data for name in ("must_pass", "shuffle", "parts")}
    draft |= {name: _typed(data, name) for name in ("stem", "explanation")}
    options = [
        {
            "place": place,
            "id": data.get(f"o{place}-id", ""),
            "right": f"o{place}-right" in data,
            "text": _typed(data, f"o{place}-text"),
            "why": _typed(data, f"o{place}-why"),
        }
        for place in range(MOST_ROWS)
        if place < FEWEST_ROWS or f"o{place}-text-{LANGUAGES[0]}" in data
    ]
    return draft | {"options": options}


def _typed(data: QueryDict, name: str) -> list[dict]:
    return _shown(name, {code: data.get(f"{name}-{code}", "") for code in LANGUAGES})


def is_plain_choice(question: Question) -> bool:
    """Return whether the fields can hold all of a question."""
    if question.kind not in CHOICES or question.detail.get("credit") not in (None, "all", "parts"):
        return False
    return len(question.options) <= MOST_ROWS and set(question.stem) <= set(LANGUAGES)
