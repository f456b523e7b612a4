"""A pack's summary as PDF: what is in it, how people stood, and for one person what happened, in words."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError

from portal.evidence import words
from portal.evidence.models import Pack
from portal.evidence.timeline import KINDS
from portal.evidence.workshop import ENTRIES, PEOPLE, Workshop
from portal.ledger.models import Seal
from portal.standing.rules import ArchiveState, TrainingState
from training.pdf import AssetFetcher, CouldNotDraw

CSS = Path(__file__).parent / "print" / "pack.css"
MOST_LINES, MOST_PEOPLE = 400, 300  # on paper; the tables hold all of them
TABLES: dict[str, Promise] = {
    "people.csv": _("Who it is about, and how each stood"),
    "required.csv": _("Required: courses assigned"),
    "duty.csv": _("Required: dates that moved, and duties that ended"),
    "asked.csv": _("Required: exemptions asked for and refused"),
    "exempted.csv": _("Required: exemptions"),
    "seen.csv": _("Seen: the edition that was studied, with its fingerprint"),
    "read.csv": _("Seen: lessons read to their end"),
    "attempts.csv": _("Answered: quizzes handed in"),
    "answers.csv": _("Answered: each question and answer"),
    "regraded.csv": _("Answered: results after a recalled question"),
    "passed.csv": _("Modules passed"),
    "completed.csv": _("Courses completed"),
    "imported.csv": _("Courses completed before, taken over from a file"),
    "attested.csv": _("Attested: policies signed, and quarterly statements"),
    "certificates.csv": _("Certificates issued, replaced, revoked"),
    "captured.csv": _("Captured: the archive’s figures by month"),
    "standing.csv": _("Permission to message clients, each change"),
    "findings.csv": _("Found and settled: findings, step by step"),
    "slips.csv": _("Found: slips that people told of themselves"),
    "remedies.csv": _("Remedied: lessons that findings called for"),
    "reminders.csv": _("Reminders"),
    "details.csv": _("HR’s list: names and details"),
    "employment.csv": _("HR’s list: managers, roles, leave"),
    "editions.csv": _("Editions of courses, with their fingerprints"),
}


def pdf(pack: Pack, workshop: Workshop, cursor: dict, language: str) -> bytes:
    """Return the summary in one language as a tagged PDF (PDF/UA-1). Raises CouldNotDraw."""
    with translation.override(language), timezone.override(timezone.get_default_timezone()):
        context = context_of(pack, workshop, cursor)
        html = render_to_string("evidence/summary_pdf.html", context | {"language": language})
    fetcher = AssetFetcher({"pack.css": CSS.read_bytes()})
    try:
        return HTML(string=html, url_fetcher=fetcher).write_pdf(pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as error:  # a BaseException: `except Exception` would let it end the worker
        raise CouldNotDraw(str(error)) from error


def context_of(pack: Pack, workshop: Workshop, cursor: dict) -> dict:
    seal = Seal.objects.get(number=cursor["seal"])
    with workshop.path(PEOPLE).open(encoding="utf-8-sig", newline="") as stream:
        people = list(islice(csv.DictReader(stream), MOST_PEOPLE))
    for row in people:
        row["training"] = _label(TrainingState, row["training"])
        row["archive"] = _label(ArchiveState, row["archive"])
    return {
        "firm": settings.FIRM_NAME,
        "pack": pack,
        "figures": cursor["figures"],
        "seal": seal,
        "tables": [(name, told, cursor["counts"].get(name, 0)) for name, told in TABLES.items()],
        "stood": _stood(cursor["stood"]),
        "may": cursor["stood"].get("may", 0),
        "may_not": cursor["stood"].get("may_not", 0),
        "people": people,
        "more_people": max(0, cursor["people"] - MOST_PEOPLE),
        "lines": list(islice(lines_of(workshop), MOST_LINES)) if pack.scope == Pack.Scope.PERSON else [],
        "most_lines": MOST_LINES,
    }


def _label(states: type[TrainingState] | type[ArchiveState], value: str) -> str:
    return str(states(value).label) if value in states.values else "–"


def _stood(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    """Return (which, state, people) in the order of the states."""
    found = []
    for name, states in (("training", TrainingState), ("archive", ArchiveState)):
        found += [(name, str(one.label), n) for one in states if (n := counts.get(f"{name}:{one.value}"))]
    return found


def lines_of(workshop: Workshop) -> Iterator[tuple[int, datetime, str]]:
    """Yield (number, moment, sentence) of a person's Entries, oldest first, as the pack holds them."""
    told = {verb for _name, verbs in KINDS.values() for verb in verbs} - {"quizzes.attempt_started"}
    with workshop.path(ENTRIES).open(encoding="utf-8") as stream:
        written = [(json.loads(one["entry"]), one["body"]) for one in map(json.loads, stream)]
    found = sorted(
        ((e, json.loads(b) if b else None) for e, b in written if e["verb"] in told), key=lambda x: x[0]["seq"]
    )
    titles = words.titles_for(said for _entry, said in found if said)
    for entry, said in found:
        moment = timezone.localtime(datetime.fromisoformat(entry["at"].replace("Z", "+00:00")))
        yield entry["seq"], moment, words.say(entry["verb"], said, titles)
