"""What a table is read into, whatever programs that write tables do to it."""

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.sources.base import LINE_LIMIT, Aside
from archive.sources.csv_rows import ROW_LINES
from tests.archive.mails import TABLE, records, told

SENT, CAPTURED = datetime(2026, 10, 12, 1, 1, 12, tzinfo=UTC), datetime(2026, 10, 12, 1, 2, 10, tzinfo=UTC)
HEAD = "message_id,sent_at,sender,recipients,text"


def table(*rows: str, head: str = HEAD) -> bytes:
    return "".join(f"{row}\n" for row in (head, *rows)).encode()


def row(**cells: str) -> dict:
    return {"message_id": "1", "sent_at": "2026-10-12T01:01:12Z", "sender": "li.na", **cells}


def one(mapping: dict | None = None, **cells: str):
    """The record of a table with one row of these cells, given by canonical or mapped names."""
    cells = row(**cells)
    quoted = (f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in cells.values())
    data = f"{','.join(cells)}\n{','.join(quoted)}\n".encode()
    [found] = records(data, "csv", mapping=mapping)
    return found


def test_the_table_of_the_documentation_is_read_as_it_says():
    [found] = records(TABLE.read_bytes(), "csv")
    assert (found.channel, found.msgid, found.sender) == ("wecom", "7101_1791766872345_external", "li.na")
    assert (found.recipients, found.room, found.msgtype) == (("wmEx4mPlEAAc0nTaCt0neAAAAAAAAA01",), "", "file")
    assert (found.sent_at, found.captured_at, found.recalled_at) == (SENT, CAPTURED, None)
    assert (found.own_text, found.media_refs, found.seq, found.place.line) == ("周先生早上好，资料见附件。", 1, None, 2)


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_charset_separator_and_line_ends_are_found_out(charset, separator, newline):
    rows = ["message_id,sent_at,sender,text", "1,2026-10-12T01:01:12Z,li.na,微信群聊"]
    data = newline.join(line.replace(",", separator) for line in rows).encode(charset)
    for whole in (data, data + newline.encode(), gzip.compress(data)):
        [found] = records(whole, "csv")
        assert (found.msgid, found.own_text) == ("1", "微信群聊")


def test_a_sep_line_and_names_of_columns_in_any_case():
    data = b"sep=;\r\nMessage_ID; Sent_At ;SENDER\r\n1;2026-10-12T01:01:12Z;li.na\r\n"
    assert told(records(data, "csv")) == ["1"]


def test_columns_are_what_the_mapping_says():
    mapping = {"message_id": "消息ID", "sender": "发送人", "kind": "类型", "kinds": {"文本": "text"}}
    data = "消息ID,sent_at,发送人,类型,其他\n1,2026-10-12T01:01:12Z,li.na,文本,x\n".encode("gb18030")
    [found] = records(data, "csv", mapping=mapping)
    assert (found.msgid, found.sender, found.msgtype) == ("1", "li.na", "text")


@pytest.mark.parametrize("head", ["a,b,c", "message_id,sender", "sent_at;sender", "\x00", '"open', "x" * 200])
def test_a_table_without_the_columns_is_set_aside_as_a_whole(head):
    data = table("1,2,3", head=head)
    [aside] = records(data, "csv")
    assert (aside.reason, aside.length) == ("bad_row", len(data))
    assert records(data, "csv", line=1, offset=aside.place.end) == []


def test_an_empty_table_holds_nothing():
    assert records(b"", "csv") == records(table(), "csv") == records(table("", "", ""), "csv") == []
    assert told(records("x".encode("utf-16"), "csv")) == ["not_utf8"]


# --- rows


