import json
import tempfile
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import mean, median

from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand
from django.db import connection, connections
from django.utils import timezone

from archive import services as archive
from archive.models import Disposal, Finding, Message
from portal.demo import bulk_feed, measuring
from portal.demo.management.commands.bench_import import hire
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.people.models import Employee, Office
from portal.people.roles import COMPLIANCE

BY = "system:bench"
OLD, YOUNG = (int(datetime(year, 3, 1, tzinfo=UTC).timestamp() * 1000) for year in (2018, 2026))


class Command(BaseCommand):
    help = "Measure a disposal beside messages that are too young for it, in a scratch database of its own."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--lines", type=int, default=100_000, help="of the feed that is over")
        parser.add_argument("--young", type=int, default=200_000, help="lines of the feed that is not")
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *, lines: int, young: int, **options) -> None:
        with tempfile.TemporaryDirectory(prefix="onchannel-bench-") as folder, measuring.Scratch():
            furnish(Path(folder), lines, young)
            figures = {}
            for name, work in {"count": count, "dispose": dispose, "verify": partial(archive.verify, by=BY)}.items():
                cost = measuring.measured(partial(told, work))
                figures[name] = cost.as_dict()
                self.stdout.write(f"{name:<9}{cost.seconds:>9.2f} s{cost.peak_mb:>7} MB  {json.dumps(cost.told)}")
        if options["json"]:
            found = {"database": connection.vendor, "lines": lines, "young": young, "figures": figures}
            options["json"].write_text(json.dumps(found, indent=1), encoding="utf-8")


def furnish(folder: Path, lines: int, young: int) -> None:
    """Import both feeds, for people in London, and settle every finding: what is over can go, but for no finding."""
    hire(bulk_feed.people(max(lines, young)))
    office = Office.objects.create(code="london", name="London", time_zone="Europe/London", jurisdiction="UK")
    Employee.objects.update(office=office)
    for number in (1, 2):
        officer = Employee.objects.create(email=f"officer{number}@example.com", name_en=f"Officer {number}")
        officer.groups.add(Group.objects.get_or_create(name=COMPLIANCE)[0])
    for name, begins, length in (("old", OLD, lines), ("young", YOUNG, young)):
        path = folder / name
        with path.open("wb") as file:
            file.writelines(bulk_feed.lines(length, begins=begins))
        archive.import_feed(source=archive.get_source(name, by=BY), path=path, by=BY)
    archive.recompute_due(by=BY)
    Finding.objects.open().update(state=Finding.State.CLOSED, closed_at=timezone.now())
    connections.close_all()


def told(work) -> object:
    """Do it, and return what it says of itself as plain values."""
    found = work()
    return found if isinstance(found, dict) else {"faults": found.faults, "records": found.leaves}


def officers() -> list[Employee]:
    return list(Employee.objects.filter(email__startswith="officer").order_by("email"))


def count() -> dict:
    asked = archive.ask_disposal(as_of=timezone.localdate(), reason="measured", by=officers()[0])
    jobs.work(asked.count_job_id, archive.count_some)
    asked.refresh_from_db()
    return {"looked_at": asked.preview["looked_at"], "kept": asked.preview["kept"]}


def dispose() -> dict:
    """Approve what was counted and do it. Of the steps that take messages away: how long each took, seconds."""
    asked, steps = Disposal.objects.get(), []
    archive.decide_disposal(disposal=asked, approve=True, by=officers()[1])

    def timed(job: Job) -> bool:
        began, before = time.perf_counter(), job.done
        ended = archive.dispose_some(job)
        if job.done > before:
            steps.append(time.perf_counter() - began)
        return ended

    asked.refresh_from_db()
    jobs.work(asked.job_id, timed, prepare=archive.sweep)
    asked.refresh_from_db()
    third = max(1, len(steps) // 3)
    return {
        "state": asked.state,
        "disposed": asked.disposed,
        "stay": Message.objects.count(),
        "steps": len(steps),
        "median": round(median(steps), 3),
        "longest": round(max(steps), 3),
        "first_third": round(mean(steps[:third]), 3),
        "last_third": round(mean(steps[-third:]), 3),
    }
