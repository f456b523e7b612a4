"""Certificates as PDF, drawn by Typst: PDF/A-3a and PDF/UA-1 in one file, with the evidence attached.

The same facts give the same bytes, as long as Typst and the fonts are the same. Called by a worker, never by a web
process. Typst is told one folder, and no file is named by anything but our own template.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from training.evidence import attached

SHEET = Path(__file__).parent / "print" / "certificate.typ"
STANDARDS = ["a-3a", "ua-1"]
MISSING = "〓"  # stands for a sign that no font here has, as Chinese printers do
UNPRINTABLE = re.compile(r'(?:the text|the codepoint) `("(?:[^"\\]|\\.)*")`')
ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")

UNSEEN = {"Cc", "Cf", "Cs", "Cn"}  # of Unicode: controls, formats, halves of a pair, not assigned
SYLLABLE, BREAK = 10, "\u200b"
KEPT = "\u200c\u200d"  # which some scripts need to be written rightly
LONG = re.compile(r"[^\s\u2e80-\uffff]{30,}")  # Chinese breaks anywhere by itself

# What is printed around the facts, in both languages of the firm.
WORDS: dict[str, Promise] = {
    "title": _("Certificate of completion"),
    "certifies": _("This certifies that"),
    "employee_no": _("Employee no."),
    "completed": _("has completed the course"),
    "completed_on": _("Completed"),
    "valid_until": _("Valid until"),
    "score": _("Score"),
    "pass_mark": _("Pass mark"),
    "edition": _("Edition"),
    "modules": _("Modules passed"),
    "signed": _("Electronically signed"),
    "evidence": _("Evidence of this completion"),
    "check": _("Check this certificate at"),
}


class CouldNotDraw(RuntimeError):
    """The PDF could not be made: a font or a file that it needs is missing."""


def certificate(serial: str, facts: Mapping[str, Any], evidence: Mapping[str, Any]) -> bytes:
    """Return the certificate, not signed yet. ``facts`` as certificates.facts_of(), ``evidence`` as evidence.of().

    Raises CouldNotDraw.
    """
    told = inputs(serial, facts, evidence)
    try:
        return _compiled(told)
    except typst.TypstError as error:
        told["facts"] = _printable(told["facts"], error)
    try:
        return _compiled(told)
    except typst.TypstError as error:
        raise CouldNotDraw(error.message) from error


def inputs(serial: str, facts: Mapping[str, Any], evidence: Mapping[str, Any]) -> dict[str, str]:
    """Return what the sheet takes."""
    told = _visible(shown(serial, facts, evidence))
    told |= {name: _breakable(told[name]) for name in ("name_en", "name_zh")}
    return {
        "facts": json.dumps(told, ensure_ascii=False),
        "evidence": attached(serial, facts, evidence).decode(),
        "qr": qr(address_of(serial)),
    }


def _visible(told: Any) -> Any:
    """Return the same without signs that are not seen and change how others are: controls, and marks that turn the
    direction of writing. The attached evidence has everything as it came."""
    if isinstance(told, dict):
        return {name: _visible(one) for name, one in told.items()}
    if isinstance(told, list | tuple):
        return [_visible(one) for one in told]
    if not isinstance(told, str):
        return told
    return "".join(sign for sign in told if sign in KEPT or unicodedata.category(sign) not in UNSEEN)


def _breakable(text: str) -> str:
    """Return the text with places in words longer than a line at which they may be broken."""
    return LONG.sub(lambda word: BREAK.join(re.findall(f".{{1,{SYLLABLE}}}", word[0])), text)


def address_of(serial: str) -> str:
    return f"{settings.SITE_URL}{reverse('training:verify', args=[serial])}"


@cache
def _compiler() -> typst.Compiler:
    """One for the process: it keeps the fonts, and what stays the same from one certificate to the next."""
    return typst.Compiler(input=str(SHEET), root=str(SHEET.parent))


def _compiled(inputs: dict[str, str]) -> bytes:
    return _compiler().compile(format="pdf", sys_inputs=inputs, pdf_standards=STANDARDS)


def _printable(text: str, error: typst.TypstError) -> str:
    """Return the text with MISSING for each sign that the error says cannot be printed."""
    named = [json.loads(_as_json(found)) for found in UNPRINTABLE.findall(error.diagnostic)]
    return text.translate({ord(sign): MISSING for sign in "".join(named)})


def _as_json(rust: str) -> str:
    """Return a string as Rust writes it down as JSON does."""
    return ESCAPED.sub(lambda match: json.dumps(chr(int(match[1], 16)))[1:-1], rust).replace("\\'", "'")


def qr(address: str) -> str:
    drawn = segno.make_qr(address, error="m").svg_inline(border=0, dark="#1d2329", light=None, omitsize=True)
    # By itself it is XML, which needs its namespace.
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def shown(serial: str, facts: Mapping, evidence: Mapping) -> dict[str, Any]:
    """Return what is printed, as it is printed; texts as pairs of English and Chinese."""
    words = {name: both(text) for name, text in WORDS.items()}
    number = f"{words['employee_no'][0]} {facts['employee_no']}" if facts["employee_no"] else ""
    places = _places(facts)
    issued = date.fromisoformat(evidence.get("issued_at", facts["completed_on"])[:10])
    return {
        "serial": serial,
        "firm": facts["firm"],
        "name_en": facts["name_en"],
        "name_zh": facts["name_zh"],
        "about": (" · ".join(part for part in (number, places[0]) if part), places[1]),
        "course": _told(facts["course"]),
        "rows": _rows(words, facts, evidence),
        "log": _log(evidence),
        "address": address_of(serial).split("://", 1)[-1].rstrip("/"),
        "day": (issued.year, issued.month, issued.day),
        "words": words,
    }


def _rows(words: Mapping[str, tuple[str, str]], facts: Mapping, evidence: Mapping) -> list[tuple]:
    """Return (label, value) pairs, three in a line. How long somebody studied is evidence, not a merit: not printed."""
    rows = [
        (words["completed_on"], _day(facts["completed_on"])),
        (words["valid_until"], _day(facts["valid_until"])),
        (words["modules"], (str(facts["modules"]), "")),
        (words["score"], (f"{facts['percent']}%", "")),
        (words["edition"], (str(facts["edition"]), "")),
    ]
    if least := evidence.get("completion", {}).get("pass_percent"):
        rows.insert(4, (words["pass_mark"], (f"{least}%", "")))
    return rows


def _log(evidence: Mapping[str, Any]) -> str:
    """Return the newest seal of the evidence log at the time of issue, in one line; empty if there was none."""
    seal = evidence.get("log", {}).get("seal")
    return f"{seal['origin']}  {seal['size']}  {seal['root']}" if seal else ""


@cache
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
