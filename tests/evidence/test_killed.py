"""Real workers, really killed in the middle of a pack: in the end there is one, whole, and the same as undisturbed."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from portal.evidence import services
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.evidence.conftest import bytes_of, checked, files_of, made

ROOT = Path(__file__).parents[2]

WORKER = """
import os, signal, sys
import django
django.setup()
from portal.evidence import bundle, making, proving, scope, summary, workshop
from portal.jobs import services as jobs

summary.pdf = lambda *about: b"%PDF-1.7 in " + about[-1].encode()
making.CHUNK, making.SECONDS = 1, -1.0
job, where, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if where:
    owner, name = where.split(".")
    owner = {"bundle": bundle, "making": making, "proving": proving, "scope": scope, "summary": summary,
             "Workshop": workshop.Workshop, "files": bundle.files, "jobs": jobs}[owner]
    real, seen = getattr(owner, name), []

    def dies(*args, **kwargs):
        seen.append(1)
        if len(seen) >= count:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(owner, name, dies)
jobs.work(job, making.step, prepare=making.ahead)
"""

PLACES = [
    ("Workshop.add", 9),  # in the middle of a person's rows
    ("Workshop.flushed", 3),  # rows written, the step not committed
    ("jobs._one_step", 1),
    ("proving.write", 1),
    ("bundle._put", 12),  # in the middle of the ZIP
    ("files.put_in_place", 1),
    ("making._deliver", 1),  # the file in place, the row not written
]


def work(job: Job, folder: Path, settings, where: str = "", count: int = 0) -> int:
    """Work on the job in a process of its own. Return how it ended."""
    Job.objects.filter(pk=job.pk, state="running").update(lease_until=timezone.now() - timedelta(seconds=1))
    Job.objects.filter(pk=job.pk).update(attempts=0)
    at = connection.settings_dict
    url = f"sqlite:///{at['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    wanted = {"DATABASE_URL": url, "DATA_DIR": str(folder), "SECRET_KEY": settings.SECRET_KEY, "HTTPS": "0"}
    wanted |= {"LEDGER_KEY_FILE": settings.LEDGER_KEY_FILE, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    command = [sys.executable, "-c", WORKER, str(job.pk), where, str(count)]
    answer = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env={"PATH": os.environ["PATH"], **wanted}, capture_output=True, text=True
    )
    assert answer.returncode in (0, -signal.SIGKILL), answer.stderr
    assert "ERROR" not in answer.stderr, answer.stderr
    return answer.returncode


@pytest.mark.django_db(transaction=True)
def test_a_pack_whose_worker_is_killed_seven_times_is_the_same_as_one_that_was_left_alone(firm, settings, tmp_path):
    day = timezone.localdate()

    def ask():
        return services.ask(
            scope="department", department=firm["desk"], day=day, reason="inspection", by=firm["compliance"]
        )

    first, second = ask(), ask()
    second.upto, second.as_at = first.upto, first.as_at
    second.save(update_fields=["upto", "as_at"])
    undisturbed = made(first)
    job = Job.objects.get(pk=second.job_id)
    for where, count in PLACES:
        assert work(job, tmp_path, settings, where, count) == -signal.SIGKILL, where
        second.refresh_from_db()
        assert second.state == "making", where
        assert ledger.verify()[1] is None, where
    assert work(job, tmp_path, settings) == 0
    second.refresh_from_db()
    job.refresh_from_db()
    assert (second.state, job.state) == ("ready", "done")
    ours, theirs = files_of(second), files_of(undisturbed)
    assert [name for name in ours | theirs if ours.get(name) != theirs.get(name)] == []
    assert bytes_of(second) == bytes_of(undisturbed)
    told = [ledger.body_of(one)["pack"] for one in Entry.objects.filter(verb="evidence.pack_made")]
    assert sorted(told) == sorted([first.uid, second.uid])
    assert not (tmp_path / "private" / "workshop" / f"pack-{second.uid}").exists()
    assert checked(Path(default_storage.path(second.file.name)))[0] == 0
    assert work(job, tmp_path, settings) == 0  # rung once more: nothing is done twice
    assert Entry.objects.filter(verb="evidence.pack_made").count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_workshop_that_was_lost_is_begun_anew(firm, settings, tmp_path):
    pack = services.ask(
        scope="person", person=firm["ann"], day=timezone.localdate(), reason="inspection", by=firm["compliance"]
    )
    job = Job.objects.get(pk=pack.job_id)
    assert work(job, tmp_path, settings, "bundle._put", 1) == -signal.SIGKILL
    entries = tmp_path / "private" / "workshop" / f"pack-{pack.uid}" / "entries.jsonl"
    entries.write_bytes(entries.read_bytes()[:100])
    assert work(job, tmp_path, settings) == 0
    pack.refresh_from_db()
    assert checked(Path(default_storage.path(pack.file.name)))[0] == 0
