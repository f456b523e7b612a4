"""Answers of the interfaces beside the feed are kept as dated copies, and what follows from them."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive import services
from archive.models import AnswerCopy, ConsentWord, Finding, Record, RobotName, Room, RoomMember, SeatCopy
from archive.services import consents, copies, copy_pages
from archive.sources import wecom_state
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, OTHER_CLIENT, ROBOT, ROOM, at, line
from tests.archive.test_state import NOON, answers, keep, li_na, word  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)
LATER = NOON + timedelta(days=2)
EVENT = {
    "Event": "change_external_contact",
    "ChangeType": "msg_audit_approved",
    "UserID": "Li.Na",
    "ExternalUserID": CLIENT,
    "CreateTime": 1791766918,
}
XML = (
    "<xml><ToUserName><![CDATA[corp]]></ToUserName><Event><![CDATA[change_external_contact]]></Event>"
    "<ChangeType><![CDATA[msg_audit_approved]]></ChangeType><UserID><![CDATA[Li.Na]]></UserID>"
    f"<ExternalUserID><![CDATA[{CLIENT}]]></ExternalUserID><CreateTime>1791766918</CreateTime></xml>"
)


def room(*members: str, outside: bool = False, **more) -> dict:
    joined = [{"memberid": one, "jointime": 1790000000} for one in members]
    if outside:
        joined = [{"userid": one, "type": 1, "join_time": 1790000000} for one in members]
        return {"errcode": 0, "group_chat": {"name": "Deal", "owner": "li.na", "member_list": joined, **more}}
    return {"errcode": 0, "roomname": "Desk", "creator": "li.na", "members": joined, **more}


def test_an_answer_is_kept_as_it_was_delivered_with_its_entry():
    answer = {"errcode": 0, "errmsg": "ok", "agreeinfo": [word()], "strange": [12034500987600112233, "\ud800\x00李"]}
    keep({"check_single_agree": answer})
    copy = AnswerCopy.objects.get()
    assert json.loads(copy.answer) == answer
    assert copy.digest == hashlib.sha256(copy.answer.encode()).hexdigest()
    assert (copy.asked, copy.about, copy.number, copy.taken_at, copy.rows, copy.error_code) == (
        *("single", "", 1, NOON, 1, 0),
    )
    entry = Entry.objects.get(seq=copy.entry_seq)
    body = ledger.body_of(entry)
    assert (entry.verb, body["copies"]) == (
        "archive.state_imported",
        {"single": {"answers": 1, "errors": 0, "rows": 1}},
    )
    assert body["digest"] == copies.digest_of([copy]) == hashlib.sha256(copy.digest.encode()).hexdigest()
    assert ConsentWord.objects.get().copy == copy


def test_the_same_copy_twice_is_nothing_and_another_of_that_moment_is_refused():
    data = {"check_room_agree": {ROOM: {"errcode": 0, "agreeinfo": [word()]}}, "msg_audit_approved": [EVENT]}
    assert keep(data)["copies"] == 2
    entries = Entry.objects.count()
    assert keep(data) == {"seats": 0, "words": 0, "copies": 0, "errors": 0}
    with pytest.raises(services.NotAState, match="Another answer of that very moment"):
        keep({"check_room_agree": {ROOM: {"errcode": 0, "agreeinfo": []}}})
    assert (AnswerCopy.objects.count(), Entry.objects.count()) == (2, entries)


def test_the_same_answer_on_another_day_is_another_copy_and_no_new_word():
    data = {"check_single_agree": {"errcode": 0, "agreeinfo": [word()]}}
    first = keep(data)
    assert (first["words"], keep(data, LATER)["words"]) == (1, 0)
    assert list(AnswerCopy.objects.order_by("taken_at").values_list("taken_at", flat=True)) == [NOON, LATER]
    assert ConsentWord.objects.get().copy.taken_at == NOON


def test_each_answer_has_its_own_error_and_says_nothing():
    data = {
        "check_single_agree": [{"errcode": 0, "agreeinfo": [word()]}, {"errcode": 45009, "errmsg": "too often"}],
        "check_room_agree": {ROOM: {"errcode": 301, "agreeinfo": [word("Disagree")]}},
    }
    assert keep(data) == {"seats": 0, "words": 1, "copies": 3, "errors": 2}
    told = AnswerCopy.objects.exclude(error_code=0).order_by("asked").values_list("asked", "number", "error_code")
    assert list(told) == [("room", 1, 301), ("single", 2, 45009)]
    assert AnswerCopy.objects.get(number=2).error_text == "too often"


@pytest.mark.parametrize("event", [EVENT, XML], ids=["json", "xml"])
def test_the_notice_that_a_contact_agreed_is_a_word_and_known_in_tomorrows_file(event):
    assert keep({"msg_audit_approved": [event]})["words"] == 1
    said = ConsentWord.objects.get()
    assert (said.employee_folded, said.contact, said.room, said.word, said.origin) == (
        *("li.na", CLIENT, "", "agreed", "event"),
    )
    assert said.said_at == datetime.fromtimestamp(1791766918, UTC) == said.copy.taken_at
    assert keep({"msg_audit_approved": [event]}, LATER) == {"seats": 0, "words": 0, "copies": 0, "errors": 0}


@pytest.mark.parametrize(
    "xml",
    [
        "<xml>",
        '<!DOCTYPE x [<!ENTITY a "b">]><xml><UserID>&a;</UserID></xml>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><xml/>',
        "<xml>" + "<a>" * 3000 + "</a>" * 3000 + "</xml>",
        "x" * 70_000,
        "\ud800",
    ],
)
def test_an_event_that_is_none_refuses_the_whole_file(xml):
    with pytest.raises(services.NotAState, match="msg_audit_approved"):
        keep({"msg_audit_approved": [xml], "check_single_agree": {"errcode": 0, "agreeinfo": [word()]}})
    assert not AnswerCopy.objects.exists()


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("get_permit_user_list", [{"errcode": 0, "ids": []}]),
        ("check_single_agree", "yes"),
        ("check_single_agree", [1]),
        ("check_room_agree", [1]),
        ("check_room_agree", {"x" * 129: {}}),
        ("check_room_agree", {"wr": 1}),
        ("get_robot_info", "x"),
        ("msg_audit_approved", {"UserID": "x"}),
        ("msg_audit_approved", [{"UserID": "x", "ExternalUserID": "y"}]),
    ],
)
def test_what_cannot_be_answers_is_refused_by_name(part, value):
    with pytest.raises(services.NotAState, match=part):
        keep({part: value})


_TEXT = st.text("a1\x00\ud800中", max_size=4)
_FIELDS = [
    *("errcode", "errmsg", "ids", "agreeinfo", "userid", "exteranalopenid", "agree_status", "status_change_time"),
    *("members", "memberid", "jointime", "group_chat", "data", "name", "UserID", "ExternalUserID", "CreateTime"),
]
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT | st.sampled_from(["Agree", "Disagree"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT | st.sampled_from(_FIELDS), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(wecom_state.PARTS, _ANYTHING)))
def test_whatever_stands_there_is_read_or_refused(data):
    try:
        found = list(wecom_state.answers_in(data, NOON))
    except wecom_state.BadPart:
        return
    for one in found:
        wecom_state.rows_in(one), list(wecom_state.words_in(one)), wecom_state.room_in(one), wecom_state.robot_in(one)
        one.text.encode("ascii")
        assert -(2**31) <= one.error_code < 2**31
        "".join([one.error_text, one.about]).encode()


def test_wecoms_default_counts_only_where_the_policy_says_so(monkeypatch):
    keep({"check_single_agree": {"errcode": 0, "agreeinfo": [word("Default_Agree")]}})
    assert consents.said_by([CLIENT]) == []
    terms = consents.policy.current()
    monkeypatch.setattr(consents.policy, "current", lambda: replace(terms, default_agree_counts=True))
    assert [one.word for one in consents.said_by([CLIENT])] == ["agreed"]


def as_at(day: int, **more) -> list[tuple]:
    page = consents.as_at(services.get_source("wecom"), date(2026, 10, day), **more)
    return [(one.contact, one.employee, one.room, one.word) for one in page.object_list]


def test_the_word_as_at_a_day_is_the_newest_that_was_said_by_its_end():
    def on(day: int, hour: int = 10) -> int:
        return at(day, hour) // 1000

    rows = [word("Agree", when=on(3)), word("Disagree", when=on(5, 23)), word("Agree", OTHER_CLIENT, when=on(6))]
    keep({"check_single_agree": {"errcode": 0, "agreeinfo": rows}})
    keep({"check_room_agree": {ROOM: {"errcode": 0, "agreeinfo": [word("Agree", when=on(7))]}}})
    assert as_at(2) == []
    assert as_at(4) == [(CLIENT, "li.na", "", "agreed")]
    assert as_at(5) == [(CLIENT, "li.na", "", "refused")]
    both = [(CLIENT, "", ROOM, "agreed"), (CLIENT, "li.na", "", "refused"), (OTHER_CLIENT, "li.na", "", "agreed")]
    assert sorted(as_at(8)) == sorted(both)
    assert as_at(8, whom=OTHER_CLIENT) == [(OTHER_CLIENT, "li.na", "", "agreed")]
    assert len(as_at(8, whom="Li.Na")) == 2


def test_messages_and_copies_are_one_story(run_import, write_feed):
    told = {"userid": CLIENT, "disagree_time": at(13)}
    run_import(write_feed([line(1, sender=CLIENT, to=("li.na",), sent=at(13), msgtype="disagree", disagree=told)]))
    keep({"check_single_agree": {"errcode": 0, "agreeinfo": [word("Agree", when=at(12) // 1000)]}})
    assert as_at(12) == [(CLIENT, "li.na", "", "agreed")]
    assert as_at(13) == [(CLIENT, "li.na", "", "refused")]


def test_the_list_of_a_day_is_the_one_that_the_records_use():
    keep(answers("old"), datetime(2026, 10, 10, 4, tzinfo=UTC))
    keep(answers("new"), datetime(2026, 10, 16, 4, tzinfo=UTC), holds_from=date(2026, 10, 12))
    source = services.get_source("wecom")
    spoke = {day: copy_pages.list_on(source, date(2026, 10, day)) for day in (9, 10, 13, 14, 19, 20)}
    held = {day: one and one.seats.get().handle for day, one in spoke.items()}
    assert held == {9: None, 10: "old", 13: "old", 14: "new", 19: "new", 20: None}
    assert copy_pages.newest_list(source) == SeatCopy.objects.latest("taken_at").taken_at


def test_a_robot_has_the_name_that_the_newest_answer_gives_it():
    def told(name: str) -> dict:
        return {
            "get_robot_info": {ROBOT: {"errcode": 0, "data": {"robot_id": ROBOT, "name": name, "creator_userid": "x"}}}
        }

    keep(told("Reminder"), LATER)
    keep(told("Older"))
    robot = RobotName.objects.get()
    assert (robot.handle, robot.name, robot.maker, robot.told_at) == (ROBOT, "Reminder", "x", LATER)
    assert AnswerCopy.objects.filter(asked="robot").count() == 2


def test_members_come_and_go_and_an_older_copy_changes_nothing():
    keep({"groupchat_get": {ROOM: room("Li.Na", "amy")}})
    keep({"groupchat_get": {ROOM: room("li.na", "bob")}}, LATER)
    keep({"groupchat_get": {ROOM: room("carl")}}, NOON + timedelta(days=1))
    found = Room.objects.get()
    assert (found.name, found.owner, found.is_outside, found.told_at) == ("Desk", "li.na", False, LATER)
    assert list(RoomMember.objects.order_by("handle_folded").values_list("handle", "gone_at")) == [
        ("amy", LATER),
        ("bob", None),
        ("Li.Na", None),
    ]


def test_a_word_said_in_a_room_counts_for_who_is_in_it_and_never_spoke(run_import, write_feed):
    run_import(write_feed([line(1, to=(CLIENT,))]))
    keep({"check_room_agree": {ROOM: {"errcode": 0, "agreeinfo": [word()]}}})
    assert Record.objects.get(month=OCTOBER).metrics["unknown"] == 1
    keep({"externalcontact_groupchat_get": {ROOM: room("li.na", outside=True)}})
    assert Record.objects.get(month=OCTOBER).metrics["agreed"] == 1


def test_membership_of_another_room_or_of_the_past_counts_for_nothing():
    mine = {1: {"li.na"}}
    keep({"groupchat_get": {ROOM: room("li.na", "amy"), "wrOther": room("amy")}})
    keep({"groupchat_get": {ROOM: room("amy")}}, LATER)
    assert consents.rooms_of(mine) == {1: {ROOM}}
    assert consents.rooms_of(mine, ends=datetime(2026, 1, 1, tzinfo=UTC)) == {1: set()}
    assert consents.rooms_of(mine, begins=LATER) == {1: set()}


def test_a_room_agreement_by_membership_closes_the_finding(run_import, write_feed):
    run_import(write_feed([line(1, to=(CLIENT,))]))
    assert Finding.objects.open().get(kind="consent_missing").employee.wecom_userid == "li.na"
    now = int(timezone.now().timestamp()) - 60
    keep(
        {
            "check_room_agree": {ROOM: {"errcode": 0, "agreeinfo": [word(when=now)]}},
            "groupchat_get": {ROOM: room("li.na")},
        }
    )
    assert Finding.objects.get(kind="consent_missing").closed_why == "the contact agreed"


@pytest.mark.parametrize(
    ("told", "at_"),
    [
        ("2026-10-16T18:00:00+08:00", datetime(2026, 10, 16, 10, tzinfo=UTC)),
        ("2026-10-16T18:00:00", datetime(2026, 10, 16, 10, tzinfo=UTC)),
        (1791766918000, datetime.fromtimestamp(1791766918, UTC)),
        (None, None),
    ],
)
def test_the_file_may_say_when_the_answers_were_given(told, at_):
    assert services.told_at({"taken_at": told} if told else {}) == at_


@pytest.mark.parametrize("told", ["yesterday", "2026-13-01T00:00:00", True, -1, [], {}])
def test_a_moment_that_is_none_is_refused(told):
    with pytest.raises(services.NotAState, match="taken_at"):
        services.told_at({"taken_at": told})


def test_answers_of_the_future_are_refused():
    with pytest.raises(services.NotAState, match="future"):
        keep(answers("li.na"), timezone.now() + timedelta(hours=1))