GOOD = "9,2026-10-12T01:01:12Z,li.na,wang,good"
MANY = ";".join(map(str, range(5001)))
HOSTILE = [
    pytest.param("1,2026-10-12T01:01:12Z,li.na,wang", "bad_row", id="a column too few"),
    pytest.param("1,2026-10-12T01:01:12Z,li.na,wang,x,y", "bad_row", id="a column too many"),
    pytest.param('1,2026-10-12T01:01:12Z,li.na,wang,"open', "bad_row", id="an open quote"),
    pytest.param('1,2026-10-12T01:01:12Z,li.na,wang,"a"b', "bad_row", id="text after a quote"),
    pytest.param('x","' * 50, "bad_row", id="quotes that go on from line to line"),
    pytest.param("1,tomorrow,li.na,wang,x", "bad_time", id="no time"),
    pytest.param("1,01/02/2026 09:00,li.na,wang,x", "bad_time", id="which month"),
    pytest.param("1,2026-13-45,li.na,wang,x", "bad_time", id="no such day"),
    pytest.param(",2026-10-12T01:01:12Z,li.na,wang,x", "no_msgid", id="no id"),
    pytest.param("1,2026-10-12T01:01:12Z,,wang,x", "no_sender", id="no sender"),
    pytest.param("7.10118E+18,2026-10-12T01:01:12Z,li.na,wang,x", "bad_number", id="an id that was rounded"),
    pytest.param("1,2026-10-12T01:01:12Z,8.61E+12,wang,x", "bad_number", id="a sender that was rounded"),
    pytest.param("1,2026-10-12T01:01:12Z,li.na,8.61E+12,x", "bad_number", id="a recipient that was rounded"),
    pytest.param("1" * 201 + ",2026-10-12T01:01:12Z,li.na,wang,x", "field_too_long", id="a long id"),
    pytest.param(f"1,2026-10-12T01:01:12Z,li.na,{MANY},x", "too_many_recipients", id="5,001 recipients"),
    pytest.param("1,2026-10-12T01:01:12Z,li.na,wang," + "x" * LINE_LIMIT, "too_long", id="2^20 bytes"),
    pytest.param("," * 100_000, "bad_row", id="100,000 columns"),
]  # fmt: skip


@pytest.mark.parametrize(("hostile", "reason"), HOSTILE)
def test_a_hostile_row_is_set_aside_and_the_next_is_read(hostile, reason):
    data = table(hostile, GOOD, GOOD.replace("9", "8", 1))
    aside, first, second = records(data, "csv")
    assert (aside.reason, aside.place.line, aside.length) == (reason, 2, len(hostile) + 1)
    assert (first.msgid, first.place.line, second.msgid) == ("9", 3, "8")
    assert aside.raw == hostile.encode()[: 64 * 1024] + (b"\n" if len(hostile) < 64 * 1024 else b"")


def test_a_row_in_another_charset_than_the_table_is_set_aside():
    data = table("1,2026-10-12T01:01:12Z,li.na,wang,微信") + "2,x,x,x,微信群聊\n".encode("gb18030") + GOOD.encode()
    assert told(records(data, "csv")) == ["1", "not_utf8", "9"]


def test_a_text_of_many_lines_is_one_row_and_an_open_quote_costs_one():
    text = "one\n\n" + '"",two;\n' * 100
    data = table(f'1,2026-10-12T01:01:12Z,li.na,wang,"{text}"', '2,2026-10-12T01:01:12Z,li.na,wang,"open', GOOD)
    first, aside, good = records(data, "csv")
    assert (first.own_text, aside.reason, good.msgid) == (text.replace('""', '"'), "bad_row", "9")
    long = table(
        '1,2026-10-12T01:01:12Z,li.na,wang,"open', *[GOOD.replace("9", str(n), 1) for n in range(ROW_LINES * 2)]
    )
    found = records(long, "csv")
    assert (found[0].reason, len(found)) == ("bad_row", ROW_LINES * 2 + 1)


def test_characters_that_no_database_takes_are_replaced_and_told():
    [found] = records(table("1,2026-10-12T01:01:12Z,li.na,wang,a\x00b"), "csv")
    assert (found.own_text, found.was_repaired) == ("a�b", True)


cells = st.text(alphabet="ab\",;\n\r\t'=微 ", max_size=20)


