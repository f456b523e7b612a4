"""The text of a branch block, read into scenes. What a branch is is told in branches.py."""

from collections.abc import Mapping

from quizzes.formats.fields import Fields, List, Report
from training import branches
from training.messages import is_thing, read_cites, read_message

FEWEST_SCENES, MOST_SCENES, FEWEST_CHOICES, MOST_CHOICES = 3, 20, 2, 4


def parse_branch(fields: Fields, sources: Mapping[str, Mapping], report: Report) -> dict:
    title, intro, start = fields.text("title"), fields.text("intro"), fields.slug("start")
    given = fields.items("scenes", least=FEWEST_SCENES, most=MOST_SCENES)
    pairs = list(zip(given, given.lines, strict=True))
    scenes = [_scene(Fields(item, report, of="this scene", line=line), title, sources, report) for item, line in pairs]
    fields.done()
    _check_paths(start, scenes, given, fields)
    return {"title": title, "intro": intro, "start": start, "scenes": scenes}


def _scene(fields: Fields, title: str, sources: Mapping[str, Mapping], report: Report) -> dict:
    name = fields.slug("id")
    has_choices = fields.has("choices")
    scene = {
        "id": name,
        "messages": _messages(fields, title, sources, report, is_optional=not has_choices),
        "end": "" if has_choices else fields.text("end"),
        "choices": _choices(fields, sources, report) if has_choices else [],
    }
    if has_choices and fields.has("end"):
        fields.wrong("end", "this scene has choices and an end", "Leave one of them.")
        fields.asked.add("end")
    fields.done()
    return scene


def _messages(fields: Fields, title: str, sources: Mapping, report: Report, *, is_optional: bool) -> list[dict]:
    if is_optional and not fields.has("messages"):
        fields.asked.add("messages")
        return []
    given = fields.items("messages", least=1, most=5)
    return [
        read_message(Fields(item, report, of="this message", line=line), title, sources, may_ask=False)
        for item, line in zip(given, given.lines, strict=True)
    ]


def _choices(fields: Fields, sources: Mapping[str, Mapping], report: Report) -> list[dict]:
    given, choices = fields.items("choices", least=FEWEST_CHOICES, most=MOST_CHOICES), []
    for item, line in zip(given, given.lines, strict=True):
        choice = Fields(item, report, of="this choice", line=line)
        text = choice.text("reply")
        choices.append(
            {
                "text": text[1:-1] if is_thing(text) else text,
                "is_thing": is_thing(text),
                "to": choice.slug("to"),
                "rating": choice.one_of("rating", tuple(branches.POINTS)),
                "why": choice.text("why"),
                "cites": read_cites(choice, sources),
            }
        )
        choice.done()
    return choices


def _check_paths(start: str, scenes: list[dict], given: List, fields: Fields) -> None:
    names = [scene["id"] for scene in scenes]
    for name, line in zip(names, given.lines, strict=True):
        if name and names.count(name) > 1:
            fields.report(line, f"scene '{name}' is there twice", "Rename one.")
            return
    for scene, line in zip(scenes, given.lines, strict=True):
        for choice in scene["choices"]:
            if choice["to"] and choice["to"] not in names:
                fields.report(line, f"there is no scene '{choice['to']}'", "Write the id of a scene.")
                return
    if start not in names:
        if fields.has("start"):
            fields.wrong("start", f"the conversation begins in no scene '{start}'", "Write the id of the first scene.")
        return
    for number, what, remedy in branches.flaws(start, scenes):
        fields.report(given.lines[number], what, remedy)
