"""What an import stores, whatever the order and however often it is cut off."""

import hashlib
import json
import re
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archive import lexicon_text, sealing, services
from archive.models import (
    Batch,
    Conflict,
    ConsentWord,
    Finding,
    Hole,
    Import,
    Message,
    MessageText,
    Participant,
    Recall,
    Record,
    SetAside,
    Signal,
    Source,
)
from archive.services import bulk, feeds, holes, lexicons, running, storing
from archive.sources.feed import open_feed
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, OTHER_CLIENT, ROBOT, at, line, words_of
from tests.archive.weeks import a_busy_week

pytestmark = pytest.mark.django_db

FAULTS = [
    '{"seq":1,"pulled_at":1791766912345,"msg":{"msgid":"7101_1791766872345","action":"send","from":"li.na",'
    '"tolist":["zhangwei"],"roomid":"","msgtime":1791766872345,"msgtype":"text","text":{"content":"hello"}}}',
    '{"seq":1,"pulled_at":1791776912345,"msg":{"msgid":"7101_1791766872345","action":"send","from":"li.na",'
    '"tolist":["zhangwei"],"roomid":"","msgtime":1791766872345,"msgtype":"text","text":{"content":"hello"}}}',
    '{"seq":2,"msgid":"7102_1791766990000","publickey_ver":1,"error":10007}',
    '{"seq":3,"msg":{"msgid":"7103_1791767000000","action":"switch","time":1791767000000,"user":"li.na"}}',
    '{"seq":6,"msg":{"msgid":"7106_17917671',
    '{"seq":7,"msg":{"msgid":"7101_1791766872345","action":"send","from":"li.na","tolist":["zhangwei"],"roomid":"",'
    '"msgtime":1791766872345,"msgtype":"text","text":{"content":"hello!!"}}}',
]


@pytest.fixture(autouse=True)
def two_people(make_employee) -> None:
    make_employee(wecom_userid="li.na")
    make_employee(wecom_userid="zhangwei")


def stored() -> dict:
    """Everything that an import leaves, without what depends on when and in how many runs it was done."""
    messages = Message.objects.order_by("seq").values(
        "seq", "msgid", "category", "msgtype", "sender_kind", "sent_at", "captured_at", "latency_seconds", "recalled_at"
    )
    parts = Participant.objects.values_list("message__seq", "role", "handle", "kind", "employee", "sent_at")
    return {
        "messages": list(messages),
        "fingerprints": [bytes(one) for one in Message.objects.order_by("seq").values_list("fingerprint", flat=True)],
        "participants": sorted(parts, key=str),
        "recalls": sorted(Recall.objects.values_list("message__seq", "original__seq"), key=str),
        "signals": sorted(Signal.objects.values_list("message__seq", "rule", "weight", "start", "end")),
        "texts": sorted((one.message.seq, words_of(one)) for one in MessageText.objects.select_related("message")),
        "words": sorted(ConsentWord.objects.values_list("employee_folded", "contact", "room", "word")),
        "holes": sorted(Hole.objects.values_list("first", "last")),
        "records": sorted(Record.objects.values_list("employee", "month", "version", "sent", "captured")),
        "metrics": [one.metrics for one in Record.objects.order_by("employee", "month")],
        "findings": sorted(Finding.objects.values_list("kind", "message__seq", "state"), key=str),
        "asides": sorted(SetAside.objects.values_list("length", "reason")),
    }


