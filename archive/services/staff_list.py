"""Identities as HR's list has them: whom each userid and address means, from when to when."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from archive import calendars, rules
from archive.models import Identity, Source
from archive.services.identities import CHANNEL, MAIL, rematch
from archive.services.turns import take_turn
from archive.sources.kinds import short_handle
from portal.ledger import services as ledger
from portal.people.models import Employee

CHUNK = 1000  # handles whose identities are in memory at once
_CHANNELS_OF_HR = {CHANNEL: "wecom_userid", MAIL: "email"}


@transaction.atomic
def sync_identities(*, by: str, now: datetime | None = None) -> set[int]:
    """Make the identities what HR's list says of userids, and of e-mail addresses where any feed may have them, and
    re-match what that changes. Return the messages touched.

    A userid that HR gives to somebody new ends the old identity now and begins the new one; that of a leaver ends
    with the leaving day. The first identity of a handle reaches back to the beginning. What a person has matched
    by hand stays as it is: HR's list only says whom the handle means afterwards.
    """
    take_turn()
    now = now or timezone.now()
    changed = sorted({folded for channel in _CHANNELS_OF_HR for folded in _in_step(channel, now)})
    touched = {message for some in _chunks(changed) for message in rematch(some)}
    if changed:
        ledger.append(verb="archive.identities_synced", actor=by, subject="system:archive", body={"handles": changed})
    return touched


class Told(NamedTuple):
    """What HR's list says of one handle: whose it is, and the person's last day, None if they are here."""

    handle: str
    employee: int
    left_on: date | None

    @property
    def ends(self) -> datetime | None:
        zone = timezone.get_default_timezone()
        return calendars.day_begins(self.left_on + timedelta(1), zone) if self.left_on else None


def _in_step(channel: str, now: datetime) -> Iterator[str]:
    """Make the channel's identities what HR tells. Yield the handles of which anything changed.

    Of the whole list only a few words a person are in memory at once; identities are read a chunk at a time.
    """
    told = _as_hr_tells(channel)
    yield from _settle_all(channel, told, told, now)
    theirs = Identity.objects.filter(channel=channel, origin=Identity.Origin.HR, valid_to=None)
    open_now = theirs.values_list("handle_folded", flat=True).iterator(chunk_size=CHUNK)
    yield from _settle_all(channel, [folded for folded in open_now if folded not in told], told, now)


def _as_hr_tells(channel: str) -> dict[str, Told]:
    """Return what HR tells of each folded handle of the channel.

    Addresses are handles only where a feed may have them: a firm that has none but WeCom's keeps no second list.
    """
    if channel == MAIL and not Source.objects.exclude(kind=Source.Kind.WECOM).exists():
        return {}
    field, found = _CHANNELS_OF_HR[channel], {}
    people = Employee.objects.filter(employee_no__isnull=False).exclude(**{field: ""}).order_by("pk")
    for pk, as_told, left_on in people.values_list("pk", field, "left_on").iterator(chunk_size=CHUNK):
        handle = short_handle(as_told)
        folded = rules.fold(handle)
        found[handle if folded == handle else folded] = Told(handle, pk, left_on)  # one text, not two alike
    return found


def _settle_all(channel: str, handles: Iterable[str], told: dict[str, Told], now: datetime) -> Iterator[str]:
    for some in _chunks(handles):
        newest: dict[str, Identity] = {}
        rows = Identity.objects.select_for_update().filter(channel=channel, handle_folded__among=some)
        for one in rows.order_by(F("valid_to").asc(nulls_last=True), "pk"):
            newest[one.handle_folded] = one  # the one that reaches farthest
        for folded in some:
            if _settle(channel, newest.get(folded), told.get(folded), now):
                yield folded


def _chunks(handles: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(handles)
    while some := list(islice(rest, CHUNK)):
        yield some


def _settle(channel: str, newest: Identity | None, told: Told | None, now: datetime) -> bool:
    """Make the newest identity of one handle what HR tells. Return whether anything changed."""
    if told is None:
        return newest.origin == Identity.Origin.HR and newest.valid_to is None and _end(newest, now)
    ends = told.ends
    by_hand = newest is not None and newest.origin != Identity.Origin.HR
    if by_hand and newest.valid_to is None:
        return False
    if newest is not None and not by_hand and newest.employee_id == told.employee:
        return newest.valid_to != ends and _end(newest, ends)
    if newest is not None and newest.valid_to is None:
        _end(newest, now)
    begins = newest.valid_to if newest else None
    if begins is not None and ends is not None and ends <= begins:
        return False  # had left before the handle was free
    Identity.objects.create(
        channel=channel,
        handle=told.handle,
        handle_folded=rules.fold(told.handle),
        employee_id=told.employee,
        valid_from=begins,
        valid_to=ends,
    )
    return True


def _end(identity: Identity, moment: datetime | None) -> bool:
    if moment is not None and identity.valid_from is not None and moment <= identity.valid_from:
        moment = identity.valid_from + timedelta(microseconds=1)  # it meant nobody, but it was there
    if identity.valid_to == moment:
        return False
    identity.valid_to = moment
    identity.save(update_fields=["valid_to"])
    return True