@given(st.lists(cells, min_size=1, max_size=8), st.integers(0, 7), st.sampled_from(["utf-8", "utf-8-sig"]))
@settings(deadline=None)
def test_a_table_goes_on_from_any_row(texts, at, charset):
    rows = [
        HEAD,
        *(
            f'{n},2026-10-12T01:01:12Z,li.na,wang,"{text.replace(chr(34), chr(34) * 2)}"'
            for n, text in enumerate(texts)
        ),
    ]
    data = "\n".join(rows).encode(charset)
    everything = records(data, "csv")
    assert told(everything) == [str(n) for n in range(len(texts))]
    place = everything[min(at, len(texts) - 1)].place
    assert records(data, "csv", line=place.line, offset=place.end) == everything[place.line - 1 :]
    packed = gzip.compress(data)
    assert records(packed, "csv", line=place.line, offset=place.end) == everything[place.line - 1 :]


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_any_bytes_are_rows_or_set_aside(raw):
    found = records(table() + raw, "csv")
    assert sum(one.place.end - one.place.offset for one in found) <= len(raw)
    assert records(raw, "csv") is not None


# --- cells


@pytest.mark.parametrize(
    "cell",
    [
        "2026-10-12T01:01:12Z",
        "2026-10-12T09:01:12+08:00",
        "2026-10-12T09:01:12.000+0800",
        "2026-10-12 09:01:12",  # without an offset: in the source's zone
        "2026/10/12 9:01:12",
        "2026年10月12日 9:01:12",
        "1791766872",
        "1791766872000",
        "46307.3758333333",  # Excel counts days
        "Mon, 12 Oct 2026 01:01:12 +0000",
        '="2026-10-12 09:01:12"',
    ],
)
def test_moments_as_tables_write_them(cell):
    assert one(sent_at=cell).sent_at == SENT


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("2026/10/12 9:01", datetime(2026, 10, 12, 1, 1, tzinfo=UTC)),
        ("2026-10-12", datetime(2026, 10, 11, 16, tzinfo=UTC)),
    ],
)
def test_moments_without_seconds_or_hours(cell, moment):
    assert one(sent_at=cell).sent_at == moment


def test_a_date_format_of_the_source_says_which_is_the_month():
    found = one({"date_format": "%d/%m/%Y %H:%M:%S"}, sent_at="12/10/2026 09:01:12")
    assert found.sent_at == SENT


@pytest.mark.parametrize("cell", ["", "1970-01-01T00:00:00Z", "2038-01-19T03:14:07Z", "9999-12-31T23:59:59Z"])
def test_a_moment_that_cannot_be_is_not_believed(cell):
    found = one(sent_at=cell, captured_at="2026-10-12T01:02:10Z")
    assert (found.sent_at, found.sent_at_is_known) == (CAPTURED, False)


@pytest.mark.parametrize(("cell", "handle"), [('="000318"', "000318"), ("'000318", "000318"), (" 318 ", "318")])
def test_what_tables_put_around_a_number_is_not_of_it(cell, handle):
    found = one(sender=cell, recipients=f"{cell};wang")
    assert (found.sender, found.recipients[-1]) == (handle, "wang")


def test_recipients_are_handles_or_addresses():
    found = one(recipients="li.na; Zhang Wei <zhangwei@example.com>;;wang\nli.na")
    assert found.recipients == ("li.na", "zhangwei@example.com", "wang")


@pytest.mark.parametrize(("cell", "count"), [("", 0), ("0", 0), ("3", 3), ("a.pdf;b.pdf", 2), ("99999999", 1)])
def test_attachments_are_counted_or_named(cell, count):
    assert one(attachments=cell).media_refs == count


def test_a_row_that_was_taken_back_says_so_and_is_the_same_message():
    plain, later = one(text="x"), one(text="x", recalled_at="2026-10-12 09:05", captured_at="2026-10-12 09:06")
    assert later.recalled_at == datetime(2026, 10, 12, 1, 5, tzinfo=UTC)
    assert (plain.fingerprint, plain.recalled_at) == (later.fingerprint, None)
    assert one(text="y").fingerprint != plain.fingerprint


@pytest.mark.parametrize(("kind", "category"), [("", "content"), ("revoke", "recall"), ("agree", "consent")])
def test_what_is_no_content_is_none_in_a_table_either(kind, category):
    found = one(kind=kind, text="加我微信")
    assert (found.category, found.own_text) == (category, "加我微信" if category == "content" else "")


def test_quotations_of_replies_are_left_out():
    assert one(text="This is a quote/reply:\nhello\n------\nmine").own_text == "mine"


def test_every_aside_of_a_table_has_its_bytes():
    for found in records(table("x", "y,z"), "csv"):
        assert isinstance(found, Aside)
        assert len(found.raw) == found.length
