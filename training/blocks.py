"""The blocks of a lesson: shown without right answers, answered, graded.

Blocks are plain data, made by parsing.py and kept in Lesson.body. Each has ``kind``; all but markdown have ``name``:

    markdown  html
    rule      source, html
    check     question, options [{text, right, why}]
    chat      title, intro, messages [{sender, face, me, kind, text, mark, why, cites}]; mark None: scenery
    branch    title, intro, start, scenes, as branches.py tells
    steps     title, phone, steps [{do, why, screen [{part, text, is_thing}]}]
    case      source, happened, timeline [{when, what}], cost, lesson, figures {unit, bars [{what, number}]} or None

A source is {id, kind, short, name, number, body, link}, told in the lesson's language; cites hold {id, short, link};
a link may be "".
An answer is plain JSON, kept in Progress.answers under the block's name: the number of the option chosen (check),
{"<number of the message>": mark} (chat), the numbers of the replies chosen (branch), the number of the step shown
(steps; as many as there are: done). All count from 0.
"""

from collections.abc import Mapping

from training import branches
from training.messages import MARKS, is_group

SCREEN_PARTS = ("them", "me", "note", "button")
INTERACTIVE = ("check", "chat", "branch", "steps")

Answer = int | dict[str, str] | list[int]


class BadAnswer(ValueError):
    """An answer that the page did not offer."""


def shown(block: Mapping, answer: Answer | None) -> dict:
    """Return what a page needs to draw the block: {template, block, feedback}, for components/lesson_*.html.

    Right answers are in it only after the person has answered.
    """
    return {
        "template": f"components/lesson_{block['kind']}.html",
        "block": public(block, answered=answer is not None),
        "feedback": feedback(block, answer),
    }


def public(block: Mapping, answered: bool) -> dict:
    """Return the block as the page may have it. Before the answer: no right marks, no whys, nothing that tells."""
    match block["kind"]:
        case "check" if not answered:
            return {**block, "options": [{"text": option["text"]} for option in block["options"]]}
        case "chat":
            messages = block["messages"] if answered else [_unmarked(message) for message in block["messages"]]
            looks = {"is_group": is_group(messages), "is_moments": any(m["kind"] == "moments" for m in messages)}
            return {**block, "messages": messages} | looks
        case "branch":  # what was reached is in the feedback; the rest is never told
            said = [message for scene in block["scenes"] for message in scene["messages"]]
            return {name: block[name] for name in ("kind", "name", "title", "intro")} | {"is_group": is_group(said)}
        case "case":
            return {**block, "bars": bars(block.get("figures"))}
    return dict(block)


def _unmarked(message: Mapping) -> dict:
    kept = {name: message[name] for name in ("sender", "face", "me", "kind", "text")}
    return kept | {"asks": message["mark"] is not None}


def bars(figures: Mapping | None) -> list[dict]:
    """Return the figures as they are drawn: {what, number, share}; share is in percent of the largest one."""
    found = figures["bars"] if figures else []
    largest = max((float(bar["number"]) for bar in found), default=0)
    return [{**bar, "share": round(100 * float(bar["number"]) / largest) if largest else 0} for bar in found]


def read_answer(block: Mapping, data: Mapping[str, str]) -> Answer:
    """Return the answer in what a form sent. Raises BadAnswer, also when nothing was chosen.

    Fields: ``choice`` (check), ``mark-<number>`` (chat), ``path`` (branch), ``step`` (steps).
    """
    match block["kind"]:
        case "check":
            return _number(data.get("choice"), most=len(block["options"]) - 1)
        case "steps":
            return _number(data.get("step"), most=len(block["steps"]))
        case "branch":
            try:
                path = branches.read_path(data.get("path", ""))
                branches.walk(block, path)
            except branches.NoSuchPath as error:
                raise BadAnswer(str(error)) from error
            return path
        case "chat":
            sent = {str(number): data.get(f"mark-{number}") for number in range(len(block["messages"]))}
            marks = {number: mark for number, mark in sent.items() if mark}
            grade_chat(block, marks)
            return marks
    raise BadAnswer(f"a {block['kind']} asks nothing")


