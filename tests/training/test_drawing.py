"""What a certificate file is: its words in both scripts, its standards, its evidence, its size, its bytes."""

import io
import json
import re
import subprocess
import unicodedata
from itertools import pairwise

import pytest
from pypdf import PdfReader
from pypdf.generic import IndirectObject

from training import drawing, evidence

FACTS = {
    "name_en": "Lin Yue",
    "name_zh": "林悦",
    "employee_no": "100482",
    "department": {"en": "Fixed Income", "zh-hans": "固定收益部"},
    "office": {"en": "Shanghai", "zh-hans": "上海"},
    "firm": "Harbour and Lane",
    "course": {"en": "WeChat archiving compliance", "zh-hans": "微信留档合规"},
    "edition": 3,
    "modules": 6,
    "percent": 92,
    "study_seconds": 5640,
    "completed_on": "2026-11-23",
    "valid_until": "2027-11-22",
}
EVIDENCE = {
    "issued_at": "2026-11-24T04:00:00.000000Z",
    "course": {"slug": "wechat-archiving", "edition": 3, "fingerprint": "ab" * 32},
    "completion": {"cycle": 1, "percent": 92, "pass_percent": 80, "study_seconds": 5640},
    "modules": [{"slug": f"module-{n}", "title": {"en": f"Module {n}"}, "percent": 92} for n in range(6)],
    "log": {"entry": {"seq": 7, "digest": "cd" * 32}, "seal": {"origin": "x/ledger", "size": 9, "root": "QUJD" * 11}},
}
SERIAL = "OC-7F3K-92QD-0ZXM-4TWB"
LONGEST = FACTS | {
    "name_en": "Muhammad Abdurrahman Alexander bin Hassan-Featherstonehaugh of Kuala Lumpur",
    "name_zh": "阿卜杜拉·本·哈桑·阿勒马克图姆",
    "department": {"en": "Global Fixed Income, Currencies and Commodities Distribution", "zh-hans": "环球固定收益部"},
}


@pytest.fixture(scope="module")
def drawn() -> bytes:
    return drawing.certificate(SERIAL, FACTS, EVIDENCE)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf))


def text_of(pdf: bytes) -> str:
    """As poppler reads it, without its spaces: it takes letters set apart for words."""
    told = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)  # noqa: S607
    return re.sub(r"\s", "", told.stdout.decode())


def test_a_certificate_prints_both_names_and_every_fact_in_both_scripts(drawn):
    wanted = [
        "Lin Yue", "林悦", "100482", "Fixed Income", "固定收益部", "上海", "WeChat archiving compliance",
        "微信留档合规",
        "23 November 2026", "2026年11月23日", "2027年11月22日", "92%", "80%", SERIAL, "Harbour and Lane", "结业证书",
        "This certifies that", "x/ledger", "QUJD" * 11,
    ]  # fmt: skip
    poppler, pypdf = text_of(drawn), re.sub(r"\s", "", read(drawn).pages[0].extract_text())
    assert [fact for fact in wanted if fact.replace(" ", "") not in poppler] == []
    assert [fact for fact in wanted if fact.replace(" ", "") not in pypdf] == []


def test_it_is_one_landscape_page_on_a4(drawn):
    [page] = read(drawn).pages
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (842, 595)


def test_it_is_pdf_a_3a_and_pdf_ua_1(drawn):
    """By what both standards ask of the structure; no validator of them is at hand here."""
    found = read(drawn)
    root, xmp = found.trailer["/Root"], found.trailer["/Root"]["/Metadata"].get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert "<pdfuaid:part>1</pdfuaid:part>" in xmp
    [intent] = root["/OutputIntents"]
    assert (intent["/S"], intent["/DestOutputProfile"]["/N"]) == ("/GTS_PDFA1", 3)
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert (root["/Lang"], found.metadata.title) == ("en", f"Certificate of completion {SERIAL}")
    assert found.metadata.author == "Harbour and Lane"
    assert not {"/Encrypt", "/JavaScript", "/Launch", "/AA", "/OpenAction"} & names_in(found)


