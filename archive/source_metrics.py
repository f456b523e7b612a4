"""What a source did in one month, from what was counted as it delivered. All counts are whole numbers.

Lines, records by kind, numbers and pauses are of the days on which the lines were read; a hole is of the month in which
its right neighbour was sent; strangers, new kinds and seats are of the month in which messages were sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Day:
    """What was read on one day by one way. Kinds are None where they were not counted then."""

    deliveries: int = 0
    lines: int = 0
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    set_aside: int = 0
    content: int | None = 0
    recalls: int | None = 0
    consents: int | None = 0
    control: int | None = 0
    unreadable: int | None = 0
    first_seq: int | None = None
    last_seq: int | None = None
    longest_pause: int | None = None  # seconds


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted at times. Seats are None where no list speaks for the month."""

    unmatched_handles: int
    unmatched_messages: int
    unknown_kinds: int
    seats: int | None
    seats_silent: int | None


@dataclass(frozen=True, slots=True)
class SourceMetrics:
    deliveries: int
    lines: int
    stored: int
    duplicates: int
    conflicts: int
    set_aside: int
    content: int | None  # None, and so all five: of some day of the month the kinds were not counted
    recalls: int | None
    consents: int | None
    control: int | None
    unreadable: int | None
    holes: int
    missing_numbers: int
    first_seq: int | None
    last_seq: int | None
    longest_pause: int | None  # seconds between two deliveries; None: there were not two
    counted: Counted | None  # None: not counted yet

    @property
    def has_kinds(self) -> bool:
        return self.content is not None

    @property
    def adds_up(self) -> bool:
        """Whether every line is somewhere and every record has a kind."""
        lines = self.stored + self.duplicates + self.conflicts + self.set_aside
        kinds = [getattr(self, name) for name in KINDS]
        return self.lines == lines and (not self.has_kinds or self.stored == sum(kinds))


COUNTS = ("deliveries", "lines", "stored", "duplicates", "conflicts", "set_aside")
KINDS = ("content", "recalls", "consents", "control", "unreadable")


def compute(
    days: Iterable[Day], holes: Iterable[tuple[int, int]], counted: Counted | None, pause_now: int | None = None
) -> SourceMetrics:
    """Return the metrics of a month. ``holes`` are (first, last) missing number.

    ``pause_now``: seconds since the last delivery, in the month that is not over; None in any other.
    """
    days, holes = list(days), list(holes)
    sums = {name: sum(getattr(one, name) for one in days) for name in COUNTS}
    has_kinds = all(getattr(one, name) is not None for one in days for name in KINDS)
    kinds = {name: sum(getattr(one, name) for one in days) if has_kinds else None for name in KINDS}
    pauses = [one.longest_pause for one in days if one.longest_pause is not None]
    return SourceMetrics(
        **sums,
        **kinds,
        holes=len(holes),
        missing_numbers=sum(last - first + 1 for first, last in holes),
        first_seq=min((one.first_seq for one in days if one.first_seq is not None), default=None),
        last_seq=max((one.last_seq for one in days if one.last_seq is not None), default=None),
        longest_pause=max([*pauses, *([] if pause_now is None else [pause_now])], default=None),
        counted=counted,
    )
