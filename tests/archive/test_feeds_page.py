"""What docs/feeds.md says is what the code does."""

import json
import re
from pathlib import Path

from archive.sources import csv_rows, mail, mapping, mime, words, zipped
from archive.sources.base import LINE_LIMIT
from tests.archive.mails import CAPTURE, TABLE

PAGE = (Path(__file__).parents[2] / "docs" / "feeds.md").read_text(encoding="utf-8")


def test_the_example_of_a_mapping_is_one():
    [example] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert mapping.check("mail", json.loads(example)) == CAPTURE


def test_every_field_and_option_is_named():
    for name in (*mapping.HEADERS, *mapping.COLUMNS, *mapping._OPTIONS["mail"], *mapping._OPTIONS["csv"]):
        assert re.search(rf"[`, ]{name}[`,\n\" ]", PAGE), name
    assert TABLE.read_text(encoding="utf-8").splitlines()[0] in PAGE
    assert [mapping.COLUMNS[n] for n in (0, 1, 5)] == list(csv_rows.NEEDED)


def test_limits_are_those_of_the_code():
    said = re.sub(r"\s+", " ", PAGE)
    for limit in (
        f"{LINE_LIMIT // 2**20} MiB a line",
        f"{mime.MAIL_LIMIT // 2**20} MiB a mail",
        f"{mime.HEADER_LIMIT // 1024} KiB a header and {mime.HEADERS_LIMIT // 1024} KiB of headers",
        f"{mime.PARTS_LIMIT} parts, {mime.NESTING_LIMIT} levels, {mail.ATTACHMENTS_LIMIT} files",
        f"{words.TEXT_LIMIT // 2**20} MiB of words",
        f"{mail.RECIPIENTS_LIMIT:,} recipients",
        f"{zipped.MEMBERS_LIMIT:,} members, {zipped.UNPACKED_LIMIT // 2**30} GiB unpacked",
        f"{zipped.HONEST_RATIO} unpacked bytes to a packed one",
        f"at most {csv_rows.ROW_LINES}.",
    ):
        assert limit in said
