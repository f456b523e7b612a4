"""One person's month, added up message by message, in any order.

What is held grows with the days, the contacts and the rooms of the person, never with the number of messages.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from statistics import median

from archive.consent import AGREED, REFUSED, UNKNOWN, Words
from archive.metrics import Evidence, Known, Metrics, Person, Seen, Time

GIFTS = ("redpacket", "external_redpacket")
SIGNAL_KINDS = ("off_channel", "deletion_request")


class Tally:
    """The metrics of a time, a month as a rule, and the messages behind them.

    ``words`` has the words of a message's contacts by when the message is added. A longer time is computed from its
    messages in the same way: it is never an average of its months.
    """

    def __init__(self, person: Person, words: Words, own_weight: int = 3, to_weight: int = 4) -> None:
        self.person, self.words = person, words
        self.own_weight, self.to_weight = own_weight, to_weight
        self.metrics, self.evidence = Metrics(), Evidence()
        self.active, self.client_days = set(), set()
        self.contacts, self.rooms = set(), set(person.rooms)
        self.first: dict[str, datetime] = {}  # message to or from each contact
        self.latencies, self.delays = Counter(), Counter()  # seconds: how often
        self.last_at: datetime | None = None

    def add(self, one: Seen, *, is_mine: bool, is_for_me: bool) -> None:
        """Take in one message, once, that the person sent or was sent, or both: to themselves."""
        if one.room:
            self.rooms.add(one.room)
        if one.category != "content":
            if is_mine and one.category == "recall":
                self._recall(one)
            return
        found, latency = self.metrics, one.latency
        found.captured += 1
        if one.media_refs:
            found.media_refs += one.media_refs
            found.media_missing += one.media_missing
        if found.promised_latency is None or one.promise > found.promised_latency:
            found.promised_latency = one.promise
        if latency is not None:
            self.latencies[latency] += 1
            found.late += latency > one.promise
        elif one.clocks_differ:
            found.clocks_differ += 1
        if self.last_at is None or one.sent_at > self.last_at:
            self.last_at = one.sent_at
        if one.contacts:
            self._client_talk(one)
        found.received += is_for_me
        if is_mine:
            self._sent(one)
        else:
            found.signals_addressed += one.signal >= self.to_weight
            self._met(one.sender, one.sent_at)

    def _client_talk(self, one: Seen) -> None:
        self.metrics.client_captured += 1
        self.client_days.add(one.day)
        self.contacts.update(one.contacts)
        if one.media_missing:
            self.evidence.media.add(one)
            self.metrics.client_media_missing += one.media_missing

    def _sent(self, one: Seen) -> None:
        found, person, evidence = self.metrics, self.person, self.evidence
        found.sent += 1
        found.signals_own += one.signal >= self.own_weight
        found.forwarded_in += is_forwarded_over_a_border(one)
        self.active.add(one.day)
        if one.msgtype in GIFTS and (one.contacts or one.is_in_outside_room):
            evidence.gifts.add(one)
        if not one.contacts:
            return
        found.client_sent += 1
        if person.seat.get(one.day) is False:
            evidence.unseated.add(one)
        if person.bars and was_barred(person.bars, one.sent_at):
            evidence.barred.add(one)
        if any(self.words.had_refused(person.handles, one.room, contact, one.sent_at) for contact in one.contacts):
            evidence.after_refusal.add(one)
        for contact in one.contacts:
            self._met(contact, one.sent_at)

    def _met(self, contact: str, at: datetime) -> None:
        if (before := self.first.get(contact)) is None or at < before:
            self.first[contact] = at

    def _recall(self, one: Seen) -> None:
        self.evidence.recalls.add(one)
        self.metrics.signal_recalls += one.original_had_signal
        if one.original_sent_at is not None:
            self.delays[int((one.sent_at - one.original_sent_at).total_seconds())] += 1

    def result(self, time: Time, *, drop_base: int = 20) -> tuple[Metrics, Evidence]:
        """Return the metrics of what was added. Where the usual month is below ``drop_base`` a drop says nothing."""
        found, evidence = self.metrics, self.evidence
        found.client_days = len(self.client_days)
        found.sent_unseated, found.sent_barred = len(evidence.unseated), len(evidence.barred)
        found.after_refusal = len(evidence.after_refusal)
        found.recalls = len(evidence.recalls)
        found.orphan_recalls = found.recalls - self.delays.total()
        found.recall_delay_seconds = middle(self.delays)
        found.latency_p50, found.latency_p95 = ranked(self.latencies, 50), ranked(self.latencies, 95)
        found.latency_max = max(self.latencies, default=None)
        self._days()
        self._drop(drop_base)
        self._consent(time.ends)
        _findings(found, self.person.findings, time)
        return found, evidence

    def _days(self) -> None:
        found, person = self.metrics, self.person
        found.active_days, found.working_days = len(self.active), len(person.working_days)
        found.seat_days = sum(bool(person.seat.get(day)) for day in person.working_days)
        run = 0
        for day in person.working_days:
            run = run + 1 if person.seat.get(day) and day not in self.active else 0
            found.longest_silence = max(found.longest_silence, run)
        found.permitted_days = sum(day not in person.barred_days for day in person.working_days)

    def _drop(self, drop_base: int) -> None:
        """Compare with the three final months before; where their median is below ``drop_base`` it says nothing."""
        before = self.person.client_sent_before
        usual = median(before) if len(before) == 3 else 0
        if usual >= max(drop_base, 1) and self.person.month_is_covered:
            self.metrics.drop_percent = int(self.metrics.client_sent * 100 // usual)

    def _consent(self, ends: datetime) -> None:
        found, handles = self.metrics, self.person.handles
        said = {contact: self.words.between(handles, self.rooms, contact, ends) for contact in self.contacts}
        tally = Counter(said.values())
        found.contacts = len(said)
        found.agreed, found.refused, found.unknown = tally[AGREED], tally[REFUSED], tally[UNKNOWN]
        waiting = sorted(contact for contact in self.first if said.get(contact) == UNKNOWN)
        found.unknown_since = {contact: self.first[contact].isoformat() for contact in waiting}


def ranked(tally: Counter[int], percent: int) -> int | None:
    """Return the percentile by nearest rank of values of which it was counted how often each came. None of none."""
    wanted, upto = -(-percent * tally.total() // 100), 0
    for value in sorted(tally):
        upto += tally[value]
        if upto >= wanted:
            return value
    return None


def middle(tally: Counter[int]) -> int | None:
    """Return the median, of two in the middle their mean rounded towards zero. None of none."""
    if not (count := tally.total()):
        return None
    pair, upto = [], 0
    wanted = [(count + 1) // 2, count // 2 + 1]
    for value in sorted(tally):
        upto += tally[value]
        while len(pair) < 2 and upto >= wanted[len(pair)]:
            pair.append(value)
    return int(sum(pair) / 2)


def is_forwarded_over_a_border(one: Seen) -> bool:
    """Return whether it is a conversation forwarded to outsiders, or one that comes from a room.

    Which room that was no feed tells, so every room counts: it may have been one that nobody archives.
    """
    return one.msgtype == "chatrecord" and (bool(one.contacts) or one.is_in_outside_room or one.forwards_room)


def was_barred(bars: Sequence[tuple[datetime, datetime | None]], at: datetime) -> bool:
    """Return whether the moment lies in one of the times; a time's end is not part of it."""
    return any(begins <= at and (ends is None or at < ends) for begins, ends in bars)


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