def _number(sent: str | None, *, most: int) -> int:
    if sent is None or not sent.isascii() or not sent.isdigit() or len(sent) > 3 or int(sent) > most:
        raise BadAnswer(f"{sent!r} is not a number up to {most}")
    return int(sent)


def is_done(block: Mapping, answer: Answer | None) -> bool:
    """Return whether the person has done what the block asks; who only reads has nothing to do."""
    if block["kind"] == "steps":
        return answer is not None and answer >= len(block["steps"])
    if block["kind"] == "branch":
        return not branches.walk(block, answer or [])[1]["choices"]
    return answer is not None or block["kind"] not in INTERACTIVE


def feedback(block: Mapping, answer: Answer | None) -> dict | None:
    """Return what the answer earns, as the grade_* functions tell it; None where nothing was answered or asked."""
    if block["kind"] == "steps":
        return step_at(block, answer or 0)
    if block["kind"] == "branch":
        return branches.walked(block, answer or [])
    if answer is None:
        return None
    return {"check": grade_check, "chat": grade_chat}[block["kind"]](block, answer)


def grade_check(block: Mapping, chosen: int) -> dict:
    """Return {right, options: [{text, right, why, chosen}]}. Raises BadAnswer."""
    if isinstance(chosen, bool) or not isinstance(chosen, int) or not 0 <= chosen < len(block["options"]):
        raise BadAnswer(f"there is no option {chosen!r}")
    options = [{**option, "chosen": number == chosen} for number, option in enumerate(block["options"])]
    return {"right": options[chosen]["right"], "options": options}


def grade_chat(block: Mapping, marks: Mapping[str, str]) -> dict:
    """Return {right, of, all_right, messages: [the message's own fields, asks, chosen, right]}.

    A message left unmarked has ``chosen`` None and is not right. Raises BadAnswer for a mark that does not exist, for
    marks on scenery, and for no marks at all.
    """
    asked = {str(number) for number, message in enumerate(block["messages"]) if message["mark"]}
    if not marks or not marks.keys() <= asked or not set(marks.values()) <= set(MARKS):
        raise BadAnswer("these are not marks of this chat")
    messages = []
    for number, message in enumerate(block["messages"]):
        chosen = marks.get(str(number))
        right = chosen is not None and chosen == message["mark"]
        messages.append({**message, "asks": message["mark"] is not None, "chosen": chosen, "right": right})
    right = sum(message["right"] for message in messages)
    return {"right": right, "of": len(asked), "all_right": right == len(asked), "messages": messages}


def step_at(block: Mapping, number: int) -> dict:
    """Return {number, shown, of, step, back, next, done, dots}; ``shown`` counts from 1, ``step`` is None when done.

    ``back`` and ``next`` are the numbers that the buttons send; back is None at the first step. ``dots`` has one of
    "done", "now", "ahead" for each step. Raises BadAnswer.
    """
    steps = block["steps"]
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= len(steps):
        raise BadAnswer(f"there is no step {number!r}")
    done = number == len(steps)
    return {
        "number": number,
        "shown": min(number + 1, len(steps)),
        "of": len(steps),
        "step": None if done else steps[number],
        "back": number - 1 if number else None,
        "next": None if done else number + 1,
        "is_last": number == len(steps) - 1,
        "done": done,
        "dots": ["done" if i < number else "now" if i == number else "ahead" for i in range(len(steps))],
    }


def shape(block: Mapping) -> tuple:
    """Return what a translation of the block must have in common with it: who answers it in one language has
    answered it in every other."""
    match block["kind"]:
        case "markdown":
            return ("markdown",)
        case "check":
            detail = tuple(option["right"] for option in block["options"])
        case "chat":
            detail = tuple((message["me"], message["kind"], message["mark"]) for message in block["messages"])
        case "branch":
            detail = tuple(_shape_of_scene(scene) for scene in block["scenes"])
        case "steps":
            detail = tuple(tuple(part["part"] for part in step["screen"]) for step in block["steps"])
        case _:
            detail = ()
    return block["kind"], block["name"], detail


def _shape_of_scene(scene: Mapping) -> tuple:
    messages = tuple((message["me"], message["kind"]) for message in scene["messages"])
    return scene["id"], messages, tuple((choice["to"], choice["rating"]) for choice in scene["choices"])
