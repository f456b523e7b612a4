"""How often something was found before and after training, and beside people who were not trained. Plain arithmetic.

All intervals are two-sided 95 %. Counts are taken as Poisson: findings come singly and independently. Where they come
in bundles, one person's three in a week, the true uncertainty is larger than what is said here; the page says so.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from operator import attrgetter

from scipy.special import betaincinv, gammaincinv, ndtri

TAIL = 0.025  # beyond either end of a 95 % interval
FEWEST_PEOPLE = 20  # a group of fewer is not shown: it would be about somebody
FEWEST_FINDINGS = 5  # nor is one with fewer before and after together; where an interval is approximate, on either side
SPAN = 6  # months that are looked at on either side of the month of completion, at most
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
    ``has_both``: each of them has counted months within reach() on both sides of that month.
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
    """Trained people and their comparison group, before and after. ``effect`` is ``ratio`` over ``others_ratio``.

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


@dataclass(frozen=True)
class _Cohort:
    """Those who completed in one month, and the others of the same calendar months, each before and after.

    ``others`` are cells, each with the weight that makes its findings those expected of the trained at its rate.
    """

    before: list[Cell]
    after: list[Cell]
    others_before: dict[Cell, float]
    others_after: dict[Cell, float]

    @property
    def factor(self) -> float:
        """How many times as many findings the trained would have had after as before, had they changed as the others.

        Exposure is in it: twice the messages at the same rate are twice the findings.
        """
        return _expected(self.others_after) / _expected(self.others_before)

    @property
    def expected(self) -> float:
        """Findings after completion that the trained would have had, had they changed as the others did."""
        return _found(self.before) * self.factor


def _found(cells: Iterable[Cell]) -> int:
    return sum(cell.findings for cell in cells)


def _expected(others: dict[Cell, float]) -> float:
    return math.fsum(weight * cell.findings for cell, weight in others.items())


def reach(cohort: int, last: int) -> int:
    """Return how many months are looked at on either side of a month of completion: as many before as after."""
    return max(0, min(SPAN, cohort - 1, last - cohort))


def compare(cells: Iterable[Cell], *, exposure: str, per: int, last: int) -> Comparison:
    """Return rates per ``per`` units of ``exposure`` ("sent" or "person_months"), their ratios, and the effect.

    Trained: people with months on both sides of their first completion, as many months before as after; the month
    itself is left out. Others: for each month of completion the people who had still not completed the course at the
    end of the months after it, in the same calendar months, weighted by the exposure that the trained had in them.
    So nobody is compared with people who were trained meanwhile: a stacked difference in differences with clean
    controls (Cengiz et al., Quarterly Journal of Economics 134 (2019) 1405), told as a ratio of ratios.

    ``effect`` is the findings after completion over those expected, had each cohort changed from its own level as its
    others did. Intervals of the last two ratios are by the delta method on the logarithm, over all counts that go in;
    a count that serves several cohorts goes in once, with the sum of its weights.
    """
    cells = list(cells)
    trained = [c for c in cells if c.has_both and 0 < abs(c.month - c.cohort) <= reach(c.cohort, last)]
    people = sum(c.people for c in cells if c.has_both)
    cohorts, lacking = _match(cells, trained, exposure, last)
    before, after = _own_rates(trained, people, exposure, per)
    others_before, others_after = _others_rates(cohorts, lacking, exposure, per)
    own, others = before.hidden, others_before.hidden
    few_others = TOO_FEW_FINDINGS if others_after.findings < FEWEST_FINDINGS else ""
    own_before, own_after = (_found(c for one in cohorts for c in side(one)) for side in (_BEFORE, _AFTER))
    few_before, few_after = (TOO_FEW_FINDINGS if n < FEWEST_FINDINGS else "" for n in (own_before, own_after))
    others_hidden = own or others or few_others or few_before
    return Comparison(
        before=before,
        after=after,
        ratio=_ratio(own, lambda: rate_ratio(after.findings, after.exposure, before.findings, before.exposure)),
        others_before=others_before,
        others_after=others_after,
        others_ratio=_ratio(others_hidden, lambda: _others_ratio(cohorts, exposure)),
        effect=_ratio(others_hidden or few_after, lambda: _effect(cohorts)),
        matched=sum(getattr(c, exposure) for one in cohorts for c in one.before + one.after),
        exposure=before.exposure + after.exposure,
    )


_BEFORE, _AFTER = attrgetter("before"), attrgetter("after")