def names_in(found: PdfReader) -> set[str]:
    """Every key of every dictionary of a file."""
    seen, names, ahead = set(), set(), [found.trailer]
    while ahead:
        one = ahead.pop()
        if isinstance(one, IndirectObject):
            if one.idnum in seen:
                continue
            seen.add(one.idnum)
            one = one.get_object()
        if isinstance(one, dict):
            names |= set(one)
            ahead += dict.values(one)
        elif isinstance(one, list):
            ahead += list.__iter__(one)
    return names


def test_every_font_is_embedded_as_a_subset_and_can_be_read_back(drawn):
    fonts = read(drawn).pages[0]["/Resources"]["/Font"]
    assert len(fonts) == 3
    for font in fonts.values():
        found = font.get_object()
        below = found["/DescendantFonts"][0].get_object()
        assert re.match(r"/[A-Z]{6}\+Noto", found["/BaseFont"])
        assert "/ToUnicode" in found
        assert len(below["/FontDescriptor"]["/FontFile3"].get_data()) < 60_000


def test_every_thing_on_it_has_a_place_in_the_order_of_reading(drawn):
    kinds, pictures = [], []

    def walk(element) -> None:
        element = element.get_object()
        if "/S" in element:
            kinds.append(element["/S"])
            if element["/S"] == "/Figure":
                pictures.append(element["/Alt"])
        below = element.get("/K", [])
        for child in below if isinstance(below, list) else [below]:
            if not isinstance(child, int):
                walk(child)

    walk(read(drawn).trailer["/Root"]["/StructTreeRoot"])
    assert kinds[:2] == ["/Document", "/H1"]
    assert kinds.count("/H2") == 2
    assert pictures == [f"Check this certificate at localhost/verify/{SERIAL}"]
    content = read(drawn).pages[0].get_contents().get_data()
    assert content.count(b"BDC") + content.count(b"BMC") == content.count(b"EMC")


def test_the_evidence_is_attached_as_json_that_belongs_to_the_document(drawn):
    found = read(drawn)
    [attached] = found.attachments["evidence.json"]
    assert json.loads(attached) == {
        "format": "onchannel-certificate/1", "serial": SERIAL, "facts": FACTS, "evidence": EVIDENCE,
    }  # fmt: skip
    assert attached == evidence.attached(SERIAL, FACTS, EVIDENCE)
    [file] = found.trailer["/Root"]["/AF"]
    assert file["/AFRelationship"] == "/Data"
    assert file["/EF"]["/F"]["/Subtype"] == "/application/json"


def test_the_same_facts_give_the_same_bytes_in_any_order_of_work(drawn):
    drawing.certificate("OC-0000-0000-0000-0000", LONGEST, EVIDENCE)
    assert drawing.certificate(SERIAL, FACTS, EVIDENCE) == drawn
    drawing._compiler.cache_clear()
    assert drawing.certificate(SERIAL, dict(reversed(FACTS.items())), EVIDENCE) == drawn


def test_other_facts_give_other_bytes(drawn):
    assert drawing.certificate(SERIAL, FACTS | {"percent": 91}, EVIDENCE) != drawn


@pytest.mark.parametrize(
    "name",
    ['#import "/etc/passwd"', '<img src="file:///etc/passwd">', "$x$ *bold* _it_ @ref", "\\u{0}", "#panic()", "`raw`"],
)
def test_markup_in_a_name_is_printed_and_not_obeyed(name):
    text = text_of(drawing.certificate(SERIAL, FACTS | {"name_en": name}, EVIDENCE))
    assert name.replace(" ", "") in text


