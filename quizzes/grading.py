"""Marks, passing, waiting and closing time: plain values in, plain values out. What an answer earns: kinds/."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

GRACE = timedelta(seconds=30)  # after closing time: a page sent at the last second has to travel
WHOLE = 10_000  # how credit is stored: in ten-thousandths of a question's points, rounded down
LONGEST_MS = 24 * 3600 * 1000  # the most time that one answer is said to have taken


class Graded(NamedTuple):
    """What one question of an attempt comes to. ``is_counted``: False for one that was withdrawn meanwhile."""

    credit: Fraction
    points: int = 1
    must_pass: bool = False
    is_counted: bool = True


class Outcome(NamedTuple):
    """``right``: questions that earned all their points. ``missed``: must-pass questions that did not."""

    right: int
    percent: int
    passed: bool
    missed: int


def outcome(marks: Iterable[Graded], pass_percent: int) -> Outcome:
    """Return what an attempt comes to. Questions that do not count are left out of everything.

    It is passed when the points earned reach the mark and every must-pass question is right. An attempt of which
    nothing is left to count has proved nothing: 0 percent, not passed.
    """
    counted = [mark for mark in marks if mark.is_counted]
    right = sum(mark.credit == 1 for mark in counted)
    missed = sum(mark.must_pass and mark.credit < 1 for mark in counted)
    if not counted:
        return Outcome(0, 0, False, 0)
    reached = percent(sum(mark.credit * mark.points for mark in counted), sum(mark.points for mark in counted))
    return Outcome(right, reached, passes(reached, pass_percent) and not missed, missed)


def stored(credit: Fraction) -> int:
    """Return credit as it is stored: WHOLE is everything, and nothing less is."""
    return int(credit * WHOLE)


def percent(right: int | Fraction, of: int) -> int:
    """Return the share of the points that was earned as a whole percent, rounded down: 100 always means every point."""
    if not 0 <= right <= of or of == 0:
        raise ValueError(f"{right} right of {of}")
    return right * 100 // of


def passes(percent_right: int, pass_percent: int) -> bool:
    """Return whether the pass mark is reached. The mark itself passes."""
    return percent_right >= pass_percent


def wait_until(
    ended: Sequence[tuple[datetime, bool]], *, tries_before_wait: int, wait_minutes: int, now: datetime
) -> datetime | None:
    """Return the moment from which the next try may begin, or None if it may begin now.

    ``ended`` holds (submitted_at, passed) of the person's attempts at this quiz, oldest first. When the last
    ``tries_before_wait`` of them all failed, the next may begin ``wait_minutes`` after the last. So after the first
    wait each further failure asks for another one, until a pass.
    """
    last = ended[-tries_before_wait:]
    if len(last) < tries_before_wait or any(passed for _, passed in last):
        return None
    until = last[-1][0] + timedelta(minutes=wait_minutes)
    return until if now < until else None


def is_late(closes_at: datetime | None, now: datetime) -> bool:
    """Return whether an answer that reaches the server now comes too late. GRACE after closing still counts."""
    return closes_at is not None and now > closes_at + GRACE


def closing_time(started_at: datetime, limit_minutes: int | None, extra_percent: int = 0) -> datetime | None:
    """Return when an attempt closes; None: it has no limit. ``extra_percent`` of the limit is added, to the second."""
    if limit_minutes is None:
        return None
    return started_at + timedelta(seconds=limit_minutes * 60 * (100 + extra_percent) // 100)


def spent(since: datetime, now: datetime, before: int | None) -> int:
    """Return the milliseconds given to a question: those of earlier ``before``, and the time since the last sign.

    ``since`` is the last answer saved in the attempt, to whichever question, or its start. So the times of an
    attempt's questions add up to the moment of its last answer. A clock that went back adds nothing.
    """
    passed = max((now - since) // timedelta(milliseconds=1), 0)
    return min((before or 0) + passed, LONGEST_MS)
