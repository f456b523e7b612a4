"""A lesson's text, from its file to blocks. What the blocks are is told in blocks.py."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quizzes.formats.fields import SLUG_REMEDY, Fields, List, Report, is_slug, plain_text, read_yaml, unreported
from training import markdown
from training.blocks import SCREEN_PARTS
from training.branch_text import parse_branch
from training.messages import is_thing, read_message

OPENING = re.compile(r":::[ \t]*(?P<kind>\S*)[ \t]*(?P<name>\S*)[ \t]*(?P<rest>.*)")
CODE_FENCE = re.compile(r" {0,3}(```|~~~)")


@dataclass
class Piece:
    """A stretch of a lesson file: running text (kind "markdown") or what stands inside a block."""

    kind: str
    name: str
    line: int  # of the opening; for running text, of its first line
    lines: list[str]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def first_line(self) -> int:
        """The line of the file on which ``text`` begins."""
        return self.line if self.kind == "markdown" else self.line + 1

    @property
    def first_line_with_text(self) -> int:
        return self.first_line + next(number for number, line in enumerate(self.lines) if line.strip())


def parse(text: str, *, sources: Mapping[str, Mapping], report: Report, first_line: int = 1) -> list[tuple[int, dict]]:
    """Return the blocks of a lesson's text, each with the line on which it begins.

    ``sources`` maps an id to a source told in the lesson's language. Mistakes are reported; what could not be read is
    left out.
    """
    blocks, names = [], {}
    for piece in _pieces(text, report, first_line):
        if piece.kind == "markdown":
            if piece.text.strip():
                html = markdown.render(piece.text, sources=sources, report=report, first_line=piece.first_line)
                blocks.append((piece.first_line_with_text, {"kind": "markdown", "html": html}))
        elif _is_well_named(piece, names, report):
            names[piece.name] = piece.line
            read = PARSERS[piece.kind](piece, sources, report)
            blocks.append((piece.line, {"kind": piece.kind, "name": piece.name} | read))
    return blocks


def _pieces(text: str, report: Report, first_line: int) -> Iterator[Piece]:
    """Cut the text at the lines that open and close blocks. A block left open ends where the next one opens."""
    piece = Piece("markdown", "", first_line, [])
    for number, line, is_fence in _lines(text, first_line):
        if not is_fence:
            piece.lines.append(line)
            continue
        kind, name = _fence(line, number, report)
        is_open = piece.kind != "markdown"
        if is_open and kind:
            _not_closed(piece, f"Put ':::' before line {number}; blocks do not nest.", report)
        elif not is_open and not kind:
            report(number, "':::' closes a block that was never opened", "Delete it, or open one with '::: kind name'.")
        yield piece
        piece = Piece(kind, name, number, []) if kind else Piece("markdown", "", number + 1, [])
    if piece.kind != "markdown":
        _not_closed(piece, "End it with ':::' on a line of its own.", report)
    yield piece


def _lines(text: str, first_line: int) -> Iterator[tuple[int, str, bool]]:
    """Yield (number, line, whether it opens or closes a block). Inside a Markdown code fence nothing does."""
    fence = ""
    for number, line in enumerate(text.split("\n"), start=first_line):
        if (found := CODE_FENCE.match(line)) and fence in ("", found[1]):
            fence = "" if fence else found[1]
        yield number, line, not fence and line.lstrip().startswith(":::")


def _fence(line: str, number: int, report: Report) -> tuple[str, str]:
    """Return the kind and name after ':::'; both empty where it closes."""
    if line.startswith(" "):
        report(number, "':::' is indented", "Begin it at the start of the line.")
    found = OPENING.fullmatch(line.strip())
    if found["rest"]:
        report(number, f"a block's name is followed by {found['rest']!r}", "Write '::: kind name' and no more.")
    return found["kind"], found["name"]


def _not_closed(piece: Piece, remedy: str, report: Report) -> None:
    report(piece.line, f"block '{piece.name or piece.kind}' is not closed", remedy)


def _is_well_named(piece: Piece, names: Mapping[str, int], report: Report) -> bool:
    if piece.kind not in PARSERS:
        report(piece.line, f"'{piece.kind}' is not a kind of block", f"Use one of: {', '.join(PARSERS)}.")
    elif not piece.name:
        report(piece.line, f"this {piece.kind} has no name", f"Write '::: {piece.kind} some-name'.")
    elif not is_slug(piece.name):
        report(piece.line, f"a block is named {piece.name!r}", SLUG_REMEDY)
    elif piece.name in names:
        remedy = f"Give it another name; the first is on line {names[piece.name]}."
        report(piece.line, f"the lesson has a second block '{piece.name}'", remedy)
    else:
        return True
    return False


def _fields(piece: Piece, report: Report) -> Fields:
    given = read_yaml(piece.text, report, first_line=piece.first_line)
    return Fields(given, report if given is not None else unreported, of=f"this {piece.kind}", line=piece.line)


def _parse_rule(piece: Piece, sources: Mapping[str, Mapping], report: Report) -> dict:
    if not piece.text.strip():
        report(piece.line, "this rule says nothing", "Write what it says in one to three sentences.")
    html = markdown.render(piece.text, sources=sources, report=report, first_line=piece.first_line)
    return {"source": _source(piece, sources, report), "html": html}


def _source(piece: Piece, sources: Mapping[str, Mapping], report: Report) -> Mapping:
    if piece.name not in sources:
        remedy = f"Name the {piece.kind} by the id of a source, or add it to sources.yaml."
        report(piece.line, f"source '{piece.name}' is not known", remedy)
    return sources.get(piece.name, {})


def _parse_check(piece: Piece, sources: Mapping[str, Mapping], report: Report) -> dict:
    fields = _fields(piece, report)
    question, given = fields.text("question"), fields.items("options", least=2, most=8)
    options = []
    for item, line in zip(given, given.lines, strict=True):
        option = Fields(item, report, of="this option", line=line)
        options.append({"text": option.text("text"), "right": option.flag("right"), "why": option.text("why")})
        option.done()
    right = [line for option, line in zip(options, given.lines, strict=True) if option["right"]]
    if options and not right:
        fields.wrong("options", "no option is right", "Add 'right: true' to the right one.")
    elif len(right) > 1:
        report(right[1], "a second option is right", "Leave one 'right: true'.")
    fields.done()
    return {"question": question, "options": options}


def _parse_chat(piece: Piece, sources: Mapping[str, Mapping], report: Report) -> dict:
    fields = _fields(piece, report)
    title, intro = fields.text("title"), fields.text("intro")
    given = fields.items("messages", least=3, most=7)
    pairs = zip(given, given.lines, strict=True)
    messages = [
        read_message(Fields(item, report, of="this message", line=line), title, sources) for item, line in pairs
    ]
    if messages and not any(message["mark"] for message in messages):
        fields.wrong("messages", "no message is to be marked", "Give at least one a 'mark' and a 'why'.")
    fields.done()
    return {"title": title, "intro": intro, "messages": messages}


def _parse_branch(piece: Piece, sources: Mapping[str, Mapping], report: Report) -> dict:
    fields = _fields(piece, report)
    return parse_branch(fields, sources, fields.report)


def _parse_steps(piece: Piece, sources: Mapping[str, Mapping], report: Report) -> dict:
    fields = _fields(piece, report)
    title, phone, given = fields.text("title"), fields.text("phone"), fields.items("steps", least=3, most=8)
    steps = []
    for item, line in zip(given, given.lines, strict=True):
        step = Fields(item, report, of="this step", line=line)
        screen = _screen(step.items("screen", least=1, most=8), report)
        steps.append({"do": step.text("do"), "why": step.text("why"), "screen": screen})
        step.done()
    fields.done()
    return {"title": title, "phone": phone, "steps": steps}


def _screen(given: List, report: Report) -> list[dict]:
    """Read what the phone shows. Text wholly in brackets, "[photo of a form]", is a thing and not words."""
    screen = []
    for item, line in zip(given, given.lines, strict=True):
        if not isinstance(item, dict) or len(item) != 1 or (part := next(iter(item))) not in SCREEN_PARTS:
            report(line, "a part of the screen is not understood", f'Write one of {", ".join(SCREEN_PARTS)}: "…".')
            continue
        text = plain_text(item[part], f"'{part}'", line, report)
        screen.append({"part": part, "text": text[1:-1] if is_thing(text) else text, "is_thing": is_thing(text)})
    return screen


def _parse_case(piece: Piece, sources: Mapping[str, Mapping], report: Report) -> dict:
    source = _source(piece, sources, report)
    if source and source["kind"] != "case":
        report(
            piece.line, f"source '{piece.name}' is a {source['kind']}, not a case", "Cite a case, or use '::: rule'."
        )
    fields = _fields(piece, report)
    told = {name: fields.text(name) for name in ("happened", "cost", "lesson")}
    timeline, figures = _timeline(fields, report), _figures(fields, report)
    fields.done()
    return {"source": source, "timeline": timeline, "figures": figures} | told


def _timeline(fields: Fields, report: Report) -> list[dict]:
    given = fields.items("timeline", least=1, most=12, optional=True)
    timeline = []
    for item, line in zip(given, given.lines, strict=True):
        event = Fields(item, report, of="this event", line=line)
        timeline.append({"when": event.text("when"), "what": event.text("what")})
        event.done()
    return timeline


def _figures(fields: Fields, report: Report) -> dict | None:
    """Return {unit, bars: [{what, number}]}, None without. Numbers are kept as they are written."""
    unit = fields.text("unit", optional=True)
    given = fields.items("figures", least=2, most=6, optional=True)
    bars = []
    for item, line in zip(given, given.lines, strict=True):
        bar = Fields(item, report, of="this figure", line=line)
        number = bar.take("number")
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | float) or number < 0):
            bar.wrong("number", f"'number' is {number!r}, not a number", "Write it in digits, without a unit.")
            number = 0
        bars.append({"what": bar.text("what"), "number": str(number or 0)})
        bar.done()
    if bars and not unit:
        fields.wrong("figures", "the figures have no unit", "Add 'unit: USD million' beside them.")
    return {"unit": unit, "bars": bars} if bars else None


PARSERS = {
    "rule": _parse_rule,
    "check": _parse_check,
    "chat": _parse_chat,
    "branch": _parse_branch,
    "steps": _parse_steps,
    "case": _parse_case,
}
