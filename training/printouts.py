"""An attempt as PDF, as it was shown and graded: drawn by a worker, once, and kept."""

import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from weasyprint import HTML
from weasyprint.urls import FatalURLFetchingError

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.people.models import Employee
from quizzes import replays
from quizzes.models import Attempt, Printout
from training import files
from training.pdf import AssetFetcher, CouldNotDraw

RENDER = "training.tasks.print_attempt"


@transaction.atomic
def ask(attempt: Attempt, *, by: Employee) -> Printout:
    """Return the attempt's printout, its drawing begun if there is none. Whoever asked first may follow it."""
    job = jobs.start(kind=RENDER, key=attempt.uid, by=by, params={"attempt": attempt.pk}, total=1)
    return Printout.objects.get_or_create(attempt=attempt, defaults={"job": job})[0]


def pdf_of(attempt: Attempt) -> bytes:
    """Return the attempt as a tagged PDF (PDF/UA-1), in every language in which it was shown. Raises CouldNotDraw."""
    with translation.override(attempt.language):
        context = replays.replay(attempt) | {"firm": settings.FIRM_NAME}
        html = render_to_string("training/attempt_pdf.html", context)
    try:
        return HTML(string=html, url_fetcher=AssetFetcher({})).write_pdf(pdf_variant="pdf/ua-1")
    except FatalURLFetchingError as error:  # a BaseException: `except Exception` would let it end the worker
        raise CouldNotDraw(str(error)) from error


def draw(attempt: Attempt) -> Printout:
    """Make the file if there is none, and return the printout with it. Safe to call at any time.

    Drawing takes a second, so it happens before the row is touched: whoever is second throws its drawing away.
    """
    printout = Printout.objects.get(attempt=attempt)
    if printout.file:
        return printout
    descriptor, path = tempfile.mkstemp(dir=files.workshop(), suffix=".pdf")
    made = Path(path)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pdf_of(attempt))
        return _keep(printout, made)
    finally:
        made.unlink(missing_ok=True)


@transaction.atomic
def _keep(printout: Printout, made: Path) -> Printout:
    locked = Printout.objects.select_for_update(of=("self",)).select_related("attempt").get(pk=printout.pk)
    if not locked.file:
        name = f"papers/{locked.attempt.uid}.pdf"
        locked.sha256 = files.put_in_place(made, name)
        locked.file, locked.made_at = name, timezone.now()
        locked.save(update_fields=["file", "sha256", "made_at"])
    return locked


def draw_ahead(job: Job) -> None:
    """Draw a job's printout outside of any transaction: SQLite has one writer, and a page may wait for it."""
    draw(_attempt(job))


def draw_step(job: Job) -> bool:
    """The one step of a job: the file is there. Draws it only if draw_ahead() could not."""
    printout = draw(_attempt(job))
    job.done = job.total = 1
    job.result = {"sha256": printout.sha256}
    return True


def _attempt(job: Job) -> Attempt:
    return Attempt.objects.select_related("quiz", "employee").get(pk=job.params["attempt"])
