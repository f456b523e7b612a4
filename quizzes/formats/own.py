"""The portal's own format: a YAML list of questions, as docs/course-files.md shows it. It carries everything.

In the files of a course every text must be there, in every language of the course; a bank that is read by itself may
lack explanations. Mistakes in single fields are reported here; whether a question can be answered and graded is for
quizzes.kinds to say.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import yaml
from django.conf import settings
from django.utils.translation import gettext as _

from quizzes.formats.base import Item, NotThisFormat, checked
from quizzes.formats.fields import SLUG_REMEDY, Fields, Languages, List, Map, is_slug, plain_text, read_yaml
from quizzes.formats.plain import decoded
from quizzes.kinds import KINDS
from quizzes.kinds.chat import MESSAGE_KINDS, Mark

NAME, EXTENSION = "Onchannel YAML", "yaml"
KNOWN = [code for code, _name in settings.LANGUAGES]
LISTS = {"options", "prompts", "units", "messages", "scenes"}
Read = tuple[list[dict], dict]
NUMBERS = int | float | str


def read(data: bytes, language: str, notes: list[str]) -> Iterator[Item]:
    """Yield every question of the file, in all its languages. Raises NotThisFormat."""
    wrong: list[str] = []
    listed = read_yaml(
        decoded(data, notes),
        lambda line, what, remedy: wrong.append(
            _("line %(line)s: %(what)s. %(remedy)s") % {"line": line, "what": what, "remedy": remedy}
        ),
    )
    if wrong and not isinstance(listed, List):
        raise NotThisFormat(wrong[0])
    if not isinstance(listed, List):
        raise NotThisFormat(_("it is not a list: begin each question with '- id: …'"))
    for given, line in zip(listed, listed.lines, strict=True):
        item = Item(
            _("line %(line)s") % {"line": line}, name=str(given.get("id", "")) if isinstance(given, Map) else ""
        )
        flaws: list[str] = []
        fields = Fields(given, _noted(flaws, line), of=_("this question"), line=line)
        told = fields.given.get("stem")
        languages = [name for name in told if isinstance(told[name], str)] if isinstance(told, Map) else [language]
        question = read_question(fields, Languages(languages or [language], KNOWN, lenient=True))
        question.pop("slug")
        if flaws:
            item.refused = "; ".join(flaws[:5])
        else:
            item.question = question
        yield checked(item)


def _noted(flaws: list[str], first: int) -> Callable[[int, str, str], None]:
    def report(line: int, what: str, remedy: str) -> None:
        where = "" if line == first else _("line %(line)s: ") % {"line": line}
        flaws.append(f"{where}{what}. {remedy}")

    return report


def read_question(fields: Fields, languages: Languages, sources: Collection[str] | None = None) -> dict:
    """Return a question, as quizzes.publishing takes it. ``sources``: those that may be cited; None: any."""
    question = {
        "slug": fields.slug("id"),
        "kind": fields.one_of("kind", list(KINDS)),
        "tags": _tags(fields, languages),
        "difficulty": fields.number("difficulty", least=1, most=3, optional=languages.lenient) or 2,
        "cites": fields.cites(sources),
        "stem": fields.texts("stem", languages),
        "explanation": fields.texts("explanation", languages),
        "points": fields.number("points", least=1, most=100, optional=True) or 1,
        "must_pass": fields.flag("must_pass"),
        "shuffle": fields.flag("shuffle") or not fields.has("shuffle"),
    }
    question["options"], question["detail"] = read_kind(question["kind"], fields, languages)
    if all(isinstance(fields.given.get(name), List) for name in LISTS & fields.given.keys()):
        for flaw in KINDS[question["kind"]].flaws(question):
            fields.report(_line(fields.given, flaw.path), flaw.what, flaw.remedy)
    fields.done()
    return question


def _tags(fields: Fields, languages: Languages) -> list[str]:
    found = fields.items("tags", least=0 if languages.lenient else 1, most=6, optional=languages.lenient)
    if languages.lenient:
        return [tag for tag in found if isinstance(tag, str)]
    for tag, line in zip(found, found.lines, strict=True):
        if not is_slug(tag):
            fields.report(line, _("%(tag)r is not a tag") % {"tag": tag}, _(SLUG_REMEDY))
    return [tag for tag in found if is_slug(tag)]


def _line(given: Map | List, path: Sequence[str | int]) -> int:
    """Return the line of the file that a flaw's path leads to, or of the last part of it that is there."""
    line = given.line
    for step in path:
        if isinstance(given, Map):
            line, given = given.lines.get(step, line), given.get(step)
        elif isinstance(given, List) and isinstance(step, int) and step < len(given):
            line, given = given.lines[step], given[step]
    return line


