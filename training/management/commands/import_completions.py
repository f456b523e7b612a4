from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from training import taking_over


class Command(BaseCommand):
    help = "Compare a CSV file of past completions with what is here; with --write keep what is new."

    def add_arguments(self, parser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--write", action="store_true")

    def handle(self, *, path: Path, write: bool, **options) -> None:
        try:
            found = taking_over.take_over(
                data=path.read_bytes(), name=path.name, write=write, by="system:import_completions"
            )
        except (OSError, taking_over.NotAListOfCompletions) as error:
            raise CommandError(str(error)) from error
        for line, reason in found.aside:
            self.stderr.write(f"line {line}: {reason}")
        done = "kept" if write else "new"
        self.stdout.write(f"{len(found.new)} {done}, {found.known} known already, {len(found.aside)} set aside")
