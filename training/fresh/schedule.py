"""When a question comes again, and which come this week. Plain values in, plain values out."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

AFTER_WRONG = timedelta(days=8)
AFTER_RIGHT = timedelta(days=16)
ENOUGH = 2  # right so often in a row, and it is retired
A_WEEK = 2  # questions


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person stands with a question. ``due_on``: not asked again before this day; None: retired."""

    right_in_a_row: int
    due_on: date | None


def after(place: Place, *, is_right: bool, on: date) -> Place:
    """Return where an answer given on that day leads. A wrong one begins anew. Raises ValueError once retired."""
    if place.due_on is None:
        raise ValueError("a retired question is not asked")
    if not is_right:
        return Place(0, on + AFTER_WRONG)
    row = place.right_in_a_row + 1
    return Place(row, None) if row >= ENOUGH else Place(row, on + AFTER_RIGHT)


def week_of(day: date) -> date:
    """Return the Monday of the day's week."""
    return day - timedelta(days=day.weekday())


def choose(
    due: Iterable[tuple[date, Hashable]],
    new: Mapping[str, Sequence[str]],
    begun: Mapping[str, int],
    *,
    most: int,
    day: date,
    seed: str,
) -> tuple[list[Hashable], list[tuple[str, str]]]:
    """Return (which of those due, which new ones) are asked, ``most`` together. What is due goes before what is new.

    ``due``: (due day, key), the longest due first; those of a later day are left out. ``new``: {module: keys never
    asked}, ``begun``: {module: how many of it were}: the module of which fewest were is next, so that all come up.
    The same seed chooses the same.
    """
    ready = sorted(((on, key) for on, key in due if on <= day), key=lambda pair: (pair[0], _lot(seed, pair[1])))
    again = [key for _on, key in ready[:most]]
    left = {module: sorted(keys, key=lambda key: _lot(seed, key)) for module, keys in new.items() if keys}
    counted, chosen = Counter(begun), []
    while left and len(again) + len(chosen) < most:
        module = min(left, key=lambda one: (counted[one], one))
        chosen.append((module, left[module].pop(0)))
        counted[module] += 1
        if not left[module]:
            del left[module]
    return again, chosen


def _lot(seed: str, key: Hashable) -> str:
    return hashlib.sha256(f"{seed}/{key}".encode()).hexdigest()
