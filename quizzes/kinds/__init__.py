"""The kinds of question. One module a kind of answer; what each must tell is in base.Kind.

A question is plain data here, as quizzes.models.Question stores it: {kind, stem, options, detail, explanation,
shuffle}. Nothing in this package knows the database, a request or a clock.

How much of a question's points an answer earns ("credit", a Fraction from 0 to 1), by ``detail["credit"]``; the first
rule named is the one that holds when none is:

    single, truefalse   all: 1 for the right option, else 0.
                        weights: the weight of the option chosen; the right one weighs 1.
    multiple            all: 1 for exactly the right options, else 0.
                        parts: (right ones chosen - wrong ones chosen) / right ones, never below 0.
                        weights: the sum of the weights of all that were chosen, never below 0 or above 1.
    matching            parts: pairs made rightly / pairs.        all: 1 if every pair is right, else 0.
    ordering            parts: over all pairs of items, (pairs in the right order - pairs in the wrong one) / pairs,
                        never below 0; a pair of which an item has no place, or both the same, is neither.
                        all: 1 for the right order, else 0.
    numeric             the weight of the first expected value within whose tolerance the number lies, bounds included.
    text                the weight of the first expected answer that fits.
    chat                parts: messages marked rightly / messages to mark.     all: 1 if every mark is right, else 0.
    scenario            the weight of the end that was reached; 0 on the way.

What is not answered earns 0. An answer is right when it earns 1, however it does.
"""

from collections.abc import Mapping

from quizzes.kinds.base import Forged, Kind
from quizzes.kinds.chat import Chat
from quizzes.kinds.choice import Multiple, Single, TrueFalse
from quizzes.kinds.matching import Matching
from quizzes.kinds.numeric import Numeric
from quizzes.kinds.ordering import Ordering
from quizzes.kinds.scenario import Scenario
from quizzes.kinds.text import Text

__all__ = ["KINDS", "Forged", "Kind", "kind_of"]

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Single(),
        Multiple(),
        TrueFalse(),
        Matching(),
        Ordering(),
        Numeric(),
        Text(),
        Chat(),
        Scenario(),
    )
}


def kind_of(content: Mapping) -> Kind:
    """Return the kind of this question. Raises KeyError for one that does not exist."""
    return KINDS[content["kind"]]
