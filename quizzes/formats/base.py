"""What every format of question files shares: an item found, what it becomes, and exact numbers."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from django.utils.text import slugify
from django.utils.translation import gettext as _

from quizzes.formats.fields import TEXT_MOST
from quizzes.kinds import KINDS
from quizzes.kinds.base import EVERYTHING, NOTHING, fraction

SLUG_MOST = 80
SHARE_LEEWAY = Fraction(5, 10_000)  # "33.3" is meant to be a third
SUM_LEEWAY = Fraction(3, 100)  # three times "33" is meant to be everything
LETTERS = "abcdefghijklmnopqrstuvwxyz"
TRUE_FALSE = {"en": ("True", "False"), "zh-hans": ("正确", "错误")}


class Refused(ValueError):
    """A question that cannot become one of ours; the text says why, and what to do."""


class NotThisFormat(ValueError):
    """The file as a whole cannot be read; the text says why."""


@dataclass
class Item:
    """A question as a file holds it. ``where``: "line 12", or the element. Either ``question`` or ``refused`` is set.

    ``question`` is what quizzes.publishing.version_of takes. ``notes`` say what was guessed, mended or left out.
    """

    where: str
    name: str = ""
    question: dict | None = None
    refused: str = ""
    notes: list[str] = field(default_factory=list)


class Share(NamedTuple):
    """An answer of a foreign file: its text, the share of the points that it earns, and the feedback on it."""

    text: str
    share: Fraction
    why: str = ""


class Told:
    """Makes questions out of texts in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, text: str) -> dict[str, str]:
        return {self.language: text} if text else {}

    def question(self, kind: str, stem: str, options: Sequence[dict], detail: dict | None = None, **fields) -> dict:
        dull = {"tags": [], "difficulty": 2, "cites": [], "explanation": {}, "points": 1, "must_pass": False}
        about = {"kind": kind, "stem": self(stem), "options": list(options), "detail": detail or {}, "shuffle": True}
        return dull | about | fields

    def choice(self, stem: str, answers: Sequence[Share], notes: list[str], *, multiple: bool, **fields) -> dict:
        """Return a single or a multiple question. Raises Refused."""
        if multiple:
            answers = _in_proportion(answers, notes)
        right = [answer.share > 0 if multiple else answer.share == EVERYTHING for answer in answers]
        options = [
            {"id": name, "right": is_right, "text": self(answer.text), "why": self(answer.why)}
            for name, is_right, answer in zip(ids(len(answers)), right, answers, strict=True)
        ]
        if multiple:
            rule = _multiple_rule(answers)
            if rule == "weights" and all(answer.share >= 0 for answer in answers):
                notes.append(_("wrong options cost nothing, so whoever chooses all of them earns everything"))
        else:
            if sum(right) > 1:
                raise Refused(
                    _("%(n)s options earn everything: give each its share if several must be chosen")
                    % {"n": sum(right)}
                )
            rule = "weights" if any(answer.share not in (NOTHING, EVERYTHING) for answer in answers) else ""
        if rule == "weights":
            for option, answer in zip(options, answers, strict=True):
                if multiple or not option["right"]:
                    option["weight"] = written(answer.share)
        return self.question(
            "multiple" if multiple else "single", stem, options, {"credit": rule} if rule else {}, **fields
        )

    def truefalse(self, stem: str, is_true: bool, whys: tuple[str, str] = ("", ""), **fields) -> dict:
        """Return a true or false question. ``whys``: for whoever says true, and false."""
        words = TRUE_FALSE.get(self.language, TRUE_FALSE["en"])
        options = [
            {"id": name, "right": right, "text": self(word), "why": self(why)}
            for name, right, word, why in zip(("true", "false"), (is_true, not is_true), words, whys, strict=True)
        ]
        return self.question("truefalse", stem, options, **fields)

    def text(self, stem: str, answers: Sequence[Share], *, case: bool = False, **fields) -> dict:
        """Return a short-text question; answers in a row that earn and say the same are wordings of one."""
        options: list[dict] = []
        for answer in answers:
            if options and (options[-1]["share"], options[-1]["why"]) == (answer.share, self(answer.why)):
                options[-1]["accepts"][self.language].append(answer.text)
            else:
                accepts = {self.language: [answer.text]}
                options.append({"share": answer.share, "accepts": accepts, "why": self(answer.why)})
        return self.question(
            "text", stem, [_weighted(option) for option in options], {"case": True} if case else {}, **fields
        )

    def numeric(self, stem: str, answers: Sequence[tuple[Share, str]], units: Sequence[dict] = (), **fields) -> dict:
        """Return a question for a number. ``answers``: each with its tolerance; its text is the value."""
        options = []
        for answer, tolerance in answers:
            option = {"share": answer.share, "value": answer.text, "why": self(answer.why)}
            options.append(_weighted(option | ({"tolerance": tolerance} if tolerance not in ("", "0") else {})))
        return self.question("numeric", stem, options, {"units": list(units)} if units else {}, **fields)

    def matching(self, stem: str, pairs: Iterable[tuple[str, str]], left_over: Iterable[str] = (), **fields) -> dict:
        """Return a matching question. Equal texts on the right are one option."""
        texts: dict[str, str] = {}
        prompts = []
        for number, (prompt, text) in enumerate(pairs, start=1):
            match = texts.setdefault(text, f"o{len(texts) + 1}")
            prompts.append({"id": f"p{number}", "text": self(prompt), "match": match, "why": {}})
        for text in left_over:
            texts.setdefault(text, f"o{len(texts) + 1}")
        used = {prompt["match"] for prompt in prompts}
        options = [
            {"id": name, "text": self(text)} | ({} if name in used else {"why": {}}) for text, name in texts.items()
        ]
        return self.question("matching", stem, options, {"prompts": prompts}, **fields)

    def ordering(self, stem: str, items: Sequence[str], **fields) -> dict:
        options = [
            {"id": name, "text": self(text), "why": {}} for name, text in zip(ids(len(items)), items, strict=True)
        ]
        return self.question("ordering", stem, options, **fields)


