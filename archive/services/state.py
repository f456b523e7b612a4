"""Dated copies of what the archive's interfaces answer: who has a seat, and who agreed or refused."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import calendars, policy, rules
from archive.models import ConsentWord, Identity, Record, Seat, SeatCopy, Source
from archive.services import judging, records
from archive.services.due import Why, mark_months_due
from archive.services.identities import sync_identities
from archive.sources import strict
from archive.sources.wecom import EPOCH, moment
from portal.ledger import services as ledger

STATE_LIMIT = 64 * 2**20  # bytes of an answers file
WORDS = {"Agree": ConsentWord.Word.AGREED, "Disagree": ConsentWord.Word.REFUSED}


class NotAState(ValueError):
    """The file does not hold the answers of the permit list and consent interfaces."""


def read_state(raw: bytes) -> dict:
    """Return the answers in the file's bytes. Raises NotAState."""
    if len(raw) > STATE_LIMIT:
        raise NotAState(_("The file is larger than 64 MiB."))
    try:
        data = strict.loads(raw.decode("utf-8-sig"), is_wide=True)
    except (UnicodeDecodeError, strict.Refused) as error:
        raise NotAState(_("The file is not JSON in UTF-8.")) from error
    parts = ("get_permit_user_list", "check_single_agree", "check_room_agree")
    if not isinstance(data, dict) or not any(isinstance(data.get(part), dict) for part in parts):
        raise NotAState(_("The file has none of: %(names)s.") % {"names": ", ".join(parts)})
    return data


def import_state(
    *, source: Source, data: dict, taken_at: datetime, by: str, holds_from: date | None = None
) -> dict[str, int]:
    """Keep a copy of the answers as of ``taken_at`` and bring records and findings up to date with it.

    ``holds_from`` is for a list that is known to have been the same since an earlier day. Return how many seats and
    new words came. The same answers of the same moment again change nothing.
    """
    now = timezone.now()
    with transaction.atomic():
        source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
        sync_identities(by=by, now=now)
        seats = _keep_seats(source, data.get("get_permit_user_list"), taken_at, holds_from)
        words = _keep_words(source, list(_words(source, data)))
        if seats is not None or words:
            body = {
                "source": source.name,
                "taken_at": taken_at,
                "seats": seats.digest if seats else None,
                "holds_from": seats.holds_from.isoformat() if seats else None,
                "words": words,
            }
            ledger.append(verb="archive.state_imported", actor=by, subject="system:archive", body=body)
        if seats is not None:
            _mark_seats_due(seats)
    records.recompute_due(by=by, now=now)
    judging.judge_consent(since=None, by=by, now=now)
    return {"seats": seats.seats.count() if seats else 0, "words": words}


def _keep_seats(source: Source, answer: object, taken_at: datetime, holds_from: date | None) -> SeatCopy | None:
    """Return the new copy, or None if there is nothing new. An answer that is an error holds no list."""
    if not isinstance(answer, dict) or answer.get("errcode") != 0 or not isinstance(answer.get("ids"), list):
        return None
    handles = {rules.fold(one): one for one in answer["ids"] if isinstance(one, str) and one and len(one) <= 128}
    digest = hashlib.sha256("\n".join(sorted(handles)).encode()).hexdigest()
    first_day = min(holds_from or timezone.localdate(taken_at), timezone.localdate(taken_at))
    copy, made = SeatCopy.objects.get_or_create(
        source=source, taken_at=taken_at, defaults={"holds_from": first_day, "digest": digest}
    )
    if not made:
        if copy.digest != digest:
            raise NotAState(_("Another list of that very moment is here already. Give the moment of this one."))
        if copy.holds_from <= first_day:
            return None
        copy.holds_from = first_day
        copy.save(update_fields=["holds_from"])
        return copy
    Seat.objects.bulk_create(
        [Seat(copy=copy, handle=handle, handle_folded=folded) for folded, handle in sorted(handles.items())],
        batch_size=400,
    )
    return copy


def _mark_seats_due(copy: SeatCopy) -> None:
    """A list changes the records that are there for the days it speaks for; it makes none for days without a feed."""
    last = timezone.localdate(copy.taken_at)
    months = Record.objects.filter(month__gte=calendars.month_of(copy.holds_from), month__lte=calendars.month_of(last))
    mark_months_due(months.values_list("employee_id", "month"), Why.SEATS)
    records.mark_seated_due(copy.holds_from)


def _words(source: Source, data: dict) -> Iterator[ConsentWord]:
    for row in _rows(data.get("check_single_agree")):
        if handle := _text(row.get("userid")):
            yield from _word(source, row, ConsentWord.Origin.SINGLE, employee_folded=rules.fold(handle))
    rooms = data.get("check_room_agree")
    for room, answer in (rooms if isinstance(rooms, dict) else {}).items():
        if _text(room):
            for row in _rows(answer):
                yield from _word(source, row, ConsentWord.Origin.ROOM, room=room)


def _word(source: Source, row: dict, origin: str, **where: str) -> Iterator[ConsentWord]:
    """``status_change_time`` is in seconds. What is neither yes nor no stays unknown, unless policy says otherwise."""
    status, contact = row.get("agree_status"), _text(row.get("exteranalopenid"))
    word = WORDS.get(status)
    if status == "Default_Agree" and policy.current().default_agree_counts:
        word = ConsentWord.Word.AGREED
    said_at = moment(row.get("status_change_time")) or EPOCH
    if word and contact:
        yield ConsentWord(source=source, contact=contact, word=word, said_at=said_at, origin=origin, **where)


def _rows(answer: object) -> list[dict]:
    rows = answer.get("agreeinfo") if isinstance(answer, dict) and answer.get("errcode") == 0 else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 128 else ""


def _keep_words(source: Source, words: list[ConsentWord]) -> int:
    """Store what is new, mark the months that it may change, and return how many were new."""
    before = ConsentWord.objects.filter(source=source).count()
    ConsentWord.objects.bulk_create(words, ignore_conflicts=True, batch_size=400)
    new = ConsentWord.objects.filter(source=source).count() - before
    if new:
        folded = {one.employee_folded for one in words if one.employee_folded}
        since = calendars.month_of(min(timezone.localdate(one.said_at) for one in words))
        people = Q(employee__in=Identity.objects.filter(handle_folded__in=folded).values("employee"))
        if any(one.room for one in words):
            people |= Q(client_captured__gt=0)
        mark_months_due(
            Record.objects.filter(people, month__gte=since).values_list("employee_id", "month"), Why.CONSENT
        )
    return new
