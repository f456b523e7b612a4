"""What the interfaces beside the WeCom feed answer (permit list, consent, rooms, robots) and one event: plain values.

The file is one JSON object, whose keys are the interfaces:

    {"taken_at": "2026-10-16T18:00:00+08:00",
     "get_permit_user_list": {answer},
     "check_single_agree": {answer}, or [{answer}, …] of several calls,
     "check_room_agree": {"wr…": {answer}},
     "groupchat_get": {"wr…": {answer}}, "externalcontact_groupchat_get": {"wr…": {answer}},
     "get_robot_info": {"wb…": {answer}},
     "msg_audit_approved": [{"UserID": …, "ExternalUserID": …, "CreateTime": …} or "<xml>…</xml>", …]}

All but one of them may be missing. An answer with an ``errcode`` other than 0 is kept and says nothing.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from archive.sources.wecom import EPOCH, HANDLE_LIMIT, moment

PERMIT, SINGLE, ROOM, GROUP, OUTSIDE, ROBOT, EVENT = "permit", "single", "room", "group", "outside", "robot", "event"
BY_NAME = {
    "check_room_agree": ROOM,
    "groupchat_get": GROUP,
    "externalcontact_groupchat_get": OUTSIDE,
    "get_robot_info": ROBOT,
}
PARTS = ("get_permit_user_list", "check_single_agree", *BY_NAME, "msg_audit_approved")
STATUS = {"Agree": "agreed", "Disagree": "refused", "Default_Agree": "default"}
EVENT_LIMIT = 64 * 1024  # characters of an event's XML
TEXT_LIMIT = 200  # characters of a name or of an error's text
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadPart(ValueError):
    """What stands under an interface's name cannot be its answers."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


@dataclass(frozen=True)
class Answer:
    """One answer as it was delivered. ``about`` is what was asked by name; ``number`` counts where nothing was."""

    asked: str
    about: str
    number: int
    taken_at: datetime
    data: dict

    @property
    def text(self) -> str:
        """The answer as canonical JSON: keys sorted, no spaces, ASCII alone, so every database holds any character."""
        return json.dumps(self.data, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode("ascii")).hexdigest()

    @property
    def error_code(self) -> int:
        """Return the errcode; -1, which is WeCom's own for a system that was busy, where it is no small number."""
        code = self.data.get("errcode", 0 if self.asked == EVENT else -1)
        is_whole = isinstance(code, int) and not isinstance(code, bool)
        return code if is_whole and -(2**31) <= code < 2**31 else -1

    @property
    def error_text(self) -> str:
        return _clean(self.data.get("errmsg"), TEXT_LIMIT) if self.error_code else ""


@dataclass(frozen=True)
class Spoken:
    """A contact's word: to an employee, in a room, or as WeCom's default. Handles as they came."""

    contact: str
    employee: str
    room: str
    word: str
    said_at: datetime


@dataclass(frozen=True)
class Member:
    handle: str
    joined_at: datetime | None


@dataclass(frozen=True)
class RoomTold:
    name: str
    owner: str
    begun_at: datetime | None
    members: tuple[Member, ...]


@dataclass(frozen=True)
class RobotTold:
    name: str
    maker: str


def answers_in(data: dict, taken_at: datetime) -> Iterator[Answer]:
    """Yield every answer of the file. Raises BadPart."""
    for part in ("get_permit_user_list", "check_single_agree"):
        asked = PERMIT if part == "get_permit_user_list" else SINGLE
        for number, answer in enumerate(_several(part, data.get(part)), start=1):
            yield Answer(asked, "", number, taken_at, answer)
    for part, asked in BY_NAME.items():
        by_name = data.get(part, {})
        if not isinstance(by_name, dict):
            raise BadPart(part)
        for name, answer in by_name.items():
            if not isinstance(answer, dict) or not _clean(name, HANDLE_LIMIT + 1) or len(name) > HANDLE_LIMIT:
                raise BadPart(part)
            yield Answer(asked, _clean(name, HANDLE_LIMIT), 1, taken_at, answer)
    yield from _events("msg_audit_approved", data.get("msg_audit_approved", []))


def _several(part: str, value: object) -> list[dict]:
    if value is None:
        return []
    found = [value] if isinstance(value, dict) else value
    is_one_list = part == "get_permit_user_list" and not isinstance(value, dict)
    if is_one_list or not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadPart(part)
    return found