def read_kind(kind: str, question: Fields, languages: Languages) -> Read:
    options, detail = READERS[kind](question, languages)
    if question.has("credit"):
        detail["credit"] = question.text("credit")
    question.asked.add("credit")
    return options, detail


def _choices(question: Fields, languages: Languages) -> Read:
    options = []
    for fields in parts(question, "options", _("this option")):
        option = {
            "id": fields.slug("id"),
            "right": fields.flag("right"),
            "text": fields.texts("text", languages),
            "why": fields.texts("why", languages),
        }
        options.append(option | _numbers(fields, "weight"))
        fields.done()
    return options, {}


def _matching(question: Fields, languages: Languages) -> Read:
    options, prompts = [], []
    for fields in parts(question, "prompts", _("this prompt")):
        prompts.append(
            {
                "id": fields.slug("id"),
                "text": fields.texts("text", languages),
                "match": fields.slug("match"),
                "why": fields.texts("why", languages),
            }
        )
        fields.done()
    belonging = {prompt["match"] for prompt in prompts}
    for fields in parts(question, "options", _("this option")):
        option = {"id": fields.slug("id"), "text": fields.texts("text", languages)}
        if option["id"] not in belonging or fields.has("why"):  # who belongs nowhere has to say why
            option["why"] = fields.texts("why", languages)
        options.append(option)
        fields.done()
    return options, {"prompts": prompts}


def _ordering(question: Fields, languages: Languages) -> Read:
    options = []
    for fields in parts(question, "options", _("this option")):
        option = {"id": fields.slug("id"), "text": fields.texts("text", languages)}
        options.append(option | {"why": fields.texts("why", languages)})
        fields.done()
    return options, {}


def _numeric(question: Fields, languages: Languages) -> Read:
    options, units = [], []
    for fields in parts(question, "options", _("this value")):
        option = {"id": fields.slug("id"), "right": fields.flag("right"), "why": fields.texts("why", languages)}
        fields.take("value")
        options.append(option | _numbers(fields, "value", "tolerance", "weight"))
        fields.done()
    for fields in parts(question, "units", _("this unit"), optional=True):
        unit = {"id": fields.slug("id"), "text": fields.texts("text", languages)}
        fields.take("factor")
        units.append(unit | _numbers(fields, "factor"))
        fields.done()
    return options, {"units": units} if units else {}


def _text(question: Fields, languages: Languages) -> Read:
    options = []
    for fields in parts(question, "options", _("this answer")):
        option = {"id": fields.slug("id"), "right": fields.flag("right"), "why": fields.texts("why", languages)}
        options.append(option | {"accepts": _wordings(fields, languages)} | _numbers(fields, "weight"))
        fields.done()
    return options, {"case": True} if question.flag("case") else {}


def _wordings(option: Fields, languages: Languages) -> dict[str, list[str]]:
    """Return ``accepts``: a list of wordings for each language."""
    given, line = option.take("accepts"), option.line("accepts")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        option.wrong("accepts", _("'accepts' is not told per language"), _('Write {en: ["…", "…"]}.'))
        return {}
    found = {}
    for language in languages.needed:
        wordings = given.get(language)
        if wordings is None and languages.lenient:
            continue
        if not isinstance(wordings, list):
            option.report(
                line,
                _("'accepts' has no list in '%(language)s'") % {"language": language},
                _('Add %(language)s: ["…"].') % {"language": language},
            )
            continue
        of = _("'accepts' in '%(language)s'") % {"language": language}
        found[language] = [plain_text(one, of, line, option.report, lenient=languages.lenient) for one in wordings]
    return found


