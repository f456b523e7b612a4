import json
import tempfile
import time
from functools import partial
from itertools import islice
from pathlib import Path

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from archive import services
from archive.models import Import, MessageText
from archive.services import afterwards
from portal.demo import bulk_feed, measuring
from portal.demo.management.commands.bench_import import hire
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.people.models import Employee

SECTIONS = ("push", "rotation")


class Command(BaseCommand):
    help = "Measure pushes and the rotation of keys, in a scratch database of its own."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--section", choices=SECTIONS, action="append", help="all, if none is named")
        parser.add_argument("--lines", type=int, default=20_000, help="that are pushed")
        parser.add_argument("--batch", type=int, default=1_000, help="lines of a push")
        parser.add_argument("--texts", type=int, default=100_000, help="lines whose words are kept and sealed anew")

    def handle(self, *, section: list[str] | None, lines: int, batch: int, texts: int, **options) -> None:
        ways = {"push": partial(pushed, lines, batch), "rotation": partial(rotated, texts)}
        with measuring.Scratch() as scratch:
            hire(bulk_feed.people(max(lines, texts)))
            for name in section or SECTIONS:
                scratch.fresh()
                cost = measuring.measured(ways[name])
                told = json.dumps(cost.told)
                self.stdout.write(f"{connection.vendor} {name:<10}{cost.seconds:>9.2f} s{cost.peak_mb:>7} MB  {told}")


def pushed(lines: int, batch: int) -> dict:
    """Push the lines as a machine does, through every layer of the site, then judge them as a worker does."""
    services.PUSHES = lines  # the door would tell us to wait
    officer = Employee.objects.create(email="officer@example.com", name_en="Officer")
    source = services.get_source("bench")
    services.sync_identities(by="system:bench")  # as HR's list has had it done
    _token, text = services.make_token(source=source, label="bench", expires_on=None, by=officer)
    client, address = Client(), reverse("archive:push", args=["bench"])
    began, slowest = time.perf_counter(), 0.0
    feed = bulk_feed.lines(lines)
    while some := list(islice(feed, batch)):
        at = time.perf_counter()
        answer = client.post(
            address,
            b"".join(some),
            content_type="application/x-ndjson",
            headers={"Authorization": f"Bearer {text}", "Host": settings.ALLOWED_HOSTS[0]},
            secure=not settings.DEBUG,
        )
        if answer.status_code != 200:
            raise RuntimeError(answer.content.decode())
        slowest = max(slowest, time.perf_counter() - at)
    stored, peak = time.perf_counter() - began, measuring.peak_mb()
    for job in Job.objects.filter(kind=afterwards.TASK, state=Job.State.WAITING):
        jobs.work(job.pk, services.judge_some)
    judged = time.perf_counter() - began - stored
    if Import.objects.exclude(state=Import.State.DONE).exists():
        raise RuntimeError("a push was not judged to its end")
    return {
        "records_a_second": round(lines / stored),
        "slowest_push": round(slowest, 2),
        "stored_in": round(stored, 2),
        "judged_in": round(judged, 2),
        "peak_mb_of_pushing": peak,
    }


def rotated(lines: int) -> measuring.Cost:
    """Keep the words of every message, then seal all of them anew with another key. Only that is counted."""
    with tempfile.TemporaryDirectory(prefix="onchannel-bench-") as folder:
        feed = Path(folder) / "feed.jsonl"
        with feed.open("wb") as file:
            file.writelines(bulk_feed.lines(lines))
        with override_settings(ARCHIVE_TEXT="all"):
            services.import_feed(source=services.get_source("bench"), path=feed, by="system:bench")
    texts = MessageText.objects.count()
    with override_settings(ARCHIVE_TEXT_KEYS=[Fernet.generate_key().decode(), *settings.ARCHIVE_TEXT_KEYS]):
        began, cpu = time.perf_counter(), time.process_time()
        done = services.rotate_keys(by="system:bench")
    seconds = time.perf_counter() - began
    if done.texts != texts:
        raise RuntimeError(f"{done.texts} of {texts}")
    told = {"texts": texts, "seconds_for_100_000": round(seconds * 100_000 / texts, 1)}
    return measuring.Cost(seconds, time.process_time() - cpu, 0, told)
