"""A question file that somebody sends is looked at first; then exactly what was shown is imported."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from portal.people.models import Employee
from quizzes import importing
from quizzes.importing import Outcome
from quizzes.models import Upload

KEPT = timedelta(days=1)
UPLOAD_MOST = 4 * 2**20  # bytes; larger files come in by the command
QUESTIONS_MOST = 5_000  # of one upload


@transaction.atomic
def keep(*, data: bytes, name: str, file_format: str, bank: str, language: str, by: Employee) -> Upload:
    """Keep a file until it is imported, replaced, or a day old."""
    Upload.objects.filter(at__lt=timezone.now() - KEPT).delete()
    Upload.objects.filter(by=by).delete()
    about = {"name": name[:200], "file_format": file_format, "bank": bank, "language": language}
    return Upload.objects.create(by=by, at=timezone.now(), data=data, **about)


def look(upload: Upload, file_format: str = "") -> Outcome:
    """Return what would become of the file, and change nothing. Raises NotThisFormat."""
    return _run(upload, file_format, dry_run=True)


@transaction.atomic
def bring_in(*, upload: Upload, file_format: str, seen: str, by: Employee) -> Outcome:
    """Import what was shown. Raises NotThisFormat, importing.ChangedMeanwhile."""
    outcome = _run(upload, file_format, by=by.uid, author=by, seen=seen)
    upload.delete()
    return outcome


def _run(upload: Upload, file_format: str, *, by: str = "system:quizzes", **how) -> Outcome:
    return importing.import_questions(
        data=bytes(upload.data),
        file_format=file_format or upload.file_format,
        bank=upload.bank,
        language=upload.language,
        by=by,
        most=QUESTIONS_MOST,
        **how,
    )
