"""The arithmetic of the effect of training, against published figures, against SciPy's own, and by its properties."""

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binomtest, chi2

from portal.standing import effect
from portal.standing.effect import Cell

findings = st.integers(0, 3000)
some = st.integers(1, 3000)
exposures = st.floats(0.5, 1e7)


def interval(estimate: effect.Estimate) -> tuple[float, float | None]:
    return estimate.low, estimate.high


# --- a rate -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (5, 1.6235, 11.6683), (10, 4.7954, 18.3904)],
)
def test_limits_of_a_poisson_count_are_those_of_garwoods_table(count, low, high):
    assert interval(effect.rate(count, 1)) == pytest.approx((low, high), abs=5e-5)


def test_a_rate_is_that_of_rs_poisson_test():
    """Welsh nickel workers, the example of poisson.test in R: 137 deaths, 24.19893 expected."""
    found = effect.rate(137, 24.19893)
    assert (found.value, *interval(found)) == pytest.approx((5.661407, 4.753125, 6.692709), abs=1e-6)


@given(findings, exposures)
def test_a_rate_agrees_with_the_chi_squared_form_and_lies_in_its_interval(count, exposure):
    found = effect.rate(count, exposure, per=1000)
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0
    high = chi2.ppf(0.975, 2 * count + 2) / 2
    assert interval(found) == pytest.approx((low * 1000 / exposure, high * 1000 / exposure), rel=1e-6)
    assert found.low <= found.value < found.high


@given(some, st.integers(2, 20), exposures)
def test_more_findings_at_the_same_rate_narrow_the_interval(count, times, exposure):
    few, many = effect.rate(count, exposure), effect.rate(count * times, exposure * times)
    assert many.value == pytest.approx(few.value)
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(("count", "exposure"), [(1, 0), (1, -1), (-1, 1)])
def test_a_rate_of_nothing_is_refused(count, exposure):
    with pytest.raises(ValueError, match="findings in"):
        effect.rate(count, exposure)
    with pytest.raises(ValueError, match="against"):
        effect.rate_ratio(count, exposure, 1, 1)


# --- a ratio ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "ratio", "low", "high"),
    [
        # Breast cancer after fluoroscopy (Boice and Monson 1977), as Stata's manual has it: iri 41 15 28010 19017.
        ((41, 28010, 15, 19017), 1.855759, 1.005684, 3.6093),
        # Lung cancer in Fredericia and three other cities, the example of poisson.test in R.
        ((11, 800, 21, 3011), 1.971488, 0.8584264, 4.2772659),
    ],
)
def test_a_ratio_of_rates_is_the_published_one(numbers, ratio, low, high):
    found = effect.rate_ratio(*numbers)
    assert (found.value, *interval(found)) == pytest.approx((ratio, low, high), rel=2e-6)


@given(findings, exposures, some, exposures)
def test_a_ratio_agrees_with_the_exact_binomial_interval(after, exposure_after, before, exposure_before):
    found = effect.rate_ratio(after, exposure_after, before, exposure_before)
    share = binomtest(after, after + before).proportion_ci(method="exact")
    scale = exposure_before / exposure_after
    expected = [share.low / (1 - share.low) * scale, share.high / (1 - share.high) * scale]
    assert interval(found) == pytest.approx(expected, rel=1e-6)
    assert found.low <= found.value <= found.high


@given(some, exposures, some, exposures)
def test_swapping_before_and_after_inverts_the_ratio(after, exposure_after, before, exposure_before):
    one = effect.rate_ratio(after, exposure_after, before, exposure_before)
    other = effect.rate_ratio(before, exposure_before, after, exposure_after)
    assert (one.value, one.low, one.high) == pytest.approx((1 / other.value, 1 / other.high, 1 / other.low), rel=1e-9)


@given(some, some, st.integers(2, 20))
def test_more_findings_narrow_the_ratio(after, before, times):
    few, many = effect.rate_ratio(after, 1, before, 1), effect.rate_ratio(after * times, 1, before * times, 1)
    assert many.high / many.low < few.high / few.low


def test_none_before_has_no_upper_limit_and_none_at_all_says_nothing():
    share = 0.025 ** (1 / 3)  # three of three
    assert interval(effect.rate_ratio(3, 10, 0, 10)) == (pytest.approx(share / (1 - share)), None)
    assert effect.rate_ratio(3, 10, 0, 10).value is None
    assert effect.rate_ratio(0, 10, 0, 10) == effect.Estimate(None, 0.0, None)


# --- a weighted rate ----------------------------------------------------------------------------------------------


