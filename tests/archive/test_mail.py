"""What a mail is read into, whatever real mail does to it."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.sources import mime, words
from archive.sources.addresses import addresses
from archive.sources.base import Aside, Captured, File
from archive.sources.text import decode
from tests.archive.mails import CAPTURE, JOURNAL, file_part, mail, multipart, part, read, wrapped

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


# --- words


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        ("微信".encode("gb2312"), "gb2312", "微信"),
        ("微信群".encode(), "gb2312", "微信群"),
        ("微信群聊".encode("gb18030"), "utf-8", "微信群聊"),
        ("微信".encode("big5"), "big5", "微信"),
        ("微信群聊".encode("gb18030"), None, "微信群聊"),
        ("微信".encode("utf-16"), "utf-16", "微信"),
        ("微信".encode("hz"), "hz-gb-2312", "微信"),
        ("メール".encode("iso-2022-jp"), "iso-2022-jp", "メール"),
        ("“naïve”".encode("cp1252"), "iso-8859-1", "“naïve”"),
        ("Zoë".encode(), "iso-8859-1", "Zoë"),
        ("微信".encode("utf-7"), "utf-7", "微信"),
        ("微信群聊".encode(), "unicode_escape", "微信群聊"),
        ("微信群聊".encode(), "rot13", "微信群聊"),
        ("微信群聊".encode(), "no-such-charset", "微信群聊"),
        ("한국어".encode("cp949"), "ks_c_5601-1987", "한국어"),
    ],
)
def test_a_charset_is_believed_unless_the_bytes_say_otherwise(raw, charset, text):
    assert decode(raw, charset) == (text, True)


def test_bytes_that_mean_nothing_are_replaced_and_told():
    text, is_whole = decode(b"ok \xff\xff\xff", "utf-8")
    assert (text.startswith("ok "), is_whole) == (True, False)
    assert read(mail(b"ok \xff\xff\xff", Content_Type="text/plain; charset=utf-8")).was_repaired


@given(
    st.text(alphabet="微信群聊资料我的加个人号码请看完就删不要留记录，。abc ", min_size=6),
    st.sampled_from(["gb18030", "utf-8"]),
)
def test_chinese_words_come_through_whichever_of_both_charsets_is_announced(text, announced):
    for written in ("gb18030", "utf-8"):
        raw = text.encode(written)
        if written == announced or not _could_be(raw, announced):
            assert decode(raw, announced)[0] == text


def _could_be(raw: bytes, charset: str) -> bool:
    """Whether the bytes are sound in the announced charset: then only UTF-8 beyond doubt goes before it."""
    try:
        return charset == "utf-8" and bool(raw.decode("utf-8"))
    except UnicodeDecodeError:
        return False


ORIGINAL = "-----Original Message-----\nFrom: x\nhello"
FROM_QQ = "------------------ 原始邮件 ------------------\n发件人: x"
OWN_AND_OTHERS = [
    ("ok\n\n> hello\n> there\n", "ok", ""),
    ("ok\n\nOn Mon, 12 Oct 2026 at 09:01, Li Na <li.na@example.com> wrote:\n> hello\nbye", "ok\n\nbye", ""),
    ("好的\n\n在 2026年10月12日，李娜写道：\n> 你好", "好的", ""),
    (f"see below\n{ORIGINAL}", "see below", ORIGINAL),
    (f"请看\n{FROM_QQ}", "请看", FROM_QQ),
    ("---------- Forwarded message ---------\nhello", "", "---------- Forwarded message ---------\nhello"),
    ("ok\n\nFrom: Li Na\nSent: Monday\nTo: x\n\nhello", "ok", "From: Li Na\nSent: Monday\nTo: x\n\nhello"),
    ("ok\n发件人：李娜\n发送时间：周一\n你好", "ok", "发件人：李娜\n发送时间：周一\n你好"),
    ("From: where I stand\nit is fine", "From: where I stand\nit is fine", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "own", "others"), OWN_AND_OTHERS)
def test_own_words_are_told_from_those_of_others(text, own, others):
    assert words.own_and_others(text) == (own, others)
    found = read(mail(text, Content_Type="text/plain; charset=utf-8"))
    assert (found.own_text, found.forwarded_text) == (own, others)


def test_words_of_html_are_those_that_it_shows():
    shown = words.of_html(
        "<html><head><title>no</title><style>no</style></head><body><!-- no --><p>one&nbsp;<b>two</b></p>"
        "<script>no</script>three<br>four<blockquote>old<br>older</blockquote>&lt;five&gt;</body></html>"
    )
    assert words.own_and_others(shown)[0].split() == ["one", "two", "three", "four", "<five>"]


@pytest.mark.parametrize("opening", ["<!--", "<script>", "<style", "<header>", "<", "<a href='", "<p <p"])
def test_what_is_opened_and_never_closed_hides_nothing_that_follows_and_costs_no_time(opening):
    shown = words.of_html(opening * 50_000 + " 加我微信")
    assert "加我微信" in shown


def alternative(plain: str, shown: str) -> bytes:
    body = multipart(part(plain.encode()), part(shown.encode(), "text/html; charset=utf-8"))
    return body.replace(b"multipart/mixed", b"multipart/alternative")


def test_the_same_words_twice_are_judged_once_and_different_ones_both():
    assert read(alternative("hello  you", "<p>hello <b>you</b></p>")).own_text == "hello  you"
    assert read(alternative("no HTML here", "<p>加我微信</p>")).own_text == "no HTML here\n\n加我微信"
    assert read(alternative(" ", "<p>加我微信</p>")).own_text == "加我微信"


def test_a_mail_inside_a_mail_is_forwarded_words_and_its_files_came_along():
    inner = multipart(part(b"private"), file_part(PDF), Message_ID="<inner@x>")
    found = read(multipart(part(b"fyi"), b"Content-Type: message/rfc822\n\n" + inner))
    assert (found.msgid, found.own_text, found.forwarded_text) == ("1@example.com", "fyi", "private")
    assert [one.size for one in found.files] == [len(PDF)]


def test_the_subject_of_a_mail_is_own_words_and_that_of_an_answer_or_a_captured_chat_is_not():
    assert read(mail("ok", Subject="=?utf-8?B?5Yqg5oiR5b6u5L+h?=")).own_text == "加我微信\nok"
    assert read(mail("ok", Subject="Re: 加我微信")).own_text == "ok"
    assert read(mail("ok", Subject="WeChat with x", X_Capture_Native_Id="7"), CAPTURE).own_text == "ok"


# --- files


def test_files_are_fingerprinted_in_order_and_their_names_are_not_kept():
    found = read(
        multipart(part(b"see"), file_part(b"one"), file_part(b"two", "image/png"), file_part(b"x", "text/plain"))
    )
    assert [(one.media_type, one.size) for one in found.files] == [
        ("application/pdf", 3),
        ("image/png", 3),
        ("text/plain", 1),
    ]
    assert found.files[1].digest == hashlib.sha256(b"two").digest()
    assert (found.media_refs, found.own_text) == (3, "see")


@pytest.mark.parametrize("kind", ["nonsense", "a/" + "b" * 200, "image/<svg>"])
def test_a_type_that_is_none_is_just_bytes(kind):
    [file] = read(multipart(file_part(b"one", kind))).files
    assert file.media_type in ("application/octet-stream", "text/plain")


@pytest.mark.parametrize("letters", [b"JVBE!!!!Ri0x", b"JVBERi0xL", b"\xff\xfe\x00JVBERi0x"])
def test_a_broken_file_counts_as_missing(letters):
    broken = part(letters, "application/pdf", "base64")
    found = read(multipart(part(b"see"), broken))
    assert (found.own_text, found.files, found.media_refs, found.media_missing) == ("see", (), 1, 1)


def test_base64_without_its_padding_is_no_damage():
    found = read(multipart(part(b"JVBERi0xLjQKJSBleGFtcGxlCg", "application/pdf", "base64")))
    assert (found.files[0].size, found.media_missing) == (len(PDF), 0)


def test_a_file_that_is_cut_off_or_elsewhere_is_missing():
    cut = multipart(part(b"see"), file_part(PDF), closed=False)
    away = multipart(part(b"see"), part(b"", "message/external-body; access-type=URL"))
    assert [(one.media_missing, one.own_text) for one in (read(cut), read(away))] == [(1, "see"), (1, "see")]


def test_a_file_as_letters_among_the_words_is_a_file():
    letters = b"begin 644 secret.txt\n#0V%T\n`\nend\n"
    found = read(mail(b"see\n" + letters + b"bye", Content_Type="text/plain"))
    assert (found.own_text, [(one.size, one.digest) for one in found.files]) == (
        "see\nbye",
        [(3, hashlib.sha256(b"Cat").digest())],
    )
    assert read(mail(b"begin 644 of the story\nand more\nend")).own_text.startswith("begin 644")


# --- parts, beside Python's own parser


def test_limits_are_those_of_the_documentation():
    assert (mime.HEADER_LIMIT, mime.PARTS_LIMIT, mime.NESTING_LIMIT) == (64 * 1024, 200, 20)


body_text = st.text(alphabet="ab\n-.=微信 ", max_size=60)
body_bytes = st.binary(max_size=60)


@st.composite
def any_mail(draw, deeper: int = 2) -> EmailMessage:
    one = EmailMessage()
    one["From"], one["Subject"] = "li.na@example.com", "x"
    one.set_content(
        draw(body_text),
        charset=draw(st.sampled_from(["utf-8", "gb18030"])),
        cte=draw(st.sampled_from(["base64", "quoted-printable", "8bit"])),
    )
    if draw(st.booleans()):
        one.add_alternative(draw(body_text), subtype="html")
    for content in draw(st.lists(body_bytes, max_size=3)):
        one.add_attachment(content, maintype="application", subtype="pdf", filename="f")
    if deeper and draw(st.booleans()):
        one.add_attachment(draw(any_mail(deeper - 1)))
    return one


@given(any_mail(), st.sampled_from([b"\n", b"\r\n"]))
@settings(deadline=None, max_examples=60)
def test_the_parts_are_those_that_pythons_parser_finds(one, newline):
    raw = one.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", newline)

    def ours(part: mime.Part):
        if part.mail:
            return [part.head.get_content_type(), ours(part.mail)]
        if part.parts:
            return [part.head.get_content_type(), *map(ours, part.parts)]
        return [part.media_type, part.content()[0].replace(b"\r\n", b"\n").rstrip(b"\n")]

    def theirs(part):
        if part.is_multipart():
            return [part.get_content_type(), *map(theirs, part.get_payload())]
        return [part.get_content_type(), part.get_payload(decode=True).replace(b"\r\n", b"\n").rstrip(b"\n")]

    assert ours(mime.read(raw)) == theirs(message_from_bytes(raw))


@given(st.binary(max_size=400))
@settings(max_examples=300)
def test_any_bytes_are_a_record_or_set_aside(raw):
    assert isinstance(read(raw), Captured | Aside)
    assert isinstance(read(mail(raw, Content_Type="multipart/mixed; boundary=a")), Captured | Aside)


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\r\n"]), max_size=40), st.integers(1, 9))
def test_a_digest_is_over_lines_that_end_in_one_way(pieces, piece):
    body = b"".join(pieces)
    raw = b"From: x@y.z\n\n" + body
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mime, "PIECE", piece + 1)
        found = mime.read(raw).digest().digest()
    assert found == hashlib.sha256(raw.replace(b"\r\n", b"\n").rstrip(b"\n")).digest()
