"""Question files that mean harm, and files that are damaged."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes.formats import FORMATS, gift, moodle, qti
from quizzes.formats.base import NotThisFormat
from quizzes.formats.packages import Package
from quizzes.formats.plain import of_html
from tests.quizzes.reading import QTI2, QTI3, read, zipped

BILLION = '<!DOCTYPE q [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE q [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "text",
    [
        f"{BILLION}<quiz><question type='truefalse'><name><text>&b;</text></name></question></quiz>",
        f"{OUTSIDE}<quiz><question type='truefalse'><name><text>&x;</text></name></question></quiz>",
        "<quiz><question>" + "<a>" * 5000,
    ],
)
def test_xml_that_unfolds_reaches_outside_or_nests_without_end_is_refused(text):
    with pytest.raises(NotThisFormat):
        read(moodle, text)
    with pytest.raises(NotThisFormat):
        read(qti, text)


def test_a_package_that_leads_out_of_itself_or_unfolds_is_refused():
    notes: list[str] = []
    odd = {"../../etc/cron.d/x.xml": QTI3, "/abs.xml": QTI3, "C:/x.xml": QTI3, "ok.xml": QTI2}
    items = list(qti.read(zipped(odd), "en", notes))
    assert [item.where for item in items] == ["ok.xml"]
    assert sum("leads out of the package" in note for note in notes) == 3
    with pytest.raises(NotThisFormat, match="suspiciously tightly"):
        Package(zipped({"bomb.xml": b"0" * 7_000_000}))
    with pytest.raises(NotThisFormat, match="no ZIP"):
        Package(b"PK\x03\x04 and nothing else")


def test_a_file_that_is_damaged_inside_is_named():
    whole = zipped({"a.xml": random.Random(1).randbytes(5000).hex()})
    start = whole.index(b"a.xml") + len(b"a.xml")
    with pytest.raises(NotThisFormat, match=r"a\.xml cannot be unpacked"):
        Package(whole[:start] + b"\xff" * 50 + whole[start + 50 :]).read("a.xml")


def test_a_size_that_lies_is_found_out():
    data = zipped({"a.xml": random.Random(1).randbytes(9 * 2**20)})  # which does not pack
    package = Package(data)
    with pytest.raises(NotThisFormat, match="larger than"):
        package.read("a.xml")


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(data=st.one_of(st.binary(max_size=400), st.text(max_size=400).map(lambda text: text.encode("utf-8", "replace"))))
@settings(max_examples=30, deadline=None)
def test_no_bytes_bring_a_reader_down(name, data):
    try:
        for item in FORMATS[name].read(data, "en", []):
            assert bool(item.question) != bool(item.refused)
    except NotThisFormat:
        pass


@given(text=st.text(alphabet="{}=~#:\\%-> \nabT1.[]()A$/", max_size=120))
@settings(max_examples=150, deadline=None)
def test_every_jumble_of_gift_signs_is_read_or_refused(text):
    try:
        for item in gift.read(text.encode(), "en", []):
            assert bool(item.question) != bool(item.refused)
    except NotThisFormat:
        assert "{" not in text or not text.strip() or all(
            not line.strip() or line.strip().startswith(("//", "$")) for line in text.split("\n")
        )  # fmt: skip


@given(st.text(max_size=300))
def test_markup_that_is_cleaned_holds_none(text):
    assert "<script" not in of_html(f"<script>{text}</script><p>x</p>", []).lower()
