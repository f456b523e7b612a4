"""How often something was found before and after training, and beside people who were not trained. Plain arithmetic.

All intervals are two-sided 95 %. Counts are taken as Poisson: findings come singly and independently. Where they come
in bundles, one person's three in a week, the true uncertainty is larger than what is said here; the page says so.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from scipy.special import betaincinv, gammaincinv, ndtri

TAIL = 0.025  # beyond either end of a 95 % interval
FEWEST_PEOPLE = 20  # a group of fewer is not shown: it would be about somebody
FEWEST_FINDINGS = 5  # nor is one with fewer before and after together; where an interval is approximate, on either side
SPAN = 6  # months that are looked at on either side of the month of completion
TOO_FEW_PEOPLE, TOO_FEW_FINDINGS, NOBODY = "people", "findings", "nobody"


@dataclass(frozen=True)
class Estimate:
    """A figure and its interval. ``high`` is None where there is no upper limit, ``value`` where it has none either."""

    value: float | None
    low: float
    high: float | None


@dataclass(frozen=True)
class Cell:
    """What was counted of one group of people in one month. Months are numbered from 1, in order.

    ``cohort``: number of the month in which they first completed the course; above every month: not by then.
    ``has_both``: each of them has counted months within SPAN on both sides of that month.
    ``people``: those whose first counted month this is, so that the sum over months is the number of people.
    """

    cohort: int
    has_both: bool
    month: int
    people: int
    person_months: int
    sent: int
    findings: int = 0


@dataclass(frozen=True)
class Rate:
    """Findings over an exposure. ``hidden`` says why there is no ``estimate``: a group too small to be shown."""

    people: int
    findings: int
    exposure: int
    estimate: Estimate | None
    hidden: str = ""


@dataclass(frozen=True)
class Ratio:
    estimate: Estimate | None
    hidden: str = ""


@dataclass(frozen=True)
class Comparison:
    """Trained people and their comparison group, before and after. ``effect`` is the ratio of the two ratios.

    ``matched`` of the trained people's ``exposure`` fell into months in which there was somebody to compare with.
    """

    before: Rate
    after: Rate
    ratio: Ratio
    others_before: Rate
    others_after: Rate
    others_ratio: Ratio
    effect: Ratio
    matched: int
    exposure: int


# --- one figure ---------------------------------------------------------------------------------------------------


def rate(findings: int, exposure: float, *, per: int = 1) -> Estimate:
    """Return findings per ``per`` units of exposure, with the exact interval of a Poisson mean.

    Source: Garwood, Biometrika 28 (1936) 437. Raises ValueError if there is no exposure or a count is negative.
    """
    if exposure <= 0 or findings < 0:
        raise ValueError(f"{findings} findings in {exposure}")
    low = float(gammaincinv(findings, TAIL)) if findings else 0.0
    high = float(gammaincinv(findings + 1, 1 - TAIL))
    return Estimate(findings * per / exposure, low * per / exposure, high * per / exposure)


def rate_ratio(after: int, exposure_after: float, before: int, exposure_before: float) -> Estimate:
    """Return how many times as high the rate was after as before, with its exact conditional interval.

    Given their sum, the findings after are binomial; the limits of Clopper and Pearson (Biometrika 26 (1934) 404) for
    their share are turned into limits of the ratio, as in Breslow and Day, Statistical Methods in Cancer Research II
    (1987) section 3.3. No findings before: no upper limit. None at all: nothing can be said. No unit.
    """
    if exposure_after <= 0 or exposure_before <= 0 or after < 0 or before < 0:
        raise ValueError(f"{after} in {exposure_after} against {before} in {exposure_before}")
    scale = exposure_before / exposure_after
    low = float(betaincinv(after, before + 1, TAIL)) if after else 0.0
    # The upper limit of the share is one minus the lower limit of the other one's: exact also when it is close to 1.
    rest = float(betaincinv(before, after + 1, TAIL)) if before else 0.0
    value = after / before * scale if before else None
    return Estimate(value, low / (1 - low) * scale, (1 - rest) / rest * scale if rest else None)


def weighted_rate(parts: Collection[tuple[float, int]], *, per: int = 1) -> Estimate:
    """Return the sum of weight x findings, with the gamma interval for a directly standardised rate.

    ``parts``: (weight, findings), independent of each other. Never narrower than it should be; equal weights give
    the interval of ``rate``. Source: Fay and Feuer, Statistics in Medicine 16 (1997) 791.
    """
    parts = [(weight * per, findings) for weight, findings in parts if weight > 0]
    if not parts:
        raise ValueError("nothing has weight")
    value = math.fsum(weight * findings for weight, findings in parts)
    spread = math.fsum(weight * weight * findings for weight, findings in parts)
    largest = max(weight for weight, _findings in parts)
    low = float(gammaincinv(value * value / spread, TAIL)) * spread / value if value else 0.0
    scale = (spread + largest * largest) / (value + largest)
    high = float(gammaincinv((value + largest) / scale, 1 - TAIL)) * scale
    return Estimate(value, low, high)


def log_ratio(value: float, variance: float) -> Estimate:
    """Return a ratio with its interval, normal on the scale of logarithms. ``variance``: of its natural logarithm."""
    width = -float(ndtri(TAIL)) * math.sqrt(variance)
    return Estimate(value, value * math.exp(-width), value * math.exp(width))


# --- the trained and the others -----------------------------------------------------------------------------------


@dataclass
class _Side:
    """One side, before or after: findings of the trained as they are, those of the others weighted to them."""

    trained: set[Cell]
    others: dict[Cell, float]  # cell -> exposure of the trained for one unit of its own
    exposure: float = 0

    @property
    def findings(self) -> int:
        return sum(cell.findings for cell in self.trained)

    @property
    def expected(self) -> float:
        """Findings that the trained would have had at the others' rate in the same months."""
        return math.fsum(weight * cell.findings for cell, weight in self.others.items())


