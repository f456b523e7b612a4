"""The compliance record of one person and one month, from what is stored. All counts are whole numbers.

Words: S what the person sent, R what was sent to them, K both, X those of K in which an outside contact takes part, W
working days. A day is a calendar day in the firm's zone. Shares are not kept: they are quotients of what is here.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from statistics import median

from archive.consent import AGREED, REFUSED, UNKNOWN, Words


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
class Evidence:
    """Which messages stand behind a count, for the findings that it opens."""

    after_refusal: list[Seen] = field(default_factory=list)
    unseated: list[Seen] = field(default_factory=list)
    barred: list[Seen] = field(default_factory=list)
    media: list[Seen] = field(default_factory=list)
    recalls: list[Seen] = field(default_factory=list)
    gifts: list[Seen] = field(default_factory=list)  # money sent to outsiders


GIFTS = ("redpacket", "external_redpacket")


def rank(values: Sequence[int], percent: int) -> int | None:
    """Return the percentile by nearest rank: of n sorted values the one at ceil(percent * n / 100). None of none."""
    return values[-(-percent * len(values) // 100) - 1] if values else None


@dataclass(slots=True)
class Taken:
    """The part that one person took in a month: what they sent and what they were sent, of every kind of record.

    No order is needed. A message to oneself stands in both.
    """

    sent: list[Seen] = field(default_factory=list)
    received: list[Seen] = field(default_factory=list)


def compute(
    taken: Taken,
    person: Person,
    words: Words,
    time: Time,
    own_weight: int = 3,
    to_weight: int = 4,
    drop_base: int = 20,
) -> tuple[Metrics, Evidence]:
    """Return the metrics of a time, a month as a rule, and the messages behind them.

    A longer time is computed from its messages in the same way: it is never an average of its months.
    """
    metrics, evidence = Metrics(), Evidence()
    sent = [one for one in taken.sent if one.category == "content"]
    received = [one for one in taken.received if one.category == "content"]
    mine = {one.pk for one in sent}
    from_others = [one for one in received if one.pk not in mine]
    content = sent + from_others
    client = [one for one in content if one.contacts]
    metrics.sent, metrics.received, metrics.captured = len(sent), len(received), len(content)
    metrics.client_captured = len(client)
    metrics.client_sent = sum(bool(one.contacts) for one in sent)
    metrics.client_days = len({one.day for one in client})
    metrics.media_refs = sum(one.media_refs for one in content)
    metrics.media_missing = sum(one.media_missing for one in content)
    evidence.media = [one for one in client if one.media_missing]
    evidence.gifts = [one for one in sent if one.msgtype in GIFTS and (one.contacts or one.is_in_outside_room)]
    metrics.client_media_missing = sum(one.media_missing for one in evidence.media)
    metrics.forwarded_in = sum(is_forwarded_over_a_border(one) for one in sent)
    metrics.signals_own = sum(one.signal >= own_weight for one in sent)
    metrics.signals_addressed = sum(one.signal >= to_weight for one in from_others)
    _days(metrics, evidence, person, sent)
    _drop(metrics, person, drop_base)
    rooms = {one.room for one in (*taken.sent, *taken.received) if one.room} | person.rooms
    _consent(metrics, person, words, time.ends, rooms, sent, from_others)
    _after_refusal(metrics, evidence, person, words, sent)
    _recalls(metrics, evidence, [one for one in taken.sent if one.category == "recall"])
    _latency(metrics, content)
    _findings(metrics, person.findings, time)
    return metrics, evidence


def _days(metrics: Metrics, evidence: Evidence, person: Person, sent: list[Seen]) -> None:
    active = {one.day for one in sent}
    metrics.active_days, metrics.working_days = len(active), len(person.working_days)
    seated = [day for day in person.working_days if person.seat.get(day)]
    metrics.seat_days = len(seated)
    run = 0
    for day in person.working_days:
        run = run + 1 if person.seat.get(day) and day not in active else 0
        metrics.longest_silence = max(metrics.longest_silence, run)
    evidence.unseated = [one for one in sent if one.contacts and person.seat.get(one.day) is False]
    metrics.sent_unseated = len(evidence.unseated)
    metrics.permitted_days = sum(day not in person.barred_days for day in person.working_days)
    evidence.barred = [one for one in sent if one.contacts and was_barred(person.bars, one.sent_at)]
    metrics.sent_barred = len(evidence.barred)


def _drop(metrics: Metrics, person: Person, drop_base: int) -> None:
    """Compare with the three final months before; where the median of those is below ``drop_base`` it says nothing."""
    usual = median(person.client_sent_before) if len(person.client_sent_before) == 3 else 0
    if usual >= max(drop_base, 1) and person.month_is_covered:
        metrics.drop_percent = int(metrics.client_sent * 100 // usual)


def _consent(
    metrics: Metrics,
    person: Person,
    words: Words,
    month_ends: datetime,
    rooms: Set[str],
    sent: list[Seen],
    from_others: list[Seen],
) -> None:
    contacts = {contact for one in (*sent, *from_others) for contact in one.contacts}
    said = {contact: words.between(person.handles, rooms, contact, month_ends) for contact in contacts}
    tally = list(said.values())
    metrics.contacts = len(contacts)
    metrics.agreed, metrics.refused, metrics.unknown = tally.count(AGREED), tally.count(REFUSED), tally.count(UNKNOWN)
    first: dict[str, datetime] = {}
    between = [(contact, one.sent_at) for one in sent for contact in one.contacts]
    between += [(one.sender, one.sent_at) for one in from_others]
    for contact, at in between:
        if said.get(contact) == UNKNOWN:
            first[contact] = min(first.get(contact, at), at)
    metrics.unknown_since = {contact: first[contact].isoformat() for contact in sorted(first)}


def _after_refusal(metrics: Metrics, evidence: Evidence, person: Person, words: Words, sent: list[Seen]) -> None:
    evidence.after_refusal = [
        one
        for one in sent
        if any(words.had_refused(person.handles, one.room, contact, one.sent_at) for contact in one.contacts)
    ]
    metrics.after_refusal = len(evidence.after_refusal)


def _recalls(metrics: Metrics, evidence: Evidence, recalls: list[Seen]) -> None:
    delays = [
        int((one.sent_at - one.original_sent_at).total_seconds()) for one in recalls if one.original_sent_at is not None
    ]
    metrics.recalls, metrics.orphan_recalls = len(recalls), len(recalls) - len(delays)
    metrics.recall_delay_seconds = int(median(delays)) if delays else None
    metrics.signal_recalls = sum(one.original_had_signal for one in recalls)
    evidence.recalls = recalls


def _latency(metrics: Metrics, content: list[Seen]) -> None:
    known = sorted(one.latency for one in content if one.latency is not None)
    metrics.latency_p50, metrics.latency_p95 = rank(known, 50), rank(known, 95)
    metrics.latency_max = known[-1] if known else None
    metrics.promised_latency = max((one.promise for one in content), default=None)
    metrics.late = sum(one.latency is not None and one.latency > one.promise for one in content)
    metrics.clocks_differ = sum(one.clocks_differ for one in content)


def is_forwarded_over_a_border(one: Seen) -> bool:
    """Return whether it is a conversation forwarded to outsiders, or one that comes from a room.

    Which room that was no feed tells, so every room counts: it may have been one that nobody archives.
    """
    return one.msgtype == "chatrecord" and (bool(one.contacts) or one.is_in_outside_room or one.forwards_room)


def was_barred(bars: Sequence[tuple[datetime, datetime | None]], at: datetime) -> bool:
    """Return whether the moment lies in one of the times; a time's end is not part of it."""
    return any(begins <= at and (ends is None or at < ends) for begins, ends in bars)


SIGNAL_KINDS = ("off_channel", "deletion_request")


def _findings(metrics: Metrics, findings: Sequence[Known], time: Time) -> None:
    """Count findings by when they were opened and closed, and signals by the day of the words."""
    words = [one.word for one in findings if one.kind in SIGNAL_KINDS and time.first <= one.about_on <= time.until]
    metrics.signals_new, metrics.signals_dismissed = words.count("new"), words.count("dismissed")
    metrics.signals_confirmed = words.count("confirmed") + words.count("closed")
    closed = [one for one in findings if one.closed_at is not None and time.begins <= one.closed_at < time.ends]
    left = [
        one for one in findings if one.opened_at < time.ends and (one.closed_at is None or one.closed_at >= time.ends)
    ]
    metrics.findings_opened = sum(time.begins <= one.opened_at < time.ends for one in findings)
    metrics.findings_closed, metrics.findings_open = len(closed), len(left)
    metrics.findings_overdue = sum(one.due_on <= time.until for one in left)
    days = [(one.closed_at - one.opened_at).days for one in closed if one.closed_at]
    metrics.close_days = int(median(days)) if days else None
