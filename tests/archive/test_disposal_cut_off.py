"""A disposal that is stopped, overtaken or killed, and what is left of the bytes on disk."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import retention, services, tasks
from archive.models import Disposal, Finding, Message, Tombstone
from archive.services import disposing
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT
from tests.archive.keeping import NOW, approve, ask, left, old, run, step_by_step

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_that_day():
    with time_machine.travel(NOW, tick=True):
        yield


def test_changed_schedules_stop_it_before_anything_more_goes(old_talk, two_officers, settings, tmp_path):
    disposal = approve(ask(two_officers[0]), two_officers[1])
    own = tmp_path / "retention.yaml"
    own.write_text(retention.PATH.read_text(encoding="utf-8").replace("years: 5", "years: 9"), encoding="utf-8")
    settings.ARCHIVE_RETENTION_FILE = own
    step_by_step(disposal)
    assert (disposal.state, left()) == ("stopped", list(range(1, 11)))
    assert "schedules changed" in disposal.decided_why
    assert Entry.objects.get(verb="archive.disposal_stopped").actor == "system:archive"


def test_schedules_that_changed_after_the_count_cannot_be_approved(old_talk, two_officers, settings, tmp_path):
    disposal = ask(two_officers[0])
    own = tmp_path / "retention.yaml"
    own.write_text(retention.PATH.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    settings.ARCHIVE_RETENTION_FILE = own
    with pytest.raises(services.NotWaiting, match="schedules have changed"):
        approve(disposal, two_officers[1])


def test_a_person_can_stop_it_between_two_steps(old_talk, two_officers, monkeypatch):
    monkeypatch.setattr(disposing, "TAKEN", 3)
    disposal = approve(ask(two_officers[0]), two_officers[1])

    def before(number: int) -> None:
        if Tombstone.objects.exists() and Disposal.objects.get().state == "approved":
            services.stop_disposal(disposal=disposal, reason="counsel called", by=two_officers[0])

    step_by_step(disposal, before)
    assert (disposal.state, disposal.disposed, disposal.decided_why) == ("stopped", 1, "counsel called")
    assert len(left()) == 9
    with pytest.raises(services.NotRunning):
        services.stop_disposal(disposal=disposal, reason="again", by=two_officers[0])


def test_an_empty_archive_and_one_without_anything_over_leave_nothing_to_approve(
    two_officers, offices, run_import, write_feed
):
    assert run(two_officers).finds_nothing
    run_import(write_feed([old(1, date(2026, 10, 1))]))
    disposal = run(two_officers)
    assert (disposal.state, disposal.disposed, disposal.preview["looked_at"]) == ("withdrawn", 0, 0)


STEPS = 6  # of the run below: the places where it is cut off


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("killed_at", [*range(STEPS), None])
def test_a_run_that_is_killed_ends_as_one_that_was_not(old_talk, two_officers, monkeypatch, killed_at):
    monkeypatch.setattr(disposing, "TAKEN", 3)
    services.recompute_due(by="system:test")
    disposal = approve(ask(two_officers[0]), two_officers[1])
    done = []

    def until_killed(job: Job) -> bool:
        finished = services.dispose_some(job)
        if len(done) == killed_at:
            raise KeyboardInterrupt  # before it was committed: a worker that is killed says nothing
        done.append(job.cursor)
        return finished

    if killed_at is None:
        job = jobs.work(disposal.job_id, until_killed, prepare=services.sweep)
        assert (job.state, len(done)) == ("done", STEPS + _tables_swept())
    else:
        with pytest.raises(KeyboardInterrupt):
            jobs.work(disposal.job_id, until_killed, prepare=services.sweep)
        assert Tombstone.objects.count() == 10 - Message.objects.count()
        Job.objects.filter(pk=disposal.job_id).update(lease_until=timezone.now() - timedelta(seconds=1))
        tasks.dispose(disposal.job_id)
    disposal.refresh_from_db()
    assert (disposal.state, disposal.disposed, left()) == ("done", 4, [3, 5, 6, 7, 8, 10])
    assert Tombstone.objects.count() == 4
    bodies = [ledger.body_of(one) for one in Entry.objects.filter(verb="archive.disposed")]
    assert sum(body["messages"] for body in bodies) == 4
    assert Entry.objects.filter(verb="archive.disposal_done").count() == 1
    assert ledger.verify()[1] is None
    assert services.verify(by="system:test").faults == 0


def _tables_swept() -> int:
    """PostgreSQL sweeps a table a step, SQLite all at once."""
    return len(disposing.SWEPT) - 1 if connection.vendor == "postgresql" else 0


@pytest.mark.django_db(transaction=True)
def test_the_bytes_are_gone_from_the_disk(offices, run_import, write_feed, two_officers, settings):
    settings.ARCHIVE_TEXT = "all"
    lines = [old(n, date(2018, 3, 1), f"secret {n}", to=(CLIENT,), roomid=f"wrGoneRoom{n:022}") for n in range(1, 60)]
    lines += [old(n, date(2026, 3, 1), f"secret {n}", to=(CLIENT,), roomid=f"wrStayRoom{n:022}") for n in range(60, 90)]
    run_import(write_feed(lines))
    Finding.objects.open().update(state="closed", closed_at=timezone.now())
    gone = Message.objects.filter(seq__lt=60).select_related("text")
    traces = {f"{one.seq}": (one.msgid.encode(), one.room.encode(), bytes(one.text.sealed)) for one in gone}
    stays = Message.objects.get(seq=70).msgid.encode()
    assert found_on_disk(stays)
    disposal = approve(ask(two_officers[0]), two_officers[1])
    with CaptureQueriesContext(connection) as captured:
        tasks.dispose(disposal.job_id)
    disposal.refresh_from_db()
    assert (disposal.state, disposal.disposed) == ("done", 59)
    if connection.vendor == "postgresql":
        vacuumed = {one["sql"] for one in captured.captured_queries if one["sql"].startswith("VACUUM")}
        assert vacuumed == {f'VACUUM "{model._meta.db_table}"' for model in disposing.SWEPT}
        return
    assert found_on_disk(stays)
    assert [seq for seq, parts in traces.items() if any(found_on_disk(part) for part in parts)] == []


def found_on_disk(trace: bytes) -> bool:
    """Whether the bytes stand anywhere in SQLite's file or its log. True for other databases: not to be told."""
    if connection.vendor != "sqlite":
        return True
    name = connection.settings_dict["NAME"]
    files = [name, f"{name}-wal"]
    return any(trace in Path(file).read_bytes() for file in files)


@pytest.mark.django_db(transaction=True)
def test_somebody_who_reads_on_only_puts_the_sweep_off(old_talk, two_officers, monkeypatch):
    def busy(tables: list[str]) -> list[str]:
        raise jobs.Postponed("somebody reads from the log")

    disposal = approve(ask(two_officers[0]), two_officers[1])
    with monkeypatch.context() as patch:
        patch.setattr(disposing, "_sweep_some", busy)
        tasks.dispose(disposal.job_id)
    job = Job.objects.get(pk=disposal.job_id)
    assert (job.state, job.cursor) == ("waiting", {"sweep": [model._meta.db_table for model in disposing.SWEPT]})
    Job.objects.update(due_at=timezone.now())
    tasks.dispose(disposal.job_id)
    disposal.refresh_from_db()
    assert disposal.state == "done"