def compare(cells: Iterable[Cell], *, exposure: str, per: int, last: int, span: int = SPAN) -> Comparison:
    """Return rates per ``per`` units of ``exposure`` ("sent" or "person_months"), their ratios, and the effect.

    Trained: people with months on both sides of their first completion; the month itself is left out. Others: for
    each month of completion the people who had not completed the course ``span`` months later (or at the end, month
    ``last``), counted in the same calendar months and weighted by the exposure that the trained had in them. Nobody
    is compared with people who were trained meanwhile: a stacked difference in differences with clean controls
    (Cengiz et al., Quarterly Journal of Economics 134 (2019) 1405), as a ratio of ratios. The interval of ratios with
    the others is by the delta method on the logarithm; a cell that serves in several places is counted as one.
    """
    cells = list(cells)
    trained = [c for c in cells if c.has_both and c.cohort <= last and 0 < abs(c.month - c.cohort) <= span]
    people = sum(c.people for c in cells if c.has_both and c.cohort <= last)
    sides = _match(cells, trained, exposure, last, span)
    before, after = _own_rates(trained, people, exposure, per)
    others_before, others_after = _others_rates(sides, exposure, per)
    own, others = before.hidden, others_before.hidden
    too_few = TOO_FEW_FINDINGS if min(others_before.findings, others_after.findings) < FEWEST_FINDINGS else ""
    few_own = TOO_FEW_FINDINGS if min(side.findings for side in sides) < FEWEST_FINDINGS else ""
    return Comparison(
        before=before,
        after=after,
        ratio=_ratio(own, lambda: rate_ratio(after.findings, after.exposure, before.findings, before.exposure)),
        others_before=others_before,
        others_after=others_after,
        others_ratio=_ratio(others or too_few, lambda: _others_ratio(*sides)),
        effect=_ratio(own or others or few_own or too_few, lambda: _effect(*sides)),
        matched=sum(getattr(cell, exposure) for side in sides for cell in side.trained),
        exposure=before.exposure + after.exposure,
    )