@given(st.lists(findings, min_size=1, max_size=12), st.floats(1e-4, 1e3))
def test_equal_weights_give_the_exact_interval(counts, weight):
    """Fay and Feuer: exact whenever the standard population is proportional to the one that was studied."""
    found = effect.weighted_rate([(weight, count) for count in counts])
    plain = effect.rate(sum(counts), 1 / weight)
    assert (found.value, *interval(found)) == pytest.approx((plain.value, *interval(plain)), rel=1e-7)


@given(st.lists(st.tuples(st.floats(1e-3, 1e3), findings), min_size=1, max_size=12))
def test_a_weighted_rate_lies_in_its_interval(parts):
    found = effect.weighted_rate(parts)
    assert found.low <= found.value * (1 + 1e-9)
    assert found.value < found.high


# --- the trained and the others -----------------------------------------------------------------------------------


def cell(cohort: int, month: int, found: int, *, months: int = 40, sent: int = 1000, has_both: bool = False, people=0):
    return Cell(cohort, has_both, month, people, months, sent, found)


def one_cohort(own: tuple[int, int], others: tuple[int, int]) -> list[Cell]:
    """Forty people trained in month 2 of 3, and forty who were not: findings before and after of each."""
    return [
        cell(2, 1, own[0], has_both=True, people=40),
        cell(2, 2, 99, has_both=True),
        cell(2, 3, own[1], has_both=True),
        cell(4, 1, others[0], people=40),
        cell(4, 2, 77),
        cell(4, 3, others[1]),
    ]


def compared(cells: list[Cell], exposure: str = "sent", per: int = 1000, last: int = 3) -> effect.Comparison:
    return effect.compare(cells, exposure=exposure, per=per, last=last)


def test_one_cohort_is_what_is_worked_out_by_hand():
    """(10/40) / (24/32) = 1/3; the logarithm's variance is 1/10 + 1/40 + 1/24 + 1/32: each count's own."""
    found = compared(one_cohort((40, 10), (32, 24)))
    assert found.before.estimate == effect.rate(40, 1000, per=1000)
    assert found.after.estimate == effect.rate(10, 1000, per=1000)
    assert found.ratio.estimate == effect.rate_ratio(10, 1000, 40, 1000)
    assert found.others_before.estimate.value == pytest.approx(32)
    assert found.others_ratio.estimate.value == pytest.approx(0.75)
    width = 1.959964 * math.sqrt(1 / 10 + 1 / 40 + 1 / 24 + 1 / 32)
    wanted = (1 / 3, math.exp(-width) / 3, math.exp(width) / 3)
    assert (found.effect.estimate.value, *interval(found.effect.estimate)) == pytest.approx(wanted, rel=1e-6)
    assert (found.matched, found.exposure) == (2000, 2000)


def test_the_month_of_completion_is_left_out():
    cells = one_cohort((40, 10), (32, 24))
    assert compared(cells) == compared([one for one in cells if one.month != 2])


def test_as_many_months_count_before_as_after_and_six_at_most():
    def found(cohort: int, last: int) -> tuple[int, int]:
        cells = [cell(cohort, month, 1, has_both=True, people=40) for month in range(1, last + 1)]
        one = compared(cells, last=last)
        return one.before.findings, one.after.findings

    assert [found(9, 18), found(3, 18), found(16, 18)] == [(6, 6), (2, 2), (2, 2)]
    assert [effect.reach(cohort, 18) for cohort in (1, 2, 18, 19)] == [0, 1, 0, 0]


def test_others_are_weighted_by_the_month_in_which_the_trained_were():
    """The others wrote ten times as much in month 3; what counts is their rate in it."""
    cells = one_cohort((40, 10), (32, 24))
    cells[-1] = cell(4, 3, 240, months=400, sent=10_000)
    found = compared(cells)
    assert found.others_after.estimate.value == pytest.approx(24)
    assert found.effect.estimate.value == pytest.approx(1 / 3)


def test_nobody_is_compared_with_who_was_trained_meanwhile():
    """Trained in month 3 of 5, so no comparison for who was trained in month 2 and is looked at in months 1 and 3."""
    cells = [
        *(cell(2, month, 30, has_both=True, people=40 * (month == 1)) for month in (1, 3)),
        *(cell(3, month, 500) for month in (1, 2, 3, 4, 5)),
    ]
    assert compared(cells, last=5).others_before.hidden == effect.NOBODY
    found = compared([*cells, *(cell(6, month, 20) for month in (1, 2, 3, 4, 5))], last=5)
    assert (found.others_before.findings, found.others_after.findings) == (20, 20)


