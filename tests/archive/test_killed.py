"""Real processes, really killed: whatever the moment, what is stored in the end is what an undisturbed run stores."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from archive.models import Heard, Import, Message, Participant, Record, Signal
from portal.demo import bulk_feed
from portal.ledger import services as ledger
from portal.people.models import Employee

ROOT = Path(__file__).parents[2]
LINES = 5_000
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feed(tmp_path) -> Path:
    path = tmp_path / "feed.jsonl"
    with path.open("wb") as file:
        file.writelines(bulk_feed.lines(LINES))
    for userid in bulk_feed.people(LINES):
        Employee.objects.create(email=f"{userid}@example.com", employee_no=userid, wecom_userid=userid, name_en=userid)
    return path


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


def rows() -> dict[str, list]:
    return {
        "messages": sorted(Message.objects.values_list("msgid", "seq", "category", "sent_at", "captured_at")),
        "participants": sorted(Participant.objects.values_list("message__msgid", "role", "handle", "kind", "employee")),
        "signals": sorted(Signal.objects.values_list("message__msgid", "rule", "weight", "start", "end")),
        "heard": sorted(Heard.objects.values_list("hour", "first_at", "last_at")),
        "records": sorted(Record.objects.values_list("employee", "month", "sent", "received", "client_sent")),
    }


def test_killed_at_any_moment_and_begun_again_it_ends_with_the_rows_of_an_undisturbed_run(feed):
    chance, kills = random.Random(9), 0
    while True:
        run = importing(feed)
        try:
            run.wait(timeout=chance.uniform(0.8, 4.0))
        except subprocess.TimeoutExpired:
            if kills < 6:
                run.send_signal(signal.SIGKILL)
                run.communicate()
                kills += 1
                continue
        _out, err = run.communicate()
        assert run.returncode == 0, err.decode()
        break
    first, *later = Import.objects.order_by("started_at")
    assert (first.lines, first.state) == (LINES, "done")
    assert all(run.stored == 0 for run in later)  # one that was killed when it had just ended is read again
    assert ledger.verify()[1] is None
    killed = rows()
    again = subprocess_free_run(feed)
    assert killed["messages"] == again["messages"]
    assert killed == again


def subprocess_free_run(feed: Path) -> dict[str, list]:
    """The rows of an undisturbed run, beside those that are there: into an empty archive, and rolled back."""
    from django.core.management import call_command
    from django.db import transaction

    from archive import models

    with transaction.atomic():
        for model in (models.Signal, models.MessageText, models.Recall, models.Participant, models.RecordDue):
            model.objects.all().delete()
        for model in (models.Record, models.Conflict, models.SetAside, models.ConsentWord, models.Hole):
            model.objects.all().delete()
        models.Finding.objects.all().delete()
        for model in (models.Delivery, models.Message, models.Batch, models.Unmatched, models.Import):
            model.objects.all().delete()
        for model in (models.Intake, models.Heard, models.Source):
            model.objects.all().delete()
        call_command("import_archive", str(feed), source="wecom", as_json=True)
        found = rows()
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
    assert rows() == subprocess_free_run(feed)