@pytest.mark.parametrize("name", ["Zoë 🦄 Ünlü", "\ue000", "\U000f0000龘", "𠮷", "שלום", "สมชาย", "🦄" * 20])
def test_a_sign_that_no_font_has_is_printed_as_a_mark_and_kept_in_the_evidence(name):
    pdf = drawing.certificate(SERIAL, FACTS | {"name_en": name}, EVIDENCE)
    [attached] = read(pdf).attachments["evidence.json"]
    assert json.loads(attached)["facts"]["name_en"] == name
    if "🦄" in name:
        assert "〓" in text_of(pdf)


@pytest.mark.parametrize(
    ("told", "printed"),
    [
        ("Zhao\u200bWei\u202e Evil", "ZhaoWeiEvil"),  # which would otherwise be read from behind
        ("\ufeffLin\u00ad Yue\u2066", "LinYue"),
        ("Bell\x07\x00", "Bell"),
        ("Aida 㛃䶮", "Aida㛃䶮"),
        ("Nguye\u0302\u0303n", "Nguyễn"),
    ],
)
def test_signs_that_are_not_seen_are_left_away_and_rare_ones_are_there(told, printed):
    pdf = drawing.certificate(SERIAL, FACTS | {"name_en": told, "name_zh": ""}, EVIDENCE)
    assert printed in unicodedata.normalize("NFC", text_of(pdf))
    [attached] = read(pdf).attachments["evidence.json"]
    assert json.loads(attached)["facts"]["name_en"] == told


def test_an_error_that_is_not_about_a_sign_is_told_as_ours(monkeypatch, tmp_path):
    broken = tmp_path / "certificate.typ"
    broken.write_text("#panic()")
    monkeypatch.setattr(drawing, "SHEET", broken)
    drawing._compiler.cache_clear()
    with pytest.raises(drawing.CouldNotDraw):
        drawing.certificate(SERIAL, FACTS, EVIDENCE)
    drawing._compiler.cache_clear()


def test_the_template_reads_nothing_beside_itself(monkeypatch, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("x")
    (tmp_path / "sheet").mkdir()
    sheet = tmp_path / "sheet" / "certificate.typ"
    sheet.write_text('#set document(title: "x", date: datetime(year: 2026, month: 1, day: 1))\n#read("../secret.txt")')
    monkeypatch.setattr(drawing, "SHEET", sheet)
    drawing._compiler.cache_clear()
    with pytest.raises(drawing.CouldNotDraw):
        drawing.certificate(SERIAL, FACTS, EVIDENCE)
    drawing._compiler.cache_clear()


@pytest.mark.parametrize(
    "facts",
    [
        FACTS,
        LONGEST,
        FACTS | {"name_en": "W" * 120, "name_zh": "龘" * 40},
        FACTS | {"name_zh": "", "employee_no": "", "office": {"en": ""}},
    ],
)
def test_words_stay_on_the_sheet_and_off_each_other(facts):
    """Nothing that is printed lies outside the frame, and no line of the left column overlaps another."""
    pdf = drawing.certificate(SERIAL, facts, EVIDENCE)
    told = subprocess.run(["pdftotext", "-bbox-layout", "-", "-"], input=pdf, capture_output=True, check=True)  # noqa: S607
    box = r'xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)"'
    words = [tuple(map(float, found)) for found in re.findall(f"<word {box}", told.stdout.decode())]
    assert len(words) > 30
    assert all(x0 > 30 and x1 < 812 and y0 > 30 and y1 < 565 for x0, y0, x1, y1 in words)
    lines = sorted({(round(y0), round(y1)) for x0, y0, _x1, y1 in words if x0 < 100})
    assert all(above[1] - 4 <= below[0] for above, below in pairwise(lines) if above[0] != below[0])


@pytest.mark.parametrize("facts", [FACTS, LONGEST])
def test_a_file_takes_less_than_fifty_kilobytes_before_it_is_signed(facts):
    assert len(drawing.certificate(SERIAL, facts, EVIDENCE)) < 52_000
