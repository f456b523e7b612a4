from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from portal.people import services


class Command(BaseCommand):
    help = "Compare an HR file (CSV) with the people here; with --write, make it so."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--write", action="store_true", help="without it nothing is changed")

    def handle(self, *, file: Path, write: bool, **options) -> None:
        try:
            with file.open(encoding="utf-8-sig", newline="") as stream:
                rows = services.read_people(stream)
        except (OSError, UnicodeDecodeError, services.NotAListOfPeople) as error:
            raise CommandError(f"{file}: {error}") from error
        found = services.import_people(rows=rows, write=write, by="system:import_people")
        for line, reason in found.errors:
            self.stderr.write(f"{file}:{line}: {reason}")
        done = "written" if write else "nothing written: add --write"
        self.stdout.write(
            f"{len(found.added)} added, {len(found.changed)} changed, {found.unchanged} unchanged, "
            f"{len(found.errors)} refused ({done})"
        )
        if found.errors:
            raise CommandError(f"{len(found.errors)} of {len(rows)} lines were refused")
