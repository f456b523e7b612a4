import argparse
from datetime import date, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from archive import services
from portal.firmfiles import FIRM


class Command(BaseCommand):
    # All checks would load every page of the site: twice the memory, and seconds for a file of ten lines.
    requires_system_checks = (FIRM,)

    help = (
        "Keep a dated copy of who has an archive seat, who agreed or refused, and who is in which room (JSON answers)."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True)
        parser.add_argument(
            "--taken-at",
            type=moment_of,
            help="when the answers were given (ISO 8601; default: as the file says, or now)",
        )
        parser.add_argument(
            "--holds-from", type=date.fromisoformat, help="the list is known to be the same since this day"
        )

    def handle(self, *, file: Path, source: str, taken_at: datetime | None, holds_from: date | None, **options) -> None:
        answers = state_of(file)
        try:
            taken_at = taken_at or services.told_at(answers) or timezone.now()
            feed = services.get_source(name=source, by="system:import_archive_state")
            kept = services.import_state(
                source=feed,
                data=answers,
                taken_at=taken_at,
                holds_from=holds_from,
                by="system:import_archive_state",
            )
        except (services.BadSourceName, services.NotAState) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{kept['seats']} seats, {kept['words']} new words on consent, "
            f"{kept['copies']} copies of answers, {kept['errors']} of them errors"
        )


def state_of(file: Path) -> dict:
    """Return the answers in the file. Raises CommandError with the remedy."""
    try:
        return services.read_state(file.read_bytes())
    except OSError as error:
        raise CommandError(unreadable(file, error)) from error
    except services.NotAState as error:
        raise CommandError(f"{file}: {error}") from error


def unreadable(file: Path, error: OSError) -> str:
    return f"{file} cannot be read: {error.strerror}. Check the path and who may read it."


def moment_of(text: str) -> datetime:
    """Return an ISO 8601 moment; one without a zone is in the firm's."""
    try:
        told = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a moment like 2026-10-16T18:00") from error
    return told if told.tzinfo else timezone.make_aware(told)
