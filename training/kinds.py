"""What each kind of question has in questions.yaml beside what all have: docs/authoring.md shows them.

Each reader returns (options, detail) as quizzes.models.Question keeps them. Mistakes in single fields are reported
here; whether the question can be answered and graded is for quizzes.kinds to say.
"""

from collections.abc import Callable, Mapping

from quizzes.kinds.chat import MESSAGE_KINDS, Mark
from training.fields import Fields, Languages, plain_text

Read = tuple[list[dict], dict]
NUMBERS = int | float | str


def read_kind(kind: str, question: Fields, languages: Languages) -> Read:
    options, detail = READERS[kind](question, languages)
    if question.has("credit"):
        detail["credit"] = question.text("credit")
    question.asked.add("credit")
    return options, detail


def _choices(question: Fields, languages: Languages) -> Read:
    options = []
    for fields in parts(question, "options", "this option"):
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
    for fields in parts(question, "prompts", "this prompt"):
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
    for fields in parts(question, "options", "this option"):
        option = {"id": fields.slug("id"), "text": fields.texts("text", languages)}
        if option["id"] not in belonging or fields.has("why"):  # who belongs nowhere has to say why
            option["why"] = fields.texts("why", languages)
        options.append(option)
        fields.done()
    return options, {"prompts": prompts}


def _ordering(question: Fields, languages: Languages) -> Read:
    options = []
    for fields in parts(question, "options", "this option"):
        option = {"id": fields.slug("id"), "text": fields.texts("text", languages)}
        options.append(option | {"why": fields.texts("why", languages)})
        fields.done()
    return options, {}


def _numeric(question: Fields, languages: Languages) -> Read:
    options, units = [], []
    for fields in parts(question, "options", "this value"):
        option = {"id": fields.slug("id"), "right": fields.flag("right"), "why": fields.texts("why", languages)}
        fields.take("value")
        options.append(option | _numbers(fields, "value", "tolerance", "weight"))
        fields.done()
    for fields in parts(question, "units", "this unit", optional=True):
        unit = {"id": fields.slug("id"), "text": fields.texts("text", languages)}
        fields.take("factor")
        units.append(unit | _numbers(fields, "factor"))
        fields.done()
    return options, {"units": units} if units else {}


def _text(question: Fields, languages: Languages) -> Read:
    options = []
    for fields in parts(question, "options", "this answer"):
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
        option.wrong("accepts", "'accepts' is not told per language", 'Write {en: ["…", "…"]}.')
        return {}
    found = {}
    for language in languages.needed:
        wordings = given.get(language)
        if not isinstance(wordings, list):
            option.report(line, f"'accepts' has no list in '{language}'", f'Add {language}: ["…"].')
            continue
        found[language] = [plain_text(one, f"'accepts' in '{language}'", line, option.report) for one in wordings]
    return found


def _chat(question: Fields, languages: Languages) -> Read:
    messages = []
    for fields in parts(question, "messages", "this message"):
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
    for fields in parts(question, "scenes", "this scene"):
        scene = {"id": fields.slug("id"), "text": fields.texts("text", languages)}
        if fields.has("choices"):
            scene["choices"] = [_choice(choice, languages) for choice in parts(fields, "choices", "this choice")]
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
            fields.wrong(name, f"'{name}' is no number", "Write a number: 3, 0.5, 1/3.")
        elif value is not None:
            found[name] = str(value)
    return found