def _chat(question: Fields, languages: Languages) -> Read:
    messages = []
    for fields in parts(question, "messages", _("this message")):
        message = {
            "id": fields.slug("id"),
            "sender": fields.texts("from", languages),
            "me": fields.flag("me"),
            "kind": fields.one_of("kind", MESSAGE_KINDS, default="text"),
            "text": fields.texts("text", languages),
            "mark": fields.one_of("mark", Mark.values) if fields.has("mark") else None,
        }
        if message["mark"]:
            message["why"] = fields.texts("why", languages)
        fields.asked |= {"mark"}
        messages.append(message)
        fields.done()
    return [], {"title": question.texts("title", languages), "messages": messages}


def _scenario(question: Fields, languages: Languages) -> Read:
    scenes = []
    for fields in parts(question, "scenes", _("this scene")):
        scene = {"id": fields.slug("id"), "text": fields.texts("text", languages)}
        if fields.has("choices"):
            scene["choices"] = [_choice(choice, languages) for choice in parts(fields, "choices", _("this choice"))]
        else:
            scene |= _numbers(fields, "weight") | {"why": fields.texts("why", languages)}
        fields.asked |= {"choices", "weight", "why"}
        scenes.append(scene)
        fields.done()
    return [], {"start": question.slug("start"), "scenes": scenes}


def _choice(fields: Fields, languages: Languages) -> dict:
    choice = {
        "id": fields.slug("id"),
        "text": fields.texts("text", languages),
        "to": fields.slug("to"),
        "why": fields.texts("why", languages),
    }
    fields.done()
    return choice


READERS: dict[str, Callable[[Fields, Languages], Read]] = {
    "single": _choices,
    "multiple": _choices,
    "truefalse": _choices,
    "matching": _matching,
    "ordering": _ordering,
    "numeric": _numeric,
    "text": _text,
    "chat": _chat,
    "scenario": _scenario,
}


def parts(whole: Fields, name: str, of: str, *, optional: bool = False) -> list[Fields]:
    """Return the fields of each item of a list."""
    found = whole.items(name, optional=optional)
    return [Fields(item, whole.report, of=of, line=line) for item, line in zip(found, found.lines, strict=True)]


def _numbers(fields: Fields, *names: str) -> dict[str, str]:
    """Return these fields, as far as they are there, as text: JSON has no exact fractions."""
    found = {}
    for name in names:
        value = fields.take(name, optional=True)
        if isinstance(value, bool) or not isinstance(value, NUMBERS | None):
            fields.wrong(name, _("'%(name)s' is no number") % {"name": name}, _("Write a number: 3, 0.5, 1/3."))
        elif value is not None:
            found[name] = str(value)
    return found


# --- written -----------------------------------------------------------------------------------------------------


def write(questions: Sequence[dict], language: str, title: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the file: everything, in every language. Nothing is lost."""
    listed = [_written(question) for question in questions]
    text = yaml.safe_dump(listed, allow_unicode=True, sort_keys=False, width=120) if listed else "[]\n"
    return text.encode(), []


def _written(question: dict) -> dict:
    kind, detail = question["kind"], question["detail"]
    told = {"id": question["slug"], "kind": kind}
    told |= {name: list(question[name]) for name in ("tags", "cites")} | {"difficulty": question["difficulty"]}
    told |= {"stem": question["stem"]}
    told |= {"points": question["points"]} if question["points"] != 1 else {}
    told |= {"must_pass": True} if question["must_pass"] else {}
    told |= {} if question["shuffle"] else {"shuffle": False}
    told |= {name: detail[name] for name in ("credit", "case", "units", "prompts", "title", "start") if name in detail}
    if question["options"]:
        told["options"] = [_part(option) for option in question["options"]]
    if "prompts" in told:
        told["prompts"] = [_part(prompt) for prompt in told["prompts"]]
    if "messages" in detail:
        told["messages"] = [_message(message) for message in detail["messages"]]
    if "scenes" in detail:
        told["scenes"] = [
            _part(scene) | ({"choices": [_part(one) for one in scene["choices"]]} if "choices" in scene else {})
            for scene in detail["scenes"]
        ]
    return told | ({"explanation": question["explanation"]} if question["explanation"] else {})


def _part(part: Mapping) -> dict:
    """Return an option or another part as it is written: what is empty, false or told by itself is left out."""
    return {name: value for name, value in part.items() if value not in ({}, False, None)}


def _message(message: Mapping) -> dict:
    told = _part(message)
    return {"id": told.pop("id"), "from": told.pop("sender")} | told
