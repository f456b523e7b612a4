"""The walk over old messages: which of them are over, and what keeps the others.

Goes source by source along (sent_at, pk), from the first believable day to the last that can be over at all, so its
cost does not depend on what is younger.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from archive import calendars, retention
from archive.holding import Part
from archive.models import Finding, Message, Participant, Source
from archive.models.outcome import FindingQuerySet
from archive.retention import Schedules, Verdict
from archive.services import holding, postings

# Their facts list messages by id: those of the month that holds their ``about_on``.
RECORD_KINDS = (
    "recall_pattern",
    "after_refusal",
    "unseated_client_talk",
    "barred_talk",
    "media_missing",
    "client_gift",
)


@dataclass(frozen=True)
class Place:
    """Where the walk stands: what it has looked at last. ``sent_at`` None: at the beginning of the source."""

    source: int = 0
    sent_at: datetime | None = None
    pk: int = 0

    def as_json(self) -> dict:
        return {"source": self.source, "sent_at": self.sent_at.isoformat() if self.sent_at else None, "pk": self.pk}

    @classmethod
    def of(cls, told: dict) -> "Place":
        return cls(told.get("source", 0), parse_datetime(told.get("sent_at") or ""), told.get("pk", 0))


@dataclass(slots=True)
class Looked:
    """One old message, and what speaks for and against taking it away."""

    pk: int
    channel: str
    msgid: str
    source: int
    batch: int
    leaf: int
    seq: int | None
    fingerprint: bytes
    sent_at: datetime
    part: Part
    verdict: Verdict = field(default_factory=lambda: Verdict(None))
    holds: list[str] = field(default_factory=list)
    under_review: bool = False

    @property
    def sent_on(self) -> date:
        return timezone.localdate(self.sent_at)

    def may_go(self, as_of: date) -> bool:
        return self.verdict.is_over(as_of) and not self.holds and not self.under_review


@dataclass(frozen=True)
class Walk:
    """What is the same for all of one walk."""

    schedules: Schedules
    as_of: date
    begins: datetime
    ends: datetime | None  # first moment that nothing can be over from; None: nothing is over

    @classmethod
    def until(cls, as_of: date, schedules: Schedules) -> "Walk":
        last = schedules.last_day_over(as_of, postings.in_use())
        ends = calendars.day_begins(last + timedelta(days=1), timezone.get_default_timezone()) if last else None
        return cls(schedules, as_of, _believed_from(), ends)

    def as_json(self) -> str | None:
        return self.ends.isoformat() if self.ends else None

    @classmethod
    def again(cls, as_of: date, schedules: Schedules, told: str | None) -> "Walk":
        """Return the walk whose ``as_json`` was kept: it ends where it was to end when it began."""
        return cls(schedules, as_of, _believed_from(), parse_datetime(told or ""))

    def size(self) -> int:
        """Return how many messages it will look at."""
        if self.ends is None:
            return 0
        sources = list(Source.objects.values_list("pk", flat=True))
        return Message.objects.filter(source__in=sources, sent_at__gte=self.begins, sent_at__lt=self.ends).count()

    def next(self, place: Place, limit: int) -> tuple[list[Looked], Place | None]:
        """Return the next messages, judged, and the place after them; None at the end of the walk."""
        if self.ends is None:
            return [], None
        for source in Source.objects.filter(pk__gte=place.source).order_by("pk").values_list("pk", flat=True):
            here = place if source == place.source else Place(source)
            if found := self._rows(here, limit):
                self._judge(found)
                return found, Place(source, found[-1].sent_at, found[-1].pk)
        return [], None

    def _rows(self, place: Place, limit: int) -> list[Looked]:
        begins = place.sent_at or self.begins
        rows = Message.objects.filter(source=place.source, sent_at__gte=begins, sent_at__lt=self.ends)
        if place.sent_at:
            rows = rows.filter(Q(sent_at__gt=place.sent_at) | Q(pk__gt=place.pk))
        columns = "pk channel msgid source_id batch_id leaf seq fingerprint sent_at room"
        return [
            Looked(pk, channel, msgid, source, batch, leaf, seq, bytes(fingerprint), sent_at, Part(sent_at, room))
            for pk, channel, msgid, source, batch, leaf, seq, fingerprint, sent_at, room in rows.order_by(
                "sent_at", "pk"
            ).values_list(*columns.split())[:limit]
        ]

    def _judge(self, found: list[Looked]) -> None:
        """Write on each message who took part, until when it is kept, which holds hold it, and who looks into it."""
        by_pk = {one.pk: one for one in found}
        rows = Participant.objects.filter(message__in=by_pk)
        for pk, who, folded in rows.values_list("message_id", "employee_id", "handle_folded"):
            holding.add(by_pk[pk].part, who, folded)
        places = postings.Places.of(who for one in found for who in one.part.employees)
        holds = holding.active_holds()
        for one in found:
            where = {places.on(who, one.sent_at) for who in one.part.employees}
            one.verdict = self.schedules.verdict(one.sent_on, where)
            one.holds = holds.on(one.part) if holds else []
        over = [one for one in found if one.verdict.is_over(self.as_of)]
        reviewed = _under_review(over)
        for one in over:
            one.under_review = one.pk in reviewed


def _believed_from() -> datetime:
    return calendars.day_begins(date(retention.BELIEVED.start, 1, 1), timezone.get_default_timezone())


def _under_review(found: Collection[Looked]) -> set[int]:
    """Return those messages that an open finding is about, or that it counts as its evidence."""
    by_pk = {one.pk: one for one in found}
    reviewed = set(Finding.objects.open().filter(message__in=by_pk).values_list("message_id", flat=True))
    by_msgid = defaultdict(set)
    for one in found:
        by_msgid[one.msgid].add(one.pk)
    for facts in findings_with_lists(found).open().values_list("facts", flat=True):
        for msgid in facts.get("messages", ()):
            reviewed |= by_msgid.get(msgid, set())
    return reviewed


def findings_with_lists(messages: Collection[Looked]) -> FindingQuerySet:
    """Return the findings that may list any of these messages: about their people, of the months that they span."""
    if not messages:
        return Finding.objects.none()
    days = [one.sent_on for one in messages]
    return Finding.objects.filter(
        employee__in={who for one in messages for who in one.part.employees},
        kind__in=RECORD_KINDS,
        about_on__gte=calendars.month_of(min(days)),
        about_on__lte=calendars.last_day(calendars.month_of(max(days))),
    )
