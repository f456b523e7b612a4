from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from quizzes import services
from quizzes.formats import FORMATS, format_of
from quizzes.models import Bank


class Command(BaseCommand):
    help = "Write the newest version of every question of a bank to a file, and say what the format cannot carry."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", required=True, type=format_of, help=f"one of: {', '.join(FORMATS)}")
        parser.add_argument("--bank", required=True)
        parser.add_argument(
            "--language", default=settings.LANGUAGE_CODE, choices=[code for code, _ in settings.LANGUAGES]
        )

    def handle(self, *, file: Path, bank: str, language: str, **options) -> None:
        row = Bank.objects.filter(slug=services.bank_slug(bank)).first() or Bank.objects.filter(slug=bank).first()
        if row is None:
            raise CommandError(f"There is no bank '{bank}'.")
        data, lost = services.export_questions(bank=row, file_format=options["format"], language=language)
        try:
            file.write_bytes(data)
        except OSError as error:
            raise CommandError(f"{file}: {error}") from error
        for slug, what in lost:
            self.stdout.write(f"{slug}: {what}")
        left_out = sum(what.startswith("left out") for _slug, what in lost)
        total = row.questions.newest().filter(withdrawn_at=None).count()
        self.stdout.write(f"{total - left_out} written, {left_out} left out")
