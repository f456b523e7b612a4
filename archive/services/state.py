"""Dated copies of what the archive's interfaces answer: who has a seat, who agreed or refused, who is in a room."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from archive import calendars, rules
from archive.models import ConsentWord, Identity, Record, Seat, SeatCopy, Source
from archive.services import copies, judging, marking, records
from archive.services.copies import NotAState
from archive.services.due import Why, mark_months_due
from archive.services.staff_list import sync_identities
from archive.sources import strict, wecom_state
from archive.sources.wecom import moment
from archive.sources.wecom_state import PARTS, Answer
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger

STATE_LIMIT = 64 * 2**20  # bytes of an answers file
SMALL_LIMIT = 8 * 2**20  # ... that is read while somebody waits for the page, or a machine for its answer
AHEAD = timedelta(minutes=10)  # that another machine's clock may be before ours
TASK = "archive.tasks.judge_state"
ORIGIN = {wecom_state.SINGLE: "single", wecom_state.ROOM: "room", wecom_state.EVENT: "event"}

__all__ = ["SMALL_LIMIT", "Kept", "NotAState", "import_state", "judge_state", "read_state", "take_state", "told_at"]


@dataclass(frozen=True)
class Kept:
    """What was new in a file: seats on a list, words on consent, copies of answers and, of these, errors."""

    seats: int = 0
    words: int = 0
    copies: int = 0
    errors: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @property
    def is_nothing(self) -> bool:
        return self == Kept()


def read_state(raw: bytes, *, limit: int = STATE_LIMIT) -> dict:
    """Return the answers in the file's bytes. Raises NotAState."""
    if len(raw) > limit:
        raise NotAState(_("The file is larger than %(most)s MiB.") % {"most": limit // 2**20})
    try:
        data = strict.loads(raw.decode("utf-8-sig"), is_wide=True)
    except (UnicodeDecodeError, strict.Refused) as error:
        raise NotAState(_("The file is not JSON in UTF-8.")) from error
    if not isinstance(data, dict) or not any(data.get(part) for part in PARTS):
        raise NotAState(_("The file has none of: %(names)s.") % {"names": ", ".join(PARTS)})
    return data


def told_at(data: dict) -> datetime | None:
    """Return when the file says that the answers were given, None if it does not say. Raises NotAState."""
    told = data.get("taken_at")
    if told is None:
        return None
    try:
        at = parse_datetime(told) if isinstance(told, str) else moment(told)
    except ValueError:
        at = None
    if at is None:
        raise NotAState(_("taken_at is no moment like 2026-10-16T18:00:00+08:00, nor milliseconds since 1970."))
    return at if at.tzinfo else timezone.make_aware(at)


def import_state(
    *, source: Source, data: dict, taken_at: datetime, by: str, holds_from: date | None = None
) -> dict[str, int]:
    """Keep a copy of the answers as of ``taken_at`` and bring records and findings up to date with it.

    ``holds_from`` is for a list that is known to have been the same since an earlier day. Return what was new, as Kept
    names it. The same answers of the same moment again change nothing. Raises NotAState.
    """
    now = timezone.now()
    kept = _keep(source, data, taken_at, holds_from, by, now)
    records.recompute_due(by=by, now=now)
    judging.judge_consent(since=None, by=by, now=now)
    return kept.as_dict()


@transaction.atomic
def take_state(*, source: Source, data: dict, taken_at: datetime, by: str, holds_from: date | None = None) -> Kept:
    """Keep a copy of the answers; a job brings records and findings up to date. Raises NotAState.

    For whoever waits for the answer: see import_state.
    """
    now = timezone.now()
    kept = _keep(source, data, taken_at, holds_from, by, now)
    if not kept.is_nothing:
        jobs.start(kind=TASK, key=f"{source.pk}:{ledger.head_seq()}", params={"source": source.pk})
    return kept


def judge_state(job: Job) -> bool:
    """Do one step of the job: compute some records; when none is due, judge consent, and be done."""
    now = timezone.now()
    if records.recompute_some(by=_BY, now=now):
        return False
    judging.judge_consent(since=None, by=_BY, now=now)
    return True


_BY = "system:archive"


@transaction.atomic
def _keep(source: Source, data: dict, taken_at: datetime, holds_from: date | None, by: str, now: datetime) -> Kept:
    if taken_at > now + AHEAD:
        raise NotAState(_("These answers are said to be given in the future."))
    answers = _answers(data, taken_at)
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    sync_identities(by=by, now=now)
    seats = _keep_seats(source, answers, taken_at, holds_from)
    kept = copies.keep(source, answers)
    words = _keep_words(source, answers, {key: one.pk for key, one in kept.items()})
    copies.take_in(source, answers)
    if seats is not None:
        _mark_seats_due(seats)
    if kept:
        _mark_rooms_due(answers)
    if seats is not None or words or kept:
        body = {
            "source": source.name,
            "taken_at": taken_at,
            "seats": seats.digest if seats else None,
            "holds_from": seats.holds_from.isoformat() if seats else None,
            "words": words,
            "copies": copies.summary(kept.values()),
            "digest": copies.digest_of(kept.values()) if kept else None,
        }
        entry = ledger.append(verb="archive.state_imported", actor=by, subject="system:archive", body=body)
        copies.sign(kept.values(), entry.seq)
    return Kept(
        seats=seats.seats.count() if seats else 0,
        words=words,
        copies=len(kept),
        errors=sum(one.error_code != 0 for one in kept.values()),
    )


def _answers(data: dict, taken_at: datetime) -> list[Answer]:
    try:
        return list(wecom_state.answers_in(data, taken_at))
    except wecom_state.BadPart as error:
        raise NotAState(_("What stands under %(name)s is not its answers.") % {"name": error.part}) from error
    except (ValueError, RecursionError) as error:
        raise NotAState(_("The file is not JSON in UTF-8.")) from error


def _keep_seats(
    source: Source, answers: Iterable[Answer], taken_at: datetime, holds_from: date | None
) -> SeatCopy | None:
    """Return the new copy, or None if there is nothing new. An answer that is an error holds no list."""
    told = next((found for one in answers if (found := wecom_state.seats_in(one)) is not None), None)
    if told is None:
        return None
    handles = {rules.fold(one): one for one in told}
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
    marking.mark_seated_due(copy.holds_from)


def _words(source: Source, answers: Iterable[Answer], kept: Mapping[copies.Key, int]) -> Iterator[ConsentWord]:
    for answer in answers:
        copy = kept.get((answer.taken_at, answer.asked, answer.about, answer.number))
        for one in wecom_state.words_in(answer):
            yield ConsentWord(
                source=source,
                employee_folded=rules.fold(one.employee),
                contact=one.contact,
                room=one.room,
                word=one.word,
                said_at=one.said_at,
                origin=ORIGIN[answer.asked],
                copy_id=copy,
            )


def _keep_words(source: Source, answers: Iterable[Answer], kept: Mapping[copies.Key, int]) -> int:
    """Store what is new, mark the months that it may change, and return how many were new."""
    words = list(_words(source, answers, kept))
    before = ConsentWord.objects.filter(source=source).count()
    ConsentWord.objects.bulk_create(words, ignore_conflicts=True, batch_size=400)
    new = ConsentWord.objects.filter(source=source).count() - before
    if new:
        folded = {one.employee_folded for one in words if one.employee_folded}
        since = calendars.month_of(min(timezone.localdate(one.said_at) for one in words))
        people = _owners(folded)
        if any(one.room for one in words):
            people |= Q(client_captured__gt=0)
        _mark(people, since, Why.CONSENT)
    return new


def _mark_rooms_due(answers: Iterable[Answer]) -> None:
    """Who is in a room hears what a contact says there, though no message names them: their months may change."""
    told = [(answer.taken_at, room) for answer in answers if (room := wecom_state.room_in(answer))]
    folded = {rules.fold(one.handle) for _at, room in told for one in room.members}
    joined = [min(one.joined_at or at, at) for at, room in told for one in room.members]
    if joined:
        since = timezone.localdate(min(joined))
        _mark(_owners(folded), calendars.month_of(since), Why.CONSENT)


def _owners(folded: Collection[str]) -> Q:
    return Q(employee__in=Identity.objects.filter(handle_folded__among=folded).values("employee"))


def _mark(people: Q, since: date, why: Why) -> None:
    rows = Record.objects.filter(people, month__gte=since, frozen_by=None)
    mark_months_due(rows.values_list("employee_id", "month"), why)
