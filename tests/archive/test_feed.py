"""What a file is wrapped in changes nothing of what it holds."""

import gzip
import io
import json

import pytest

from archive.models import Delivery, Message, SetAside, Source
from archive.sources import feed
from archive.sources.base import Aside, Captured
from archive.sources.feed import How, open_feed
from tests.archive.conftest import CLIENT, FEED, line, words_of

HOW = How()


def packed(data: bytes) -> io.BytesIO:
    return io.BytesIO(gzip.compress(data))


def opened(stream: io.BytesIO) -> feed.Feed:
    return open_feed(stream, len(stream.getvalue()), HOW)


def what(records) -> list:
    return [(type(one).__name__, one.place, getattr(one, "msgid", None)) for one in records]


def test_packed_lines_are_the_plain_lines_at_the_same_places():
    plain = what(opened(io.BytesIO(FEED.read_bytes())).read())
    assert what(opened(packed(FEED.read_bytes())).read()) == plain
    assert len(plain) == 59


@pytest.mark.parametrize("at", [1, 17, 58])
def test_packed_lines_go_on_from_any_place(at):
    everything = list(opened(packed(FEED.read_bytes())).read())
    place = everything[at - 1].place
    assert what(opened(packed(FEED.read_bytes())).read(line=place.line, offset=place.end)) == what(everything[at:])


def test_of_a_damaged_file_the_beginning_is_kept_and_the_rest_is_one_record_set_aside():
    data = b"".join(json.dumps(line(n)).encode() + b"\n" for n in range(1, 2000))
    whole = gzip.compress(data)
    stream = io.BytesIO(whole[: len(whole) // 2])
    *records, last = opened(stream).read()
    assert len(records) > 100
    assert all(isinstance(one, Captured) for one in records[:-1])
    assert isinstance(last, Aside)
    assert (last.reason, last.place.line) == ("cannot_unpack", records[-1].place.line + 1)
    assert list(opened(stream).read(line=last.place.line, offset=last.place.end)) == []


def test_a_bomb_is_stopped(monkeypatch):
    monkeypatch.setattr(feed, "ALWAYS_FINE", 2**20)
    reader = opened(packed(b"\n".join([b'{"seq": 1}' + b" " * 2**19] * 400)))
    *_records, last = reader.read()
    assert last.reason == "unpacks_too_large"
    assert last.place.line < 250


@pytest.mark.parametrize("bomb", [b"{" + b" " * 2**28, b"\n" * 2**28], ids=["one long line", "blank lines"])
def test_a_bomb_without_a_record_in_it_is_stopped_early(monkeypatch, bomb):
    monkeypatch.setattr(feed, "ALWAYS_FINE", 2**20)
    reader = opened(packed(bomb))
    assert [one.reason for one in reader.read()] == ["unpacks_too_large"]
    assert reader.unpacked.tell() < 2**25


def test_a_packed_feed_is_imported_as_a_plain_one(run_import, tmp_path, staff):
    path = tmp_path / "week.jsonl.gz"
    path.write_bytes(gzip.compress(FEED.read_bytes()))
    counts = run_import(path)
    assert (counts["lines"], counts["stored"], counts["set_aside"]) == (59, 57, 1)
    assert run_import(FEED)["duplicates"] == 58


def test_a_file_that_is_no_gzip_inside_is_one_line_set_aside(run_import, tmp_path):
    path = tmp_path / "broken.jsonl.gz"
    path.write_bytes(b"\x1f\x8b" + b"nonsense" * 100)
    assert run_import(path)["set_aside"] == 1
    assert SetAside.objects.get().reason == "cannot_unpack"


# --- one message by two sources of a channel


@pytest.fixture
def two_sources(make_employee) -> None:
    make_employee(wecom_userid="li.na")
    Source.objects.create(name="first")
    Source.objects.create(name="second")


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_the_copy_of_the_better_source_is_kept_whichever_came_first(two_sources, run_import, write_feed, order):
    said = {
        "first": line(5, "加我个人微信聊", to=(CLIENT,), pulled=90, msgid="m1"),
        "second": line(70, "hello", to=(CLIENT,), pulled=30, msgid="m1", sent=line(5)["msg"]["msgtime"]),
    }
    for name in order:
        run_import(write_feed([said[name]], f"{name}.jsonl"), source=name)
    message, copy = Message.objects.get(), Delivery.objects.get()
    assert (message.source.name, message.seq, message.latency_seconds) == ("first", 5, 30)
    assert (copy.source.name, copy.seq, copy.message) == ("second", 70, message)
    assert message.signals.get().rule == "move-app"
    assert words_of(message.text) == "加我个人微信聊"
    assert message.participants.count() == 2
    for name in order:
        counts = run_import(write_feed([said[name]], f"{name}.jsonl"), source=name)
        assert (counts["stored"], counts["duplicates"], counts["holes"]) == (0, 1, 0)


def test_a_second_source_that_contradicts_itself_is_a_conflict(two_sources, run_import, write_feed):
    run_import(write_feed([line(1, msgid="m1")]), source="first")
    run_import(write_feed([line(9, "a", msgid="m1")], "a.jsonl"), source="second")
    counts = run_import(write_feed([line(9, "b", msgid="m1")], "b.jsonl"), source="second")
    assert (counts["duplicates"], counts["conflicts"]) == (0, 1)
    assert Message.objects.count() == 1


def test_a_number_that_a_copy_has_is_taken(two_sources, run_import, write_feed):
    run_import(write_feed([line(1, msgid="m1")]), source="first")
    run_import(write_feed([line(9, msgid="m1")], "a.jsonl"), source="second")
    assert run_import(write_feed([line(9, msgid="m2")], "b.jsonl"), source="second")["conflicts"] == 1


def test_the_unreadable_copy_stays_provable_when_the_message_comes_readable(run_import, write_feed):
    dark = {"seq": 2, "msgid": line(2)["msg"]["msgid"], "publickey_ver": 1, "error": 10007}
    run_import(write_feed([dark]))
    before = Message.objects.get()
    run_import(write_feed([line(2)], "again.jsonl"))
    copy = Delivery.objects.get()
    assert (copy.batch_id, copy.leaf, bytes(copy.fingerprint)) == (before.batch_id, 0, bytes(before.fingerprint))
    assert copy.error_code == 10007
