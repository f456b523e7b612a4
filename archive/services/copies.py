"""Dated copies of answers, and what the newest of them say of rooms and robots."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from archive import rules
from archive.models import AnswerCopy, RobotName, Room, RoomMember, Source
from archive.sources import wecom_state
from archive.sources.wecom_state import Answer, RoomTold


class NotAState(ValueError):
    """The file does not hold answers of the interfaces, or contradicts a copy that is here."""


Key = tuple[datetime, str, str, int]


def keep(source: Source, answers: Sequence[Answer]) -> dict[Key, AnswerCopy]:
    """Keep those answers that are new, in the caller's transaction with the source locked, and return their copies.

    They have no Entry yet: ``sign`` gives it. A list of seats that is no error is a SeatCopy and not kept here. Raises
    NotAState where another answer of that very moment is here.
    """
    wanted = {_key(one): one for one in answers if one.asked != wecom_state.PERMIT or wecom_state.seats_in(one) is None}
    moments = {one.taken_at for one in wanted.values()}
    columns = ("taken_at", "asked", "about", "number", "digest")
    ordered = sorted(moments)
    for at in range(0, len(ordered), 500):
        rows = AnswerCopy.objects.filter(source=source, taken_at__in=ordered[at : at + 500])
        for *key, digest in rows.values_list(*columns):
            if (known := wanted.pop(tuple(key), None)) and known.digest != digest:
                raise NotAState(_("Another answer of that very moment is here already. Give the moment of this one."))
    made = AnswerCopy.objects.bulk_create(
        [
            AnswerCopy(
                source=source,
                asked=one.asked,
                about=one.about,
                number=one.number,
                taken_at=one.taken_at,
                rows=wecom_state.rows_in(one),
                error_code=one.error_code,
                error_text=one.error_text,
                answer=one.text,
                digest=one.digest,
                entry_seq=0,
            )
            for one in wanted.values()
        ],
        batch_size=80,
    )
    return dict(zip(wanted, made, strict=True))


def _key(answer: Answer) -> Key:
    return answer.taken_at, answer.asked, answer.about, answer.number


def digest_of(copies: Iterable[AnswerCopy]) -> str:
    """Return the SHA-256 over the sorted digests of copies, a line each: the Entry holds it, so none can be changed."""
    return hashlib.sha256("\n".join(sorted(one.digest for one in copies)).encode()).hexdigest()


def sign(copies: Iterable[AnswerCopy], entry_seq: int) -> None:
    pks = [one.pk for one in copies]
    for at in range(0, len(pks), 500):
        AnswerCopy.objects.filter(pk__in=pks[at : at + 500]).update(entry_seq=entry_seq)


def take_in(source: Source, answers: Iterable[Answer]) -> None:
    """Let rooms and robots be what the answers say of them, where no newer answer has told."""
    for one in answers:
        if told := wecom_state.room_in(one):
            _room(source, one, told)
        elif told := wecom_state.robot_in(one):
            robot, made = RobotName.objects.get_or_create(
                channel=source.channel,
                handle=one.about,
                defaults={"name": told.name, "maker": told.maker, "told_at": one.taken_at},
            )
            if not made and robot.told_at < one.taken_at:
                robot.name, robot.maker, robot.told_at = told.name, told.maker, one.taken_at
                robot.save(update_fields=["name", "maker", "told_at"])


def _room(source: Source, answer: Answer, told: RoomTold) -> None:
    """Members come and go from copy to copy. A copy that is older than the newest one changes nothing."""
    says = {
        "name": told.name,
        "owner": told.owner,
        "is_outside": answer.asked == wecom_state.OUTSIDE,
        "begun_at": told.begun_at,
        "told_at": answer.taken_at,
    }
    room, made = Room.objects.get_or_create(channel=source.channel, room=answer.about, defaults=says)
    if not made:
        if room.told_at >= answer.taken_at:
            return
        for name, value in says.items():
            setattr(room, name, value)
        room.save()
    there = {rules.fold(one.handle): one for one in told.members}
    known = set(room.members.filter(gone_at=None).values_list("handle_folded", flat=True))
    gone = sorted(known - there.keys())
    for at in range(0, len(gone), 500):
        room.members.filter(gone_at=None, handle_folded__in=gone[at : at + 500]).update(gone_at=answer.taken_at)
    RoomMember.objects.bulk_create(
        [
            RoomMember(
                room=room,
                handle=one.handle,
                handle_folded=folded,
                since=min(one.joined_at or answer.taken_at, answer.taken_at),
            )
            for folded, one in sorted(there.items())
            if folded not in known
        ],
        batch_size=400,
    )


def summary(copies: Iterable[AnswerCopy]) -> dict[str, dict[str, int]]:
    """Return by kind of answer how many copies, rows and errors there are, as an Entry says them."""
    told: dict[str, dict[str, int]] = {}
    for one in copies:
        of_kind = told.setdefault(one.asked, {"answers": 0, "rows": 0, "errors": 0})
        of_kind["answers"] += 1
        of_kind["rows"] += one.rows
        of_kind["errors"] += one.error_code != 0
    return told
