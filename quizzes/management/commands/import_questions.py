import json
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from quizzes import services
from quizzes.formats import FORMATS, format_of


class Command(BaseCommand):
    help = "Read a question file into a bank; every question that cannot come in is named, with the reason."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", required=True, type=format_of, help=f"one of: {', '.join(FORMATS)}")
        parser.add_argument("--bank", required=True, help="its slug or its name; made if it is not there")
        parser.add_argument(
            "--language", default=settings.LANGUAGE_CODE, choices=[code for code, _ in settings.LANGUAGES]
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would become of it, and change nothing")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")

    def handle(self, *, file: Path, bank: str, language: str, dry_run: bool, **options) -> None:
        try:
            data = file.read_bytes()
            outcome = services.import_questions(
                data=data, file_format=options["format"], bank=bank, language=language, dry_run=dry_run,
                by="system:import_questions",
            )  # fmt: skip
        except (OSError, services.NotThisFormat) as error:
            raise CommandError(f"{file}: {error}") from error
        told = {
            "file": str(file),
            "format": options["format"],
            "bank": services.bank_slug(bank),
            "dry_run": dry_run,
            "found": outcome.found,
            "imported": len(outcome.imported),
            "already_there": outcome.already_there,
            "refused": [{"where": i.where, "name": i.name, "reason": i.refused} for i in outcome.refused],
            "noted": [{"where": i.where, "name": i.name, "notes": i.notes} for i in outcome.noted],
            "notes": outcome.notes,
            "questions": outcome.imported,
        }
        if options["json"]:
            self.stdout.write(json.dumps(told, ensure_ascii=False, indent=1))
        else:
            self._print(told)

    def _print(self, told: dict) -> None:
        for note in told["notes"]:
            self.stdout.write(f"{told['file']}: note: {note}")
        for item in told["noted"]:
            self.stdout.write(f"{told['file']}, {item['where']} ({item['name']}): note: {'; '.join(item['notes'])}")
        for item in told["refused"]:
            self.stdout.write(f"{told['file']}, {item['where']} ({item['name']}): refused: {item['reason']}")
        done = "nothing written: a dry run" if told["dry_run"] else f"into bank {told['bank']}, to be reviewed"
        self.stdout.write(
            f"{told['found']} found, {told['imported']} imported, {told['already_there']} already there, "
            f"{len(told['refused'])} refused ({done})"
        )