def _events(part: str, value: object) -> Iterator[Answer]:
    """An event is dated by itself, so the same one in tomorrow's file is known."""
    if not isinstance(value, list):
        raise BadPart(part)
    for one in value:
        event = of_xml(one) if isinstance(one, str) else one
        at = moment(_number(event.get("CreateTime"))) if isinstance(event, dict) else None
        employee, contact = (_id(event, name) for name in ("UserID", "ExternalUserID")) if at else ("", "")
        if at is None or not employee or not contact:
            raise BadPart(part)
        yield Answer(EVENT, f"{employee} {contact}", 1, at, event)


def of_xml(text: str) -> dict | None:
    """Return the fields of an event's XML, None if it is none. No entities, no document type, nothing from outside."""
    if len(text) > EVENT_LIMIT:
        return None
    try:
        root = fromstring(text.encode("utf-8"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        return None
    return {child.tag: (child.text or "").strip() for child in root if not len(child)}


def seats_in(answer: Answer) -> list[str] | None:
    """Return the handles on a permit list, None if the answer holds no list."""
    ids = answer.data.get("ids")
    if answer.asked != PERMIT or answer.error_code or not isinstance(ids, list):
        return None
    return [one for one in ids if isinstance(one, str) and 0 < len(one) <= HANDLE_LIMIT and one == _clean(one, 128)]


def words_in(answer: Answer) -> Iterator[Spoken]:
    """Yield the words on consent in an answer. Times are in seconds. A status that nobody documents is no word."""
    if answer.error_code:
        return
    if answer.asked == EVENT:
        is_agreement = answer.data.get("ChangeType", "msg_audit_approved") == "msg_audit_approved"
        if is_agreement:
            employee, contact = (_id(answer.data, name) for name in ("UserID", "ExternalUserID"))
            yield Spoken(contact, employee, "", "agreed", answer.taken_at)
    elif answer.asked in (SINGLE, ROOM):
        for row in _rows(answer.data.get("agreeinfo")):
            employee = _id(row, "userid") if answer.asked == SINGLE else ""
            contact, status = _id(row, "exteranalopenid"), row.get("agree_status")
            word = STATUS.get(status) if isinstance(status, str) else None
            if word and contact and (employee or answer.asked == ROOM):
                said_at = moment(row.get("status_change_time")) or EPOCH
                yield Spoken(contact, employee, answer.about if answer.asked == ROOM else "", word, said_at)


def room_in(answer: Answer) -> RoomTold | None:
    """Return what an answer says of a room: the firm's own form, or that of rooms with outsiders."""
    if answer.asked not in (GROUP, OUTSIDE) or answer.error_code:
        return None
    told = answer.data.get("group_chat") if answer.asked == OUTSIDE else answer.data
    told = told if isinstance(told, dict) else answer.data
    members = [
        Member(handle, moment(row.get("jointime") or row.get("join_time")))
        for row in _rows(told.get("members") or told.get("member_list"))
        if (handle := _id(row, "memberid") or _id(row, "userid"))
    ]
    begun_at = moment(told.get("room_create_time") or told.get("create_time"))
    name = _clean(told.get("roomname") or told.get("name"), TEXT_LIMIT)
    return RoomTold(name, _id(told, "creator") or _id(told, "owner"), begun_at, tuple(members))


def robot_in(answer: Answer) -> RobotTold | None:
    """Return what an answer says of a robot. The fields stand under ``data``."""
    told = answer.data.get("data")
    if answer.asked != ROBOT or answer.error_code or not isinstance(told, dict):
        return None
    return RobotTold(_clean(told.get("name"), TEXT_LIMIT), _id(told, "creator_userid"))


def rows_in(answer: Answer) -> int:
    """Return how many rows an answer has: seats, words on consent, members; 1 for a robot or an event."""
    if answer.error_code:
        return 0
    if answer.asked in (ROBOT, EVENT):
        return 1
    if told := room_in(answer):
        return len(told.members)
    return len(_rows(answer.data.get("agreeinfo"))) if answer.asked != PERMIT else len(seats_in(answer) or ())


def _rows(value: object) -> list[dict]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _id(row: dict, name: str) -> str:
    """Return an id; empty for what is none, or longer than any."""
    value = row.get(name)
    return _clean(value, HANDLE_LIMIT) if isinstance(value, str) and len(value) <= HANDLE_LIMIT else ""


def _number(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20 else value


def _clean(value: object, limit: int) -> str:
    """Return a text that every database holds: no NUL, no lone surrogates."""
    if not isinstance(value, str):
        return ""
    return _UNSTORABLE.sub("�", value[:limit])
