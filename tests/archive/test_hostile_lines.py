"""Lines that want to break something: each is set aside with its reason, and the next line is read."""

import io
import json

import pytest

from archive.models import Finding, Message, MessageText, SetAside
from archive.sources import lines, wecom
from archive.sources.base import KEPT_OF_ASIDE, LINE_LIMIT, Aside
from tests.archive.conftest import line, words_of

GOOD = json.dumps(line(9)).encode()


def message(**fields) -> bytes:
    return json.dumps({"seq": 1, "msg": {"msgid": "1", **fields}}).encode()


def deep(levels: int) -> bytes:
    return b'{"seq":1,"msg":{"msgid":"1","x":' + b"[" * levels + b"]" * levels + b"}}"


HOSTILE = [
    pytest.param(b'{"seq":1,"msg":{"msgid":"1","x":"' + b"y" * LINE_LIMIT + b'"}}', "too_long", id="2^20 bytes"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"\xff\xfe"}}', "not_utf8", id="invalid UTF-8"),
    pytest.param(b"\x00\x01\x02", "not_json", id="bytes"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"a\x00b"}}', "not_json", id="raw NUL"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"1"', "not_json", id="cut off"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"1"}} {}', "not_json", id="two values"),
    pytest.param(b"[1,2]", "not_an_object", id="array"),
    pytest.param(b'"text"', "not_an_object", id="text"),
    pytest.param(deep(60), "too_deep", id="60 levels"),
    pytest.param(deep(100_000), "too_deep", id="100,000 levels"),
    pytest.param(b'{"seq":1,"seq":2,"msg":{"msgid":"1"}}', "duplicate_key", id="double key"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"1","from":"a","from":"b"}}', "duplicate_key", id="double key inside"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"1","msgtime":NaN}}', "bad_number", id="NaN"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"1","msgtime":-Infinity}}', "bad_number", id="Infinity"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"1","x":1e999}}', "bad_number", id="1e999"),
    pytest.param(b'{"seq":1,"msg":{"msgid":"1","x":' + b"9" * 5000 + b"}}", "bad_number", id="5,000 digits"),
    pytest.param(message(**{str(n): n for n in range(1001)}), "too_many_keys", id="keys"),
    pytest.param(b'{"seq":0,"msg":{"msgid":"1"}}', "no_seq", id="seq 0"),
    pytest.param(b'{"seq":-5,"msg":{"msgid":"1"}}', "no_seq", id="seq below 0"),
    pytest.param(b'{"seq":true,"msg":{"msgid":"1"}}', "no_seq", id="seq true"),
    pytest.param(b'{"seq":"1","msg":{"msgid":"1"}}', "no_seq", id="seq as text"),
    pytest.param(b'{"seq":1.0,"msg":{"msgid":"1"}}', "no_seq", id="seq as float"),
    pytest.param(b'{"seq":18446744073709551615,"msg":{"msgid":"1"}}', "seq_too_large", id="seq beyond 63 bits"),
    pytest.param(b'{"msg":{"msgid":"1"}}', "no_seq", id="no seq"),
    pytest.param(b'{"seq":1,"msg":"text"}', "no_msg", id="msg is text"),
    pytest.param(b'{"seq":1}', "no_msg", id="no msg"),
    pytest.param(b'{"seq":1,"msg":{}}', "no_msgid", id="empty msg"),
    pytest.param(b'{"seq":1,"error":10007}', "no_msgid", id="error without id"),
    pytest.param(b'{"seq":1,"msg":{"msgid":["1"]}}', "no_msgid", id="id is a list"),
    pytest.param(message(msgid="1" * 201), "field_too_long", id="long id"),
    pytest.param(message(roomid="a" * 129), "field_too_long", id="handle"),
    pytest.param(
        message(tolist=["a"] * 5001),
        "too_many_recipients",
        id="5,001",
    ),
]


