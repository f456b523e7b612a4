import json
import tempfile
import time
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path

from django.core.management.base import BaseCommand
from django.db import connection

from archive import services
from archive.lexicon import Lexicon
from archive.models import Finding
from archive.services import running
from archive.sources.feed import open_feed
from portal.demo import bulk_feed, bulk_rules, hostile_feed, measuring
from portal.people.models import Employee

RULES = (10, 43, 300)


class Command(BaseCommand):
    requires_system_checks = ()  # as the importer has few: what they load is not its memory

    help = "Measure the importer beside plain inserts of the same rows, in a scratch database of its own."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--lines", type=int, default=100_000)
        parser.add_argument("--people", type=int, help="of the firm; as many as write so many lines, if not told")
        parser.add_argument("--only", choices=["import"], help="leave out the plain inserts and the parts alone")
        parser.add_argument("--hostile", choices=hostile_feed.FEEDS, help="instead: a feed that wants to break it")
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *, lines: int, people: int | None, only: str | None, hostile: str | None, **options) -> None:
        figures: dict[str, dict] = {}
        with tempfile.TemporaryDirectory(prefix="onchannel-bench-") as folder, measuring.Scratch() as scratch:
            feed = Path(folder) / "feed.jsonl"
            # Of its own process, so that what is remembered to invent it is not counted as the importer's.
            measuring.measured(partial(write_feed, feed, lines, hostile, people))
            hire(hostile_feed.PEOPLE if hostile else bulk_feed.people(lines, people))
            scratch.fresh()
            figures["importer"] = self._told("importer", lines, measuring.measured(partial(whole_import, feed)))
            if only is None and hostile is None:
                self._beside(scratch, Path(folder), feed, lines, figures)
        found = {
            "database": connection.vendor,
            "lines": lines,
            "hostile": hostile,
            "figures": figures,
        }
        if options["json"]:
            options["json"].write_text(json.dumps(found, indent=1), encoding="utf-8")

    def _beside(
        self, scratch: measuring.Scratch, folder: Path, feed: Path, lines: int, figures: dict[str, dict]
    ) -> None:
        """The same rows without the work, and the parts of the work without the database."""
        rows = folder / "rows"
        count = measuring.measured(partial(measuring.dump, rows)).told
        self.stdout.write(f"rows: {count}")
        ways = {"executemany": measuring.by_executemany, "bulk_create": measuring.by_bulk_create}
        if connection.vendor == "postgresql":
            ways = {"copy": measuring.by_copy, **ways}
        for name, how in ways.items():
            scratch.fresh()
            cost = measuring.measured(partial(measuring.insert_plainly, rows, how, is_prepared=name != "bulk_create"))
            figures[name] = self._told(name, lines, cost)
            ratio = cost.seconds / figures["importer"]["seconds"]
            figures[name]["importer_reaches"] = round(ratio, 3)
            self.stdout.write(f"    the importer reaches {ratio:.0%} of it")
        said = list(bulk_feed.texts(lines))
        for count in RULES:
            name, work = f"lexicon, {count} rules", partial(judge, bulk_rules.lexicon(count), said)
            figures[name] = self._told(name, lines, measuring.measured(work))
        figures["parsing"] = self._told("parsing", lines, measuring.measured(partial(parse, feed)))

    def _told(self, name: str, lines: int, cost: measuring.Cost) -> dict:
        self.stdout.write(
            f"{name:<22}{cost.seconds:>9.2f} s{lines / cost.seconds:>12,.0f} lines/s"
            f"{cost.cpu_seconds:>9.2f} s CPU{cost.peak_mb:>7} MB  {json.dumps(cost.told) if cost.told else ''}"
        )
        return {**cost.as_dict(), "lines_a_second": round(lines / cost.seconds)}


def judge(words: Lexicon, texts: list[str]) -> dict:
    """Look at every text. Return how many had a hit. Compiling is done before and not counted."""
    words.judge("加我 whatsapp")
    began, cpu = time.perf_counter(), time.process_time()
    hits = sum(bool(words.judge(text)) for text in texts)
    return measuring.Cost(time.perf_counter() - began, time.process_time() - cpu, 0, {"with_hits": hits})


def write_feed(path: Path, lines: int, hostile: str | None = None, people: int | None = None) -> None:
    with path.open("wb") as file:
        file.writelines(hostile_feed.FEEDS[hostile](lines) if hostile else bulk_feed.lines(lines, people=people))


def hire(userids: Iterable[str]) -> None:
    rest = iter(userids)
    while some := list(islice(rest, 500)):
        Employee.objects.bulk_create(
            Employee(email=f"{one}@example.com", employee_no=one, wecom_userid=one, name_en=one) for one in some
        )


def whole_import(feed: Path) -> dict:
    """Import the file as the command does. Return the seconds of each part and what became of the lines."""
    source = services.get_source("bench")
    spent: dict[str, float] = {}
    peaks: dict[str, int] = {}
    longest: dict[str, float] = {}
    curve: list[list[int]] = []  # lines read, most MB held up to then: of each tenth of the file
    began, holder, by = time.perf_counter(), "bench", "system:bench"
    with feed.open("rb") as stream:
        size, digest = feed.stat().st_size, running.digest_of(stream)
        run = running.begin(source=source, label=feed.name, digest=digest, size=size, holder=holder, by=by)
        opened = open_feed(stream, size, running.how(source, feed.name))
        ended = False
        while not ended:
            ended = running.advance(run_id=run.pk, feed=opened, holder=holder, by=by)
            state, lines, offset = type(run).objects.values_list("state", "lines", "offset").get(pk=run.pk)
            if offset * 10 // size > len(curve):
                curve.append([lines, measuring.peak_mb()])
            now = time.perf_counter()
            name = {"done": "judging"}.get(state, state)
            spent[name] = spent.get(name, 0.0) + now - began
            longest[name] = max(longest.get(name, 0.0), now - began)
            peaks[name] = measuring.peak_mb()
            began = now
    run.refresh_from_db()
    rounded = {key: {name: round(took, 2) for name, took in of.items()} for key, of in _both(spent, longest)}
    return {**rounded, "peak_mb": peaks, "curve": curve, "findings": Finding.objects.count(), **run.counts}


def _both(spent: dict[str, float], longest: dict[str, float]) -> list[tuple[str, dict[str, float]]]:
    return [("seconds", spent), ("longest_step", longest)]


def parse(feed: Path) -> None:
    with feed.open("rb") as stream:
        for _one in open_feed(stream, feed.stat().st_size, running.How()).read():
            pass
