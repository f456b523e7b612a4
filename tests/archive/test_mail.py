"""What a mail is read into, whatever real mail does to it."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.sources.addresses import addresses
from archive.sources.base import Captured, File
from tests.archive.mails import CAPTURE, JOURNAL, mail, read, wrapped

SENT, CAPTURED = datetime(2026, 10, 12, 1, 1, 12, tzinfo=UTC), datetime(2026, 10, 12, 1, 2, 10, tzinfo=UTC)
PDF = base64.b64decode("JVBERi0xLjQKJSBleGFtcGxlCg==")


def test_the_journal_mail_of_the_documentation_is_read_as_it_says():
    found = read(JOURNAL.read_bytes(), CAPTURE)
    assert isinstance(found, Captured)
    assert (found.channel, found.msgid, found.sender) == ("wecom", "7101_1791766872345_external", "li.na")
    assert found.recipients == ("wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01", "supervisor@example.com")
    assert (found.room, found.msgtype, found.category, found.seq) == ("", "file", "content", None)
    assert (found.sent_at, found.sent_at_is_known, found.captured_at) == (SENT, True, CAPTURED)
    assert (found.captured_at - found.sent_at).total_seconds() == 58
    assert found.files == (File("application/pdf", len(PDF), hashlib.sha256(PDF).digest()),)
    assert (found.media_refs, found.media_missing, found.was_repaired) == (1, 0, False)
    assert found.own_text == "周先生早上好，资料见附件。"


def test_without_a_mapping_the_mail_itself_says_who_and_what():
    found = read(JOURNAL.read_bytes())
    assert (found.channel, found.msgid, found.sender) == ("", "7101@capture.example.com", "li.na@example.com")
    assert found.recipients == ("wmex4mple01@wechat.capture.example.com", "supervisor@example.com")
    assert found.msgtype == "mail"


def test_a_plain_journal_mail():
    found = read(mail("hello", Cc="Amy <amy@example.com>", Received="by mx; Mon, 12 Oct 2026 01:02:10 +0000"))
    assert (found.sender, found.recipients) == ("li.na@example.com", ("zhangwei@example.com", "amy@example.com"))
    assert (found.sent_at, found.captured_at, found.msgid) == (SENT, CAPTURED, "1@example.com")
    assert (found.own_text, found.forwarded_text) == ("hello", "")


# --- the envelope


@pytest.mark.parametrize(
    ("envelope", "got"),
    [
        ("To: zhangwei@example.com\n", ["zhangwei@example.com"]),
        ("To: zhangwei@example.com\nBcc: boss@example.com\n", ["zhangwei@example.com", "boss@example.com"]),
        (
            "Recipient: BOSS@example.com, Forwarded: old@example.com\n",
            ["zhangwei@example.com", "BOSS@example.com", "old@example.com"],
        ),
        ("To: amy@example.com, Expanded: zhangwei@example.com\n", ["amy@example.com"]),
        ("Recipient: amy@example.com,\n Expanded: zhangwei@example.com\n", ["amy@example.com"]),
        ("Nonsense\n\x00: x\nTo:\n", ["zhangwei@example.com"]),
    ],
)
def test_the_outer_list_says_who_really_got_it(envelope, got):
    assert list(read(wrapped(mail(), envelope)).recipients) == got


def test_who_sent_it_the_envelope_tells_where_the_mail_does_not():
    assert read(wrapped(mail(From=None))).sender == "li.na@example.com"
    assert read(mail(From=None)).reason == "no_sender"
    assert read(mail(From="<>", Sender="Amy <amy@example.com>")).sender == "amy@example.com"


def test_a_report_whose_mail_is_lost_is_set_aside():
    assert read(mail("Sender: li.na@example.com", X_MS_Journal_Report="")).reason == "not_a_mail"


def test_another_report_of_the_same_mail_is_the_same_unless_it_names_others():
    first = read(wrapped(mail(), "To: zhangwei@example.com\n"))
    later = read(wrapped(mail(), "Recipient: zhangwei@example.com\n", Date="Tue, 13 Oct 2026 01:02:10 +0000"))
    other = read(wrapped(mail(), "To: zhangwei@example.com\nBcc: boss@example.com\n"))
    assert (first.msgid, first.fingerprint) == (later.msgid, later.fingerprint)
    assert (first.msgid, first.fingerprint != other.fingerprint) == (other.msgid, True)


def test_a_mail_that_is_nothing_but_a_mail():
    inner = mail("inside", Message_ID="<inner@x>")
    outer = mail(inner, Content_Type="message/rfc822", From="journal@x", Date="Mon, 12 Oct 2026 01:02:10 +0000")
    found = read(outer)
    assert (found.msgid, found.own_text, found.captured_at) == ("inner@x", "inside", CAPTURED)
    letters = base64.encodebytes(inner)
    again = read(mail(letters, Content_Type="message/rfc822", Content_Transfer_Encoding="base64", From="journal@x"))
    assert (again.msgid, again.fingerprint) == ("inner@x", found.fingerprint)


def test_a_report_in_a_report_is_unwrapped_and_the_outermost_captured_it():
    inner = wrapped(mail(), Date="Mon, 12 Oct 2026 01:01:40 +0000")
    found = read(wrapped(inner, "Sender: x@example.com\nBcc: boss@example.com\n"))
    assert (found.msgid, found.captured_at) == ("1@example.com", CAPTURED)
    assert "boss@example.com" in found.recipients


def test_a_source_of_plain_mail_believes_no_report():
    forged = wrapped(mail("加我个人微信聊", From="li.na@example.com"), From="client@outside.example")
    found = read(forged, {"journal": "plain"})
    assert (found.sender, found.own_text.strip()) == ("client@outside.example", "Sender: li.na@example.com")
    assert "加我个人微信聊" in found.forwarded_text


# --- headers


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("li.na@example.com", ["li.na@example.com"]),
        ("=?utf-8?Q?Na=2C_Li?= <li.na@example.com>, b@x.com", ["li.na@example.com", "b@x.com"]),
        ('"Na, Li" <li.na@example.com>; b@x.com', ["li.na@example.com", "b@x.com"]),
        ("boss@example.com <li.na@example.com>", ["li.na@example.com"]),
        ('"boss@example.com, x" <li.na@example.com>', ["li.na@example.com"]),
        ("=?utf-8?Q?boss=40example.com?= <li.na@example.com>", ["li.na@example.com"]),
        ("李娜 <li.na@example.com>", ["li.na@example.com"]),
        ("Li Na (desk, 2nd floor) <li.na@example.com>", ["li.na@example.com"]),
        ("Team: a@x.com, b@x.com; c@x.com", ["a@x.com", "b@x.com", "c@x.com"]),
        ("undisclosed-recipients:;", []),
        ("Li Na <li.na@example.com", ["li.na@example.com"]),
        ("Li Na 8613800000000 <8613800000000@mobile.example.com>", ["8613800000000@mobile.example.com"]),
        ("wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01; li.na", ["wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01", "li.na"]),
        ("=?utf-8?B?bGkubmFAZXhhbXBsZS5jb20=?=", ["li.na@example.com"]),
        ("a@x.com, a@x.com", ["a@x.com"]),
        ('"never closed <li.na@example.com>', ["li.na@example.com"]),
        ("", []),
        ("<>, , ;;", []),
    ],
)
def test_addresses_as_real_headers_have_them(raw, found):
    assert addresses(raw) == found


@given(st.text(alphabet='<>"\\(),;:@ab =?\udcff', max_size=200))
def test_any_header_gives_some_list_of_addresses(raw):
    assert all(isinstance(one, str) and one for one in addresses(raw))


@pytest.mark.parametrize(
    ("told", "msgid"),
    [
        ("<a@b>", "a@b"),
        ("a@b", "a@b"),
        (" <a b@c> (comment)", "ab@c"),
        ("<" + "x" * 998 + "@b>", None),
    ],
)
def test_a_message_id_is_taken_as_it_is(told, msgid):
    found = read(mail(Message_ID=told)).msgid
    assert found == msgid or (msgid is None and len(found) == 200)


def test_of_two_message_ids_the_first_counts_and_of_none_the_bytes():
    assert read(b"Message-ID: <first@x>\n" + mail()).msgid == "first@x"
    without = read(mail(Message_ID=None))
    assert without.msgid == f"sha256:{without.fingerprint.hex()}"
    assert read(mail(Message_ID="<>")).msgid.startswith("sha256:")


@pytest.mark.parametrize(
    ("date", "sent"),
    [
        ("Mon, 12 Oct 2026 09:01:12 +0800", SENT),
        ("12 Oct 26 01:01:12 GMT", SENT),
        ("Mon, 12 Oct 2026 09:01:12", SENT),  # no offset: in the source's zone
        ("Mon, 12 Oct 2026 01:01:12 -0000", SENT),
        (None, None),
        ("nonsense", None),
        ("Thu, 1 Jan 1970 00:00:00 +0000", None),
        ("Tue, 19 Jan 2038 03:14:07 +0000", None),
        ("Mon, 12 Oct 9999999 01:01:12 +0000", None),
        ("Mon, 12 Oct 2026 25:61:61 +9999", None),
    ],
)
def test_a_date_that_cannot_be_is_not_believed(date, sent):
    found = read(wrapped(mail(Date=date)))
    assert (found.sent_at, found.sent_at_is_known) == (sent or CAPTURED, sent is not None)


def test_a_mail_without_any_time_has_none():
    found = read(mail(Date=None))
    assert (found.sent_at, found.sent_at_is_known, found.captured_at) == (None, False, None)
    soon = (datetime.now(UTC) + timedelta(days=40)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    assert read(wrapped(mail(), Date=soon)).captured_at is None


def test_mapped_times_go_before_the_mails_own():
    mapping = {"sent_at": "X-Sent", "captured_at": "X-Captured"}
    found = read(mail(X_Sent="1791766872345", X_Captured="2026-10-12T09:02:10"), mapping)
    assert (found.sent_at, found.captured_at) == (SENT + timedelta(milliseconds=345), CAPTURED)
    assert read(mail(X_Sent="soon"), mapping).sent_at == SENT


def test_words_of_the_vendor_are_translated():
    mapping = {**CAPTURE, "kinds": {"IM": "text"}, "channels": {"WeChat Work": "wecom"}}
    found = read(mail(X_Capture_Type="IM", X_Capture_Channel="WeChat Work", X_Capture_Room="=?utf-8?B?576k?="), mapping)
    assert (found.msgtype, found.is_known_kind, found.channel, found.room) == ("text", True, "wecom", "群")
    strange = read(mail(X_Capture_Type="hologram", X_Capture_Channel="Line (JP)"), mapping)
    assert (strange.msgtype, strange.is_known_kind, strange.channel) == ("hologram", False, "line-jp")


def test_headers_of_the_vendor_may_stand_on_the_outer_mail():
    found = read(wrapped(mail(), X_Capture_Native_Id="7"), CAPTURE)
    assert found.msgid == "7"


@pytest.mark.parametrize(
    ("kind", "category"), [("revoke", "recall"), ("agree", "consent"), ("disagree", "consent"), ("switch", "control")]
)
def test_what_is_no_content_is_none_by_mail_either(kind, category):
    mapping = {**CAPTURE, "recalls": "X-Capture-Recalls"}
    found = read(mail(X_Capture_Type=kind, X_Capture_Recalls="7101"), mapping)
    assert found.category == category
    assert found.recalls == ("7101" if category == "recall" else "")
    assert (found.word is not None) is (category == "consent")


def test_a_day_in_one_mail_is_a_conversation():
    found = read(mail("09:01 Li Na: hello\n09:02 Client: hi"), granularity="conversation")
    assert (found.msgtype, found.is_known_kind) == ("conversation", True)


def test_long_handles_fit_and_stay_different():
    first, second = (read(mail(From=f"{'x' * 200}{n}@example.com")).sender for n in (1, 2))
    assert (len(first), len(second), first != second) == (128, 128, True)
