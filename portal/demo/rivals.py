"""Other ways to make certificates, to measure ours beside. What each leaves out stands in its line of WAYS.

They are drawn from the same words, with the same QR code; none but ours attaches evidence, is PDF/A, or is signed.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import segno
import typst
from cryptography.hazmat.primitives import hashes
from django.template.loader import render_to_string
from pypdf import PdfReader, PdfWriter
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from training import badges, drawing, signing
from training.models import Certificate, Completion, Course, Edition, SigningKey
from training.pdf import AssetFetcher

AT = datetime(2026, 11, 24, 4, tzinfo=UTC)
SIGNS = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔"
NAMES = ["Lin Yue", "Chen Jing", "Marcus Hale", "Zhao Wei", "Priya Natarajan", "Li Na", "Sarah O'Connor", "Wu Lei"]
PAGES = 100  # sheets that are laid out in one document


@dataclass(frozen=True)
class Sample:
    serial: str
    facts: dict
    evidence: dict


def samples(count: int) -> list[Sample]:
    """Return that many certificates of one course, no two of the same name."""
    return [_sample(n) for n in range(count)]


def _sample(n: int) -> Sample:
    digits = f"{n:016d}"
    name_zh = "".join(SIGNS[(n * step + step) % len(SIGNS)] for step in (1, 7, 13))
    facts = {
        "name_en": f"{NAMES[n % len(NAMES)]} {n}",
        "name_zh": name_zh,
        "employee_no": f"{100000 + n}",
        "department": {"en": "Fixed Income", "zh-hans": "固定收益部"},
        "office": {"en": "Shanghai", "zh-hans": "上海"},
        "firm": "Harbour and Lane",
        "course": {"en": "Archiving WeChat", "zh-hans": "微信留档合规"},
        "edition": 3,
        "modules": 6,
        "percent": 80 + n % 21,
        "study_seconds": 5000 + n,
        "completed_on": "2026-11-23",
        "valid_until": "2027-11-22",
    }
    modules = [{"slug": f"module-{m}", "title": facts["course"], "percent": 92} for m in range(6)]
    evidence = {
        "issued_at": "2026-11-24T04:00:00.000000Z",
        "course": {"slug": "wechat-archiving", "edition": 3, "fingerprint": "ab" * 32},
        "completion": {"percent": 92, "pass_percent": 80, "study_seconds": 5000 + n},
        "modules": modules,
        "log": {
            "entry": {"seq": n, "digest": "cd" * 32},
            "seal": {"origin": "x/ledger", "size": n, "root": "QUJD" * 11},
        },
    }
    return Sample("OC-" + "-".join(digits[at : at + 4] for at in range(0, 16, 4)), facts, evidence)


# --- ours --------------------------------------------------------------------------------------------------------


def drawn(some: list[Sample]) -> Iterator[bytes]:
    for one in some:
        yield drawing.certificate(one.serial, one.facts, one.evidence)


def as_issued(some: list[Sample]) -> Iterator[bytes]:
    """With evidence, seal, signature, and the badge beside each: all that a worker makes before it stores it."""
    key = SigningKey(fingerprint=signing.certificate().fingerprint(hashes.SHA256()).hex())
    completion = Completion(edition=Edition(course=Course(slug="wechat-archiving")))
    for pk, (one, pdf) in enumerate(zip(some, drawn(some), strict=True)):
        sealed = signing.signed(pdf, firm=one.facts["firm"], at=AT)
        row = Certificate(pk=pk, serial=one.serial, facts=one.facts, completion=completion, issued_at=AT)
        badges.badge(row, key)
        yield sealed


# --- WeasyPrint --------------------------------------------------------------------------------------------------


def _html(some: list[Sample]) -> tuple[str, AssetFetcher]:
    sheets = [drawing.shown(one.serial, one.facts, one.evidence) for one in some]
    made = {f"{one.serial}.svg": drawing.qr(drawing.address_of(one.serial)).encode() for one in some}
    return render_to_string("demo/certificate.html", {"sheets": sheets}), AssetFetcher(made)


def naive(some: list[Sample]) -> Iterator[bytes]:
    for one in some:
        html, fetcher = _html([one])
        yield HTML(string=html, url_fetcher=fetcher).write_pdf(pdf_variant="pdf/ua-1")


def shared(some: list[Sample]) -> Iterator[bytes]:
    fonts = FontConfiguration()
    fetcher = AssetFetcher({})
    sheet = CSS(string=fetcher.fetch("asset:certificate.css").read().decode(), font_config=fonts, url_fetcher=fetcher)
    for one in some:
        html, fetcher = _html([one])
        html = html.replace('<link rel="stylesheet" href="asset:certificate.css">', "")
        document = HTML(string=html, url_fetcher=fetcher)
        yield document.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")


def split(some: list[Sample]) -> Iterator[bytes]:
    for start in range(0, len(some), PAGES):
        html, fetcher = _html(some[start : start + PAGES])
        whole = PdfReader(io.BytesIO(HTML(string=html, url_fetcher=fetcher).write_pdf()))
        for page in whole.pages:
            writer, out = PdfWriter(), io.BytesIO()
            writer.add_page(page)
            writer.write(out)
            yield out.getvalue()


# --- others ------------------------------------------------------------------------------------------------------


def typst_naive(some: list[Sample]) -> Iterator[bytes]:
    for one in some:
        compiler = typst.Compiler(input=str(drawing.SHEET), root=str(drawing.SHEET.parent))
        inputs = drawing.inputs(one.serial, one.facts, one.evidence)
        yield compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=drawing.STANDARDS)


def by_reportlab(some: list[Sample]) -> Iterator[bytes]:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    for one in some:
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=landscape(A4))
        _draw(canvas, drawing.shown(one.serial, one.facts, one.evidence))
        canvas.save()
        yield out.getvalue()


def _draw(canvas: Canvas, sheet: dict) -> None:
    def text(x: float, y: float, size: float, pair: tuple[str, str]) -> None:
        for words, font, line in ((pair[0], "Times-Roman", 0), (pair[1], "STSong-Light", 1.3)):
            canvas.setFont(font, size)
            canvas.drawString(x * mm, y * mm - line * size, words)

    words = sheet["words"]
    canvas.rect(9 * mm, 9 * mm, 279 * mm, 192 * mm)
    canvas.roundRect(221 * mm, 113 * mm, 40 * mm, 40 * mm, 5 * mm)
    text(28, 185, 13, words["title"])
    text(190, 185, 10, (sheet["firm"], ""))
    text(28, 160, 10, words["certifies"])
    text(28, 145, 30, (sheet["name_en"], sheet["name_zh"]))
    text(28, 120, 10, sheet["about"])
    text(28, 106, 10, words["completed"])
    text(28, 96, 19, sheet["course"])
    for n, (label, value) in enumerate(sheet["rows"]):
        text(28 + n % 3 * 58, 60 - n // 3 * 22, 8, label)
        text(28 + n % 3 * 58, 52 - n // 3 * 22, 10, value)
    text(200, 28, 11, (sheet["serial"], ""))
    text(200, 22, 8, (sheet["address"], ""))
    code = segno.make_qr(drawing.address_of(sheet["serial"]), error="m")
    side = 25 / len(code.matrix)
    for row, line in enumerate(code.matrix):
        for column, dark in enumerate(line):
            if dark:
                canvas.rect((244 + column * side) * mm, (60 - row * side) * mm, side * mm, side * mm, stroke=0, fill=1)


@dataclass(frozen=True)
class Way:
    """``share``: of the certificates asked for, how many this one makes; the slow ones make fewer."""

    name: str
    make: Callable[[list[Sample]], Iterator[bytes]]
    leaves_out: str
    share: float = 1.0


EVERYTHING = "evidence, PDF/A, signature, badge"
WAYS = [
    Way("WeasyPrint, one document each", naive, EVERYTHING, 0.1),
    Way("WeasyPrint, fonts and style sheet shared", shared, EVERYTHING, 0.1),
    Way(f"WeasyPrint, {PAGES} pages split by pypdf", split, f"{EVERYTHING}, tags", 0.5),
    Way("reportlab", by_reportlab, f"{EVERYTHING}, tags, Chinese fonts"),
    Way("Typst, begun anew for each", typst_naive, "signature, badge", 0.5),
    Way("ours, before it is signed", drawn, "signature, badge"),
    Way("ours, as issued", as_issued, "nothing"),
]
