import json
import time
from datetime import datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from archive import services
from archive.management.commands.import_archive_state import moment_of, state_of, unreadable
from archive.models import Import, Source
from archive.sources import strict


class Command(BaseCommand):
    help = (
        "Read a delivery into a source: a WeCom feed (JSON lines), journal mail (.eml, mbox, Maildir, folder, ZIP) or "
        "CSV, plain or packed with gzip. The same again changes nothing; cut off, it goes on."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path, help="the file; for journal mail also a folder")
        parser.add_argument("--source", required=True, help="an unknown name is added, as a WeCom feed unless told")
        parser.add_argument("--kind", choices=Source.Kind.values, help="of a new source; see docs/feeds.md")
        parser.add_argument("--mapping", type=Path, help="of a new source: JSON, which header or column is what")
        parser.add_argument("--channel", help="of a new source: where people talk (wecom, if nothing is told)")
        parser.add_argument("--granularity", choices=Source.Granularity.values, help="of a new source: what an item is")
        parser.add_argument("--time-zone", help="of a new source: of times that tell none, such as Asia/Shanghai")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the counts as JSON")
        parser.add_argument("--state", type=Path, help="answers of the permit list and consent interfaces, as JSON")
        parser.add_argument("--taken-at", type=moment_of, help="when those answers were given (ISO 8601; default: now)")

    def handle(
        self, *, file: Path, source: str, as_json: bool, state: Path | None, taken_at: datetime | None, **options
    ) -> None:
        answers = state_of(state) if state else None  # before anything is written
        terms = terms_of(**options)
        try:
            file.stat()  # a source is not begun for a file that is not there
            feed = services.get_source(name=source, by="system:import_archive", terms=terms)
            run = services.import_feed(source=feed, path=file, progress=self.progress)
        except OSError as error:
            raise CommandError(unreadable(file, error)) from error
        except (services.BadSourceName, services.OtherTerms, services.NotAFeed) as error:
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


def terms_of(
    *,
    kind: str | None = None,
    mapping: Path | None = None,
    channel: str | None = None,
    granularity: str | None = None,
    time_zone: str | None = None,
    **_others,
) -> services.Terms:
    """Return what the source is told to be. Raises CommandError with the remedy."""
    return services.Terms(kind, mapping_of(mapping) if mapping else None, channel, granularity, time_zone)


def mapping_of(file: Path) -> object:
    try:
        return strict.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise CommandError(unreadable(file, error)) from error
    except (UnicodeDecodeError, strict.Refused) as error:
        raise CommandError(f"{file} is not JSON in UTF-8. See docs/feeds.md for what a mapping looks like.") from error


def as_text(counts: dict) -> str:
    lines = []
    for name, value in counts.items():
        shown = (", ".join(value) or "none") if isinstance(value, list) else value
        lines.append(f"{name.replace('_', ' ')}: {shown}")
    return "\n".join(lines)
