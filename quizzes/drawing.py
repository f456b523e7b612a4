"""Which questions an attempt asks: plain values in, plain values out. The same seed draws the same again."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from quizzes.kinds.base import shuffled
from quizzes.rules import Flaw


@dataclass(frozen=True)
class Card:
    """What a draw looks at. ``tags``: the first is what the even spread counts. ``bank``: the slug of its bank."""

    tags: tuple[str, ...]
    difficulty: int = 2
    must_pass: bool = False
    bank: str = ""


@dataclass(frozen=True)
class Cell:
    """A demand of a blueprint: so many questions with this tag, of this difficulty, of this bank. None: any."""

    questions: int
    tag: str | None = None
    difficulty: int | None = None
    must_pass: bool | None = None
    bank: str | None = None

    def takes(self, card: Card) -> bool:
        return (
            (self.tag is None or self.tag in card.tags)
            and (self.difficulty is None or self.difficulty == card.difficulty)
            and (self.must_pass is None or self.must_pass == card.must_pass)
            and (self.bank is None or self.bank == card.bank)
        )


def cells_of(blueprint: Sequence[Mapping]) -> list[Cell]:
    """Return the cells of a blueprint as a quiz stores it: [{questions, tag, difficulty, must_pass, bank}], all but
    the first optional."""
    return [Cell(**cell) for cell in blueprint]


def draw(
    cards: Mapping[str, Card], *, count: int, seed: str, seen: Sequence[str] = (), blueprint: Sequence[Cell] = ()
) -> list[str]:
    """Return ``count`` of the questions, in the order in which to show them.

    ``cards`` maps each question's slug to its Card; ``seen`` lists the slugs that the person was shown in earlier
    attempts, oldest first. First every cell of the blueprint gets what it asks for, as far as the bank has it; the
    rest is spread evenly over the first tags. Either way questions not seen before come first, then those seen
    longest ago: no more of them comes again than has to. Raises ValueError if there are fewer than ``count``.
    """
    if count > len(cards):
        raise ValueError(f"{count} questions wanted, {len(cards)} there")
    chance = random.Random(f"draw/{seed}")  # noqa: S311 - fairness, not secrecy
    last_seen = {slug: turn for turn, slug in enumerate(seen)}
    mixed = shuffled(cards, chance)
    mixed.sort(key=lambda slug: last_seen.get(slug, -1))  # stable: those not seen stay shuffled
    drawn = list(_placed(mixed, cards, blueprint).values())[:count]
    left = [slug for slug in mixed if slug not in set(drawn)]
    drawn += _spread(left, cards, count - len(drawn), last_seen, chance)
    return shuffled(drawn, chance)


def _placed(mixed: Sequence[str], cards: Mapping[str, Card], blueprint: Sequence[Cell]) -> dict[tuple[int, int], str]:
    """Return {(cell, number): slug}, as many places of the blueprint filled as can be, with the foremost questions.

    A question takes a free place that fits it, or one whose own question can move on to another: the sets of questions
    that can all be placed form a matroid, so taking each in turn gives the best set there is. Edmonds (1971).
    """
    taken: dict[tuple[int, int], str] = {}
    places = [[(cell, number) for number in range(demand.questions)] for cell, demand in enumerate(blueprint)]

    def find_place(slug: str, tried: set[int]) -> bool:
        fitting = [cell for cell, demand in enumerate(blueprint) if cell not in tried and demand.takes(cards[slug])]
        tried.update(fitting)
        for cell in fitting:
            if free := next((place for place in places[cell] if place not in taken), None):
                taken[free] = slug
                return True
        for place in (place for cell in fitting for place in places[cell]):
            if find_place(taken[place], tried):
                taken[place] = slug
                return True
        return False

    most = sum(demand.questions for demand in blueprint)
    for slug in mixed:
        if len(taken) == most:
            break
        find_place(slug, set())
    return taken


def _spread(
    left: Sequence[str], cards: Mapping[str, Card], count: int, last_seen: Mapping[str, int], chance: random.Random
) -> list[str]:
    """Return ``count`` of the questions: every first tag gives the same number, give or take one, while it has them.

    So whoever passes was asked about everything. But nothing comes again while any tag has an unseen question.
    """
    piles: dict[tuple[str, ...], list[str]] = {}
    for slug in left:
        piles.setdefault(cards[slug].tags[:1], []).append(slug)
    drawn: list[str] = []
    given: Counter[tuple[str, ...]] = Counter()
    while len(drawn) < count:
        fewest = min(given[tag] for tag in piles)
        fresh = [tag for tag, pile in piles.items() if pile[0] not in last_seen]
        for tag in shuffled(fresh or [tag for tag in piles if given[tag] == fewest], chance):
            drawn.append(piles[tag].pop(0))
            given[tag] += 1
        piles = {tag: pile for tag, pile in piles.items() if pile}
    return drawn[:count]


def flaws_in_blueprint(cards: Mapping[str, Card], blueprint: Sequence[Cell], count: int) -> Iterator[Flaw]:
    """Yield what makes a blueprint impossible over these questions. ``path`` leads to the cell."""
    asked = sum(cell.questions for cell in blueprint)
    if asked > count:
        yield Flaw(
            (),
            _("the blueprint asks for %(asked)s questions and the quiz draws %(count)s")
            % {"asked": asked, "count": count},
            _("Lower one of them."),
        )
    for number, cell in enumerate(blueprint):
        fitting = sum(cell.takes(card) for card in cards.values())
        if fitting < cell.questions:
            what = _("the blueprint asks for %(questions)s questions of a sort of which there are %(fitting)s") % {
                "questions": cell.questions,
                "fitting": fitting,
            }
            yield Flaw((number,), what, _("Write more of them, or ask for fewer."))
    filled = len(_placed(sorted(cards), cards, blueprint))
    if filled < asked and all(sum(map(cell.takes, cards.values())) >= cell.questions for cell in blueprint):
        what = _("the blueprint asks for %(asked)s questions and only %(filled)s can be told apart") % {
            "asked": asked,
            "filled": filled,
        }
        yield Flaw((), what, _("Some questions fit several of its lines: write more of them."))
