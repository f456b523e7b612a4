"""Decisions about training, as plain functions: plain values in, plain values out, ``today`` an argument."""

import re
from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

SOON_DAYS = 14  # "due soon" begins this many days before the due date
RENEWAL_DAYS = 30  # a renewal is assigned when the completion has this many days left
LEAST_DAYS = 7  # whoever is assigned late still gets this many days, or what the rule gives if that is less
LONGEST_PAUSE = 60  # seconds: between two signs of reading no more than this counts


class State(models.TextChoices):
    NOT_ASSIGNED = "not_assigned", _("Not assigned")
    ASSIGNED = "assigned", _("Assigned")
    IN_PROGRESS = "in_progress", _("In progress")
    CURRENT = "current", _("Current")
    DUE_SOON = "due_soon", _("Due soon")
    OVERDUE = "overdue", _("Overdue")
    EXPIRED = "expired", _("Expired")
    EXEMPT = "exempt", _("Exempt")


LAPSED = frozenset({State.OVERDUE, State.EXPIRED, State.NOT_ASSIGNED})


@dataclass(frozen=True)
class TrainingFacts:
    """What decides a person's training state in one course. All days are where the person works, and inclusive.

    ``due_on``: of the newest cycle, if it is not completed; None: nothing is owed now.
    ``has_begun``: that cycle was begun.
    ``expires_on``: the last day on which the best completion counts; None: never completed.
    ``exemptions``: (first day, last day) of each.
    ``grace_days``: that many days after it is due, what is owed is not overdue yet, and what lapses is not expired.
    """

    due_on: date | None = None
    has_begun: bool = False
    expires_on: date | None = None
    exemptions: tuple[tuple[date, date], ...] = ()
    grace_days: int = 0

    @property
    def grace(self) -> timedelta:
        return timedelta(days=self.grace_days)


def training_state(facts: TrainingFacts, today: date, soon_days: int = SOON_DAYS) -> State:
    """Return where a person stands in a course on a day.

    An exemption comes before all else. Who has completed the course is current to the end of the last day it counts,
    and expired after it until the course is completed again. What is owed is on time to the end of the due day; it is
    due soon from ``soon_days`` before it. A cycle that is owed early (by hand) is overdue even while an older
    completion still counts. In the days of grace it is still due soon.
    """
    if any(first <= today <= last for first, last in facts.exemptions):
        return State.EXEMPT
    if facts.expires_on and facts.expires_on + facts.grace < today:
        return State.EXPIRED
    if facts.due_on is None:
        return State.CURRENT if facts.expires_on else State.NOT_ASSIGNED
    if facts.due_on + facts.grace < today:
        return State.OVERDUE
    if facts.due_on - today <= timedelta(days=soon_days):
        return State.DUE_SOON
    if facts.expires_on:
        return State.CURRENT
    return State.IN_PROGRESS if facts.has_begun else State.ASSIGNED


def next_change_on(facts: TrainingFacts, today: date, soon_days: int = SOON_DAYS) -> date | None:
    """Return the next day, after today, on which the state will be another if nobody does anything; None: never."""
    now = training_state(facts, today, soon_days)
    ahead = _edges(facts, today, soon_days)
    return next((turn for turn in ahead if training_state(facts, turn, soon_days) != now), None)


def lapses_on(facts: TrainingFacts, today: date) -> date | None:
    """Return the first day after today on which the person is not trained any more if nobody does anything.

    None: that is so today already, or never comes.
    """
    if training_state(facts, today) in LAPSED:
        return None
    return next((turn for turn in _edges(facts, today) if training_state(facts, turn) in LAPSED), None)


def _edges(facts: TrainingFacts, today: date, soon_days: int = SOON_DAYS) -> list[date]:
    """Return the days after today, in order, on which the state may be another than the day before."""
    day = timedelta(days=1)
    turns = {edge for first, last in facts.exemptions for edge in (first, last + day)}
    if facts.due_on:
        turns |= {facts.due_on - timedelta(days=soon_days), facts.due_on + facts.grace + day}
    if facts.expires_on:
        turns.add(facts.expires_on + facts.grace + day)
    return sorted(turn for turn in turns if turn > today)


def turns_on(facts: TrainingFacts, today: date, soon_days: int = SOON_DAYS) -> date | None:
    """Return the date that the state speaks of: valid until, due on, was due on, expired on; None: it has none."""
    state = training_state(facts, today, soon_days)
    if state == State.EXEMPT:
        return max(last for first, last in facts.exemptions if first <= today <= last)
    if state in (State.CURRENT, State.EXPIRED):
        return facts.expires_on
    return facts.due_on


# --- who owes what, by when --------------------------------------------------------------------------------------


def first_due_on(*, joined_on: date | None, starts_on: date, due_days: int, today: date) -> date:
    """Return the due date of a first assignment made today: ``due_days`` from joining or from the rule's start.

    The later of the two counts. Nobody is late on the day they are told: at least LEAST_DAYS are left.
    """
    counted_from = max(joined_on or starts_on, starts_on)
    return max(counted_from + timedelta(days=due_days), today + timedelta(days=min(due_days, LEAST_DAYS)))


def renewal_due_on(*, expires_on: date, today: date) -> date:
    """Return the due date of a renewal: the last day on which the completion counts, never sooner than LEAST_DAYS."""
    return max(expires_on, today + timedelta(days=LEAST_DAYS))


