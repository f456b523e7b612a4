"""Choose: one option, all that apply, true or false. An answer lists option ids, in the order shown."""

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import ClassVar

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
    by_id,
    clipped,
    flaws_in_weights,
    is_shuffled,
    shuffled,
    weight,
)
from quizzes.rules import Flaw, flaws_in_key


class Choice(Kind):
    look = "choice"
    is_multiple: ClassVar[bool] = False

    def flaws(self, content: Content) -> Iterator[Flaw]:
        yield from self.flaws_in_rule(content)
        yield from flaws_in_key(self.name, content["options"])
        if self.rule(content) == "weights":
            yield from flaws_in_weights(content["options"])

    def order(self, content: Content, chance: random.Random) -> list[str]:
        ids = [option["id"] for option in content["options"]]
        return shuffled(ids, chance) if is_shuffled(content) else ids

    def read(self, content: Content, tokens: Mapping[str, str], sent: Sent, before: Answer) -> Answer:
        chosen = [token for token in sent.get("", ()) if token]
        most = len(tokens) if self.is_multiple else 1
        if not set(sent) <= {""} or len(chosen) > most or len(set(chosen)) < len(chosen):
            raise Forged("more than can be chosen")
        if not set(chosen) <= set(tokens):
            raise Forged("an option that the page did not offer")
        picked = {tokens[token] for token in chosen}
        return [option for option in tokens.values() if option in picked] or None

    def shown(self, content: Content, names: Mapping[str, str], answer: Answer, tell: Tell) -> dict:
        options, chosen = by_id(content["options"]), answer or []
        return {
            "multiple": self.is_multiple,
            "options": [
                {"token": token, "text": tell(options[name]["text"]), "chosen": name in chosen}
                for name, token in names.items()
            ],
        }

    def explained(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> dict:
        options, chosen = by_id(content["options"]), answer or []
        return {
            "multiple": self.is_multiple,
            "options": [
                {
                    "text": tell(options[name]["text"]),
                    "why": tell(options[name]["why"]),
                    "chosen": name in chosen,
                    "right": bool(options[name].get("right")),
                }
                for name in order
            ],
        }

    def told(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> list[dict]:
        options, chosen = by_id(content["options"]), answer or []
        return [
            {
                "shown": tell(options[name]["text"]),
                "answered": _("chosen") if name in chosen else "",
                "right": _("right") if options[name].get("right") else "",
            }
            for name in order
        ]

    def parts(self, content: Content, answer: Answer) -> list[str]:
        return list(answer or ())

    def parts_told(self, content: Content, tell: Tell) -> list[dict]:
        return [
            {"key": option["id"], "text": tell(option["text"]), "right": bool(option.get("right"))}
            for option in content["options"]
        ]


class Single(Choice):
    name = "single"
    credit_rules = ("all", "weights")

    def credit(self, content: Content, answer: Answer) -> Fraction:
        chosen = [option for option in content["options"] if option["id"] in (answer or [])]
        if len(chosen) != 1:
            return NOTHING
        if self.rule(content) == "weights" and not chosen[0].get("right"):
            return clipped(weight(chosen[0]))
        return EVERYTHING if chosen[0].get("right") else NOTHING


class TrueFalse(Single):
    """True stands before false, as it was written: nobody looks for them anywhere else."""

    name = "truefalse"

    def order(self, content: Content, chance: random.Random) -> list[str]:
        return [option["id"] for option in content["options"]]


class Multiple(Choice):
    name = "multiple"
    credit_rules = ("all", "parts", "weights")
    is_multiple = True

    def flaws(self, content: Content) -> Iterator[Flaw]:
        yield from super().flaws(content)
        if self.rule(content) == "weights":
            gains = sum(weight(option) for option in content["options"] if option.get("right"))
            if gains != EVERYTHING:
                remedy = _("Let the weights of the right options come to 1; thirds are written 1/3.")
                yield Flaw(("options",), _("the right options weigh %(gains)s together") % {"gains": gains}, remedy)
            for number, option in enumerate(content["options"]):
                if bool(option.get("right")) != (weight(option) > 0):
                    remedy = _("Give right options a weight above 0, and wrong ones none or one below.")
                    yield Flaw(("options", number), _("the weight contradicts 'right'"), remedy)

    def credit(self, content: Content, answer: Answer) -> Fraction:
        chosen, key = set(answer or ()), {option["id"] for option in content["options"] if option.get("right")}
        if not chosen:
            return NOTHING
        match self.rule(content):
            case "parts":
                return clipped(Fraction(len(chosen & key) - len(chosen - key), len(key)))
            case "weights":
                return clipped(sum((weight(o) for o in content["options"] if o["id"] in chosen), NOTHING))
        return EVERYTHING if chosen == key else NOTHING
