"""Which sequence numbers are absent between the first and the last that are present."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise


def gaps(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return the maximal runs of absent numbers between present ones, as (first, last), in order."""
    present = sorted(set(numbers))
    return [(a + 1, b - 1) for a, b in pairwise(present) if b - a > 1]


def skips_normally(missing: int, numbers: int, *, pulls_failed: bool) -> bool:
    """Return whether more than one number in a thousand is missing though no pull failed: then it means little."""
    return not pulls_failed and missing * 1000 > numbers


FAR = 1000  # numbers: a jump of fewer is a hole like any other
BACKWARDS = timedelta(days=1)  # messages that waited on a telephone came later than that only in jest


def against_time(
    first: tuple[int, datetime], last: tuple[int, datetime], came: Iterable[tuple[int, datetime]]
) -> list[tuple[int, datetime]]:
    """Return those of the numbers that lie far outside of the ones that are here and were sent on the wrong side of
    them, all of them: higher numbers that are older, lower ones that are younger. They are another numbering's.

    ``first`` and ``last`` are the lowest and the highest (number, when sent) that are here.
    """
    told = sorted(came)
    above = [(number, at) for number, at in told if number > last[0] + FAR]
    below = [(number, at) for number, at in told if number < first[0] - FAR]
    strange = above if above and max(at for _number, at in above) < last[1] - BACKWARDS else []
    return strange + (below if below and min(at for _number, at in below) > first[1] + BACKWARDS else [])


@dataclass
class Span:
    """First and last present number and the holes between them. (None, None, []) is an empty source."""

    first: int | None = None
    last: int | None = None
    holes: list[tuple[int, int]] = field(default_factory=list)

    def add(self, numbers: Iterable[int]) -> None:
        """Make the numbers present. Costs the size of the batch and of the holes, never that of the source."""
        wanted = sorted(set(numbers))
        if not wanted:
            return
        if self.first is None:
            self.first, self.last, self.holes = wanted[0], wanted[-1], gaps(wanted)
            return
        if wanted[0] < self.first - 1:
            self.holes.append((wanted[0] + 1, self.first - 1))
        if wanted[-1] > self.last + 1:
            self.holes.append((self.last + 1, wanted[-1] - 1))
        self.first, self.last = min(self.first, wanted[0]), max(self.last, wanted[-1])
        self.holes = sorted(piece for hole in self.holes for piece in _without(hole, wanted))


def _without(hole: tuple[int, int], wanted: list[int]) -> list[tuple[int, int]]:
    """Return what remains of a hole when the sorted numbers are present."""
    first, last = hole
    inside = wanted[bisect_left(wanted, first) : bisect_right(wanted, last)]
    return gaps([first - 1, *inside, last + 1])
