"""The compliance record of one person and one month, from what is stored. All counts are whole numbers.

Words: S what the person sent, R what was sent to them, K both, X those of K in which an outside contact takes part, W
working days. A day is a calendar day in the firm's zone. Shares are not kept: they are quotients of what is here.
Here are the values; archive.tally adds them up.
"""

from bisect import insort
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from datetime import date, datetime

NAMED = 100  # ids of messages that a finding about a month names


@dataclass(slots=True)
class Seen:
    """One message, the same for everybody who took part."""

    pk: int
    msgid: str
    category: str
    msgtype: str
    sent_at: datetime
    day: date
    sender: str = ""
    room: str = ""
    contacts: tuple[str, ...] = ()
    latency: int | None = None
    promise: int = 3600
    clocks_differ: bool = False
    media_refs: int = 0
    media_missing: int = 0
    signal: int = 0  # weight of the heaviest signal in the sender's own words
    forwards_room: bool = False  # a forwarded conversation that was held in a room, or a part of it was
    is_in_outside_room: bool = False  # the room it was sent in is one for outsiders, whether one is named or not
    original_sent_at: datetime | None = None  # of a recall
    original_had_signal: bool = False  # of a recall: client talk with a signal was taken back


@dataclass(frozen=True, slots=True)
class Known:
    """A finding about the person, as far as its counts need it. ``word``: new, confirmed, dismissed or closed."""

    kind: str
    about_on: date
    opened_at: datetime
    closed_at: datetime | None
    due_on: date
    word: str


@dataclass(frozen=True, slots=True)
class Time:
    """The time that a record speaks for: [begins, ends), or in days ``first`` to ``until``, where the feed ends."""

    begins: datetime
    ends: datetime
    first: date
    until: date


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of the person for the time. ``seat`` says for a day yes, no, or nothing where no list speaks.

    ``bars``: times in which the person might not message clients, as (begins, ends), None where it goes on.
    """

    handles: Set[str] = frozenset()
    rooms: Set[str] = frozenset()  # that they were in, whether anything was said there or not
    bars: Sequence[tuple[datetime, datetime | None]] = ()
    barred_days: Set[date] = frozenset()  # days of which the whole was barred
    findings: Sequence[Known] = ()
    working_days: Sequence[date] = ()
    seat: Mapping[date, bool] = field(default_factory=dict)
    client_sent_before: Sequence[int] = ()  # of the three final months before; fewer if there are fewer
    month_is_covered: bool = True  # the feed speaks for all of the month


@dataclass(slots=True)
class Metrics:
    sent: int = 0
    received: int = 0
    captured: int = 0
    client_captured: int = 0
    client_sent: int = 0
    active_days: int = 0
    client_days: int = 0
    working_days: int = 0
    longest_silence: int = 0
    silent_seat: bool = False
    drop_percent: int | None = None  # of the median of three months before; None where that says nothing
    seat_days: int = 0
    permitted_days: int | None = None  # working days with a moment at which the person might message; None: old record
    sent_unseated: int = 0
    sent_barred: int = 0
    contacts: int = 0
    agreed: int = 0
    refused: int = 0
    unknown: int = 0
    after_refusal: int = 0
    recalls: int = 0
    orphan_recalls: int = 0
    recall_delay_seconds: int | None = None  # median
    signal_recalls: int = 0
    latency_p50: int | None = None  # seconds, nearest rank
    latency_p95: int | None = None
    latency_max: int | None = None
    promised_latency: int | None = None
    late: int = 0
    clocks_differ: int = 0
    media_refs: int = 0
    media_missing: int = 0
    client_media_missing: int = 0
    forwarded_in: int = 0
    signals_own: int = 0
    signals_addressed: int = 0
    signals_new: int = 0  # findings about words of this time, by what a reviewer has said of them so far
    signals_confirmed: int = 0
    signals_dismissed: int = 0
    findings_opened: int = 0
    findings_closed: int = 0
    findings_open: int = 0  # at the end of the time
    findings_overdue: int = 0
    close_days: int | None = None  # median, of those closed in the time
    unknown_since: dict[str, str] = field(default_factory=dict)  # contact -> first message between the two, ISO, UTC

    def as_dict(self) -> dict:
        return asdict(self)


@dataclass(slots=True)
class Behind:
    """The messages behind a count: how many, the first of them, and the first NAMED of their ids in order."""

    count: int = 0
    first: Seen | None = None
    msgids: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return self.count

    def add(self, one: Seen) -> None:
        self.count += 1
        if self.first is None or (one.sent_at, one.msgid) < (self.first.sent_at, self.first.msgid):
            self.first = one
        if len(self.msgids) < NAMED or one.msgid < self.msgids[-1]:
            insort(self.msgids, one.msgid)
            del self.msgids[NAMED:]


@dataclass(slots=True)
class Evidence:
    """Which messages stand behind a count, for the findings that it opens."""

    after_refusal: Behind = field(default_factory=Behind)
    unseated: Behind = field(default_factory=Behind)
    barred: Behind = field(default_factory=Behind)
    media: Behind = field(default_factory=Behind)
    recalls: Behind = field(default_factory=Behind)
    gifts: Behind = field(default_factory=Behind)  # money sent to outsiders


def rank(values: Sequence[int], percent: int) -> int | None:
    """Return the percentile by nearest rank: of n sorted values the one at ceil(percent * n / 100). None of none."""
    return values[-(-percent * len(values) // 100) - 1] if values else None
