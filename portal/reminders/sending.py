"""The outbox is emptied: a row is taken by a lease, handed over, and marked with its Entry, in that order.

What a crash between handing over and marking leaves behind is sent once more, with the same Message-ID, date and words,
so that the receiver's own check for copies makes it one: this side errs on twice, never on none.
"""

import logging
import uuid
from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people import calendars
from portal.reminders import bounces, channels
from portal.reminders.channels import Later, Refused
from portal.reminders.models import CalendarEntry, Delivery
from portal.reminders.terms import SYSTEM

logger = logging.getLogger(__name__)

SEND = "portal.reminders.tasks.send"
BATCH = 50
LEASE = timedelta(minutes=5)
RESERVE = timedelta(seconds=90)  # one hand-over takes less: nothing is begun with less of the lease left
PAUSE, LONGEST_PAUSE = timedelta(minutes=2), timedelta(minutes=30)  # doubled with every attempt that failed
MOST_ATTEMPTS = 12


def ring() -> None:
    """Tell a worker that something waits. If the broker is away the beat rings within a minute."""
    try:
        current_app.send_task(SEND)
    except Exception:
        logger.warning("could not ring for reminders", exc_info=True)


def send_waiting() -> int:
    """Send what is due, in batches, until nothing is left that this worker can take. Return how many went."""
    sent = 0
    while batch := _take(BATCH):
        sent += _send(batch)
    return sent


def _take(count: int) -> list[Delivery]:
    """Take the next rows by one conditional update; two workers never get the same one."""
    now, token = timezone.now(), uuid.uuid4().hex
    due = Delivery.objects.due(now)
    first = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:count])
    if not first:
        return []
    fresh = {"state": Delivery.State.LEASED, "lease_until": now + LEASE, "lease_token": token}
    due.filter(pk__in=first).update(**fresh, attempts=F("attempts") + 1)
    mine = Delivery.objects.filter(lease_token=token).select_related("digest", "employee__office")
    return list(mine.order_by("channel", "due_at", "pk"))


def _send(batch: list[Delivery]) -> int:
    """Hand over one after another; a channel that cannot go on just now gives the rest of its rows back."""
    sent, stopped, until = 0, {}, batch[0].lease_until
    with channels.Doors() as doors:
        for one in batch:
            if one.channel in stopped or timezone.now() > until - RESERVE:
                _give_back(one, stopped.get(one.channel, timezone.now()))
                continue
            try:
                sent += _deliver(one, doors)
            except Later as reason:
                stopped[one.channel] = _again(one, reason)
    return sent


def _deliver(one: Delivery, doors: "channels.Doors") -> bool:
    """Hand one over and mark it. Return whether it was sent now. Raises Later: the whole channel should wait."""
    now = timezone.now()
    if is_over(one, now):
        return not _end(one, Delivery.State.LATE, "")
    twice = one.handed_at is not None
    marked = _mine(one).update(handed_at=now, may_be_twice=F("may_be_twice") if not twice else True)
    if not marked:
        return False  # the lease ran out and somebody else has it
    try:
        doors.hand_over(one)
    except Refused as refusal:
        _bounced(one, refusal)
        return False
    return _sent(one)


def is_over(one: Delivery, now: datetime) -> bool:
    """Whether the digest's day is over where the person works: the next digest says what is still true."""
    return calendars.local_day(one.employee, now) > one.on


def _mine(one: Delivery):
    return Delivery.objects.filter(pk=one.pk, lease_token=one.lease_token, state=Delivery.State.LEASED)


@transaction.atomic
def _sent(one: Delivery) -> bool:
    """Mark it sent, with its Entry in the same transaction. False: another worker had taken it over meanwhile."""
    if not _mine(one).select_for_update().exists():
        return False
    body = {
        "digest": one.digest.uid,
        "on": one.on.isoformat(),
        "channel": one.channel,
        "items": len(one.digest.content["items"]),
        "people": len(one.digest.content["people"]) + one.digest.content["more_people"],
        "attempts": one.attempts,
    }
    # What speaks of the archive alone is not among what HR reads of a person.
    verb = "reminders.sent_of_archive" if one.digest.is_of_archive else "reminders.sent"
    entry = ledger.append(verb=verb, actor=SYSTEM, subject=one.employee.uid, body=body)
    done = {"state": Delivery.State.SENT, "sent_at": timezone.now(), "entry_seq": entry.seq, "error": ""}
    return bool(_mine(one).update(**done, lease_until=None, lease_token=""))


@transaction.atomic
def _bounced(one: Delivery, refusal: Refused) -> None:
    """Mark that the address was refused at once, and note the bounce for HR."""
    if not _mine(one).select_for_update().exists():
        return
    if one.channel == Delivery.Channel.MAIL:
        bounces.note(delivery=one, how="refused", status=refusal.status, said=str(refusal))
    _end(one, Delivery.State.BOUNCED, str(refusal))


@transaction.atomic
def _end(one: Delivery, state: str, error: str) -> bool:
    """End it without its being sent. What it would have put into the calendar is told by the next mail."""
    ended = {"state": state, "lease_until": None, "lease_token": "", "error": error[:500]}
    if not _mine(one).update(**ended):
        return False
    if one.channel == Delivery.Channel.MAIL:
        CalendarEntry.objects.filter(digest=one.digest_id, closed_on=None).update(digest=None)
    return True


def _again(one: Delivery, reason: Later) -> datetime:
    """Let it wait for another attempt, or give it up. Return from when on the channel may be tried again."""
    now = timezone.now()
    due_at = now + (reason.pause or min(PAUSE * 2 ** min(one.attempts - 1, 10), LONGEST_PAUSE))
    if one.attempts >= MOST_ATTEMPTS:
        _end(one, Delivery.State.FAILED, str(reason))
    else:
        handed = {} if reason.is_unknown else {"handed_at": None}
        _give_back(one, due_at, error=str(reason)[:500], **handed)
    logger.warning("reminders by %s wait: %s", one.channel, type(reason.__cause__ or reason).__name__)
    return due_at if reason.is_for_all else now


def _give_back(one: Delivery, due_at: datetime, **fields) -> None:
    """Let it wait. One that was not tried counts no attempt."""
    if not fields:
        fields = {"attempts": F("attempts") - 1}
    waits = {"state": Delivery.State.WAITING, "due_at": due_at, "lease_until": None, "lease_token": ""}
    _mine(one).update(**waits, **fields)
