"""The part that people took in a time, read from what is stored as a stream: each message once, whoever took part."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo

import orjson
from django.db import models
from django.db.models import ExpressionWrapper, Max, Q

from archive import policy
from archive.consent import Words
from archive.metrics import Seen
from archive.models import Message, Participant, Recall, Room, Signal, Source
from archive.services import bulk, consents
from archive.tally import Tally

ROWS = 5_000  # messages read at once


def add_all(tallies: Mapping[int, Tally], words: Words, begins: datetime, ends: datetime, zone: ZoneInfo) -> None:
    """Add to each person's tally the messages of the time in which they took part. ``words`` learns of the contacts."""
    promises = dict(Source.objects.values_list("pk", "expected_latency_seconds"))
    sender, recipient = Participant.Role.SENDER.value, Participant.Role.RECIPIENT.value
    theirs = Participant.objects.filter(employee__pk__among=list(tallies), sent_at__gte=begins, sent_at__lt=ends)
    rows = theirs.order_by("message_id").values_list("message_id", "employee_id", "role").iterator(chunk_size=ROWS)
    for takers in _some(rows):
        seen = _seen(takers, promises, zone)
        if wanted := words.lacks({contact for one in seen for contact in one.contacts}):
            words.learn(wanted, consents.said_by(wanted))
        for one in seen:
            for who, roles in takers[one.pk].items():
                tallies[who].add(one, is_mine=sender in roles, is_for_me=recipient in roles)


def _some(rows: Iterator[tuple[int, int, str]]) -> Iterator[dict[int, dict[int, str]]]:
    """Yield {message: {who took part: in which roles}} of ROWS messages at a time."""
    takers: dict[int, dict[int, str]] = {}
    for pk, group in groupby(rows, key=itemgetter(0)):
        found = takers[pk] = {}
        for _pk, who, role in group:
            found[who] = found.get(who, "") + role
        if len(takers) >= ROWS:
            yield takers
            takers = {}
    if takers:
        yield takers


def _seen(takers: Mapping[int, object], promises: Mapping[int, int], zone: ZoneInfo) -> list[Seen]:
    messages = Message.objects.filter(pk__among=list(takers)).annotate(clocks_differ=_CLOCKS_DIFFER)
    rows = list(bulk.read(messages, _COLUMNS))
    signals, recalls = _signals(list(takers)), _recalls([row[0] for row in rows if row[2] == Message.Category.RECALL])
    outside, moment, found = _outside({row[6] for row in rows if row[6]}), bulk.moment, []
    for pk, msgid, category, kind, sent, sender, room, contacts, latency, clocks, *rest in rows:
        media, missing, source, forwards_room = rest
        sent_at = moment(sent)
        original_sent_at, original_had_signal = recalls.get(pk, (None, False))
        found.append(
            Seen(
                pk=pk,
                msgid=msgid,
                category=category,
                msgtype=kind,
                sent_at=sent_at,
                day=sent_at.astimezone(zone).date(),
                sender=sender,
                room=room,
                contacts=tuple(orjson.loads(contacts)) if contacts != "[]" else (),
                latency=latency,
                promise=promises[source],
                clocks_differ=bool(clocks),
                media_refs=media,
                media_missing=missing,
                forwards_room=bool(forwards_room),
                is_in_outside_room=room in outside,
                signal=signals.get(pk, 0),
                original_sent_at=original_sent_at,
                original_had_signal=original_had_signal,
            )
        )
    return found


# Judged where it is stored: a moment that is read, and only to see whether it is there, costs as much as ten numbers.
_CLOCKS_DIFFER = ExpressionWrapper(
    Q(sent_at_is_known=True, captured_at__isnull=False, latency_seconds=None), models.BooleanField()
)
_COLUMNS = (
    "pk",
    "msgid",
    "category",
    "msgtype",
    "sent_at",
    "sender",
    "room",
    "contacts",
    "latency_seconds",
    "clocks_differ",
    "media_refs",
    "media_missing",
    "source_id",
    "forwards_room",
)


def _outside(rooms: set[str]) -> set[str]:
    """Return those of the rooms that somebody outside the firm is in."""
    if not rooms:
        return set()
    return set(Room.objects.filter(room__among=rooms, is_outside=True).values_list("room", flat=True))


def _signals(messages: list[int]) -> dict[int, int]:
    """Return {message: weight of its heaviest signal in own words}. Few messages have any."""
    rows = Signal.objects.filter(message__pk__among=messages, is_forwarded=False)
    return dict(rows.values("message_id").annotate(heaviest=Max("weight")).values_list("message_id", "heaviest"))


def _recalls(records: list[int]) -> dict[int, tuple[datetime | None, bool]]:
    """Return {recall record: (when the original was sent, whether that was client talk with a signal)}."""
    if not records:
        return {}
    columns = ("message_id", "original_id", "original__sent_at", "original__is_external")
    rows = list(Recall.objects.filter(message__pk__among=records).values_list(*columns))
    originals = [original for _pk, original, _at, is_external in rows if original and is_external]
    own = Signal.objects.filter(message__pk__among=originals, is_forwarded=False)
    hot = set(own.filter(weight__gte=policy.current().own_words_weight).values_list("message_id", flat=True))
    return {pk: (at, original in hot) for pk, original, at, _is_external in rows}
