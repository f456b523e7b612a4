"""Real processes, really killed: whatever the moment, what is stored in the end is what an undisturbed run stores."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from archive.models import Import, Message, Record
from archive.services import piecemeal
from portal.demo import bulk_feed
from portal.ledger import services as ledger
from portal.people.models import Employee
from tests.archive.conftest import CLIENT, as_bytes, at, line
from tests.archive.left import everything, rows

ROOT = Path(__file__).parents[2]
LINES, ODD, TWINS = 3_000, 1_400, 600
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feed(tmp_path) -> Path:
    path = tmp_path / "feed.jsonl"
    with path.open("wb") as file:
        file.writelines(bulk_feed.lines(LINES))
        file.writelines(trouble())
    for userid in bulk_feed.people(LINES):
        Employee.objects.create(email=f"{userid}@example.com", employee_no=userid, wecom_userid=userid, name_en=userid)
    return path


def trouble() -> Iterator[bytes]:
    """Every second number missing, records that contradict others, strangers and kinds of message: much to judge."""
    odd = [line(100_000 + 2 * n, sender=f"stranger.{n % 70}", msgtype=f"kind_{n % 90}") for n in range(ODD)]
    twins = [{**one, "msg": {**one["msg"], "text": {"content": "no"}}} for one in odd[:TWINS]]
    answers = [line(200_000 + n, sender=CLIENT, to=("bench.user00001",), **AGREES) for n in range(3)]
    yield from (as_bytes(one) + b"\n" for one in (*odd, *twins, *answers, b'{"seq": 100001, "msg": {"msgid": "cut'))


AGREES = {"msgtype": "agree", "agree": {"userid": CLIENT, "agree_time": at(13, 12)}}


def importing(feed: Path) -> subprocess.Popen:
    """The real command, in a process of its own, on the test's database."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{told['NAME']}"
    else:
        url = f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
    command = [sys.executable, "manage.py", "import_archive", str(feed), "--source", "wecom", "--json"]
    return subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def is_at(stage: str) -> bool:
    """Whether the import has come so far: to a batch, to a stage of judging, or to its records."""
    run = Import.objects.values("batch_no", "state", "judging").first()
    if run is None:
        return False
    if stage.startswith("batch "):
        return run["batch_no"] >= int(stage.removeprefix("batch "))
    if stage == "records":
        return Record.objects.exists()
    return run["state"] == "done" or list(piecemeal.STAGES).index(stage) <= _stage(run)


def _stage(run: dict) -> int:
    at = run["judging"].get("stage")
    if at == piecemeal.DONE:
        return len(piecemeal.STAGES)
    return list(piecemeal.STAGES).index(at) if at else -1


STAGES = ["batch 1", "batch 2", "batch 4", "filled", "holes", "unmatched", "kinds", "conflicts", "batches", "records"]


def test_killed_at_any_stage_and_begun_again_it_ends_with_everything_that_an_undisturbed_run_leaves(feed):
    """At each of its stages, and some moments later, which chance decides."""
    chance, killed_at = random.Random(9), []
    for stage in STAGES:
        run = importing(feed)
        while run.poll() is None and not is_at(stage):
            time.sleep(0.005)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(timeout=chance.uniform(0, 0.05))
        if run.poll() is None:
            run.send_signal(signal.SIGKILL)
            killed_at.append(stage)
        run.communicate()
    last = importing(feed)
    _out, err = last.communicate()
    assert last.returncode == 0, err.decode()
    assert {"batch 1", "holes", "conflicts"} <= set(killed_at)
    first, *later = Import.objects.order_by("pk")
    assert (first.state, first.lines) == ("done", len(feed.read_bytes().splitlines()))
    assert all(run.stored == 0 for run in later)  # one that was killed when it had just ended is read again
    assert ledger.verify()[1] is None
    if not later:
        found, expected = everything(), subprocess_free_run(feed)
        assert {name: rows for name, rows in found.items() if rows != expected[name]} == {}


def subprocess_free_run(feed: Path) -> dict:
    """All that an undisturbed run leaves, beside those that are there: into an empty archive, and rolled back."""
    from django.core.management import call_command
    from django.db import transaction

    from archive import models

    with transaction.atomic():
        for model in (models.Signal, models.MessageText, models.Recall, models.Participant, models.RecordDue):
            model.objects.all().delete()
        for model in (models.Record, models.Conflict, models.SetAside, models.ConsentWord, models.Hole):
            model.objects.all().delete()
        for model in (models.FilledHole, models.Finding):
            model.objects.all().delete()
        for model in (models.Delivery, models.Message, models.Batch, models.Unmatched, models.Import):
            model.objects.all().delete()
        for model in (models.Intake, models.Heard, models.Source):
            model.objects.all().delete()
        call_command("import_archive", str(feed), source="wecom", as_json=True)
        found = everything()
        transaction.set_rollback(True)
    return found


def test_two_at_once_end_with_the_rows_of_one(feed):
    both = [importing(feed), importing(feed)]
    ended = [(run.communicate(), run.returncode)[1] for run in both]
    assert 0 in ended
    last = importing(feed)  # whoever was refused is told to begin again, and finds all of it known
    _out, err = last.communicate()
    assert last.returncode == 0, err.decode()
    assert Message.objects.count() == Message.objects.values("channel", "msgid").distinct().count()
    assert Message.objects.count() == Import.objects.order_by("started_at").first().stored
    assert rows() == _rows_of(subprocess_free_run(feed))


def _rows_of(found: dict) -> dict:
    return {name: found[name] for name in rows()}
