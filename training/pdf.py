"""Certificates as PDF. Nothing is fetched but what lies in training/print/ or is handed over here.

Called by a worker, never by a web process: drawing takes about a second.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import segno
from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

ASSETS = Path(__file__).parent / "print"
KINDS = {".css": "text/css", ".svg": "image/svg+xml"}
LONG, LONGEST = 26, 52  # columns a name may take before it is set smaller, and smaller again

# What is printed around the facts, in both languages of the firm.
WORDS: dict[str, Promise] = {
    "title": _("Certificate of completion"),
    "certifies": _("This certifies that"),
    "employee_no": _("Employee no."),
    "completed": _("has completed the course"),
    "completed_on": _("Completed"),
    "valid_until": _("Valid until"),
    "study_time": _("Study time"),
    "score": _("Score"),
    "edition": _("Edition"),
    "modules": _("Modules passed"),
    "serial": _("Serial"),
    "check": _("Check this certificate at"),
}


class CouldNotDraw(RuntimeError):
    """The PDF could not be made: something it needs is missing or forbidden."""


class AssetFetcher(URLFetcher):
    """Serves ``asset:<name>`` from training/print/ and from what was handed over, and refuses everything else."""

    def __init__(self, made: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols={"asset"}, allow_redirects=False, fail_on_errors=True)
        self.made = made

    def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
        scheme, _colon, name = url.partition(":")
        if scheme.lower() != "asset":
            raise ValueError(f"{scheme}: is not fetched")
        kind = {"Content-Type": KINDS.get(Path(name).suffix, "application/octet-stream")}
        if name in self.made:
            return URLFetcherResponse(url, self.made[name], kind)
        path = (ASSETS / name).resolve()
        if not path.is_relative_to(ASSETS.resolve()):
            raise ValueError(f"{name} lies outside")
        return URLFetcherResponse(url, path.read_bytes(), kind)


def certificate(serial: str, facts: Mapping[str, Any]) -> bytes:
    """Return the certificate as a tagged PDF (PDF/UA-1). ``facts`` as certificates.facts_of(). Raises CouldNotDraw."""
    address = f"{settings.SITE_URL}{reverse('training:verify', args=[serial])}"
    with translation.override("en"):
        html = render_to_string("training/certificate_pdf.html", _context(serial, facts, address))
    qr = segno.make_qr(address, error="m").svg_inline(border=0, dark="#1d2329", light=None, omitsize=True)
    # An SVG fetched by itself is XML, which needs its namespace.
    qr = qr.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    fetcher = AssetFetcher({"qr.svg": qr.encode()})
    try:
        return HTML(string=html, url_fetcher=fetcher).write_pdf(pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as error:  # a BaseException: `except Exception` would let it end the worker
        raise CouldNotDraw(str(error)) from error


def _context(serial: str, facts: Mapping[str, Any], address: str) -> dict[str, Any]:
    shown = {name: value for name, value in facts.items() if name not in ("course", "department", "office")}
    return shown | {
        "words": {name: both(words) for name, words in WORDS.items()},
        "serial": serial,
        "address": address.split("://", 1)[-1].rstrip("/"),
        "name_size": name_size(facts["name_en"], facts["name_zh"]),
        "course": _told(facts["course"]),
        "places": _places(facts),
        "completed_on": _day(facts["completed_on"]),
        "valid_until": _day(facts["valid_until"]),
        "created": facts["completed_on"],
        "hours": facts["study_seconds"] // 3600,
        "minutes": max(facts["study_seconds"] % 3600 // 60, 0 if facts["study_seconds"] >= 3600 else 1),
    }


def both(words: Promise) -> tuple[str, str]:
    """Return a text in English and in Chinese; the second is empty where the catalogue does not have it."""
    with translation.override("en"):
        english = str(words)
    with translation.override("zh-hans"):
        chinese = str(words)
    return english, "" if chinese == english else chinese


def _told(texts: Mapping[str, str]) -> tuple[str, str]:
    english = texts.get("en") or next(iter(texts.values()), "")
    chinese = texts.get("zh-hans", "")
    return english, "" if chinese == english else chinese


def _places(facts: Mapping[str, Any]) -> tuple[str, str]:
    """Return department and office in English and in Chinese, as far as they are known."""
    pairs = [_told(facts[name]) for name in ("department", "office")]
    return ", ".join(p[0] for p in pairs if p[0]), " ".join(p[1] for p in pairs if p[1])


def _day(iso: str) -> tuple[str, str]:
    day = date.fromisoformat(iso)
    with translation.override("en"):
        english = date_format(day, "j F Y")
    return english, f"{day.year}年{day.month}月{day.day}日"


def name_size(name_en: str, name_zh: str) -> str:
    """Return "short", "long" or "longest", by the columns that the wider of the two names takes."""
    widest = max(len(name_en), 2 * len(name_zh))
    if len(name_en) + 2 * len(name_zh) < LONG:
        return "short"
    return "long" if widest <= LONGEST else "longest"
