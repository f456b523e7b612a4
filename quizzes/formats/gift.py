"""GIFT, the text format of Moodle: read leniently, written strictly. https://docs.moodle.org/en/GIFT_format

What real files get wrong is mended where the meaning is clear, and noted: no empty line between questions, signs of the
format that stand unescaped in a text, a title that is never closed. A question without answers asks nothing, one with
an empty pair of braces wants an essay, one with several gaps has no kind here: all three are refused.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from quizzes.formats.base import (
    Item,
    NotThisFormat,
    Refused,
    Share,
    Told,
    checked,
    number,
    share_of,
    tags_of,
    written,
)
from quizzes.formats.gift_writing import ESCAPED, FORMAT, write
from quizzes.formats.plain import decoded, of_format
from quizzes.kinds.base import EVERYTHING, NOTHING

__all__ = ["EXTENSION", "NAME", "read", "write"]

NAME, EXTENSION = "GIFT", "txt"
HIDDEN = {sign: chr(0xE100 + place) for place, sign in enumerate(ESCAPED)} | {"n": chr(0xE120)}
SHOWN = {hidden: "\n" if sign == "n" else sign for sign, hidden in HIDDEN.items()}
ESCAPE = re.compile(r"\\([\\:#={}~n])")
TITLE = re.compile(r"::(.*?)::", re.DOTALL)
META = re.compile(r"\[(id|tag):([^\]]*)\]")
TRUTH = re.compile(r"(T|TRUE|F|FALSE|对|错|正确|错误)\s*(?:#(.*?)(?:#(.*))?)?", re.IGNORECASE | re.DOTALL)
TRUE = {"T", "TRUE", "对", "正确"}
SHARE = re.compile(r"%\s*(-?\s*\d+(?:[.,]\d+)?)\s*%")
NO_SPACE = re.compile(r"[.,;:!?。，；：！？)]|\s")
LEFTOVER = re.compile(r"[\s\"';]*")  # of a program that the question was copied from
RANGE = re.compile(r"(.+?)\.\.(.+)", re.DOTALL)


@dataclass
class _Block:
    """The lines of one question. ``depth``: braces still open; ``groups``: those that were closed."""

    line: int
    lines: list[str] = field(default_factory=list)
    depth: int = 0
    groups: int = 0
    category: str = ""
    meta: list[tuple[str, str]] = field(default_factory=list)

    def add(self, line: str) -> None:
        self.lines.append(line)
        for sign in line:
            if sign == "{":
                self.depth += 1
            elif sign == "}" and self.depth:
                self.depth -= 1
                self.groups += self.depth == 0


def read(data: bytes, language: str, notes: list[str]) -> Iterator[Item]:
    """Yield every question of the file. What holds for the file as a whole is noted. Raises NotThisFormat."""
    text = decoded(data, notes)
    tell, found = Told(language), 0
    for block in _blocks(text):
        found += 1
        item = Item(_("line %(line)s") % {"line": block.line})
        try:
            _fill(item, block, tell)
        except Refused as error:
            item.refused = str(error)
        yield checked(item)
    if not found:
        raise NotThisFormat(_("there is no question in it"))


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the questions as blocks of lines: an empty line ends one, and so does whatever can only begin another."""
    block: _Block | None = None
    category, meta = "", []
    lines = text.split("\n")
    for number_, raw in enumerate(lines, start=1):
        line = ESCAPE.sub(lambda found: HIDDEN[found[1]], raw)
        bare = line.strip()
        if bare.startswith("//"):
            meta += META.findall(bare)
            continue
        ends = block is not None and _ends(block, bare, lines, number_)
        if ends or bare.upper().startswith("$CATEGORY"):
            if block:
                yield block
            block = None
        if bare.upper().startswith("$CATEGORY"):
            category = bare.partition(":")[2].strip()
        elif bare or block:
            if block is None:
                block = _Block(number_, category=category, meta=meta)
                meta = []
            block.add(line)
    if block:
        yield block


