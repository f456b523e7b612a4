"""A number, perhaps with a unit. An answer is {text, unit}: as it was typed, and the id of the unit or None.

The options are the values one may expect, right ones and typical mistakes: {id, value, tolerance, right or weight,
why}. ``value`` is told in the unit whose factor is 1; ``tolerance`` is a number in that unit, or a percentage of the
value ("5%"); both bounds count. ``detail["units"]`` holds {id, text, factor}: a number in a unit is worth factor times
as much. With one unit it stands behind the field, with several one is chosen.
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
    fraction,
    one,
    only,
    weight,
)
from quizzes.rules import Flaw

MOST_OPTIONS, MOST_UNITS, MOST_TYPED = 8, 6, 40
NUMBER = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?|[+-]?\.\d+", re.ASCII)
MINUS = str.maketrans({"−": "-", "–": "-", "。": ".", "，": ","})


def number_in(typed: str) -> Fraction | None:
    """Return the number that a person typed, None if it is none.

    Full-width digits count, so do spaces around it and commas between thousands: "１,２００.5" is 1200.5. A comma is
    never a decimal point: "3,5" could be meant either way, so it is not a number.
    """
    plain = unicodedata.normalize("NFKC", typed).translate(MINUS).strip()
    return Fraction(plain.replace(",", "")) if NUMBER.fullmatch(plain) else None


class Numeric(Kind):
    name = look = "numeric"

    def flaws(self, content: Content) -> Iterator[Flaw]:
        options, units = content["options"], content["detail"].get("units", [])
        yield from self.flaws_in_rule(content)
        yield from flaws_in_count(("options",), _("expected values"), len(options), 1, MOST_OPTIONS)
        yield from flaws_in_count(("units",), _("units"), len(units), 0, MOST_UNITS)
        known: set = set()
        yield from flaws_in_ids(("options",), options, known)
        yield from flaws_in_ids(("units",), units, known)
        yield from flaws_in_weights(options)
        if not any(weight(option) == EVERYTHING for option in options):
            yield Flaw(("options",), _("no value is right"), _("Mark the right one: in a file with 'right: true'."))
        for number, option in enumerate(options):
            if fraction(option.get("value")) is None:
                remedy = _("Write a plain number, like 3 or 0.5.")
                yield Flaw(
                    ("options", number, "value"), _("the value is %(value)r") % {"value": option.get("value")}, remedy
                )
            elif _tolerance(option) is None:
                remedy = _('Write a plain number that is not negative, or a percentage: "5%".')
                yield Flaw(
                    ("options", number, "tolerance"),
                    _("the tolerance is %(tolerance)r") % {"tolerance": option.get("tolerance")},
                    remedy,
                )
        yield from _flaws_in_units(units)

    def order(self, content: Content, chance: random.Random) -> list[str]:
        return [unit["id"] for unit in content["detail"].get("units", [])]

    def read(self, content: Content, tokens: Mapping[str, str], sent: Sent, before: Answer) -> Answer:
        only(sent, ("", "unit"))
        typed, token = one(sent, "").strip(), one(sent, "unit")
        if len(typed) > MOST_TYPED or (token and token not in tokens):
            raise Forged("an answer that does not fit the page's fields")
        unit = tokens[token] if token else None
        return {"text": typed, "unit": unit} if typed or unit else None

    def is_complete(self, content: Content, answer: Answer) -> bool:
        if answer is None or number_in(answer["text"]) is None:
            return False
        return answer["unit"] is not None or len(content["detail"].get("units", [])) < 2

    def credit(self, content: Content, answer: Answer) -> Fraction:
        met = self._met(content, answer)
        return clipped(weight(met)) if met else NOTHING

    def _met(self, content: Content, answer: Answer) -> Mapping | None:
        """Return the first expected value that the answer meets."""
        if not self.is_complete(content, answer):
            return None
        factors = {unit["id"]: fraction(unit["factor"]) for unit in content["detail"].get("units", [])}
        factor = factors.get(answer["unit"]) or next(iter(factors.values()), EVERYTHING)
        number = number_in(answer["text"]) * factor
        within = (o for o in content["options"] if abs(number - fraction(o["value"])) <= _tolerance(o))
        return next(within, None)

    def shown(self, content: Content, names: Mapping[str, str], answer: Answer, tell: Tell) -> dict:
        typed, chosen = (answer["text"], answer["unit"]) if answer else ("", None)
        units = [
            {"token": names[unit["id"]], "text": tell(unit["text"]), "chosen": unit["id"] == chosen}
            for unit in content["detail"].get("units", [])
        ]
        return {
            "typed": typed,
            "unreadable": bool(typed) and number_in(typed) is None,
            "most": MOST_TYPED,
            "units": units if len(units) > 1 else [],
            "unit": units[0]["text"] if len(units) == 1 else "",
        }

    def explained(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> dict:
        met = self._met(content, answer)
        return {
            "typed": self._typed(content, answer, tell),
            "why": tell(met["why"]) if met else "",
            "expected": [
                {"text": _expected(content, option, tell), "why": tell(option["why"]), "met": option is met}
                for option in content["options"]
                if weight(option) == EVERYTHING
            ],
        }

    def told(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> list[dict]:
        units = " / ".join(tell(unit["text"]) for unit in content["detail"].get("units", []))
        right = [_expected(content, option, tell) for option in content["options"] if weight(option) == EVERYTHING]
        return [{"shown": units, "answered": self._typed(content, answer, tell), "right": "; ".join(right)}]

    def _typed(self, content: Content, answer: Answer, tell: Tell) -> str:
        """Return the answer as one reads it: "36 months"."""
        if answer is None:
            return ""
        units = content["detail"].get("units", [])
        chosen = next((unit for unit in units if unit["id"] == answer["unit"] or len(units) == 1), None)
        return f"{answer['text']} {tell(chosen['text'])}".strip() if chosen else answer["text"]


def _expected(content: Content, option: Mapping, tell: Tell) -> str:
    """Return a value as one reads it: "3 ± 0.5 years"."""
    units = content["detail"].get("units", [])
    unit = next((tell(unit["text"]) for unit in units if fraction(unit["factor"]) == 1), "")
    leeway = option.get("tolerance") or "0"
    leeway = "" if fraction(leeway) == 0 else f" ± {leeway}"
    return f"{option['value']}{leeway} {unit}".strip()


def _tolerance(option: Mapping) -> Fraction | None:
    """Return how far from the value still counts, None if it was not written as a number."""
    stated = option.get("tolerance")
    if stated is None:
        return NOTHING
    if isinstance(stated, str) and stated.endswith("%"):
        share, value = fraction(stated.removesuffix("%")), fraction(option.get("value"))
        return None if share is None or share < 0 else abs(value) * share / 100
    leeway = fraction(stated)
    return None if leeway is None or leeway < 0 else leeway


def _flaws_in_units(units: Sequence[Mapping]) -> Iterator[Flaw]:
    factors = [fraction(unit.get("factor")) for unit in units]
    for number, factor in enumerate(factors):
        if factor is None or factor <= 0:
            what = _("the factor is %(factor)r") % {"factor": units[number].get("factor")}
            yield Flaw(("units", number, "factor"), what, _("Write a number above 0, or a fraction: 1/12."))
    if units and factors.count(EVERYTHING) != 1:
        yield Flaw(
            ("units",), _("not exactly one unit has the factor 1"), _("Give it to the unit of the expected values.")
        )
