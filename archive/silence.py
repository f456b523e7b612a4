"""When a feed is too silent, measured against its own rhythm. Reference: docs/decisions/0010-when-a-feed-is-silent.md.

Two things are listened for. Records: none for longer than three times the 95th percentile of the source's usual pauses,
but four hours at least, working hours and the others counted apart. Pulls: none for 24 hours, 72 hours, five days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from archive import calendars
from archive.metrics import rank
from archive.policy import Policy

ATTENTION, BREACH, LOSS = "attention", "breach", "loss"
RECORDS, PULLS = "records", "pulls"
LEAST_PAUSE = timedelta(hours=1)  # three times a shorter pause is less than four hours: it moves nothing
FARTHEST = timedelta(days=400)  # a longer silence is told as one of so many days

Pause = tuple[datetime, datetime]  # from one record to the next


@dataclass(frozen=True)
class Hours:
    """Working hours: from ``begins`` to ``ends`` o'clock on the working days of a calendar, in the source's zone."""

    zone: ZoneInfo
    calendar: str
    begins: int
    ends: int

    def parts(self, start: datetime, end: datetime) -> tuple[timedelta, timedelta]:
        """Return how much of the time lies in working hours, and how much outside of them."""
        if end <= start:
            return timedelta(0), timedelta(0)
        start = max(start, end - FARTHEST)
        first, last = (moment.astimezone(self.zone).date() for moment in (start, end))
        work = timedelta(0)
        for day in calendars.working_days(first, last, self.calendar):
            opens, closes = self._at(day, self.begins), self._at(day, self.ends)
            work += max(timedelta(0), min(end, closes) - max(start, opens))
        return work, end - start - work

    def _at(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Limit:
    """How long a source may be without a record in one class of hours. ``usual``: 95 % of its pauses are no longer."""

    allowed: timedelta
    usual: timedelta | None  # None: it never pauses for an hour


def limit(pauses: Sequence[timedelta], promise: timedelta, policy: Policy) -> Limit:
    """Return the limit of a class of hours from the pauses in it. A source that promises to be slow is given time.

    What happened once is not usual: the longest pause, an outage or a holiday, is left out.
    """
    seconds = sorted(int(one.total_seconds()) for one in pauses if one >= LEAST_PAUSE)[:-1]
    p95 = rank(seconds, policy.silent_percentile)
    usual = None if p95 is None else timedelta(seconds=p95)
    least = timedelta(hours=policy.silent_least_hours)
    return Limit(max(least, promise, policy.silent_times * (usual or timedelta(0))), usual)


@dataclass(frozen=True)
class Listening:
    """How silent a source is. ``work`` and ``off``: since its last record, in working hours and outside of them."""

    last_record_at: datetime | None  # None: none in the time looked at, so there is no rhythm to measure against
    last_pull_at: datetime
    work: timedelta
    off: timedelta
    work_limit: Limit
    off_limit: Limit
    records_level: str | None
    pulls_level: str | None
    pull_limits: tuple[timedelta, ...]  # of attention, breach, and loss where records are lost

    @property
    def level(self) -> str | None:
        """attention, breach or loss; None: it is not too silent."""
        return self.pulls_level or self.records_level  # what pulls call for is never less

    @property
    def why(self) -> list[str]:
        """What is missing: records, pulls, or both."""
        return [what for what, level in ((RECORDS, self.records_level), (PULLS, self.pulls_level)) if level]

    @property
    def since(self) -> datetime:
        """When the silence began: with the last record, or with the last pull where only that is missing."""
        return self.last_record_at if self.records_level and self.last_record_at else self.last_pull_at


def listen(
    *,
    now: datetime,
    last_record_at: datetime | None,
    last_pull_at: datetime,
    pauses: Sequence[Pause],
    hours: Hours,
    promise: timedelta,
    is_lost_in_time: bool,
    policy: Policy,
) -> Listening:
    """Return how silent a source is.

    ``last_pull_at``: when it last delivered, or since when it should. ``pauses``: those of an hour or more lately.
    ``is_lost_in_time``: what is not pulled within five days is gone, as in WeCom's archive.
    """
    split = [hours.parts(*pause) for pause in pauses]
    work_limit = limit([work for work, _off in split], promise, policy)
    off_limit = limit([off for _work, off in split], promise, policy)
    work, off = hours.parts(last_record_at, now) if last_record_at else (timedelta(0), timedelta(0))
    too_long = work > work_limit.allowed or off > off_limit.allowed
    limits = pull_limits(promise, is_lost_in_time=is_lost_in_time, policy=policy)
    passed = [
        level for level, most in zip((ATTENTION, BREACH, LOSS), limits, strict=False) if now - last_pull_at >= most
    ]
    return Listening(
        last_record_at=last_record_at,
        last_pull_at=last_pull_at,
        work=work,
        off=off,
        work_limit=work_limit,
        off_limit=off_limit,
        records_level=ATTENTION if last_record_at and too_long else None,
        pulls_level=passed[-1] if passed else None,
        pull_limits=limits,
    )


def pull_limits(promise: timedelta, *, is_lost_in_time: bool, policy: Policy) -> tuple[timedelta, ...]:
    """Return after how long without a pull there is attention, breach, and loss where there is any.

    A source that promises to be slower than the first has the rest later too; what is lost does not wait.
    """
    attention, breach = (timedelta(hours=hours) for hours in policy.no_pull_hours[:2])
    later = max(timedelta(0), promise - attention)
    lost = (timedelta(hours=policy.no_pull_hours[2]),) if is_lost_in_time else ()
    return (attention + later, breach + later, *lost)


def lost_span(last_pull_at: datetime, next_pull_at: datetime, policy: Policy) -> tuple[datetime, datetime] | None:
    """Return from when to when what was sent is gone: what is older than the window at the next pull. None: nothing."""
    window = timedelta(hours=policy.no_pull_hours[2])
    until = next_pull_at - window
    return (last_pull_at, until) if until > last_pull_at else None