def _ends(block: _Block, bare: str, lines: Sequence[str], line: int) -> bool:
    """Return whether the block ends before this line."""
    if not bare:
        if block.depth == 0:
            return True
        coming = next((later.strip() for later in lines[line:] if later.strip()), "")
        return bool(TITLE.match(coming)) or coming.upper().startswith("$CATEGORY") or not coming
    if TITLE.match(bare):
        return block.groups > 0 or block.depth > 0
    return block.depth == 0 and block.groups > 0 and "{" in bare


def _fill(item: Item, block: _Block, tell: Told) -> None:
    text = "\n".join(block.lines).strip()
    title = TITLE.match(text)
    if title:
        item.name, text = _shown(title[1]), text[title.end() :].strip()
    elif text.startswith("::"):
        item.notes.append(_("the title is never closed with '::'; taken as part of the text"))
        text = text[2:].strip()
    names = [value for name, value in block.meta if name == "id"]
    item.name = item.name or next(iter(names), "")
    form = FORMAT.match(text)
    text = text[form.end() :] if form else text
    style = form[1].lower() if form else "moodle"

    def told(piece: str) -> str:
        return of_format(_shown(piece), style, item.notes)

    def plain(piece: str) -> str:
        """Return an answer's text or feedback, which may name a format of its own."""
        own = FORMAT.match(piece.strip())
        return of_format(_shown(piece.strip()[own.end() :]), own[1].lower(), item.notes) if own else told(piece)

    head, inner, tail = _taken_apart(text, block)
    item.name = item.name or told(head)[:60]
    stem = told(f"{head.rstrip()} _____{'' if NO_SPACE.match(tail) else ' '}{tail}") if tail.strip() else told(head)
    tags = tags_of(block.category.removeprefix("$course$"), *(value for name, value in block.meta if name == "tag"))
    answers, _hashes, feedback = inner.partition("####")
    fields = {"tags": tags, "explanation": tell(plain(feedback))}
    item.question = _question(answers.strip(), stem, tell, plain, item.notes, fields)


def _taken_apart(text: str, block: _Block) -> tuple[str, str, str]:
    """Return what stands before, in, and after the braces. Raises Refused."""
    if block.depth:
        raise Refused(_("the '{' is never closed: add '}' after the last answer"))
    if not block.groups:
        if "}" in text:
            raise Refused(_("a '}' closes nothing: add '{' before the first answer"))
        raise Refused(_("it asks nothing: there are no answers in braces (a description)"))
    if block.groups > 1:
        raise Refused(_("it has %(groups)s gaps: write a question for each") % {"groups": block.groups})
    opening, closing = text.index("{"), text.rindex("}")
    tail = text[closing + 1 :]
    return text[:opening], text[opening + 1 : closing], "" if LEFTOVER.fullmatch(tail) else tail


def _question(answers: str, stem: str, tell: Told, plain, notes: list[str], fields: dict) -> dict:
    if not answers:
        raise Refused(_("an essay: only a person could grade it"))
    truth = TRUTH.fullmatch(answers)
    if truth:
        is_true = truth[1].upper() in TRUE
        wrong, right = plain(truth[2] or ""), plain(truth[3] or "")
        return tell.truefalse(stem, is_true, (right, wrong) if is_true else (wrong, right), **fields)
    if answers.startswith("#"):
        return _numeric(answers[1:], stem, tell, plain, notes, fields)
    options, is_strict = _options(answers)
    if not is_strict:
        notes.append(_("a '=' or '~' inside an answer was taken as part of its text; write '\\=' or '\\~'"))
    if all(sign == "=" and "->" in text for sign, text in options):
        return _matching(options, stem, tell, plain, fields)
    shares = [_share(sign, text, plain, notes) for sign, text in options]
    if all(sign == "=" for sign, _text in options):
        return tell.text(stem, shares, **fields)
    return tell.choice(stem, shares, notes, multiple=all(sign == "~" for sign, _text in options), **fields)