def test_every_line_of_the_fault_feed_is_somewhere(run_import, write_feed):
    counts = run_import(write_feed(FAULTS))
    assert counts == {
        "lines": 6,
        "stored": 3,
        "duplicates": 1,
        "conflicts": 1,
        "set_aside": 1,
        "content": 1,
        "recalls": 0,
        "consents": 0,
        "control": 1,
        "unreadable": 1,
        "holes": 1,
        "missing_numbers": 3,
        "unmatched": [],
        "unknown_kinds": [],
    }
    assert list(Hole.objects.values_list("first", "last")) == [(4, 6)]
    [hole] = Finding.objects.filter(kind="hole")
    assert [(found["line"], found["seq"]) for found in hole.facts["set_aside"]] == [(5, 6)]
    conflict = Conflict.objects.get()
    assert (conflict.line_no, conflict.seq, conflict.first.seq, conflict.kind) == (6, 7, 1, "content")
    assert Message.objects.get(seq=2).error_code == 10007
    assert {"conflict", "hole", "unreadable"} <= set(Finding.objects.values_list("kind", flat=True))


def test_the_fault_feed_again_adds_nothing(run_import, write_feed):
    run_import(write_feed(FAULTS))
    before, conflicts = stored(), Conflict.objects.count()
    again = run_import(write_feed(FAULTS))
    assert {**stored(), "asides": before["asides"]} == before
    assert (Conflict.objects.count(), again["stored"], again["duplicates"], again["conflicts"]) == (conflicts, 0, 4, 1)


def test_two_ids_on_one_number_are_a_conflict(run_import, write_feed):
    counts = run_import(write_feed([line(1), line(1, msgid="other")]))
    assert (counts["stored"], counts["conflicts"]) == (1, 1)
    assert Conflict.objects.get().kind == "number"
    assert Finding.objects.get(kind="conflict").facts["first_seq"] == 1


