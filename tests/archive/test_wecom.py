"""One line of a WeCom feed, read."""

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from archive.sources import wecom
from archive.sources.base import Aside, Captured
from tests.archive.conftest import CLIENT, ROOM, line


def read(*lines: dict | bytes | str) -> list[Captured | Aside]:
    raw = b"\n".join(
        one if isinstance(one, bytes) else one.encode() if isinstance(one, str) else json.dumps(one).encode()
        for one in lines
    )
    return list(wecom.read(io.BytesIO(raw)))


def one(*args, **fields) -> Captured:
    [found] = read(line(1, *args, **fields))
    assert isinstance(found, Captured)
    return found


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"msgtype": "todo", "todo": {"title": "From a chat", "content": "b"}}, "b"),
        ({"msgtype": "todo", "title": "From a chat", "content": "b"}, "b"),
        ({"msgtype": "vote", "votetitle": "Lunch?", "voteitem": ["A", "B"], "votetype": 101}, "Lunch?\nA\nB"),
        ({"msgtype": "vote", "vote": {"votetitle": "Lunch?", "voteitem": ["B"]}}, "Lunch?\nB"),
        ({"msgtype": "collect", "collect": {"title": "Dates", "details": [{"id": 1, "ques": "Name"}]}}, "Dates\nName"),
        ({"msgtype": "redpacket", "redpacket": {"wish": "c"}}, "c"),
        ({"msgtype": "external_redpacket", "redpacket": {"wish": "c"}}, "c"),
        ({"msgtype": "meeting", "meeting": {"topic": "d", "remarks": "e", "meetingid": 2**64 - 1}}, "d\ne"),
        ({"msgtype": "docmsg", "doc": {"title": "f"}}, "f"),
        ({"msgtype": "markdown", "info": {"content": "g"}}, "g"),
        ({"msgtype": "calendar", "calendar": {"title": "h", "place": "i", "remarks": "j"}}, "h\ni\nj"),
        ({"msgtype": "file", "file": {"filename": "k.pdf"}}, "k.pdf"),
        ({"msgtype": "solitaire", "solitaire": {"title": "l"}}, "l"),
        ({"msgtype": "note", "info": {"items": [{"msg_type": "text", "content": '{"content":"m"}'}]}}, "m"),
        ({"msgtype": "link", "link": {"title": "theirs", "description": "theirs"}}, ""),
        ({"msgtype": "weapp", "weapp": {"title": "theirs"}}, ""),
        ({"msgtype": "news", "info": {"item": [{"title": "theirs"}]}}, ""),
        ({"msgtype": "news", "info": {"title": "theirs", "url": "https://example.com"}}, ""),
        ({"msgtype": "voiptext", "info": {"callduration": 1, "invitetype": 2}}, ""),
        ({"msgtype": "sphfeed", "sphfeed": {"feed_desc": "theirs"}}, ""),
        ({"msgtype": "meeting_notification", "info": {"meeting_id": 2**64 - 1, "content": "theirs"}}, ""),
        ({"msgtype": "image", "image": {"md5sum": ""}}, ""),
    ],
)
def test_the_senders_own_words_are_found_kind_by_kind(fields, text):
    found = one(**fields)
    assert (found.own_text, found.category, found.is_known_kind) == (text, "content", True)


def test_parts_of_a_mixed_message_are_joined():
    items = [
        {"type": "text", "content": '{"content":"add me on "}'},
        {"type": "image", "content": '{"sdkfileid":"x"}'},
        {"type": "text", "content": '{"content":"WhatsApp"}'},
        {"type": "text", "content": "{broken"},
    ]
    found = one(msgtype="mixed", mixed={"item": items})
    assert found.own_text.startswith("add me on WhatsApp")
    assert found.media_refs == 1


def test_forwarded_words_are_not_the_forwarders():
    inner = {"item": [{"type": "ChatRecordText", "content": '{"content":"deeper"}'}]}
    items = [
        {"type": "ChatRecordText", "msgtime": 1791768000, "content": '{"content":"theirs"}'},
        {"type": "ChatRecordImage", "content": '{"sdkfileid":"x"}'},
        {
            "type": "ChatRecordMixed",
            "content": json.dumps({"item": [{"type": "text", "content": '{"content":"mixed"}'}]}),
        },
        {"type": "chatrecord", "content": json.dumps(inner)},
    ]
    found = one(msgtype="chatrecord", chatrecord={"title": "Chat", "item": items})
    assert (found.own_text, found.forwarded_text, found.media_refs) == ("", "theirs\nmixed\ndeeper", 1)


@pytest.mark.parametrize(
    ("items", "is_from_room"),
    [
        ([{"type": "ChatRecordText", "content": "{}", "from_chatroom": False}], False),
        ([{"type": "ChatRecordText", "content": "{}", "from_chatroom": "true"}, 1], False),
        ([{"type": "ChatRecordText", "content": "{}"}, {"type": "ChatRecordText", "from_chatroom": True}], True),
        ([{"type": "chatrecord", "content": '{"item":[{"type":"ChatRecordText","from_chatroom":true}]}'}], True),
        ("no list", False),
    ],
)
def test_a_forwarded_conversation_says_whether_it_was_held_in_a_room(items, is_from_room):
    assert one(msgtype="chatrecord", chatrecord={"title": "Chat", "item": items}).forwards_room is is_from_room
    assert one(msgtype="mixed", mixed={"item": items}).forwards_room is False


