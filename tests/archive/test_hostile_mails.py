"""Mails that want to break something: each is stored or set aside with its reason, and the next one is read.

Without the limits and the care that these tests hold, some of them take minutes, or memory without end.
"""

import base64

import pytest

from archive.sources import mime, words
from archive.sources.base import Aside
from tests.archive.mails import file_part, mail, mbox, multipart, part, read, records, told, wrapped
from tests.archive.mails import zipped as zip_of

GOOD = mail(Message_ID="<good@x>")
XML = b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><l>&b;</l>'


def nested(levels: int, opening: str = "multipart/mixed") -> bytes:
    """Parts in parts, each with a boundary of its own, in one pass: the text would be quadratic otherwise."""
    heads = [f"Content-Type: {opening}; boundary=b{n}\n\n--b{n}\n".encode() for n in range(levels)]
    return b"From: li.na@example.com\n" + b"".join(heads) + b"\nhello"


def mails_in_mails(levels: int) -> bytes:
    return b"From: li.na@example.com\nContent-Type: message/rfc822\n\n" * levels + GOOD


def many_parts(count: int, one: bytes = b"\nx") -> bytes:
    return mail(b"--b\n" + b"\n--b\n".join([one] * count) + b"\n--b--", Content_Type="multipart/mixed; boundary=b")


HOSTILE = [
    pytest.param(many_parts(10_000), "mail_too_many_parts", id="10,000 parts"),
    pytest.param(many_parts(201), "mail_too_many_parts", id="201 parts"),
    pytest.param(nested(1000), "mail_too_many_parts", id="1,000 deep"),
    pytest.param(nested(50_000), "mail_too_many_parts", id="50,000 deep"),
    pytest.param(mails_in_mails(1000), "mail_too_many_parts", id="1,000 mails in mails"),
    pytest.param(multipart(*[file_part(b"x")] * 101), "mail_too_many_parts", id="101 files"),
    pytest.param(b"Subject: " + b"x" * 10_000_000 + b"\n" + GOOD, "mail_too_large", id="10 MB of one header"),
    pytest.param(b"X: y\n" * 200_000 + GOOD, "mail_too_large", id="1 MB of headers"),
    pytest.param(b"From: li.na@example.com\n" + b" x\n" * 300_000, "mail_too_large", id="1 MB of folded header"),
    pytest.param(wrapped(b"X: " + b"y" * 70_000 + b"\n" + GOOD), "mail_too_large", id="header of a mail inside"),
    pytest.param(many_parts(5, b"X: " + b"y" * 60_000 + b"\n\nx"), "mail_too_large", id="many headers"),
    pytest.param(mail(b"x" * (words.TEXT_LIMIT + 1)), "mail_too_large", id="4 MiB of words"),
    pytest.param(mail(b"x" * mime.MAIL_LIMIT, Content_Type="image/png"), "mail_too_large", id="32 MiB"),
    pytest.param(b"", "not_a_mail", id="empty"),
    pytest.param(b"\n\n\n", "not_a_mail", id="empty lines"),
    pytest.param(b"\x00" * 1000, "not_a_mail", id="NUL"),
    pytest.param(b"%PDF-1.4\n%\xff\xff", "not_a_mail", id="a PDF"),
    pytest.param(b'{"seq": 1, "msg": {}}', "not_a_mail", id="JSON"),
    pytest.param(b"hello: there\n\nx", "not_a_mail", id="a text"),
    pytest.param(mail(From="\x00", To=None), None, id="NUL for a sender"),
    pytest.param(mail(From=None), "no_sender", id="no sender"),
    pytest.param(mail(To=",".join(f"a{n}@x.y" for n in range(5001))), "too_many_recipients", id="5,001 recipients"),
]


@pytest.mark.parametrize(("raw", "reason"), HOSTILE)
def test_a_hostile_mail_is_set_aside_and_the_next_is_read(raw, reason):
    found = read(raw)
    assert (found.reason if isinstance(found, Aside) else None) == reason
    assert "good@x" in told(records(mbox([raw, GOOD])))
    assert told(records(zip_of([("a.eml", raw), ("b.eml", GOOD)])))[-1] in ("good@x", "unpacks_too_large")