def _weighted(option: dict) -> dict:
    """Put right and weight in place of the share, with an id. Raises Refused."""
    share = option.pop("share")
    name = "r" if share == EVERYTHING else "w"
    option = {"id": name, "right": share == EVERYTHING} | option
    return option if share in (NOTHING, EVERYTHING) else option | {"weight": written(share)}


def _in_proportion(answers: Sequence[Share], notes: list[str]) -> Sequence[Share]:
    """Let equal shares that nearly come to everything come to it exactly. Raises Refused."""
    gains = [answer.share for answer in answers if answer.share > 0]
    if not gains:
        raise Refused(_("no option earns anything: say which are right"))
    total = sum(gains)
    if total == EVERYTHING:
        return answers
    if len(set(gains)) == 1 and (abs(total - 1) <= SUM_LEEWAY or gains[0] == EVERYTHING):
        share = Fraction(1, len(gains))
        notes.append(
            _("the right options earn %(percent)s%% together; taken as %(share)s each")
            % {"percent": percent(total), "share": share}
        )
        return [
            answer._replace(share=share if answer.share > 0 else -share if answer.share == -gains[0] else answer.share)
            for answer in answers
        ]
    raise Refused(
        _("the right options earn %(percent)s%% together: let them come to 100%%") % {"percent": percent(total)}
    )


def _multiple_rule(answers: Sequence[Share]) -> str:
    gains = {answer.share for answer in answers if answer.share > 0}
    losses = {answer.share for answer in answers if answer.share <= 0}
    return "parts" if len(gains) == 1 and losses <= {-share for share in gains} else "weights"


def ids(count: int) -> list[str]:
    """Return short ids: a, b, … z, o27, …"""
    return [LETTERS[number] if number < len(LETTERS) else f"o{number + 1}" for number in range(count)]


def checked(item: Item) -> Item:
    """Return the item, refused where its question cannot be asked or graded."""
    question = item.question
    if question is None:
        return item
    _number_ids(question)
    try:
        if not any(text.strip() for text in question["stem"].values()):
            raise Refused(_("the question has no text: write what is asked"))
        for text in texts_in(question):
            if len(text) > TEXT_MOST:
                raise Refused(
                    _("a text is longer than %(text_most)s characters: shorten it") % {"text_most": TEXT_MOST}
                )
        for place, part in enumerate((*question["options"], *question["detail"].get("prompts", ())), start=1):
            if "text" in part and not part["text"]:
                raise Refused(_("answer %(place)s has no text: write it, or take the answer out") % {"place": place})
        if flaw := next(KINDS[question["kind"]].flaws(question), None):
            raise Refused(f"{flaw.what}. {flaw.remedy}")
    except Refused as error:
        item.question, item.refused = None, str(error)
    return item