@pytest.mark.parametrize(
    ("content", "own"),
    [
        ('这是一条引用/回复消息：\n"Zhou:\n加我微信"\n------\n好的', "好的"),
        ('This is a quote/reply:\n"Zhou:\nadd me on WhatsApp"\n------\nNo.', "No."),
        ('This is a quote/reply:\n"Zhou"\n------\nmine\n------\nand mine', "mine\n------\nand mine"),
        ("no mark\n------\nall mine", "no mark\n------\nall mine"),
    ],
)
def test_a_quotation_is_left_out(content, own):
    assert one(content).own_text == own


def test_a_recall_names_its_original():
    found = one(action="recall", msgtype="revoke", revoke={"pre_msgid": "7002_1"})
    assert (found.category, found.recalls, found.own_text) == ("recall", "7002_1", "")


@pytest.mark.parametrize(
    ("msgtype", "payload", "word"),
    [
        ("agree", {"agree": {"userid": CLIENT, "agree_time": 1791766990000}}, "agreed"),
        ("disagree", {"disagree": {"userid": CLIENT, "disagree_time": 1791766990000}}, "refused"),
        ("disagree", {"agree": {"userid": CLIENT, "agree_time": 1791766990000}}, "refused"),
        ("disagree", {"disagree": {"userid": CLIENT, "agree_time": 1791766990}}, "refused"),
    ],
)
def test_an_answer_about_consent_is_read_in_every_shape(msgtype, payload, word):
    found = one(msgtype=msgtype, **payload)
    assert found.category == "consent"
    assert (found.word.contact, found.word.word) == (CLIENT, word)
    assert found.word.said_at == datetime(2026, 10, 12, 1, 3, 10, tzinfo=UTC)


def test_a_switch_is_a_control_record():
    message = {"msgid": "1_2", "action": "switch", "time": 1791767000000, "user": "li.na"}
    [found] = read({"seq": 3, "msg": message})
    assert (found.category, found.sender, found.recipients) == ("control", "li.na", ())
    assert found.sent_at == datetime(2026, 10, 12, 1, 3, 20, tzinfo=UTC)


def test_an_unknown_kind_is_content():
    found = one(msgtype="ai_summary_card", ai_summary_card={"summary": "x"})
    assert (found.category, found.is_known_kind, found.own_text) == ("content", False, "")
    assert one(msgtype=None).msgtype == "none"
    assert json.loads(found.whole)["ai_summary_card"] == {"summary": "x"}
    assert one(msgtype="image", image={"md5sum": "x"}).whole == b""


def test_an_envelope_that_could_not_be_opened_is_a_record():
    [found] = read({"seq": 2, "msgid": "7102_1791766990000", "publickey_ver": 1, "error": 10007})
    assert (found.category, found.error, found.publickey_ver, found.msgid) == (
        "unreadable",
        10007,
        1,
        "7102_1791766990000",
    )


@pytest.mark.parametrize(("told", "room"), [(None, ""), ("", ""), (ROOM, ROOM)])
def test_no_room_is_told_in_three_ways(told, room):
    assert one(roomid=told).room == room


@pytest.mark.parametrize(
    ("told", "recipients"),
    [(None, ()), ("li.na", ("li.na",)), (["a", "b", "a"], ("a", "b")), ([318, "", None], ("318",))],
)
def test_recipients_are_told_in_several_ways(told, recipients):
    assert one(tolist=told).recipients == recipients


def test_a_time_in_seconds_is_taken_for_what_it_is():
    assert one(msgtime=1791766872).sent_at == datetime(2026, 10, 12, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("told", [0, -1, None, "soon", 1.5, True, 10**25, 253402300799999])
def test_without_a_usable_time_the_pull_stands_in_and_is_marked(told):
    [found] = read({"seq": 1, "pulled_at": 1791766912345, "msg": {"msgid": "1", "msgtime": told}})
    assert (found.sent_at, found.sent_at_is_known) == (found.captured_at, False)


def test_without_any_time_there_is_none():
    [found] = read({"seq": 1, "msg": {"msgid": "1", "msgtime": 0}})
    assert (found.sent_at, found.captured_at, found.sent_at_is_known) == (None, None, False)


def test_a_message_sent_days_after_it_was_pulled_is_not_believed():
    pulled = 1791766912345
    [found] = read({"seq": 1, "pulled_at": pulled, "msg": {"msgid": "1", "msgtime": pulled + 25 * 3600 * 1000}})
    assert (found.sent_at, found.sent_at_is_known) == (found.captured_at, False)
    [found] = read({"seq": 1, "pulled_at": pulled, "msg": {"msgid": "1", "msgtime": pulled + 3600 * 1000}})
    assert found.sent_at - found.captured_at == timedelta(hours=1)


def test_the_fingerprint_is_of_the_content_however_it_is_written():
    plain = b'{"seq":1,"msg":{"msgid":"1","a":[1,{"b":12034500987600112233}],"c":"\xe5\xbc\xa0"}}'
    other = b'{"msg": {"c": "\\u5f20", "a": [1, {"b": 12034500987600112233}], "msgid": "1"}, "seq": 2}'
    third = b'{"seq":1,"msg":{"msgid":"1","a":[1,{"b":12034500987600112234}],"c":"\xe5\xbc\xa0"}}'
    first, second, different = read(plain, other, third)
    assert first.fingerprint == second.fingerprint != different.fingerprint


def test_places_are_told_so_that_a_reader_can_go_on_anywhere():
    raw = b'\xef\xbb\xbf{"seq":1,"msg":{"msgid":"1"}}\r\n\n{"seq":2}\n{"seq":3,"msg":{"msgid":"3"}}'
    whole = list(wecom.read(io.BytesIO(raw)))
    assert [one.place.line for one in whole] == [1, 3, 4]
    assert whole[-1].place.end == len(raw)
    stream = io.BytesIO(raw)
    stream.seek(whole[0].place.end)
    assert list(wecom.read(stream, line=1, offset=whole[0].place.end)) == whole[1:]
