"""What answers show about a question and about a quiz: plain values in, plain values out.

Everything is computed from a person's first try: later ones have read the explanations.

facility        mean credit, 0 to 1; for a question that is all or nothing the share of people who had it right.
discrimination  correlation of the credit with the mean credit of the same person's other questions in that try, -1 to
                1. The question itself is left out of the others, so chance alone gives 0.
reliability     of a quiz's percentages: 1 - (mean square within people / mean square between people), which is
                Hoyt's (1941) estimate where everybody draws questions of their own, and so counts it as error that
                some draw harder ones.

Intervals hold with 95%: Wilson's for facility (for part credit a little too wide), Fisher's for the correlation, and
for the reliability the normal one of the logarithm of the ratio of mean squares.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

Z = 1.959964  # of 95%
FEWEST = 30  # answers before anything is said
FEWEST_FOR_OPTIONS = 100


class Interval(NamedTuple):
    value: float
    low: float
    high: float


@dataclass
class Sums:
    """Sums over answers: x is the credit, r the mean credit of the same person's other questions; both 0 to 1."""

    n: int = 0
    x: float = 0.0
    xx: float = 0.0
    r: float = 0.0
    rr: float = 0.0
    xr: float = 0.0

    def add(self, other: Sequence[float]) -> None:
        for name, value in zip(("n", "x", "xx", "r", "rr", "xr"), other, strict=True):
            setattr(self, name, getattr(self, name) + value)


def facility(sums: Sums) -> Interval | None:
    """Return the mean credit with Wilson's interval, None without answers."""
    if not sums.n:
        return None
    p, n = min(max(sums.x / sums.n, 0.0), 1.0), sums.n
    middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return Interval(p, max(middle - half, 0.0), min(middle + half, 1.0))


def discrimination(sums: Sums) -> Interval | None:
    """Return the correlation with Fisher's interval; None where nothing varies, or with fewer than 4 answers."""
    if sums.n < 4:
        return None
    n = sums.n
    across, along = sums.xx - sums.x**2 / n, sums.rr - sums.r**2 / n
    if across <= 1e-9 or along <= 1e-9:
        return None
    rho = (sums.xr - sums.x * sums.r / n) / math.sqrt(across * along)
    rho = min(max(rho, -1.0), 1.0)
    middle, half = math.atanh(min(max(rho, -0.999999), 0.999999)), Z / math.sqrt(n - 3)
    return Interval(rho, math.tanh(middle - half), math.tanh(middle + half))


def reliability(*, people: int, answers: int, between: float, total: float, mean_square_sum: float) -> Interval | None:
    """Return how far a quiz's percentages tell people apart, None with too little to say.

    ``between``: the sum over people of (sum of credits)² / questions; ``total``: the sum of all credits;
    ``mean_square_sum``: the sum of all squared credits.
    """
    if people < 3 or answers - people < 2:
        return None
    within = (mean_square_sum - between) / (answers - people)
    among = (between - total**2 / answers) / (people - 1)
    if among <= 1e-12:
        return None
    ratio = max(within, 0.0) / among
    half = Z * math.sqrt(2 / (people - 1) + 2 / (answers - people))
    return Interval(1 - ratio, 1 - ratio * math.exp(half), 1 - ratio * math.exp(-half))


def median(histogram: Mapping[int, int]) -> float | None:
    """Return the median of whole seconds that are counted as {second: how often}; None of nothing."""
    total = sum(histogram.values())
    if not total:
        return None
    below, previous = 0, None
    for second in sorted(histogram):
        below += histogram[second]
        if previous is not None:
            return (previous + second) / 2
        if below * 2 > total:
            return float(second)
        if below * 2 == total:
            previous = second
    return float(previous)


# --- advice ------------------------------------------------------------------------------------------------------


class Part(NamedTuple):
    """One thing that could be chosen. ``rest``: mean credit of the other questions of those who chose it."""

    key: str
    is_right: bool
    n: int
    rest: float


@dataclass(frozen=True)
class Advice:
    """What to look at. ``code`` is told in words by quizzes.advice; ``about``: the key of a part, or a number."""

    code: str
    weight: int  # 3: look at it first, 2: soon, 1: when there is time, 0: nothing to do
    about: list = field(default_factory=list)


def advice(sums: Sums, parts: Iterable[Part], *, median_seconds: float | None) -> list[Advice]:
    """Return what to look at, the most urgent first; one word that all is well where nothing stands out."""
    if sums.n < FEWEST:
        return [Advice("few", 0, [sums.n, FEWEST])]
    easy, tells = facility(sums), discrimination(sums)
    found = []
    if tells and tells.high < 0:
        found.append(Advice("key", 3))
    elif tells and tells.high < 0.15:
        found.append(Advice("tells-nothing", 2))
    if easy.high < 0.35:
        found.append(Advice("hard", 2))
    elif easy.low > 0.97:
        found.append(Advice("easy", 1))
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.key.rpartition(">")[0], []).append(part)
    for group in groups.values():
        found += _of_parts(group, sums.n)
    if median_seconds is not None and median_seconds < 4:
        found.append(Advice("fast", 1, [round(median_seconds)]))
    if median_seconds is not None and median_seconds > 240:
        found.append(Advice("slow", 1, [round(median_seconds)]))
    return sorted(found, key=lambda one: -one.weight) or [Advice("well", 0)]


def _of_parts(parts: list[Part], n: int) -> Iterable[Advice]:
    """Yield what options show: one that beats the right ones, is preferred by those who know more, or draws nobody."""
    right = [part for part in parts if part.is_right]
    if not right:
        return
    least = min(right, key=lambda part: part.n)
    for part in parts:
        if part.is_right:
            continue
        if part.n >= FEWEST and _is_more(part.n, least.n):
            yield Advice("beats", 3, [part.key])
        elif part.n >= FEWEST and least.n >= FEWEST and part.rest > least.rest + 0.03:
            yield Advice("preferred", 2, [part.key])
        elif n >= FEWEST_FOR_OPTIONS and part.n < 0.01 * n:
            yield Advice("draws-nobody", 1, [part.key])


def _is_more(first: int, second: int) -> bool:
    """Return whether the first count is larger than chance makes it: by two standard errors of the difference."""
    return first - second > 2 * math.sqrt(first + second)