def _number_ids(question: dict) -> None:
    """Give options that were all called r or w ids of their own."""
    if question["kind"] in ("numeric", "text") and {option.get("id") for option in question["options"]} <= {"r", "w"}:
        for name, option in zip(ids(len(question["options"])), question["options"], strict=True):
            option["id"] = name


def texts_in(value: object) -> Iterable[str]:
    """Yield every text that a question holds."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from texts_in(part)


# --- names -------------------------------------------------------------------------------------------------------


def slug_of(name: str, question: dict) -> str:
    """Return the slug for a question of this name; without one it is made of what is asked."""
    found = slugify(name)[:SLUG_MOST].strip("-").replace("_", "-")
    if found:
        return found
    told = name or "\n".join([*question["stem"].values(), *texts_in([question["options"], question["detail"]])])
    return f"q-{hashlib.sha256(told.encode()).hexdigest()[:12]}"


def tag_of(text: str) -> str:
    """Return a category or a tag of another system as one of ours: the last part of a path, in lower case."""
    return slugify(text.strip().rsplit("/", 1)[-1], allow_unicode=True)[:SLUG_MOST].strip("-_")


def tags_of(*texts: str) -> list[str]:
    return list(dict.fromkeys(tag for tag in map(tag_of, texts) if tag))[:6]


# --- numbers -----------------------------------------------------------------------------------------------------


def number(text: str) -> Fraction | None:
    """Return the number that a file states, exactly: "3.14", "-1e-3", "1/3", "3,5" where no other comma is."""
    text = text.strip().replace("−", "-")
    if (
        text.count(",") == 1
        and "." not in text
        and not text.split(",")[1][3:].isdigit()
        and len(text.split(",")[1]) != 3
    ):
        text = text.replace(",", ".")
    mantissa, _e, exponent = text.lower().partition("e")
    value = fraction(mantissa)
    if value is None or not _e:
        return value
    try:
        power = int(exponent)
    except ValueError:
        return None
    return value * Fraction(10) ** power if abs(power) <= 12 else None


def share_of(text: str) -> Fraction | None:
    """Return the share that a percentage means: "33.33333" is a third. None: it is no percentage from -100 to 100."""
    value = number(text)
    return None if value is None or abs(value) > 100 else snapped(value / 100)


def snapped(share: Fraction) -> Fraction:
    """Return the simple fraction that a rounded share was meant to be, else the share itself."""
    for below in range(1, 21):
        near = Fraction(round(share * below), below)
        if abs(near - share) < SHARE_LEEWAY and (near == share or below not in (1, 2, 4, 5, 8, 10, 16, 20)):
            return near
    return share


def written(value: Fraction) -> str:
    """Return a number as our questions keep it: a decimal where it ends, else a fraction."""
    below = value.denominator
    places = 0
    while below % 10 == 0:
        below, places = below // 10, places + 1
    while below % 2 == 0 or below % 5 == 0:
        below, places = below // (2 if below % 2 == 0 else 5), places + 1
    if below != 1 or places > 12:
        return str(value)
    digits = f"{abs(value.numerator) * 10**places // value.denominator:0{places + 1}}"
    whole = f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".") if places else digits
    return f"-{whole}" if value < 0 else whole


def decimal(value: Fraction) -> str | None:
    """Return the number as a decimal, None where it would not end."""
    text = written(value)
    return None if "/" in text else text


def percent(share: Fraction) -> str:
    """Return a share as other systems write it: "33.33333"."""
    return f"{float(share * 100):.5f}".rstrip("0").rstrip(".")


def leeway_of(option: dict) -> Fraction:
    """Return the tolerance of an expected value as a number."""
    stated = option.get("tolerance") or "0"
    if stated.endswith("%"):
        return abs(number(option["value"])) * number(stated.removesuffix("%")) / 100
    return number(stated)