PACKED_HEADER = mail(
    base64.b64encode(b"From: x\n" * 9000), Content_Type="message/rfc822", Content_Transfer_Encoding="base64"
)
STRANGE = [
    pytest.param(multipart(part(b"see"), file_part(XML, "application/xml")), "see", id="XML entities"),
    pytest.param(multipart(part(b"see"), part(XML, "text/xml")), "see", id="XML as text"),
    pytest.param(mail(b"see\n--b\n\nx", Content_Type="multipart/mixed; boundary=c"), "see\n--b\n\nx", id="no boundary"),
    pytest.param(mail("see", Content_Type="multipart/mixed"), "see", id="boundary not told"),
    pytest.param(mail("see", Content_Type='multipart/mixed; boundary=""'), "see", id="empty boundary"),
    pytest.param(mail("see", Content_Type="multipart/mixed; boundary*=x''%ff%fe"), "see", id="strange boundary"),
    pytest.param(mail(b"--b\n\nsee\n--b", Content_Type="multipart/mixed; boundary=b"), "see", id="not closed"),
    pytest.param(mail(b"--b\n\nsee", Content_Type="multipart/mixed; boundary=b"), "see", id="cut off"),
    pytest.param(mail("see", Content_Type="text/plain; charset=" + "x" * 3000), None, id="long parameter"),
    pytest.param(mail("see", Content_Type="text/plain; charset=klingon"), "see", id="no such charset"),
    pytest.param(mail("see", Content_Type="text/plain; charset=utf-16"), None, id="not that charset"),
    pytest.param(mail("see", Content_Type=";;;===;;\"\"'"), "see", id="no type"),
    pytest.param(mail("see", Content_Transfer_Encoding="x-nonsense"), "see", id="no such encoding"),
    pytest.param(mail("=ZZsee=", Content_Transfer_Encoding="quoted-printable"), "=ZZsee", id="broken quoted-printable"),
    pytest.param(mail("c2Vl!!", Content_Transfer_Encoding="base64"), "see", id="broken base64"),
    pytest.param(mail("s\x00ee"), "s�ee", id="NUL in the words"),
    pytest.param(mail(b"s+2AA-e", Content_Type="text/plain; charset=utf-7"), "s�e", id="lone surrogate"),
    pytest.param(mail("see", Subject="=?utf-8?B?!!!?= =?klingon?Q?x?= =?utf-8?Q?=ff?="), None, id="broken words"),
    pytest.param(mail("see", Date="\x00" * 100, Message_ID="\x00", To="\x00<\x00>"), "see", id="NUL in headers"),
    pytest.param(mail("see", From='"' * 30_000 + "li.na@example.com"), "see", id="quotes"),
    pytest.param(mail("see", From="(" * 30_000 + "<li.na@example.com>"), None, id="comments"),
    pytest.param(mail("see", Subject="=?" * 30_000), None, id="encoded words begun"),
    pytest.param(mail("see", Content_Type="text/plain" + ';a="' * 500), "see", id="parameters begun"),
    pytest.param(mail(b"<div>" * 200_000 + b"see", Content_Type="text/html"), "see", id="200,000 elements deep"),
    pytest.param(mail(b"<" * 1_000_000 + b"see", Content_Type="text/html"), None, id="a million tags begun"),
    pytest.param(mail("&" * 1_000_000 + "see", Content_Type="text/html"), None, id="a million entities begun"),
    pytest.param(mail("wrote:" * 300_000), None, id="wrote"),
    pytest.param(mail(("-" * 70 + "\n") * 50_000 + "see"), None, id="lines of dashes"),
    pytest.param(mail("begin 644 x\n" * 100_000), None, id="uuencode begun"),
    pytest.param(mail(("M" + "x" * 60 + "\n") * 20_000, Content_Transfer_Encoding="x-uuencode"), None, id="uuencode"),
    pytest.param(PACKED_HEADER, None, id="packed header"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "text"), STRANGE)
def test_a_strange_mail_is_read_as_far_as_it_goes(raw, text):
    found = read(raw)
    if text is not None:
        assert found.own_text == text
    if not isinstance(found, Aside):
        stored = [found.msgid, found.sender, found.room, *found.recipients, found.own_text, found.forwarded_text]
        assert not any("\x00" in one or any("\ud800" <= c <= "\udfff" for c in one) for one in stored)
        assert all(len(one) <= 128 for one in (found.sender, *found.recipients))
