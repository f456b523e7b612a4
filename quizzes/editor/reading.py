"""A form becomes a question, with what is wrong at each field; and a question a form."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _

from quizzes.editor.rows import count, ids_of
from quizzes.editor.shapes import SHAPES, Field, Rows, credits_of
from quizzes.formats.base import Item, checked, slug_of, tags_of
from quizzes.formats.fields import TEXT_MOST, is_slug
from quizzes.formats.plain import tidy
from quizzes.kinds import KINDS

LANGUAGES = [code for code, _name in settings.LANGUAGES]
WORDS = re.compile(r"[,\s]+")
MORE_ROWS = 2  # empty ones after those that a question has
Data = Mapping[str, str]


@dataclass
class Draft:
    """A question as an author has typed it: ``question`` where it can be asked.

    ``errors``: what is wrong, by the name of a field, of a row ("options-2") or of a list ("options"); "" is the whole.
    """

    question: dict | None
    slug: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def given(self) -> dict:
        return self.question | {"slug": self.slug}

    @property
    def flaws(self) -> list[str]:
        return [text for texts in self.errors.values() for text in texts]


class _Reading:
    """One form being read: what is wrong, and which row of the page each part of the question came from."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.errors: dict[str, list[str]] = {}
        self.places: dict[str, list[int]] = {}  # by path of a list: the rows of the page that say something
        self.told: set[str] = set()

    def wrong(self, name: str, text: str) -> None:
        self.errors.setdefault(name, []).append(text)

    def texts(self, name: str) -> dict[str, str]:
        found = {code: tidy(self.data.get(f"{name}-{code}", "")) for code in LANGUAGES}
        for code, text in found.items():
            if len(text) > TEXT_MOST:
                self.wrong(f"{name}-{code}", _("Shorten it to %(most)s characters.") % {"most": TEXT_MOST})
        return {code: text for code, text in found.items() if text}

    def wordings(self, name: str) -> dict[str, list[str]]:
        lines = {code: self.data.get(f"{name}-{code}", "").splitlines() for code in LANGUAGES}
        found = {code: [text for line in some if (text := tidy(line))] for code, some in lines.items()}
        return {code: some for code, some in found.items() if some}

    def value(self, shape: Field, path: str) -> object:
        """Return what a field holds; {} or "" where it says nothing."""
        if shape.look == "texts":
            return self.texts(path)
        if shape.look == "wordings":
            return self.wordings(path)
        if shape.look == "flag":
            return path in self.data
        return self.data.get(path, "").strip()

    def needed(self, shape: Field, path: str, value: object) -> None:
        """Note where a text is missing: in every language in which the question is asked."""
        if shape.look in ("texts", "wordings"):
            for code in LANGUAGES:
                if code in self.told and code not in value:
                    self.wrong(f"{path}-{code}", _("Write it: the question is asked in this language."))
        elif value == "":
            self.wrong(path, _("Write it."))


def read(data: Data) -> Draft:
    """Return what was typed into a form."""
    kind = data.get("kind", "") if data.get("kind", "") in SHAPES else "single"
    shape, reading = SHAPES[kind], _Reading(data)
    stem = reading.texts("stem")
    reading.told = set(stem)
    if not stem:
        reading.wrong(f"stem-{LANGUAGES[0]}", _("Write what is asked."))
    lists = {rows.name: _rows(reading, rows, rows.name) for rows in shape.rows}
    question = {
        "kind": kind,
        "tags": tags_of(*re.split(r"[,，;\n]", data.get("tags", ""))),
        "difficulty": _number(reading, "difficulty", 2, most=3),
        "cites": [word for word in WORDS.split(data.get("cites", "")) if is_slug(word)],
        "stem": stem,
        "explanation": reading.texts("explanation"),
        "points": _number(reading, "points", 1, most=100),
        "must_pass": "must_pass" in data,
        "shuffle": "shuffle" in data or not shape.is_shuffled,
        "options": lists.pop("options", []),
        "detail": {name: some for name, some in lists.items() if some or name != "units"},
    }
    question["detail"] |= _of_whole(reading, kind)
    _tidied(kind, question)
    return _drafted(reading, question, data.get("id", "").strip())


def _of_whole(reading: _Reading, kind: str) -> dict:
    """Return what belongs to the question as a whole: a title, where a story begins, the rule of credit."""
    found = {}
    for shape in SHAPES[kind].fields:
        value = reading.value(shape, shape.name)
        if shape.is_needed:
            reading.needed(shape, shape.name, value)
        if value or shape.look != "flag":
            found[shape.name] = value
    credit = reading.data.get("credit", "")
    return found | ({"credit": credit} if credit in dict(credits_of(kind)) and credit else {})


def _rows(reading: _Reading, rows: Rows, path: str) -> list[dict]:
    """Return the rows that say something; notes which they were."""
    found, places = [], []
    names = ids_of(reading.data, path, rows)
    for place in range(count(reading.data, path, rows)):
        at = f"{path}-{place}"
        row = {shape.name: reading.value(shape, f"{at}-{shape.name}") for shape in rows.fields}
        within = _rows(reading, rows.within, f"{at}-{rows.within.name}") if rows.within else []
        if not within and not any(row[shape.name] for shape in rows.fields if _says_something(shape)):
            continue
        for shape in rows.fields:
            if shape.is_needed:
                reading.needed(shape, f"{at}-{shape.name}", row[shape.name])
        found.append({"id": names[place]} | row | ({rows.within.name: within} if within else {}))
        places.append(place)
    reading.places[path] = places
    return found


