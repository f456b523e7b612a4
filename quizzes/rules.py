"""What a question must be, and how its texts are told. Plain values in, plain values out."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

FEWEST_OPTIONS, MOST_OPTIONS = 2, 8


class Flaw(NamedTuple):
    """Something wrong with a question. ``path`` leads to it: ("options", 2, "why"). ``remedy`` says what to do."""

    path: tuple[str | int, ...]
    what: str
    remedy: str


def flaws_in_key(kind: str, options: Sequence[Mapping]) -> Iterator[Flaw]:
    """Yield what is wrong with the options and with which of them are right.

    ``options`` are mappings with ``id`` and, where it is a right answer, ``right: True``.
    """
    right = [number for number, option in enumerate(options) if option.get("right") is True]
    if kind == "truefalse" and len(options) != 2:
        yield Flaw(("options",), f"a truefalse question has {len(options)} options", "Give it two: true and false.")
    elif not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS:
        remedy = f"Give it {FEWEST_OPTIONS} to {MOST_OPTIONS}."
        yield Flaw(("options",), f"a question has {len(options)} options", remedy)
    if not right:
        yield Flaw(("options",), "no option is right", "Add 'right: true' to the right one.")
    elif len(right) > 1 and kind != "multiple":
        remedy = "Leave one, or make the question 'kind: multiple'."
        yield Flaw(("options", right[1]), f"a {kind} question has {len(right)} right options", remedy)
    known: set[object] = set()
    for number, option in enumerate(options):
        if option.get("id") in known:
            yield Flaw(("options", number, "id"), f"option id {option.get('id')!r} is there twice", "Rename one.")
        known.add(option.get("id"))


def language_of(languages: Collection[str], wanted: str, fallback: str) -> str:
    """Return the language in which to tell what exists in ``languages``: the wanted one, the fallback, any at all."""
    return next((one for one in (wanted, fallback) if one in languages), min(languages, default=fallback))
