"""The words, files and parts of a mail."""

import base64
import hashlib
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.sources import mime, words
from archive.sources.base import Aside, Captured
from archive.sources.text import decode
from tests.archive.mails import CAPTURE, file_part, mail, multipart, part, read

PDF = base64.b64decode("JVBERi0xLjQKJSBleGFtcGxlCg==")


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
