import json
import time
from datetime import datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from archive import services
from archive.management.commands.import_archive_state import moment_of, state_of, unreadable
from archive.models import Import


class Command(BaseCommand):
    help = "Read a WeCom feed (JSON lines) into a source. The same file again changes nothing; cut off, it goes on."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, help="an unknown name is added as a WeCom feed")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the counts as JSON")
        parser.add_argument("--state", type=Path, help="answers of the permit list and consent interfaces, as JSON")
        parser.add_argument("--taken-at", type=moment_of, help="when those answers were given (ISO 8601; default: now)")

    def handle(
        self, *, file: Path, source: str, as_json: bool, state: Path | None, taken_at: datetime | None, **options
    ) -> None:
        answers = state_of(state) if state else None  # before anything is written
        try:
            feed = services.get_source(name=source, by="system:import_archive")
            run = services.import_feed(source=feed, path=file, progress=self.progress)
        except OSError as error:
            raise CommandError(unreadable(file, error)) from error
        except (services.BadSourceName, services.NotAFeed) as error:
            raise CommandError(str(error)) from error
        except (services.SourceBusy, services.LeaseLost) as error:
            raise CommandError(
                f"Another import of {source} is running. Wait for its end and start this one again: it goes on "
                "from where it stands."
            ) from error
        if answers:
            services.import_state(
                source=feed, data=answers, taken_at=taken_at or run.ended_at, by="system:import_archive"
            )
        counts = services.summary(run)
        self.stdout.write(json.dumps(counts, ensure_ascii=False) if as_json else as_text(counts))

    def progress(self, run: Import) -> None:
        """One line on stderr, at most once a second."""
        if time.monotonic() - getattr(self, "told_at", 0) >= 1:
            self.told_at = time.monotonic()
            self.stderr.write(f"{run.percent:3d} %  {run.lines} lines, {run.stored} stored, {run.set_aside} set aside")


def as_text(counts: dict) -> str:
    lines = []
    for name, value in counts.items():
        shown = (", ".join(value) or "none") if isinstance(value, list) else value
        lines.append(f"{name.replace('_', ' ')}: {shown}")
    return "\n".join(lines)