def _match(cells: list[Cell], trained: list[Cell], exposure: str, last: int) -> tuple[list[_Cohort], str]:
    """Return the cohorts that have others to compare with on both sides, and why there are none.

    Before completion the others need FEWEST_FINDINGS: that count is divided by.
    """
    by_month = defaultdict(list)
    for cell in cells:
        by_month[cell.month].append(cell)
    matched, lacking = [], NOBODY
    for number in sorted({cell.cohort for cell in trained}):
        until = number + reach(number, last)
        cohort = _Cohort([], [], defaultdict(float), defaultdict(float))
        for cell in (cell for cell in trained if cell.cohort == number):
            clean = [other for other in by_month[cell.month] if other.cohort > until]
            whole, mine = sum(getattr(other, exposure) for other in clean), getattr(cell, exposure)
            if whole and mine:
                own, others = (
                    (cohort.before, cohort.others_before)
                    if cell.month < number
                    else (cohort.after, cohort.others_after)
                )
                own.append(cell)
                others |= {other: mine / whole for other in clean}
        if cohort.before and cohort.after:
            if _found(cohort.others_before) >= FEWEST_FINDINGS:
                matched.append(cohort)
            else:
                lacking = TOO_FEW_FINDINGS
    return matched, lacking


def _hidden(people: int, findings: int, exposures: Collection[float]) -> str:
    if not people or not all(exposures):
        return NOBODY
    return TOO_FEW_PEOPLE if people < FEWEST_PEOPLE else TOO_FEW_FINDINGS if findings < FEWEST_FINDINGS else ""


def _ratio(hidden: str, estimate: Callable[[], Estimate]) -> Ratio:
    return Ratio(None, hidden) if hidden else Ratio(estimate())


def _own_rates(trained: list[Cell], people: int, exposure: str, per: int) -> list[Rate]:
    """Return the rates of the trained before and after."""
    parts = [[c for c in trained if c.month < c.cohort], [c for c in trained if c.month > c.cohort]]
    counted = [(_found(part), sum(getattr(c, exposure) for c in part)) for part in parts]
    hidden = _hidden(people, sum(found for found, _whole in counted), [whole for _found, whole in counted])
    return [
        Rate(people, found, whole, None if hidden else rate(found, whole, per=per), hidden) for found, whole in counted
    ]


def _others_rates(cohorts: list[_Cohort], lacking: str, exposure: str, per: int) -> list[Rate]:
    """Return the rates that the trained would have had, month by month, at the others'.

    People: the most in any one month, so never too many; the smaller of both sides decides whether they are shown.
    """
    sides = [_sum(one.others_before for one in cohorts), _sum(one.others_after for one in cohorts)]
    people = [_most_in_a_month(side) for side in sides]
    findings = [_found(side) for side in sides]
    exposures = [sum(getattr(cell, exposure) for cell in side) for side in sides]
    hidden = _hidden(min(people), sum(findings), exposures) if cohorts else lacking
    rates = []
    for side, own, *counted in zip(sides, (_BEFORE, _AFTER), people, findings, exposures, strict=True):
        whole = sum(getattr(cell, exposure) for one in cohorts for cell in own(one))
        parts = [(weight / whole, cell.findings) for cell, weight in side.items()]
        rates.append(Rate(*counted, None if hidden else weighted_rate(parts, per=per), hidden))
    return rates


def _sum(weights: Iterable[dict[Cell, float]]) -> dict[Cell, float]:
    total: dict[Cell, float] = defaultdict(float)
    for one in weights:
        for cell, weight in one.items():
            total[cell] += weight
    return total


def _most_in_a_month(cells: Iterable[Cell]) -> int:
    by_month: dict[int, int] = defaultdict(int)
    for cell in cells:
        by_month[cell.month] += cell.person_months
    return max(by_month.values(), default=0)


def _pull_of_others(cohorts: list[_Cohort]) -> dict[Cell, float]:
    """Return how the logarithm of the findings expected moves with each finding about the others."""
    whole, pull = sum(one.expected for one in cohorts), defaultdict(float)
    for one in cohorts:
        share = one.expected / whole
        for sign, others in ((1, one.others_after), (-1, one.others_before)):
            expected = _expected(others)
            for cell, weight in others.items():
                pull[cell] += sign * share * weight / expected if expected else 0
    return pull


def _variance(pull: dict[Cell, float]) -> float:
    return math.fsum(cell.findings * one * one for cell, one in pull.items())


def _others_ratio(cohorts: list[_Cohort], exposure: str) -> Estimate:
    """Return after / before of the trained people's rate, had each cohort changed as its others did."""
    before, after = (sum(getattr(c, exposure) for one in cohorts for c in side(one)) for side in (_BEFORE, _AFTER))
    found, expected = _found(c for one in cohorts for c in one.before), sum(one.expected for one in cohorts)
    return log_ratio(expected / after / (found / before), _variance(_pull_of_others(cohorts)))


def _effect(cohorts: list[_Cohort]) -> Estimate:
    """Return findings after completion / those expected. Below 1: the trained gained more than the others."""
    found, expected = _found(c for one in cohorts for c in one.after), sum(one.expected for one in cohorts)
    pull = defaultdict(float, {cell: -one for cell, one in _pull_of_others(cohorts).items()})
    for one in cohorts:
        for cell in one.after:
            pull[cell] += 1 / found
        for cell in one.before:
            pull[cell] -= one.factor / expected
    return log_ratio(found / expected, _variance(pull))
