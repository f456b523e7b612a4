"""Put in order. The options are stored in the right order; an answer gives each its place, counted from 1, by id."""

import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations

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
    flaws_in_count,
    flaws_in_ids,
    one,
    only,
    shuffled,
)
from quizzes.rules import Flaw

FEWEST, MOST = 3, 8


class Ordering(Kind):
    name = look = "ordering"
    credit_rules = ("parts", "all")

    def flaws(self, content: Content) -> Iterator[Flaw]:
        yield from self.flaws_in_rule(content)
        yield from flaws_in_count(("options",), _("things to put in order"), len(content["options"]), FEWEST, MOST)
        yield from flaws_in_ids(("options",), content["options"], set())

    def order(self, content: Content, chance: random.Random) -> list[str]:
        """Any order may come, the right one too: leaving that out would tell a little."""
        return shuffled([option["id"] for option in content["options"]], chance)

    def read(self, content: Content, tokens: Mapping[str, str], sent: Sent, before: Answer) -> Answer:
        only(sent, tokens)
        answer, places = {}, {str(place): place for place in range(1, len(tokens) + 1)}
        for token, name in tokens.items():
            chosen = one(sent, token)
            if chosen and chosen not in places:
                raise Forged("a place that the page did not offer")
            if chosen:
                answer[name] = places[chosen]
        return answer or None

    def is_complete(self, content: Content, answer: Answer) -> bool:
        return len(set((answer or {}).values())) == len(content["options"])

    def credit(self, content: Content, answer: Answer) -> Fraction:
        places, ids = answer or {}, [option["id"] for option in content["options"]]
        pairs = list(combinations(ids, 2))
        balance = sum(_direction(places.get(first), places.get(second)) for first, second in pairs)
        if self.rule(content) == "all":
            return EVERYTHING if balance == len(pairs) else NOTHING
        return clipped(Fraction(balance, len(pairs)))

    def shown(self, content: Content, names: Mapping[str, str], answer: Answer, tell: Tell) -> dict:
        options, places = by_id(content["options"]), answer or {}
        return {
            "places": list(range(1, len(names) + 1)),
            "items": [
                {"token": token, "text": tell(options[name]["text"]), "place": places.get(name)}
                for name, token in names.items()
            ],
        }

    def explained(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> dict:
        places = answer or {}
        return {
            "items": [
                {
                    "text": tell(option["text"]),
                    "place": place,
                    "chosen": places.get(option["id"]),
                    "right": places.get(option["id"]) == place,
                    "why": tell(option["why"]),
                }
                for place, option in enumerate(content["options"], start=1)
            ]
        }

    def parts(self, content: Content, answer: Answer) -> list[str]:
        return [f"{item}>{place}" for item, place in (answer or {}).items()]

    def parts_told(self, content: Content, tell: Tell) -> list[dict]:
        places = range(1, len(content["options"]) + 1)
        return [
            {"key": f"{option['id']}>{place}", "text": f"{place}. {tell(option['text'])}", "right": place == right}
            for right, option in enumerate(content["options"], start=1)
            for place in places
        ]

    def told(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> list[dict]:
        options, places = by_id(content["options"]), answer or {}
        right = {option["id"]: place for place, option in enumerate(content["options"], start=1)}
        return [
            {"shown": tell(options[name]["text"]), "answered": str(places.get(name, "")), "right": str(right[name])}
            for name in order
        ]


def _direction(first: int | None, second: int | None) -> int:
    """Return 1 where two items stand as they should, -1 where they are the wrong way round, 0 where nobody can say."""
    if first is None or second is None or first == second:
        return 0
    return 1 if first < second else -1