def _match(cells: list[Cell], trained: list[Cell], exposure: str, last: int, span: int) -> tuple[_Side, _Side]:
    """Return both sides of those cohorts that have somebody to compare with on either side."""
    by_month = defaultdict(list)
    for cell in cells:
        by_month[cell.month].append(cell)
    before, after = _Side(set(), {}), _Side(set(), {})
    for cohort in sorted({cell.cohort for cell in trained}):
        until = min(cohort + span, last)
        pairs = []
        for cell in (cell for cell in trained if cell.cohort == cohort):
            clean = [other for other in by_month[cell.month] if other.cohort > until]
            whole = sum(getattr(other, exposure) for other in clean)
            if whole and getattr(cell, exposure):
                pairs.append((cell, clean, getattr(cell, exposure) / whole))
        if {cell.month < cohort for cell, _clean, _weight in pairs} != {True, False}:
            continue
        for cell, clean, weight in pairs:
            side = before if cell.month < cohort else after
            side.trained.add(cell)
            side.exposure += getattr(cell, exposure)
            for other in clean:
                side.others[other] = side.others.get(other, 0) + weight
    return before, after


def _hidden(people: int, findings: int, exposures: Collection[float]) -> str:
    if not people or not all(exposures):
        return NOBODY
    return TOO_FEW_PEOPLE if people < FEWEST_PEOPLE else TOO_FEW_FINDINGS if findings < FEWEST_FINDINGS else ""


def _ratio(hidden: str, estimate: Callable[[], Estimate]) -> Ratio:
    return Ratio(None, hidden) if hidden else Ratio(estimate())


def _own_rates(trained: list[Cell], people: int, exposure: str, per: int) -> list[Rate]:
    """Return the rates of the trained before and after."""
    parts = [[c for c in trained if c.month < c.cohort], [c for c in trained if c.month > c.cohort]]
    counted = [(sum(c.findings for c in part), sum(getattr(c, exposure) for c in part)) for part in parts]
    hidden = _hidden(people, sum(found for found, _whole in counted), [whole for _found, whole in counted])
    return [
        Rate(people, found, whole, None if hidden else rate(found, whole, per=per), hidden) for found, whole in counted
    ]


def _others_rates(sides: tuple[_Side, _Side], exposure: str, per: int) -> list[Rate]:
    """Return the rates that the trained would have had, month by month, at the others'.

    People: the most in any one month, so never too many; the smaller of both sides decides whether they are shown.
    """
    people = [_most_in_a_month(side.others) for side in sides]
    findings = [sum(cell.findings for cell in side.others) for side in sides]
    exposures = [sum(getattr(cell, exposure) for cell in side.others) for side in sides]
    hidden = _hidden(min(people), sum(findings), exposures)
    rates = []
    for side, *counted in zip(sides, people, findings, exposures, strict=True):
        parts = [(weight / side.exposure, cell.findings) for cell, weight in side.others.items()]
        rates.append(Rate(*counted, None if hidden else weighted_rate(parts, per=per), hidden))
    return rates


def _most_in_a_month(cells: Iterable[Cell]) -> int:
    by_month: dict[int, int] = defaultdict(int)
    for cell in cells:
        by_month[cell.month] += cell.person_months
    return max(by_month.values(), default=0)


def _others_ratio(before: _Side, after: _Side) -> Estimate:
    variance = sum(
        cell.findings * (after.others.get(cell, 0) / after.expected - before.others.get(cell, 0) / before.expected) ** 2
        for cell in before.others.keys() | after.others.keys()
    )
    return log_ratio(after.expected / after.exposure / (before.expected / before.exposure), variance)


def _effect(before: _Side, after: _Side) -> Estimate:
    """Return (after / before of the trained) / (after / before of the others): below 1, the trained gained more."""
    used = before.trained | after.trained | before.others.keys() | after.others.keys()
    variance = 0.0
    for cell in used:
        pull = (cell in after.trained) / after.findings - (cell in before.trained) / before.findings
        pull -= after.others.get(cell, 0) / after.expected - before.others.get(cell, 0) / before.expected
        variance += cell.findings * pull**2
    return log_ratio(after.findings / before.findings / (after.expected / before.expected), variance)