# --- completion --------------------------------------------------------------------------------------------------


def expires_on(completed_on: date, renewal_months: int) -> date:
    """Return the last day on which a completion counts: ``renewal_months`` later, less a day.

    Completed on 23 November for twelve months: to the end of 22 November. Where the month has no such day (31 January
    and one month), it counts to the end of that month.
    """
    months = completed_on.month - 1 + renewal_months
    year, month = completed_on.year + months // 12, months % 12 + 1
    last_of_month = monthrange(year, month)[1]
    if completed_on.day > last_of_month:
        return date(year, month, last_of_month)
    return date(year, month, completed_on.day) - timedelta(days=1)


def mean_percent(percents: Collection[int]) -> int:
    """Return the mean of the modules' percents, rounded down, so that 100 always means every question."""
    return sum(percents) // len(percents)


# --- reading -----------------------------------------------------------------------------------------------------


def reading_seconds(seen_at: datetime | None, now: datetime) -> int:
    """Return how many seconds of reading lie between two signs of it: at most LONGEST_PAUSE, whole seconds.

    ``seen_at`` is the last sign of the same person in the same course, so that two windows count once; None: first.
    A clock that went back counts nothing.
    """
    if seen_at is None:
        return 0
    return min(max(int((now - seen_at).total_seconds()), 0), LONGEST_PAUSE)


def percent_done(*, lessons: int, lessons_finished: int, modules: int, modules_passed: int) -> int:
    """Return how much of a course is done, as a whole percent rounded down. A quiz weighs as much as a lesson."""
    steps = lessons + modules
    return (lessons_finished + modules_passed) * 100 // steps if steps else 0


class StepKind(models.TextChoices):
    LESSON = "lesson", _("lesson")
    QUIZ = "quiz", _("quiz")
    WAIT = "wait", _("wait")
    DONE = "done", _("done")


def next_step(modules: Iterable[tuple[Sequence[bool], bool, bool]]) -> tuple[StepKind, int, int]:
    """Return what to do next in a course: (kind, module, lesson), both counted from 0.

    Each module is (which of its lessons are finished, whether it is passed, whether its quiz has to wait). In order:
    the first unfinished lesson of a module not passed, else its quiz. While a quiz has to wait, what comes after it
    is the next thing; when nothing does, one waits for it. A module that is passed asks for nothing more.
    """
    waiting: tuple[StepKind, int, int] | None = None
    for number, (finished, is_passed, must_wait) in enumerate(modules):
        if is_passed:
            continue
        if not all(finished):
            return StepKind.LESSON, number, list(finished).index(False)
        if not must_wait:
            return StepKind.QUIZ, number, 0
        waiting = waiting or (StepKind.WAIT, number, 0)
    return waiting or (StepKind.DONE, 0, 0)


# --- certificates ------------------------------------------------------------------------------------------------

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # 32 signs, five bits each; no I, L, O or U to misread
SERIAL_SIGNS = 16  # 80 bits: a serial cannot be guessed


class Validity(models.TextChoices):
    VALID = "valid", _("Valid")
    LAPSED = "lapsed", _("Lapsed")
    SUPERSEDED = "superseded", _("Replaced")
    REVOKED = "revoked", _("Revoked")


def validity(*, valid_until: date, is_revoked: bool, is_superseded: bool, today: date) -> Validity:
    """Return what a certificate is worth today. It is valid to the end of its last day."""
    if is_revoked:
        return Validity.REVOKED
    if is_superseded:
        return Validity.SUPERSEDED
    return Validity.VALID if today <= valid_until else Validity.LAPSED


def serial_from(number: int) -> str:
    """Write an 80-bit number as a serial: OC-XXXX-XXXX-XXXX-XXXX."""
    signs = "".join(CROCKFORD[number >> shift & 31] for shift in range(5 * (SERIAL_SIGNS - 1), -1, -5))
    return "-".join(["OC", *(signs[start : start + 4] for start in range(0, SERIAL_SIGNS, 4))])


def normal_serial(typed: str) -> str | None:
    """Return a serial as it is printed, however it was typed: lower case, spaces, O for 0, I or L for 1.

    None if it cannot be one.
    """
    signs = "".join(sign for sign in typed[:100].upper() if sign.isalnum())
    if len(signs) == SERIAL_SIGNS + 2 and signs[:2] in ("OC", "0C"):
        signs = signs[2:]
    signs = signs.translate(str.maketrans("OIL", "011"))
    if len(signs) != SERIAL_SIGNS or not set(signs) <= set(CROCKFORD):
        return None
    return "-".join(["OC", *(signs[start : start + 4] for start in range(0, SERIAL_SIGNS, 4))])


FORMULA = re.compile("[\\s\u200b\ufeff]*[=+@-]|[\\t\\r\\n]")


def csv_cell(value: object) -> str:
    """Return a cell that a spreadsheet takes for text: what would start a formula gets a leading apostrophe.

    Spaces in front, odd ones too, are looked through, as spreadsheets do. Source: OWASP, "CSV Injection".
    """
    text = str(value)
    return f"'{text}" if FORMULA.match(text) else text


def told(texts: Mapping[str, str], language: str, fallback: str = "en") -> str:
    """Return the text in the language, in the fallback where it is not told in it, or in any other."""
    return texts.get(language) or texts.get(fallback) or next(iter(texts.values()), "")
