from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from archive import services


class Command(BaseCommand):
    help = "Read days of leave (CSV: employee_no, first_on, last_on). Without --write it only says what it would do."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--write", action="store_true", help="keep them; a bad line is told and left out")

    def handle(self, *, file: Path, write: bool, **options) -> None:
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                told = services.read_leaves(stream)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file} cannot be read as text in UTF-8: {error}") from error
        except services.NotALeaveList as error:
            raise CommandError(f"{file}: {error}") from error
        bad = [one for one in told if one.fault]
        for one in bad:
            self.stderr.write(f"{file}:{one.line}: {one.fault}")
        with transaction.atomic():
            changed = services.take_leaves(told=told, by="system:import_leave")
            transaction.set_rollback(not write)
        said = "kept" if write else "would be kept (nothing was written: add --write)"
        self.stdout.write(f"{len(told)} lines, {changed} new or changed leaves {said}")
        if bad:
            raise CommandError(f"{len(bad)} of {len(told)} lines could not be taken.")
