"""What every kind of question can do, and what their modules share."""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from quizzes.rules import Flaw

Content = Mapping[str, Any]
Answer = Any  # plain JSON, its shape known to the kind; None: not answered
Sent = Mapping[str, Sequence[str]]  # what a form sent: {the field's name after "q3" or "q3-": values}
Tell = Callable[[Mapping[str, str]], str]  # picks the language of a text

NOTHING, EVERYTHING = Fraction(0), Fraction(1)
MOST_DIGITS = 30


class Forged(ValueError):
    """Something that the page did not offer."""


class Kind(ABC):
    """A kind of question. ``credit_rules``: the part credit that it knows, the first by default.

    ``look`` names the templates that draw it: kinds that look the same share them.
    """

    name: ClassVar[str]
    look: ClassVar[str]
    credit_rules: ClassVar[tuple[str, ...]] = ("all",)

    @abstractmethod
    def flaws(self, content: Content) -> Iterator[Flaw]:
        """Yield what makes the question impossible to answer or to grade. Texts are not looked at."""

    @abstractmethod
    def order(self, content: Content, chance: random.Random) -> list[str]:
        """Return the ids of all that a form may name, in the order in which to show it."""

    @abstractmethod
    def read(self, content: Content, tokens: Mapping[str, str], sent: Sent, before: Answer) -> Answer:
        """Return the answer in what a form sent; None where nothing is answered. Raises Forged.

        ``tokens`` maps the opaque names that the page used to ids; ``before`` is the answer kept so far.
        """

    @abstractmethod
    def credit(self, content: Content, answer: Answer) -> Fraction:
        """Return the share of the points that the answer earns. None earns nothing."""

    @abstractmethod
    def shown(self, content: Content, names: Mapping[str, str], answer: Answer, tell: Tell) -> dict:
        """Return what the paper needs beside the stem. Not a word of it may depend on what is right.

        ``names`` maps the ids of order() to the opaque names that the page uses, in the order shown.
        """

    @abstractmethod
    def explained(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> dict:
        """Return what the result page needs: what was answered, what is right, and why."""

    @abstractmethod
    def told(self, content: Content, order: Sequence[str], answer: Answer, tell: Tell) -> list[dict]:
        """Return the question as a record of it, line by line in the order shown: [{shown, answered, right}].

        All three are texts, for paper and for years: "" where there is nothing to say.
        """

    def parts(self, content: Content, answer: Answer) -> list[str]:
        """Return keys of what was chosen in an answer: what statistics count. None chose nothing.

        In a key like "prompt>option" only one can be chosen of those that have the same beginning.
        """
        return []

    def parts_told(self, content: Content, tell: Tell) -> list[dict]:
        """Return all that could be chosen: [{key, text, right}]. Empty where people type what they like."""
        return []

    def is_complete(self, content: Content, answer: Answer) -> bool:
        """Return whether nothing is left to do in this question."""
        return answer is not None

    def rule(self, content: Content) -> str:
        return content.get("detail", {}).get("credit") or self.credit_rules[0]

    def flaws_in_rule(self, content: Content) -> Iterator[Flaw]:
        if self.rule(content) not in self.credit_rules:
            remedy = _("Use one of: %(names)s.") % {"names": ", ".join(self.credit_rules)}
            yield Flaw(
                ("credit",),
                _("a %(name)s question has no credit rule '%(rule)s'")
                % {"name": self.name, "rule": self.rule(content)},
                remedy,
            )


def shuffled(items: Collection[Hashable], chance: random.Random) -> list:
    """Return the items in an order that depends on them and on chance alone, not on the order they came in."""
    ordered = sorted(items)
    chance.shuffle(ordered)
    return ordered


def is_shuffled(content: Content) -> bool:
    return bool(content.get("shuffle", True))


def only(sent: Sent, known: Collection[str]) -> Sent:
    """Return ``sent``, whose fields must all be known and hold one value each. Raises Forged."""
    if not set(sent) <= set(known) or any(len(values) > 1 for values in sent.values()):
        raise Forged("a field that the page did not offer")
    return sent


def one(sent: Sent, name: str) -> str:
    """Return the one value of a field, "" where it is empty or not there. NUL goes: PostgreSQL cannot store it."""
    values = sent.get(name) or [""]
    return values[0].replace("\x00", "")


def fraction(text: object) -> Fraction | None:
    """Return the number that an author wrote: "3", "0.5", "1/3", 2; None if it is none that can be compared exactly."""
    if isinstance(text, bool) or not isinstance(text, str | int) or len(str(text)) > MOST_DIGITS:
        return None
    try:
        return Fraction(str(text)) if "e" not in str(text).lower() else None
    except (ValueError, ZeroDivisionError):
        return None


def weight(option: Mapping) -> Fraction:
    """Return what an option weighs: as its author says; else 1 where it is right and 0 where it is not."""
    stated = fraction(option.get("weight"))
    if stated is not None:
        return stated
    return EVERYTHING if option.get("right") else NOTHING


def clipped(credit: Fraction) -> Fraction:
    return min(max(credit, NOTHING), EVERYTHING)


def flaws_in_weights(options: Sequence[Mapping]) -> Iterator[Flaw]:
    """Yield weights that are no numbers from -1 to 1, and right options that weigh less than everything."""
    for number, option in enumerate(options):
        stated = option.get("weight")
        if stated is None:
            continue
        value = fraction(stated)
        if value is None or not -1 <= value <= 1:
            remedy = _("Write a number from -1 to 1, or a fraction: 1/3.")
            yield Flaw(("options", number, "weight"), _("the weight is %(stated)r") % {"stated": stated}, remedy)


def flaws_in_ids(path: tuple[str | int, ...], items: Sequence[Mapping], known: set) -> Iterator[Flaw]:
    """Yield ids that are there twice; adds those found to ``known``."""
    for number, item in enumerate(items):
        if item.get("id") in known:
            yield Flaw((*path, number, "id"), _("id %(id)r is there twice") % {"id": item.get("id")}, _("Rename one."))
        known.add(item.get("id"))


def flaws_in_count(path: tuple[str | int, ...], what: str, count: int, fewest: int, most: int) -> Iterator[Flaw]:
    if not fewest <= count <= most:
        yield Flaw(path, f"{what}: {count}", _("Give it %(fewest)s to %(most)s.") % {"fewest": fewest, "most": most})


def by_id(items: Sequence[Mapping]) -> dict[str, Mapping]:
    return {item["id"]: item for item in items}
