"""Mails and tables in the database: one message whatever brought it."""

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from archive import services
from archive.models import (
    Attachment,
    Conflict,
    ConsentWord,
    Delivery,
    Finding,
    Message,
    Participant,
    Recall,
    Signal,
    Unmatched,
)
from portal.ledger import services as ledger
from portal.people.models import Employee
from tests.archive.conftest import CLIENT, at, line
from tests.archive.left import rows, undone
from tests.archive.mails import CAPTURE, JOURNAL, TABLE, mail, mbox, multipart, part

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_people(make_employee) -> tuple[Employee, Employee]:
    li = make_employee(wecom_userid="li.na", email="li.na@example.com")
    return li, make_employee(wecom_userid="zhangwei", email="zhangwei@example.com")


# --- the documentation's message


def test_the_journal_mail_is_stored_as_the_documentation_reads_it(deliver, two_people):
    counts = deliver(JOURNAL.read_bytes(), mapping=CAPTURE)
    assert (counts["lines"], counts["stored"], counts["content"], counts["holes"]) == (1, 1, 1, 0)
    message = Message.objects.get()
    assert (message.channel, message.msgid, message.seq) == ("wecom", "7101_1791766872345_external", None)
    assert (message.sent_at, message.latency_seconds) == (datetime(2026, 10, 12, 1, 1, 12, tzinfo=UTC), 58)
    assert (message.contacts, message.is_external, message.media_refs) == (
        ["wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01"],
        True,
        1,
    )
    parties = Participant.objects.order_by("pk").values_list("role", "handle", "kind", "employee")
    assert list(parties) == [
        ("s", "li.na", "employee", two_people[0].pk),
        ("r", "wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01", "contact", None),
        ("r", "supervisor@example.com", "unknown", None),
    ]
    assert counts["unmatched"] == ["supervisor@example.com"]
    attachment = Attachment.objects.get()
    assert (attachment.media_type, attachment.size, attachment.number) == ("application/pdf", 19, 1)


def of_json(**fields) -> dict:
    sent = 1791766872345
    fields = {"msgid": "7101_1791766872345_external", "sent": sent, "to": (CLIENT,), "pulled": 90, **fields}
    file = {"msgtype": "file", "file": {"filename": "fact-sheet.pdf", "sdkfileid": "x"}}
    return line(12, **{**file, **fields})


def by_mapping(deliver) -> dict[str, Callable]:
    as_line = json.dumps(of_json()).encode()
    as_row = TABLE.read_bytes().rstrip(b"\n") + b"2026-10-12T01:05:00Z\n"
    return {
        "json": lambda: deliver(as_line, "a.jsonl", source="puller", kind="wecom"),
        "mail": lambda: deliver(JOURNAL.read_bytes(), "a.eml", CAPTURE),
        "csv": lambda: deliver(as_row, "a.csv", source="table", kind="csv"),
    }


ORDERS = list(itertools.permutations(["json", "mail", "csv"]))


@pytest.mark.parametrize("order", ORDERS, ids=" then ".join)
def test_one_message_by_three_feeds_is_one_message_in_whatever_order(deliver, order):
    for name, kind in (("puller", "wecom"), ("journal", "mail"), ("table", "csv")):
        services.get_source(name, terms=services.Terms(kind, CAPTURE if kind == "mail" else {}))
    services.sync_identities(by="system:test")
    deliveries = by_mapping(deliver)
    expected = undone(lambda: [deliveries[name]() for name in ("json", "mail", "csv")])
    counts = [deliveries[name]() for name in order]
    assert [one["stored"] for one in counts] == [1, 0, 0]
    assert [one["duplicates"] for one in counts] == [0, 1, 1]
    assert rows() == expected
    message = Message.objects.get()
    assert (message.source.name, message.seq, message.latency_seconds) == ("puller", 12, 57)
    assert message.recalled_at == datetime(2026, 10, 12, 1, 5, tzinfo=UTC)
    assert sorted(Delivery.objects.values_list("source__name", flat=True)) == ["journal", "table"]
    assert [deliveries[name]()["duplicates"] for name in order] == [1, 1, 1]
    assert rows() == expected
    assert ledger.verify()[1] is None


def test_a_stranger_whom_only_the_worse_copy_names_is_forgotten_with_it(deliver):
    deliver(JOURNAL.read_bytes(), "a.eml", CAPTURE)
    finding = Finding.objects.get(kind="unmatched_identity")
    deliver(json.dumps(of_json()).encode(), "a.jsonl", source="puller", kind="wecom")
    finding.refresh_from_db()
    assert (Unmatched.objects.count(), finding.state) == (0, "closed")