@pytest.mark.parametrize(("raw", "reason"), HOSTILE)
def test_a_hostile_line_is_set_aside_and_the_next_is_read(raw, reason):
    aside, good = wecom.read(io.BytesIO(raw + b"\n" + GOOD + b"\n"))
    assert isinstance(aside, Aside)
    assert (aside.reason, aside.length, aside.place.line) == (reason, len(raw) + 1, 1)
    assert aside.raw == raw[:KEPT_OF_ASIDE]
    assert (good.seq, good.place.line) == (9, 2)


# What is wrong with a mail, a row, or what a file is packed in, not with a line.
OF_OTHER_FEEDS = {
    "unpacks_too_large",
    "cannot_unpack",
    "not_a_mail",
    "mail_too_large",
    "mail_too_many_parts",
    "no_sender",
    "bad_member",
    "manifest_differs",
    "bad_row",
    "bad_time",
}


def test_every_reason_has_words():
    assert {param.values[1] for param in HOSTILE} == set(SetAside.Reason.values) - OF_OTHER_FEEDS


def test_a_long_line_costs_no_more_memory_than_its_limit(monkeypatch):
    class Stream(io.BytesIO):
        largest = 0

        def readline(self, limit: int = -1) -> bytes:
            raw = super().readline(limit)
            Stream.largest = max(Stream.largest, len(raw))
            return raw

    stream = Stream(b"x" * (5 * LINE_LIMIT) + b"\n" + GOOD)
    [(long, kept, whole), (good, _raw, good_is_whole)] = lines.lines(stream)
    assert (whole, good_is_whole, len(kept)) == (False, True, KEPT_OF_ASIDE)
    assert (long.end, good.offset, good.line) == (5 * LINE_LIMIT + 1, 5 * LINE_LIMIT + 1, 2)
    assert Stream.largest <= LINE_LIMIT + 1


@pytest.mark.django_db
def test_they_are_stored_with_number_place_and_reason(run_import, write_feed, make_employee):
    make_employee(wecom_userid="li.na")
    raw = [param.values[0] for param in HOSTILE]
    counts = run_import(write_feed([*raw, GOOD]))
    assert (counts["lines"], counts["set_aside"], counts["stored"]) == (len(raw) + 1, len(raw), 1)
    kept = list(SetAside.objects.values_list("line_no", "reason"))
    assert kept == [(n, param.values[1]) for n, param in enumerate(HOSTILE, start=1)]
    third = SetAside.objects.get(line_no=3)
    assert third.offset == len(raw[0]) + len(raw[1]) + 2


@pytest.mark.django_db
def test_characters_that_no_database_takes_are_replaced_and_told(run_import, write_feed, make_employee, settings):
    settings.ARCHIVE_TEXT = "all"
    make_employee(wecom_userid="li.na")
    odd = json.dumps(line(1, "a\x00b \ud800 c", sender="li.na", roomid="wr\x00")).encode()
    pair = b'{"seq":2,"msg":{"msgid":"2","from":"li.na","msgtype":"text","text":{"content":"\\ud83d\\ude00"}}}'
    counts = run_import(write_feed([odd, pair]))
    assert (counts["stored"], counts["set_aside"]) == (2, 0)
    message = Message.objects.get(seq=1)
    assert (message.room, message.was_repaired) == ("wr�", True)
    assert words_of(MessageText.objects.get(message=message)) == "a�b � c"
    assert words_of(MessageText.objects.get(message__seq=2)) == "😀"
    assert Finding.objects.get(kind="text_repaired").facts["seqs"] == [1]


@pytest.mark.django_db
@pytest.mark.parametrize("told", [0, -5, 253402300799999, 10**30, "x", None])
def test_a_senseless_time_stops_nothing(run_import, write_feed, make_employee, told):
    make_employee(wecom_userid="li.na")
    one = line(1)
    one["msg"]["msgtime"] = told
    two = line(2)
    two["msg"]["msgtime"] = told
    del two["pulled_at"]
    counts = run_import(write_feed([one, two]))
    assert counts["stored"] == 2
    first, second = Message.objects.order_by("seq")
    assert (first.sent_at, first.sent_at_is_known, first.latency_seconds) == (first.captured_at, False, None)
    assert (second.sent_at, second.captured_at) == (None, None)
