"""Aiken: a question, lettered answers, the letter that is right. https://docs.moodle.org/en/Aiken_format

Mended and noted: a question over several lines, empty lines within it, an answer that goes on, several right letters.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from django.utils.translation import gettext as _

from quizzes.formats.base import Item, NotThisFormat, Refused, Share, Told, checked
from quizzes.formats.plain import decoded, of_format
from quizzes.kinds.base import EVERYTHING, NOTHING

NAME, EXTENSION = "Aiken", "txt"
OPTION = re.compile(r"([A-Za-zＡ-Ｚ])\s*[.)．）、]\s*(\S.*)")
STRICT = re.compile(r"[A-Z][.)]\s")
ANSWER = re.compile(r"(?:ANSWERS?|CORRECT(?: ANSWER)?|答案|正确答案)\s*[:：.]?\s*(.*)", re.IGNORECASE)
ANSWERS = re.compile(r"[A-Za-z](?:[\s,;，、&+]|and|和)*")
NUMBERED = re.compile(r"\(?\d{1,3}[.)]\s+")
FEEDBACK = re.compile(r"(?:FEEDBACK|EXPLANATION|解析)\s*[:：]\s*(.*)", re.IGNORECASE)
FULL_WIDTH = {0xFF21 + place: chr(0x41 + place) for place in range(26)}


class _Draft:
    """A question as far as it has been read."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.stem: list[str] = []
        self.options: list[list[str]] = []
        self.letters: list[str] = []
        self.answer: str | None = None
        self.feedback = ""
        self.gap = False  # an empty line was seen since the last text


def read(data: bytes, language: str, notes: list[str]) -> Iterator[Item]:
    """Yield every question of the file. What holds for the file as a whole is noted. Raises NotThisFormat."""
    text = decoded(data, notes)
    drafts = list(_drafts(text))
    if not any(draft.options or draft.answer for draft in drafts):
        raise NotThisFormat(_("there is no question in it: no lines like 'A. …' and 'ANSWER: A'"))
    for draft in drafts:
        item = Item(_("line %(line)s") % {"line": draft.line}, name=" ".join(draft.stem)[:60])
        try:
            item.question = _question(draft, Told(language), item.notes)
        except Refused as error:
            item.refused = str(error)
        yield checked(item)


def _drafts(text: str) -> Iterator[_Draft]:
    draft: _Draft | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line:
            if draft:
                draft.gap = True
            continue
        if draft and draft.answer is not None and (told := FEEDBACK.match(line)):
            draft.feedback = told[1]
            continue
        if draft and (draft.answer is not None or _begins_anew(draft, line)):
            yield draft
            draft = None
        draft = draft or _Draft(number)
        _take(draft, line)
        draft.gap = False
    if draft:
        yield draft


def _begins_anew(draft: _Draft, line: str) -> bool:
    """Return whether a question without an answer was left behind: after its options and an empty line, plain text."""
    return bool(draft.options) and draft.gap and not OPTION.match(line) and not ANSWER.match(line)


def _take(draft: _Draft, line: str) -> None:
    option = OPTION.match(line)
    wanted = chr(ord("A") + len(draft.letters))
    if option and draft.stem and option[1].translate(FULL_WIDTH).upper() == wanted:
        draft.letters.append(wanted)
        draft.options.append([option[2].strip()])
    elif option and draft.options and STRICT.match(line):
        draft.letters.append(option[1].upper())  # out of order: refused later, by its letter
        draft.options.append([option[2].strip()])
    elif (draft.options or draft.stem) and (said := ANSWER.fullmatch(line)) and _is_answer(said[1]):
        draft.answer = said[1].translate(FULL_WIDTH).upper().strip(" .。")
    elif draft.options:
        draft.options[-1].append(line)
    else:
        draft.stem.append(line)


def _is_answer(said: str) -> bool:
    plain = said.translate(FULL_WIDTH).strip(" .。")
    return not plain or (re.fullmatch(f"(?:{ANSWERS.pattern})+", plain) is not None and len(plain) <= 30)


def _question(draft: _Draft, tell: Told, notes: list[str]) -> dict:
    if not draft.options:
        raise Refused(_("it has no answers: write lines like 'A. …' below it"))
    if draft.answer is None:
        raise Refused(_("it does not say which answer is right: add 'ANSWER: A'"))
    wanted = [chr(ord("A") + place) for place in range(len(draft.letters))]
    if draft.letters != wanted:
        raise Refused(
            _("its answers are lettered %(names)s: letter them %(names2)s")
            % {"names": ", ".join(draft.letters), "names2": ", ".join(wanted)}
        )
    right = sorted(set(re.findall(r"[A-Z]", re.sub(r"\bAND\b", " ", draft.answer))))
    if not right or not set(right) <= set(draft.letters):
        raise Refused(
            _("the right answer is '%(answer)s', and the answers are %(names)s")
            % {"answer": draft.answer, "names": ", ".join(draft.letters)}
        )
    if len(draft.stem) > 1:
        notes.append(_("the question has several lines"))
    if any(len(lines) > 1 for lines in draft.options):
        notes.append(_("an answer has several lines"))
    stem = of_format("\n".join(draft.stem), "moodle", notes)
    texts = [of_format("\n".join(lines), "moodle", notes) for lines in draft.options]
    fields = {"explanation": tell(of_format(draft.feedback, "moodle", notes))}
    if len(right) == 1:
        shares = [
            Share(text, EVERYTHING if letter in right else NOTHING)
            for letter, text in zip(draft.letters, texts, strict=True)
        ]
        return tell.choice(stem, shares, notes, multiple=False, **fields)
    notes.append(_("several answers are right (%(names)s): all of them must be chosen") % {"names": ", ".join(right)})
    share = Fraction(1, len(right))
    shares = [
        Share(text, share if letter in right else -share) for letter, text in zip(draft.letters, texts, strict=True)
    ]
    question = tell.choice(stem, shares, notes, multiple=True, **fields)
    return question | {"detail": {}}


# --- written -----------------------------------------------------------------------------------------------------


def write(questions: Sequence[dict], language: str, title: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Return the file, and what it cannot carry: [(slug, what)]."""
    lost: list[tuple[str, str]] = []
    parts = []
    for question in questions:
        try:
            parts.append(_written(question, language, lost))
        except Refused as error:
            lost.append((question["slug"], _("left out: %(error)s") % {"error": error}))
    return "\n".join(parts).encode(), lost


def _written(question: dict, language: str, lost: list[tuple[str, str]]) -> str:
    if question["kind"] not in ("single", "truefalse"):
        raise Refused(_("Aiken has no %(kind)s questions") % {"kind": question["kind"]})
    if language not in question["stem"]:
        raise Refused(_("it has no text in '%(language)s'") % {"language": language})
    letters = [chr(ord("A") + place) for place in range(len(question["options"]))]
    stem = " ".join(question["stem"][language].split())
    if OPTION.match(stem) or ANSWER.match(stem):
        raise Refused(_("its text begins like an answer"))
    lines = [stem]
    for letter, option in zip(letters, question["options"], strict=True):
        lines.append(f"{letter}. {' '.join(option['text'].get(language, '').split())}")
    right = next(letter for letter, option in zip(letters, question["options"], strict=True) if option.get("right"))
    lost.append((question["slug"], _("only the text, the answers and the right one are kept")))
    return "\n".join([*lines, f"ANSWER: {right}", ""])
