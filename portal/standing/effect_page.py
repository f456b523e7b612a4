"""The page on the effect of training: what was counted, said in words and drawn. Coordinates are whole user units."""

import math
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from archive.models import Finding
from portal.shares import percent
from portal.standing import effect, effect_data
from portal.standing.effect import Comparison, Estimate, Rate, Ratio

MESSAGES, PERSON_MONTHS = 1000, 100  # what rates are told per
WIDTH, MARGIN, TOP, ROW = 360, 10, 8, 46  # as wide as a phone, so that its letters stay readable there

WHY_HIDDEN = {
    effect.TOO_FEW_PEOPLE: gettext_lazy("Fewer than 20 people, so no figure"),
    effect.TOO_FEW_FINDINGS: gettext_lazy("Fewer than 5 findings, so no figure"),
    effect.NOBODY: gettext_lazy("Nobody to count, so no figure"),
}


@dataclass(frozen=True)
class RateRow:
    label: str
    tone: str  # of its mark in the chart: trained or others
    rate: Rate
    why_hidden: str


@dataclass(frozen=True)
class RatioRow:
    label: str
    ratio: Ratio
    why_hidden: str


@dataclass(frozen=True)
class Mark:
    """One rate in the chart: its line from ``low`` to ``high``, its point at ``value``, its words above at ``text``."""

    row: RateRow
    text: int
    y: int
    low: int = 0
    value: int = 0
    high: int = 0


@dataclass(frozen=True)
class Chart:
    height: int
    base: int  # of the axis
    marks: list[Mark]
    ticks: list[tuple[int, float]]
    width: int = WIDTH


@dataclass(frozen=True)
class Part:
    """The figures for one exposure."""

    key: str
    title: str
    counted_in: str
    verdict: list[str]  # sentences
    rates: list[RateRow]
    ratios: list[RatioRow]
    chart: Chart | None
    unmatched_percent: int  # of the trained people's exposure, for which there was nobody to compare with


def page(kind: str, today: date) -> dict:
    """Return what the page shows of one kind of finding; of all where ``kind`` is empty or unknown."""
    kind = kind if kind in effect_data.KINDS else ""
    counts = effect_data.counts(today)
    counted = sorted({cell.month for cell in counts.cells}) if counts else []
    return {
        "kind": kind,
        "kinds": [Finding.Kind(one) for one in effect_data.KINDS],
        "months": [counts.months[number - 1] for number in counted],
        "parts": parts(counts, kind) if counted else [],
        "span": effect.SPAN,
    }


def parts(counts: effect_data.Counts, kind: str) -> list[Part]:
    cells, last = counts.of(kind), len(counts.months)
    asked = (
        ("sent", MESSAGES, _("Findings per 1,000 messages sent"), _("Messages sent")),
        ("person_months", PERSON_MONTHS, _("Findings per 100 person-months"), _("Person-months")),
    )
    return [
        _part(exposure, title, counted_in, effect.compare(cells, exposure=exposure, per=per, last=last))
        for exposure, per, title, counted_in in asked
    ]


def _part(key: str, title: str, counted_in: str, found: Comparison) -> Part:
    rates = [
        _rate_row(_("Trained people, before"), "trained", found.before),
        _rate_row(_("Trained people, after"), "trained", found.after),
        _rate_row(_("People not yet trained, before"), "others", found.others_before),
        _rate_row(_("People not yet trained, after"), "others", found.others_after),
    ]
    ratios = [
        _ratio_row(_("Trained people: after ÷ before"), found.ratio),
        _ratio_row(_("The same, had they changed as people not yet trained did"), found.others_ratio),
        _ratio_row(_("Effect: first ÷ second"), found.effect),
    ]
    unmatched = percent(found.exposure - found.matched, found.exposure) or 0
    return Part(key, title, counted_in, verdict(found), rates, ratios, chart(rates), unmatched)


def _rate_row(label: str, tone: str, rate: Rate) -> RateRow:
    return RateRow(label, tone, rate, str(WHY_HIDDEN.get(rate.hidden, "")))


def _ratio_row(label: str, ratio: Ratio) -> RatioRow:
    return RatioRow(label, ratio, str(WHY_HIDDEN.get(ratio.hidden, "")))


def verdict(found: Comparison) -> list[str]:
    """Return in one or two sentences what the intervals allow to be said, and no more."""
    if (side := _side_of_one(found.effect.estimate)) is not None:
        compared = {
            -1: _("Findings fell further among trained people than among people not yet trained in the same months."),
            0: _("Trained people and people not yet trained changed alike, as far as these figures can tell."),
            1: _("Findings fell less, or rose more, among trained people than among people not yet trained."),
        }
        return [compared[side]]
    if (side := _side_of_one(found.ratio.estimate)) is None:
        return [_("There is too little to say whether training had an effect.")]
    own = {
        -1: _("After training there were fewer findings about the same people than before."),
        0: _("Before and after training are alike, as far as these figures can tell."),
        1: _("After training there were more findings about the same people than before."),
    }
    return [own[side], _("Whether people not yet trained changed as much cannot be told from so few findings.")]


def _side_of_one(estimate: Estimate | None) -> int | None:
    """Return -1 or 1 for an interval wholly below or above 1, 0 for one that contains it, None without an estimate."""
    if estimate is None:
        return None
    return 1 if estimate.low > 1 else -1 if estimate.high is not None and estimate.high < 1 else 0


def chart(rows: list[RateRow]) -> Chart | None:
    """Return where everything is drawn, from zero to the highest upper limit; None if there is nothing to draw."""
    highest = max((row.rate.estimate.high for row in rows if row.rate.estimate), default=0)
    if not highest:
        return None
    steps = ticks(highest)

    def across(value: float) -> int:
        return MARGIN + round(value / steps[-1] * (WIDTH - 2 * MARGIN))

    marks = []
    for number, row in enumerate(rows):
        top = TOP + number * ROW
        told = row.rate.estimate
        drawn = [across(value) for value in (told.low, told.value, told.high)] if told else []
        marks.append(Mark(row, top + 12, top + 26, *drawn))
    base = TOP + len(rows) * ROW - 4
    return Chart(base + 26, base, marks, [(across(step), step) for step in steps])


def ticks(highest: float) -> list[float]:
    """Return three to six round numbers from 0, evenly spaced, the last not below ``highest``."""
    power = 10.0 ** math.floor(math.log10(highest / 4))
    step = next(power * times for times in (1, 2, 5, 10) if power * times * 5 >= highest)
    return [step * number for number in range(math.ceil(highest / step) + 1)]
