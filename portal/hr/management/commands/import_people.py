from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.hr import columns, reading, services
from portal.hr.comparing import Kind


class Command(BaseCommand):
    help = "Compare HR's list (CSV or XLSX) with the people here; with --write, make it so."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--write", action="store_true", help="without it nothing is changed")
        parser.add_argument(
            "--complete", action="store_true", help="who works here and is not in the file leaves today"
        )
        parser.add_argument(
            "--column", action="append", default=[], metavar="OURS=THEIRS", help="a heading that is not known by itself"
        )
        parser.add_argument(
            "--most-leavers",
            type=float,
            default=None,
            metavar="PERCENT",
            help=f"refuse to write if more of the staff would leave (default {settings.HR_MOST_LEAVERS})",
        )

    def handle(self, *, file: Path, write: bool, complete: bool, column: list[str], most_leavers, **options) -> None:
        try:
            with file.open("rb") as stream:
                mapping = columns.guess(reading.headings(stream)) | dict(pair.split("=", 1) for pair in column)
                found = reading.difference(stream, mapping, is_complete=complete, today=timezone.localdate())
        except (OSError, ValueError) as error:
            raise CommandError(f"{file}: {error}") from error
        refused = [change for change in found.changes if change.kind == Kind.REFUSED]
        for change in refused:
            self.stderr.write(f"{file}:{change.line}: {services.reason_of(change)}")
        counts = services.counts_of(found)
        if write:
            try:
                services.check_leavers(counts, most_leavers)
            except services.TooManyLeave as error:
                raise CommandError(
                    f"nothing written: {error.leavers} of {error.staff} people would leave. "
                    "If that is right, say so with --most-leavers"
                ) from error
            services.write_at_once(found=found, by="system:import_people")
        done = "written" if write else "nothing written: add --write"
        self.stdout.write(
            f"{counts['added']} added, {counts['changed']} changed, {counts['returns']} came back, "
            f"{counts['leaves']} left, {counts['unchanged']} unchanged, {counts['refused']} refused ({done})"
        )
        if refused:
            raise CommandError(f"{len(refused)} of {found.lines} lines were refused")