def _options(answers: str) -> tuple[list[tuple[str, str]], bool]:
    """Return [(sign, text)], and whether every '=' and '~' was taken for a sign.

    Where that makes no sense, only those count that begin a line, then those after a space. Raises Refused.
    """
    first = None
    answers = re.sub(r"~\s*=", "=", answers)  # some programs mark the right one of several so
    for boundary in (r"([=~])", r"(?:^|(?<=\n))[ \t]*([=~])", r"(?:^|(?<=\s))([=~])"):
        pieces = re.split(boundary, answers)
        options = [(sign, text.strip()) for sign, text in zip(pieces[1::2], pieces[2::2], strict=True)]
        first = first or options
        if not pieces[0].strip() and _makes_sense(options) and (options == first or not _has_left(options)):
            return options, options == first
    if not first:
        raise Refused(_("the answers have neither '=' nor '~' before them"))
    return first, True


def _has_left(options: list[tuple[str, str]]) -> bool:
    """Return whether a text still has what looks like a sign: after a space, and right before a word."""
    return any(re.search(r"(?:^|\s)[=~]\S", text) for _sign, text in options)


def _makes_sense(options: list[tuple[str, str]]) -> bool:
    signs = [sign for sign, _text in options]
    if not options or any(not SHARE.sub("", text).partition("#")[0].strip() for _sign, text in options):
        return False
    whole = [sign for sign, text in options if sign == "=" and not SHARE.match(text)]
    return "~" not in signs or len(whole) == 1 or ("=" not in signs and any(SHARE.match(t) for _s, t in options))


def _share(sign: str, text: str, plain, notes: list[str]) -> Share:
    stated = SHARE.match(text)
    share = EVERYTHING if sign == "=" else NOTHING
    if stated:
        said = share_of(stated[1].replace(" ", ""))
        if said is None:
            raise Refused(_("the share %%%(name)s%% is not from -100 to 100") % {"name": stated[1]})
        share, text = said, text[stated.end() :]
    text, hash_, why = text.partition("#")
    if hash_ and not why.strip() and not text.endswith(" "):
        text = f"{text}#"  # "C#" is no answer without feedback
        notes.append(
            _("the '#' in '%(value)s' was taken as part of the answer; write '\\#'") % {"value": _shown(text).strip()}
        )
    return Share(plain(text), share, plain(why))


def _matching(options: list[tuple[str, str]], stem: str, tell: Told, plain, fields: dict) -> dict:
    pairs, left_over = [], []
    for _sign, text in options:
        prompt, _arrow, match = text.partition("->")
        match = match.partition("#")[0]
        if plain(prompt):
            pairs.append((plain(prompt), plain(match)))
        else:
            left_over.append(plain(match))
    return tell.matching(stem, pairs, left_over, **fields)


def _numeric(answers: str, stem: str, tell: Told, plain, notes: list[str], fields: dict) -> dict:
    pieces = re.split(r"([=~])", answers)
    listed = [pieces[0]] if pieces[0].strip() else []
    found: list[tuple[Share, str]] = []
    for sign, text in [("=", piece) for piece in listed] + list(zip(pieces[1::2], pieces[2::2], strict=True)):
        text, _hash, why = text.strip().partition("#")
        if sign == "~" or text.strip() in ("", "*"):
            notes.append(_("the feedback on all other numbers was left out"))
            continue
        stated = SHARE.match(text)
        share = share_of(stated[1].replace(" ", "")) if stated else EVERYTHING
        if share is None:
            raise Refused(_("the share in '%(text)s' is not from -100 to 100") % {"text": _shown(text)})
        value, leeway = _value(_shown(text[stated.end() :] if stated else text))
        found.append((Share(value, share, plain(why)), leeway))
    return tell.numeric(stem, found, **fields)


def _value(text: str) -> tuple[str, str]:
    """Return value and tolerance of "5", "5:0.1", "4.9..5.1". Raises Refused."""
    between = RANGE.fullmatch(text.strip())
    first, second = (between[1], between[2]) if between else (text.partition(":")[0], text.partition(":")[2] or "0")
    low, high = number(first), number(second)
    if low is None or high is None or (between and high < low) or (not between and high < 0):
        raise Refused(_("'%(value)s' is no number, no number:tolerance and no range") % {"value": text.strip()})
    if between:
        return written((low + high) / 2), written((high - low) / 2)
    return written(low), written(high)


def _shown(text: str) -> str:
    return "".join(SHOWN.get(letter, letter) for letter in text)
