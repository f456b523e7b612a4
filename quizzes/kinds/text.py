"""A word or two, typed. An answer is {text}: as it was typed.

The options are the answers one may expect, right ones and typical mistakes: {id, accepts, right or weight, why};
``accepts`` lists wordings per language, and all languages count on every page: who reads English may think in Chinese.
In a wording ``*`` stands for anything, ``\\*`` for a star. Case, widths, spaces and the full stop at the end do not
matter; with ``detail["case"]`` capitals do.
"""

import random
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from django.utils.translation import gettext as _

from quizzes.kinds.base import (
    EVERYTHING,
    NOTHING,
    Answer,
    Content,
    Forged,
    Kind,
    Sent,
    Tell,
    clipped,
    flaws_in_count,
    flaws_in_ids,
    flaws_in_weights,
    one,
    only,
    weight,
)
from quizzes.rules import Flaw

MOST_OPTIONS, MOST_WORDINGS, MOST_TYPED = 12, 20, 200
SPACES = re.compile(r"\s+")
BESIDE_HAN = re.compile(r"(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])")
STAR = "\ue000"  # stands for an escaped star; of the private use area, so nobody types it


def normal(text: str, *, case: bool = False) -> str:
    """Return the text as it is compared. Spaces beside Chinese characters go: "WeChat 存档" is "WeChat存档"."""
    plain = SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip().rstrip(".。!?").rstrip()
    plain = BESIDE_HAN.sub("", plain)
    return plain if case else plain.casefold()


def fits(wording: str, text: str, *, case: bool = False) -> bool:
    """Return whether the typed text is the wording, in which ``*`` stands for any text, also none.

    Piece by piece from the left, each at its first place: linear, whatever an author wrote.
    """
    pieces = [normal(piece, case=case).replace(STAR, "*") for piece in wording.replace("\\*", STAR).split("*")]
    typed = normal(text, case=case)
    if len(pieces) == 1:
        return typed == pieces[0]
    first, *middle, last = pieces
    if not typed.startswith(first) or not typed.endswith(last) or len(typed) < len(first) + len(last):
        return False
    at, end = len(first), len(typed) - len(last)
    for piece in middle:
        found = typed.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


class Text(Kind):
    name = look = "text"

    def flaws(self, content: Content) -> Iterator[Flaw]:
        options = content["options"]
        yield from self.flaws_in_rule(content)
        yield from flaws_in_count(("options",), _("expected answers"), len(options), 1, MOST_OPTIONS)
        yield from flaws_in_ids(("options",), options, set())
        yield from flaws_in_weights(options)
        if not any(weight(option) == EVERYTHING for option in options):
            yield Flaw(("options",), _("no answer is right"), _("Mark the right one: in a file with 'right: true'."))
        for number, option in enumerate(options):
            wordings = _wordings(option)
            where = ("options", number, "accepts")
            yield from flaws_in_count(where, _("wordings"), len(wordings), 1, MOST_WORDINGS)
            if option.get("right") and any(not normal(wording.replace("*", "")) for wording in wordings):
                yield Flaw(where, _("a right wording fits everything"), _("Write the words that must be there."))

    def order(self, content: Content, chance: random.Random) -> list[str]:
        return []

    def read(self, content: Content, tokens: Mapping[str, str], sent: Sent, before: Answer) -> Answer:
        typed = one(only(sent, ("",)), "").strip()
        if len(typed) > MOST_TYPED:
            raise Forged("more than the field takes")
        return {"text": typed} if typed else None

    def credit(self, content: Content, answer: Answer) -> Fraction:
        met = self._met(content, answer)
        return clipped(weight(met)) if met else NOTHING

    def _met(self, content: Content, answer: Answer) -> Mapping | None:
        """Return the first expected answer that this one is."""
        if answer is None:
            return None
        case = bool(content["detail"].get("case"))
        expected = (o for o in content["options"] if any(fits(w, answer["text"], case=case) for w in _wordings(o)))
        return next(expected, None)

    def shown(self, content: Content, names: Mapping[str, str], answer: Answer, tell: Tell) -> dict:
        return {"typed": answer["text"] if answer else "", "most": MOST_TYPED}

    def explained(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> dict:
        met = self._met(content, answer)
        return {
            "typed": answer["text"] if answer else "",
            "why": tell(met["why"]) if met else "",
            "expected": [
                {"text": _told_wording(option, tell), "why": tell(option["why"]), "met": option is met}
                for option in content["options"]
                if weight(option) == EVERYTHING
            ],
        }

    def told(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> list[dict]:
        right = [_told_wording(option, tell) for option in content["options"] if weight(option) == EVERYTHING]
        return [{"shown": "", "answered": answer["text"] if answer else "", "right": "; ".join(right)}]


def _wordings(option: Mapping) -> list[str]:
    return [wording for wordings in option.get("accepts", {}).values() for wording in wordings]


def _told_wording(option: Mapping, tell: Tell) -> str:
    """Return the first wording of the language: the one to learn."""
    told = {language: wordings[0] for language, wordings in option["accepts"].items() if wordings}
    return tell(told).replace("\\*", STAR).replace("*", "…").replace(STAR, "*")
