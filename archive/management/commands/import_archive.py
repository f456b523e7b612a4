import json
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.template.defaultfilters import filesizeformat

from archive import rules, services
from archive.management.commands.import_archive_state import moment_of, state_of, unreadable
from archive.models import Import, Source
from archive.sources import strict
from portal.firmfiles import FIRM

STDIN = Path("-")


class Command(BaseCommand):
    # All checks would load every page of the site: twice the memory, and seconds for a file of ten lines.
    requires_system_checks = (FIRM,)

    help = (
        "Read a delivery into a source: a WeCom feed (JSON lines), journal mail (.eml, mbox, Maildir, folder, ZIP) or "
        "CSV, plain or packed with gzip; a file, a folder, or - for standard input. The same again changes nothing; "
        "cut off, it goes on."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "file",
            type=Path,
            nargs="?",
            help="a file; a folder: of journal mail one delivery, else each of its feed files; or - for standard input",
        )
        parser.add_argument("--source", required=True, help="an unknown name is added, as a WeCom feed unless told")
        parser.add_argument(
            "--go-on", action="store_true", help="instead of a file: finish what was read from standard input"
        )
        parser.add_argument("--kind", choices=Source.Kind.values, help="of a new source; see docs/feeds.md")
        parser.add_argument("--mapping", type=Path, help="of a new source: JSON, which header or column is what")
        parser.add_argument("--channel", help="of a new source: where people talk (wecom, if nothing is told)")
        parser.add_argument("--granularity", choices=Source.Granularity.values, help="of a new source: what an item is")
        parser.add_argument("--time-zone", help="of a new source: of times that tell none, such as Asia/Shanghai")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print the counts as JSON")
        parser.add_argument("--state", type=Path, help="answers of the permit list and consent interfaces, as JSON")
        parser.add_argument(
            "--taken-at", type=moment_of, help="when those answers were given (ISO 8601; default: as they say, or now)"
        )

    def handle(
        self,
        *,
        file: Path | None,
        source: str,
        go_on: bool,
        as_json: bool,
        state: Path | None,
        taken_at: datetime | None,
        **options,
    ) -> None:
        if (file is None) is not go_on:
            raise CommandError("Name a file, a folder, or - for standard input; or --go-on instead.")
        answers = state_of(state) if state else None  # before anything is written
        terms = terms_of(**options)
        try:
            if file not in (None, STDIN):
                file.stat()  # a source is not begun for a file that is not there
            feed = services.get_source(name=source, by="system:import_archive", terms=terms)
            runs = list(asked_first(self.go_on(feed) if go_on else self.read(feed, file)))
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
            self.keep(feed, answers, taken_at, runs[-1].ended_at)
        counts = services.summary(*runs)
        self.stdout.write(json.dumps(counts, ensure_ascii=False) if as_json else as_text(counts))

    def keep(self, source: Source, answers: dict, taken_at: datetime | None, ended_at: datetime) -> None:
        try:
            taken_at = taken_at or services.told_at(answers) or ended_at
            services.import_state(source=source, data=answers, taken_at=taken_at, by="system:import_archive")
        except services.NotAState as error:
            raise CommandError(str(error)) from error

    def read(self, source: Source, file: Path) -> Iterator[Import]:
        """Read the file, the stream, or each file of the folder, one import each."""
        if file == STDIN:
            yield services.import_stream(
                source=source, stream=sys.stdin.buffer, label="standard input", progress=self.progress
            )
            return
        at = file
        try:
            for at in self.files(source, file):
                yield services.import_feed(source=source, path=at, progress=self.progress)
        except OSError as error:
            raise CommandError(unreadable(at, error)) from error

    def files(self, source: Source, file: Path) -> list[Path]:
        if not file.is_dir():
            return [file]
        files = services.deliveries_in(file, source)
        if not files:
            endings = ", ".join(services.ENDINGS[source.kind])
            raise CommandError(f"{file} has no file of this source in it: their names end in {endings}.")
        return files

    def go_on(self, source: Source) -> Iterator[Import]:
        runs = services.unfinished(source)
        if not runs:
            raise CommandError(f"Nothing that {source} read from standard input was cut off.")
        for run in runs:
            try:
                yield services.go_on(run=run, progress=self.progress)
            except OSError as error:
                raise CommandError(f"What was kept of {run.label} is gone: {error.strerror}.") from error

    def progress(self, run: Import) -> None:
        """One line on stderr, at most once a second."""
        now = time.monotonic()
        if getattr(self, "run", None) != run:
            self.run, self.begun_at, self.begun, self.told_at = run, now, (run.lines, run.passed), None
            return
        if self.told_at is None or now - self.told_at >= 1:
            self.told_at = now
            self.stderr.write(told(run, *self.begun, seconds=now - self.begun_at))


def asked_first(runs: Iterator[Import]) -> Iterator[Import]:
    """Yield the runs. Raises CommandError at one that waits for a person's answer: the files after it are not read."""
    for run in runs:
        if run.state == Import.State.ASKING:
            asked = run.judging["numbering"]
            raise CommandError(
                f"{run.label}: the numbers {asked['first']} to {asked['last']} seem to be another feed's than "
                f"{run.source}'s: they run against the time. {run.stored} records before them are stored, none of "
                f"these is. Answer on /imports/{run.uid}/ whether they fit, then start this command again."
            )
        yield run


def told(run: Import, lines: int, passed: int, *, seconds: float) -> str:
    """Return how far the run is. ``lines`` and ``passed``: where it stood when this process took it up."""
    pace = rules.pace(lines=run.lines - lines, offset=run.passed - passed, size=run.size - passed, seconds=seconds)
    parts = [
        f"{run.percent:3d} %  {run.label}: {run.lines} lines, {run.stored} stored, {run.set_aside} set aside",
        f"{filesizeformat(run.passed)} of {filesizeformat(run.size)}".replace("\xa0", " "),
    ]
    if pace.lines_a_second is not None:
        parts += [f"{pace.lines_a_second} lines a second", f"about {as_clock(pace.seconds_left)} left"]
    return ", ".join(parts)


def as_clock(seconds: int) -> str:
    """Return seconds as h:mm:ss."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


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