def _says_something(shape: Field) -> bool:
    return shape.look in ("texts", "wordings", "number")


def _tidied(kind: str, question: dict) -> None:
    """Leave out what is empty, as the formats do: a question that says the same is the same, word for word."""
    for option in question["options"]:
        _without_empty(option, "weight", "tolerance")
    detail = question["detail"]
    for part in (*detail.get("units", ()), *detail.get("scenes", ())):
        _without_empty(part, "weight", "factor")
    if kind == "matching":
        belonging = {prompt["match"] for prompt in detail["prompts"]}
        for option in question["options"]:
            if option["id"] in belonging and not option["why"]:
                del option["why"]
    for message in detail.get("messages", ()):
        message["mark"] = message["mark"] or None
        message["kind"] = message["kind"] or "text"
        if message["mark"] is None:
            message.pop("why")
    for scene in detail.get("scenes", ()):
        if "choices" in scene:
            scene.pop("weight", None)
            scene.pop("why", None)


def _without_empty(part: dict, *names: str) -> None:
    for name in names:
        if part.get(name) == "":
            del part[name]


def _number(reading: _Reading, name: str, otherwise: int, *, most: int) -> int:
    text = reading.data.get(name, "").strip()
    if text and not (text.isascii() and text.isdigit() and 1 <= int(text[:4]) <= most):
        reading.wrong(name, _("Write a whole number from 1 to %(most)s.") % {"most": most})
    return int(text) if text and name not in reading.errors else otherwise


def _drafted(reading: _Reading, question: dict, name: str) -> Draft:
    """Return the draft, after a look at whether the question can be asked and graded."""
    for flaw in KINDS[question["kind"]].flaws(question):
        text = f"{flaw.what[:1].upper()}{flaw.what[1:]}. {flaw.remedy}"
        at = _field_of(reading, flaw.path)
        if not any(known.startswith(at) for known in reading.errors) or not at:
            reading.wrong(at, text)
    slug = slug_of(name, question)
    if reading.errors:
        return Draft(None, slug, reading.errors)
    item = checked(Item("", name=name, question=question))
    return Draft(item.question, slug, {"": [item.refused]} if item.refused else {})


def _field_of(reading: _Reading, path: tuple) -> str:
    """Return the name on the page of what a flaw's path leads to."""
    name = ""
    for step in path:
        if isinstance(step, int):
            places = reading.places.get(name, [])
            step = places[step] if step < len(places) else step
        name = f"{name}-{step}" if name else str(step)
    return name


# --- a question as a form ----------------------------------------------------------------------------------------


def data_of(question: Mapping, slug: str = "") -> dict[str, str]:
    """Return a question as its form."""
    shape, detail = SHAPES[question["kind"]], question["detail"]
    data = {"id": slug, "kind": question["kind"], "credit": detail.get("credit", "")}
    data |= {name: ", ".join(question[name]) for name in ("tags", "cites")}
    data |= {name: str(question[name]) for name in ("difficulty", "points")}
    data |= {name: "on" for name in ("must_pass", "shuffle") if question[name]}
    for name in ("stem", "explanation"):
        data |= {f"{name}-{code}": text for code, text in question[name].items()}
    for one in shape.fields:
        data |= dict(_written(one, one.name, detail.get(one.name)))
    for rows in shape.rows:
        listed = question["options"] if rows.name == "options" else detail.get(rows.name, [])
        data |= _rows_of(rows, rows.name, listed)
    return data


def _rows_of(rows: Rows, path: str, listed: list) -> dict[str, str]:
    data = {f"{path}-rows": str(min(max(len(listed) + MORE_ROWS, rows.fewest), rows.most))}
    for place, row in enumerate(listed):
        data[f"{path}-{place}-id"] = row["id"]
        for one in rows.fields:
            data |= dict(_written(one, f"{path}-{place}-{one.name}", row.get(one.name)))
        if rows.within and rows.within.name in row:
            data |= _rows_of(rows.within, f"{path}-{place}-{rows.within.name}", row[rows.within.name])
    return data


def _written(one: Field, path: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield (name, text) for what a field holds."""
    if one.look == "texts":
        yield from ((f"{path}-{code}", text) for code, text in (value or {}).items())
    elif one.look == "wordings":
        yield from ((f"{path}-{code}", "\n".join(some)) for code, some in (value or {}).items())
    elif one.look == "flag":
        if value:
            yield path, "on"
    elif value is not None:
        yield path, str(value)


def fits(question: Mapping) -> bool:
    """Return whether a form can hold all of a question: read back it says the same."""
    draft = read(data_of(question))
    names = ("kind", "tags", "difficulty", "cites", "stem", "options", "detail", "explanation", "points", "must_pass")
    return draft.question is not None and all(
        _bare(draft.question[name]) == _bare(question[name]) for name in (*names, "shuffle")
    )


def _bare(value: object) -> object:
    """Return the value without what is empty or false: a "right: false" that was left out says the same."""
    if isinstance(value, Mapping):
        return {name: _bare(one) for name, one in value.items() if one not in ({}, [], "", False, None)}
    return [_bare(one) for one in value] if isinstance(value, list) else value