@pytest.mark.parametrize("first", ["mail", "json"])
def test_a_recall_finds_its_original_though_another_feed_brought_it(deliver, first):
    recall = line(2, msgid="r1", action="recall", msgtype="revoke", revoke={"pre_msgid": "m1"}, sent=at(12, 10))
    acts = {
        "mail": lambda: deliver(mail(X_Capture_Native_Id="m1", X_Capture_Channel="wecom"), "a.eml", CAPTURE),
        "json": lambda: deliver(json.dumps(recall).encode(), "a.jsonl", source="puller", kind="wecom"),
    }
    acts.pop(first)()
    for act in acts.values():
        act()
    assert Recall.objects.get().original.msgid == "m1"
    assert Message.objects.get(msgid="m1").recalled_at == Message.objects.get(msgid="r1").sent_at


def test_an_answer_about_consent_by_two_feeds_is_one_word(deliver):
    sent = {"sender": CLIENT, "to": ("li.na",), "sent": 1791766872345}
    answer = line(1, msgid="m1", msgtype="agree", agree={"userid": CLIENT, "agree_time": 1791766872345}, **sent)
    headers = {"X_Capture_Native_Id": "m1", "X_Capture_Sender": CLIENT, "X_Capture_Recipients": "li.na"}
    deliver(mail(X_Capture_Type="agree", **headers), "a.eml", CAPTURE)
    deliver(json.dumps(answer).encode(), "a.jsonl", source="puller", kind="wecom")
    assert list(ConsentWord.objects.values_list("source__name", "contact", "word")) == [("puller", CLIENT, "agreed")]


def test_the_channel_is_the_mails_own_where_it_tells(deliver):
    deliver(
        mbox(
            [
                mail(X_Capture_Native_Id="1", X_Capture_Channel="wecom"),
                mail(X_Capture_Native_Id="1", X_Capture_Channel="WhatsApp"),
                mail(X_Capture_Native_Id="2"),
            ]
        ),
        mapping=CAPTURE,
        channel="sms",
    )
    assert sorted(Message.objects.values_list("channel", "msgid")) == [("sms", "2"), ("wecom", "1"), ("whatsapp", "1")]


# --- identity of a mail


def test_one_id_on_other_bytes_is_a_conflict_told_once(deliver):
    two = mbox([mail("one"), mail("two"), mail("one")])
    counts = deliver(two)
    assert (counts["stored"], counts["conflicts"], counts["duplicates"]) == (1, 1, 1)
    again = deliver(two)
    assert (again["stored"], again["conflicts"], again["duplicates"]) == (0, 1, 2)
    assert (Conflict.objects.count(), Finding.objects.filter(kind="conflict").count()) == (1, 1)


def test_a_repaired_text_is_told_though_the_feed_has_no_numbers(deliver):
    counts = deliver(mbox([mail("fine", Message_ID="<1@x>"), mail("odd \x00", Message_ID="<2@x>")]))
    assert counts["stored"] == 2
    facts = Finding.objects.get(kind="text_repaired").facts
    assert (facts["seqs"], facts["lines"]) == ([], [2])


def test_words_of_a_mail_are_judged_and_those_of_others_apart(deliver):
    own = mail("加我个人微信聊", To=f"{CLIENT}", Message_ID="<1@x>", Content_Type="text/plain; charset=utf-8")
    inner = mail("加我个人微信聊", From="x@outside.example", Content_Type="text/plain; charset=utf-8")
    other = multipart(part(b"fyi"), b"Content-Type: message/rfc822\n\n" + inner, To=CLIENT, Message_ID="<2@x>")
    deliver(mbox([own, other]))
    assert sorted(Signal.objects.values_list("message__msgid", "is_forwarded")) == [("1@x", False), ("2@x", True)]
    assert [one.message.msgid for one in Finding.objects.filter(kind="off_channel")] == ["1@x"]


def test_a_day_in_one_mail_is_one_item_and_says_so(deliver):
    counts = deliver(mail("09:01 hello\n09:02 hi"), granularity="conversation")
    assert (counts["content"], counts["granularity"]) == (1, "conversation")
    message = Message.objects.get()
    assert (message.msgtype, message.is_known_kind) == ("conversation", True)
    assert message.source.expected_latency_seconds == 36 * 3600


def test_a_signal_that_a_table_says_was_taken_back_soon_weighs_more(deliver):
    head = "message_id,sent_at,sender,recipients,text,recalled_at\n"
    said = "m1,2026-10-12T01:00:00Z,li.na,zhangwei,wxid_ab12cd34ef,"
    deliver((head + said).encode(), "a.csv", source="table", kind="csv")
    assert not Finding.objects.filter(kind="off_channel").exists()
    deliver((head + said + "2026-10-12T01:05:00Z").encode(), "b.csv", source="table", kind="csv")
    finding = Finding.objects.get(kind="off_channel")
    assert (finding.facts["hits"][0]["weight"], Message.objects.count(), Conflict.objects.count()) == (3, 1, 0)