def test_the_database_itself_refuses_a_sum_that_does_not_hold(run_import, write_feed):
    run_import(write_feed([line(1)]))
    for wrong in ({"lines": 2}, {"content": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Import.objects.update(**wrong)


def test_a_record_that_comes_readable_later_takes_its_place(run_import, write_feed):
    dark = {"seq": 2, "msgid": line(2)["msg"]["msgid"], "publickey_ver": 1, "error": 10007}
    run_import(write_feed([line(1), dark, line(3)]))
    finding = Finding.objects.get(kind="unreadable")
    counts = run_import(write_feed([line(2)], "again.jsonl"))
    message = Message.objects.get(seq=2)
    assert (counts["stored"], counts["content"], message.category, message.error_code) == (1, 1, "content", None)
    assert message.participants.count() == 2
    finding.refresh_from_db()
    assert finding.state == "closed"
    assert run_import(write_feed([dark], "dark.jsonl"))["duplicates"] == 1


def test_files_may_overlap(run_import, write_feed):
    run_import(write_feed([line(n) for n in range(1, 8)]))
    counts = run_import(write_feed([line(n) for n in range(5, 11)], "next.jsonl"))
    assert (counts["stored"], counts["duplicates"], counts["holes"]) == (3, 3, 0)


def test_holes_cost_the_same_however_many_lines_are_near_them(run_import, write_feed, count_queries):
    broken = [b'{"seq": %d, "msg"' % seq for seq in range(2, 40, 2)]
    run_import(write_feed([line(seq) for seq in range(1, 42, 2)] + broken))
    source = Source.objects.get()
    told = {one.facts["first"]: one.facts["set_aside"] for one in Finding.objects.filter(kind="hole")}
    assert {first: [line["seq"] for line in near] for first, near in told.items()} == {
        **{seq: [seq] for seq in range(2, 40, 2)},
        40: [],
    }
    assert count_queries(lambda: holes.untold(source, 100)) <= 6


def test_the_ledger_is_written_after_the_rows_of_a_batch(run_import, write_feed, monkeypatch):
    writing, wrote, insert = re.compile(r'(?:INSERT INTO|UPDATE) "(\w+)"'), [], bulk.insert

    def note(execute, sql, *more):
        wrote.extend(writing.findall(sql)[:1])
        return execute(sql, *more)

    def note_many(model, *more, **options):  # by COPY where there is that, of which no statement tells
        wrote.append(model._meta.db_table)
        insert(model, *more, **options)

    monkeypatch.setattr(bulk, "insert", note_many)
    with connection.execute_wrapper(note):
        run_import(write_feed([line(1, "加我个人微信聊", to=(CLIENT,)), line(2), b"broken"]))
    rows = {"archive_message", "archive_participant", "archive_signal", "archive_messagetext", "archive_setaside"}
    batch = wrote.index("archive_message")
    entry = wrote.index("ledger_entry", batch)
    assert rows <= set(wrote[:entry])
    assert not rows & set(wrote[entry + 1 : wrote.index("archive_import", entry)])


def test_a_hole_is_closed_by_the_numbers_that_come(run_import, write_feed):
    run_import(write_feed([line(1), line(5)]))
    assert run_import(write_feed([line(3)], "some.jsonl"))["missing_numbers"] == 2
    assert sorted(Finding.objects.filter(kind="hole").values_list("state", "facts__first", "facts__last")) == [
        ("closed", 2, 4),
        ("new", 2, 2),
        ("new", 4, 4),
    ]
    assert run_import(write_feed([line(2), line(4)], "rest.jsonl"))["holes"] == 0
    assert not Finding.objects.open().filter(kind="hole").exists()


def test_a_recall_finds_its_original_whichever_comes_first(run_import, write_feed):
    original = line(1)
    recall = line(2, action="recall", msgtype="revoke", revoke={"pre_msgid": original["msg"]["msgid"]})
    run_import(write_feed([recall]))
    assert Recall.objects.get().original is None
    assert Record.objects.get(employee__wecom_userid="li.na").metrics["orphan_recalls"] == 1
    run_import(write_feed([original], "late.jsonl"))
    assert Recall.objects.get().original.seq == 1
    assert Message.objects.get(seq=1).recalled_at == Message.objects.get(seq=2).sent_at
    metrics = Record.objects.get(employee__wecom_userid="li.na").metrics
    assert (metrics["orphan_recalls"], metrics["recall_delay_seconds"]) == (0, 1)


def test_the_earlier_of_two_deliveries_counts_in_whatever_order(run_import, write_feed):
    run_import(write_feed([line(1, pulled=5000)]))
    counts = run_import(write_feed([line(1, pulled=60)], "early.jsonl"))
    assert (counts["duplicates"], Message.objects.get().latency_seconds) == (1, 60)
    assert Record.objects.first().metrics["late"] == 0


def test_robots_are_never_judged_and_contacts_may_be_the_reason(run_import, write_feed):
    feed = [
        line(1, "加我个人微信聊", sender=ROBOT, to=("li.na",)),
        line(2, "加我个人微信聊", sender=CLIENT, to=("li.na",)),
        line(3, "看完就删", sender="li.na", to=("zhangwei",)),
    ]
    run_import(write_feed(feed))
    found = Finding.objects.filter(message__isnull=False).order_by("message__seq")
    assert [(one.message.seq, one.kind, one.facts["direction"]) for one in found] == [
        (2, "off_channel", "addressed"),
        (3, "deletion_request", "own"),
    ]


def test_a_message_opens_one_finding_that_lists_every_rule(run_import, write_feed):
    words = "message me on my personal WhatsApp, I would rather not put the numbers here"
    run_import(write_feed([line(1, words, to=(CLIENT,))]))
    finding = Finding.objects.get(kind="off_channel")
    assert {hit["rule"]: hit["weight"] for hit in finding.facts["hits"]} == {"knows-recorded": 5, "move-app": 4}


def test_a_signal_that_is_taken_back_soon_weighs_more(run_import, write_feed):
    card = line(1, "wxid_ab12cd34ef", sent=at(12, 10))
    recall = line(2, sent=at(12, 10, 9), action="recall", msgtype="revoke", revoke={"pre_msgid": card["msg"]["msgid"]})
    run_import(write_feed([card]))
    assert not Finding.objects.filter(kind="off_channel").exists()
    run_import(write_feed([recall], "recall.jsonl"))
    finding = Finding.objects.get(kind="off_channel")
    assert finding.facts["hits"][0]["weight"] == 3
    assert MessageText.objects.get().delete_after is None


def test_an_outside_account_handed_over_as_a_card_is_a_signal(run_import, write_feed):
    own = {"msgtype": "card", "card": {"corpname": "微信联系人", "userid": OTHER_CLIENT}}
    run_import(write_feed([line(1, to=(CLIENT,), **own), line(2, to=("zhangwei",), **own)]))
    assert list(Signal.objects.values_list("message__seq", "rule", "weight")) == [(1, "account-offered", 3)]


@pytest.mark.parametrize(("setting", "kept"), [("flagged", [2]), ("all", [1, 2]), ("none", [])])
def test_the_setting_says_whose_words_are_kept(run_import, write_feed, settings, setting, kept):
    settings.ARCHIVE_TEXT = setting
    run_import(write_feed([line(1, "hello"), line(2, "加我个人微信聊", to=(CLIENT,))]))
    assert sorted(MessageText.objects.values_list("message__seq", flat=True)) == kept
    assert Finding.objects.filter(kind="off_channel").count() == 1


@pytest.mark.parametrize("setting", ["flagged", "all", "none"])
@pytest.mark.parametrize("sender", ["li.na", ROBOT])
def test_a_record_of_an_unknown_kind_is_kept_whole(run_import, write_feed, settings, setting, sender):
    settings.ARCHIVE_TEXT = setting
    said = line(1, sender=sender, msgtype="ai_summary_card", ai_summary_card={"summary": "加我个人微信聊", "n": 2**60})
    run_import(write_feed([said]))
    assert Message.objects.count() == 1
    if setting == "none":
        assert not MessageText.objects.exists()
        return
    kept = MessageText.objects.get()
    assert (kept.why, kept.delete_after) == ("unknown", None)
    assert json.loads(sealing.unseal(kept.sealed, kept.key_id)) == said["msg"]


def test_a_card_counts_as_the_lexicon_that_counts_says(run_import, write_feed, monkeypatch):
    """Whoever takes the rule out of the lexicon, or makes it heavier, does so for cards as well."""
    own = {"msgtype": "card", "card": {"corpname": "微信联系人", "userid": OTHER_CLIENT}}
    shipped = lexicon_text.shipped_text()
    heavier = shipped.replace("id: account-offered\n    weight: 2", "id: account-offered\n    weight: 3")
    for content, weights in ((heavier, [4]), (lexicon_text.without_rule(shipped, "account-offered"), [])):
        Signal.objects.all().delete()
        monkeypatch.setattr(lexicons, "active", lambda content=content: lexicon_text.parse(content))
        number = len(weights) + 1
        run_import(write_feed([line(number, to=(CLIENT,), **own)], f"{number}.jsonl"))
        assert list(Signal.objects.values_list("weight", flat=True)) == weights


def test_flagged_words_without_a_finding_go_after_a_week(run_import, write_feed):
    run_import(write_feed([line(1, "wxid_ab12cd34ef")]))
    assert MessageText.objects.count() == 1
    services.refresh_findings(today=timezone.localdate() + timedelta(days=9))
    assert MessageText.objects.count() == 0
    assert Entry.objects.filter(verb="archive.text_disposed").count() == 1
    assert Signal.objects.count() == 1


@pytest.mark.parametrize(
    ("setting", "kept", "for_days"), [("flagged", b"broken", 7), ("all", b"broken", None), ("none", None, None)]
)
def test_the_setting_says_whether_and_how_long_a_line_set_aside_keeps_its_bytes(
    run_import, write_feed, settings, setting, kept, for_days
):
    settings.ARCHIVE_TEXT = setting
    begun = timezone.now()
    run_import(write_feed([b"broken"]))
    aside = SetAside.objects.get()
    raw = sealing.unseal(aside.sealed, aside.key_id) if aside.sealed else None
    assert (raw, aside.length, aside.reason) == (kept, 7, "not_json")
    assert aside.digest == hashlib.sha256(b"broken").hexdigest()
    assert (aside.delete_after and (aside.delete_after - begun).days) == for_days


def test_the_bytes_of_a_line_set_aside_go_with_the_words_and_the_rest_stays(run_import, write_feed):
    run_import(write_feed([b"broken"]))
    before = SetAside.objects.get()
    services.refresh_findings(today=timezone.localdate() + timedelta(days=9))
    aside = SetAside.objects.get()
    assert (aside.sealed, aside.delete_after) == (None, None)
    assert (aside.digest, aside.length, aside.reason) == (before.digest, before.length, before.reason)
    entry = Entry.objects.get(verb="archive.text_disposed")
    assert ledger.body_of(entry) == {"messages": 0, "set_aside": 1}


# --- cut off, in any order


@pytest.fixture
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(running, "BATCH_LINES", 7)


class Killed(BaseException):
    """Like a signal: nothing may catch it."""


@pytest.mark.parametrize("dies_at", range(1, 12))
def test_an_import_that_is_killed_goes_on_and_ends_with_the_same_rows(
    run_import, write_feed, small_batches, monkeypatch, dies_at
):
    """Dies in the middle of a batch, or while it judges, and is started again."""
    feed = write_feed(a_busy_week())
    calls = {"n": 0}

    def dying(function):
        def wrapped(*args, **kwargs):
            result = function(*args, **kwargs)
            calls["n"] += 1
            if calls["n"] == dies_at:
                raise Killed
            return result

        return wrapped

    with transaction.atomic():
        undisturbed = run_import(feed)
        expected = stored()
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    with monkeypatch.context() as patch:
        patch.setattr(storing, "keep_words", dying(storing.keep_words))
        patch.setattr(running.piecemeal, "judge_piece", dying(running.piecemeal.judge_piece))
        patch.setattr(running.records, "recompute_some", dying(running.records.recompute_some))
        with pytest.raises(Killed):
            run_import(feed)
    counts = run_import(feed)
    assert counts == undisturbed
    assert stored() == expected
    assert Import.objects.count() == 1
    assert ledger.verify()[1] is None
    assert [one.count for one in Batch.objects.order_by("number")] == [
        one.messages.count() for one in Batch.objects.order_by("number")
    ]


@given(st.randoms(use_true_random=False), st.integers(1, 60), st.integers(2, 30))
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example takes a second: no shrinking
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_order_of_lines_and_their_division_into_files_changes_nothing(run_import, write_feed, chance, cut, batch):
    def rows(files: list[list], lines_a_batch: int = running.BATCH_LINES) -> dict:
        with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(running, "BATCH_LINES", lines_a_batch)
            for number, some in enumerate(files):
                run_import(write_feed(some, f"{number}.jsonl"))
            found = stored()
            transaction.set_rollback(True)
        return found

    shuffled = a_busy_week()
    chance.shuffle(shuffled)
    expected = rows([a_busy_week()])
    assert rows([shuffled], batch) == expected
    assert as_it_stands(rows([shuffled[:cut], shuffled[cut:]], batch)) == as_it_stands(expected)


def as_it_stands(found: dict) -> dict:
    """Leave out what tells of the way there: versions of records, findings that later lines closed, late days, and
    which message was the first of its month when a finding about the month was opened.

    A day of which half a file makes too many late messages was late when it was judged; that only a person explains.
    """
    by_message = ("off_channel", "deletion_request")
    return {
        **found,
        "findings": [
            (kind, seq if kind in by_message else None)
            for kind, seq, state in found["findings"]
            if state != "closed" and kind != "capture_late"
        ],
        "records": [(who, month, *rest) for who, month, _version, *rest in found["records"]],
    }


def test_a_file_that_was_read_to_the_end_is_not_gone_on_with(run_import, write_feed):
    run_import(write_feed([line(1)]))
    run_import(write_feed([line(1)]))
    assert [one.state for one in Import.objects.all()] == ["done", "done"]


def test_lines_that_come_while_the_file_is_read_wait_for_the_next_import(run_import, write_feed):
    path = write_feed([line(1), line(2)])
    source = services.get_source("wecom")
    with path.open("rb") as stream:
        size, digest = path.stat().st_size, services.digest_of(stream)
        with path.open("ab") as more:
            more.write(json.dumps(line(3)).encode() + b"\n")
        run = running.begin(source=source, label="feed", digest=digest, size=size, holder="me", by="system:test")
        feed = open_feed(stream, size, running.how(source, "feed"))
        while not running.advance(run_id=run.pk, feed=feed, holder="me", by="system:test"):
            pass
    assert Message.objects.count() == 2


# --- one at a time


def hold(holder: str, seconds: int) -> None:
    services.get_source("wecom")
    Source.objects.update(held_by=holder, held_until=timezone.now() + timedelta(seconds=seconds))


def test_a_second_import_of_the_source_is_refused_with_the_remedy(run_import, write_feed):
    hold("pid:another-machine:1", 60)
    with pytest.raises(CommandError, match="Another import of wecom is running"):
        run_import(write_feed([line(1)]))
    assert not Message.objects.exists()


def test_another_source_is_free(run_import, write_feed):
    hold("pid:another-machine:1", 60)
    assert run_import(write_feed([line(1)]), source="other")["stored"] == 1


def test_a_hold_that_ran_out_or_whose_process_is_gone_is_taken_over(run_import, write_feed):
    hold("pid:another-machine:1", -1)
    assert run_import(write_feed([line(1)]))["stored"] == 1
    hold(feeds.this_process().rpartition(":")[0] + ":999999999", 60)
    assert run_import(write_feed([line(2)], "two.jsonl"))["stored"] == 1
    assert Source.objects.get().held_by == ""


def test_who_has_lost_the_source_stores_nothing_more(write_feed):
    path, source = write_feed([line(1)]), services.get_source("wecom")
    with path.open("rb") as stream:
        digest = services.digest_of(stream)
        run = running.begin(
            source=source, label="f", digest=digest, size=path.stat().st_size, holder="me", by="system:t"
        )
        Source.objects.update(held_by="somebody else")
        feed = open_feed(stream, path.stat().st_size, running.how(source, "f"))
        with pytest.raises(feeds.LeaseLost):
            running.advance(run_id=run.pk, feed=feed, holder="me", by="system:t")
    assert not Message.objects.exists()


# --- the command


def test_the_command_says_what_to_do_about_a_missing_file(run_import, tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file or directory"):
        run_import(tmp_path / "none.jsonl")


def test_the_command_says_what_a_name_may_be(run_import, write_feed):
    with pytest.raises(CommandError, match="is no name for a source"):
        run_import(write_feed([line(1)]), source="our feed")


def test_an_unknown_name_begins_a_wecom_feed_with_its_entry(run_import, write_feed):
    run_import(write_feed([line(1)]), source="new-one")
    assert Source.objects.get().kind == "wecom"
    assert Entry.objects.filter(verb="archive.source_added").count() == 1


def test_an_empty_file_is_an_import_of_nothing(run_import, write_feed):
    counts = run_import(write_feed([]))
    assert (counts["lines"], counts["holes"], Import.objects.get().state) == (0, 0, "done")


def test_progress_is_told_on_stderr(write_feed, capsys, monkeypatch, small_batches):
    from django.core.management import call_command

    clock = iter(range(10, 1000))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    call_command("import_archive", str(write_feed([line(n) for n in range(1, 20)])), source="wecom")
    told = capsys.readouterr()
    assert "7 lines, 7 stored, 0 set aside" in told.err
    assert "stored: 19" in told.out
    assert "unmatched: none" in told.out