def test_a_cohort_is_measured_at_its_own_level():
    """Ten times the findings in one cohort, and the others of neither changed: the level is no effect."""
    cells = []
    for cohort, level in ((2, 100), (5, 10), (9, 50)):
        for month in range(1, 9):
            halved = 2 if month > cohort else 1
            cells.append(cell(cohort, month, level // halved, has_both=cohort < 9, people=40 * (month == 1)))
    assert compared(cells, last=8).effect.estimate.value == pytest.approx(0.5)


def test_a_cohort_without_others_on_one_side_is_not_compared():
    cells = [one for one in one_cohort((40, 10), (32, 24)) if (one.cohort, one.month) != (4, 1)]
    found = compared(cells)
    assert (found.effect.hidden, found.matched, found.exposure) == (effect.NOBODY, 0, 2000)
    assert found.ratio.estimate is not None


@pytest.mark.parametrize(
    ("people", "own", "others", "hidden"),
    [
        (19, (40, 10), (32, 24), (effect.TOO_FEW_PEOPLE,) * 4),
        (20, (40, 10), (32, 24), ("", "", "", "")),
        (40, (4, 0), (32, 24), (effect.TOO_FEW_FINDINGS,) * 4),
        (40, (5, 0), (32, 24), ("", "", "", effect.TOO_FEW_FINDINGS)),
        (40, (40, 4), (32, 24), ("", "", "", effect.TOO_FEW_FINDINGS)),
        (40, (40, 10), (32, 4), ("", "", effect.TOO_FEW_FINDINGS, effect.TOO_FEW_FINDINGS)),
        (40, (40, 10), (2, 24), ("", "", effect.TOO_FEW_FINDINGS, effect.TOO_FEW_FINDINGS)),
    ],
)
def test_small_groups_are_hidden(people, own, others, hidden):
    cells = one_cohort(own, others)
    cells[0] = cell(2, 1, own[0], has_both=True, people=people)
    found = compared(cells)
    assert (found.before.hidden, found.ratio.hidden, found.others_ratio.hidden, found.effect.hidden) == hidden
    for figure in (found.before, found.after, found.ratio, found.others_before, found.others_ratio, found.effect):
        assert (figure.estimate is None) == bool(figure.hidden)


def test_few_others_are_hidden_too():
    cells = [
        one if one.has_both else cell(4, one.month, one.findings, months=19) for one in one_cohort((40, 10), (32, 24))
    ]
    found = compared(cells)
    assert found.others_before.hidden == found.effect.hidden == effect.TOO_FEW_PEOPLE
    assert found.before.estimate is not None


def test_of_nobody_nothing_is_said():
    found = compared([])
    assert found.before.hidden == found.others_after.hidden == found.effect.hidden == effect.NOBODY


@given(st.tuples(*[st.integers(5, 500)] * 4), st.integers(2, 9))
def test_swapping_the_groups_inverts_the_effect_and_more_findings_narrow_it(counts, times):
    own, others = counts[:2], counts[2:]
    one, other = (compared(one_cohort(*pair)).effect.estimate for pair in ((own, others), (others, own)))
    assert (one.value, one.low, one.high) == pytest.approx((1 / other.value, 1 / other.high, 1 / other.low), rel=1e-9)
    assert one.low < one.value < one.high
    more = compared(one_cohort(*(tuple(n * times for n in pair) for pair in (own, others)))).effect.estimate
    assert more.value == pytest.approx(one.value)
    assert more.high / more.low < one.high / one.low


@given(st.lists(st.integers(0, 60), min_size=40, max_size=40), st.sampled_from(["sent", "person_months"]))
def test_every_figure_lies_in_its_interval(counts, exposure):
    numbers = iter(counts)
    cells = [
        cell(cohort, month, next(numbers), has_both=cohort < 9, people=30 * (month == 1))
        for cohort in (2, 3, 5, 6, 9)
        for month in range(1, 9)
    ]
    found = compared(cells, exposure, last=8)
    told = [found.before, found.after, found.ratio, found.others_before, found.others_after, found.effect]
    assume(all(figure.estimate for figure in told))
    for figure in told:
        high = figure.estimate.high
        assert figure.estimate.low <= figure.estimate.value <= (math.inf if high is None else high)


def test_about_nineteen_in_twenty_intervals_contain_the_truth():
    """Two cohorts that serve each other in part; training halves the rate, the firm changes from month to month."""
    dice, inside, rounds = random.Random(7), 0, 400

    def draw(mean: float) -> int:
        limit, count, product = math.exp(-mean), 0, dice.random()
        while product > limit:
            product *= dice.random()
            count += 1
        return count

    for _ in range(rounds):
        cells = []
        for cohort, level in ((2, 40), (9, 25), (17, 30)):
            for month in range(1, 17):
                mean = level * (1 + 0.05 * month) * (0.5 if month > cohort else 1)
                cells.append(cell(cohort, month, draw(mean), has_both=cohort < 17, people=40 * (month == 1)))
        estimate = compared(cells, last=16).effect.estimate
        inside += estimate.low <= 0.5 <= estimate.high
    assert 0.92 <= inside / rounds <= 0.98
