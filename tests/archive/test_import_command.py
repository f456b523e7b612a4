"""What the command reads besides a file: standard input, a folder, and what was cut off."""

import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from archive import services
from archive.management.commands import import_archive
from archive.models import Import, Message, Source
from archive.services import running, uploading
from archive.sources.feed import open_feed
from tests.archive.conftest import as_bytes, line
from tests.archive.mails import mail

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def committing(django_capture_on_commit_callbacks):
    """Do what the command leaves to the commit: it removes what it kept."""

    def run(*args, **options) -> dict:
        with django_capture_on_commit_callbacks(execute=True):
            return command(*args, **options)

    return run


@pytest.fixture
def pipe(monkeypatch, committing):
    """Run the command on what comes by standard input, which is a pipe: it cannot be read twice."""

    def run(lines: list | bytes, **options) -> dict:
        raw = lines if isinstance(lines, bytes) else b"".join(as_bytes(one) + b"\n" for one in lines)
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as end:
            end.write(raw)
        with os.fdopen(reading, "rb") as stream:
            monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": stream}))
            return committing("-", **options)

    return run


def command(file: str | None = None, **options) -> dict:
    out = io.StringIO()
    args = [file] if file else []
    call_command("import_archive", *args, **{"source": "wecom", "as_json": True, "stdout": out, **options})
    return json.loads(out.getvalue())


def kept_files() -> list[str]:
    return default_storage.listdir("feeds")[1] if default_storage.exists("feeds") else []


# --- standard input


def test_standard_input_is_read_to_its_end(pipe):
    counts = pipe([line(1), line(2), b"broken"])
    assert (counts["lines"], counts["stored"], counts["set_aside"]) == (3, 2, 1)
    run = Import.objects.get()
    assert (run.label, run.state, run.via, run.stored_file) == ("standard input", "done", "file", "")
    assert kept_files() == []


def test_standard_input_may_be_packed_or_empty(pipe):
    assert pipe(gzip.compress(as_bytes(line(1))))["stored"] == 1
    assert pipe(b"")["lines"] == 0


def cut_off(lines: list) -> None:
    """Begin with a stream of which only the first batch is read, as by a process that was killed."""
    raw = b"".join(as_bytes(one) + b"\n" for one in lines)
    stored_file, digest, size = running._kept(io.BytesIO(raw))
    gone = {"holder": "pid:another:1", "by": "system:test"}
    run = running.begin(
        source=services.get_source("wecom"), label="stdin", digest=digest, size=size, stored_file=stored_file, **gone
    )
    with default_storage.open(stored_file, "rb") as stream:
        running.advance(run_id=run.pk, feed=open_feed(stream, size, running.how(run.source, "")), **gone)
    Source.objects.update(held_by="", held_until=None)


@pytest.fixture
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(running, "BATCH_LINES", 3)


def test_what_was_cut_off_goes_on_from_what_was_kept(small_batches, committing):
    cut_off([line(n) for n in range(1, 11)])
    assert (Message.objects.count(), len(kept_files())) == (3, 1)
    assert committing(go_on=True)["stored"] == 10
    run = Import.objects.get()
    assert (run.state, run.batch_no, kept_files()) == ("done", 4, [])
    with pytest.raises(CommandError, match="was cut off"):
        command(go_on=True)


def test_the_same_stream_again_goes_on_with_the_same_import(small_batches, pipe):
    lines = [line(n) for n in range(1, 11)]
    cut_off(lines)
    assert pipe(lines)["stored"] == 10
    assert (Import.objects.get().state, kept_files()) == ("done", [])


def test_what_is_gone_is_told(small_batches):
    cut_off([line(n) for n in range(1, 11)])
    default_storage.delete(Import.objects.get().stored_file)
    with pytest.raises(CommandError, match="is gone: No such file"):
        command(go_on=True)


def test_a_file_and_a_stream_may_be_larger_than_an_upload(pipe, write_feed, monkeypatch):
    monkeypatch.setattr(running, "UPLOAD_LIMIT", 100)
    assert pipe([line(1)])["stored"] == 1
    command(write_feed([line(2)]))
    assert Message.objects.count() == 2
    monkeypatch.setattr(uploading, "UPLOAD_LIMIT", 100)
    too_large = SimpleUploadedFile("feed.jsonl", b"x" * 101)
    with pytest.raises(services.NotAFeed, match="read it there with the command import_archive"):
        services.start_upload(source=Source.objects.get(), file=too_large, by=None)
    with pytest.raises(services.NotAFeed, match="empty"):
        services.start_upload(source=Source.objects.get(), file=SimpleUploadedFile("feed.jsonl", b""), by=None)


def test_a_stream_for_a_busy_source_is_not_kept(pipe):
    from datetime import timedelta

    from django.utils import timezone

    services.get_source("wecom")
    Source.objects.update(held_by="job:other", held_until=timezone.now() + timedelta(minutes=2))
    with pytest.raises(CommandError, match="Another import"):
        pipe([line(1)])
    assert kept_files() == []


def test_one_thing_is_to_be_read():
    for args in ({}, {"file": "-", "go_on": True}):
        with pytest.raises(CommandError, match="Name a file"):
            command(**args)


# --- a folder


def test_each_file_of_a_folder_is_an_import_in_the_order_of_names(tmp_path):
    (tmp_path / "b.jsonl").write_bytes(as_bytes(line(3)))
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(as_bytes(line(1)) + b"\n" + as_bytes(line(2))))
    (tmp_path / "c.NDJSON").write_bytes(as_bytes(line(4)) + b"\nbroken")
    for other in ("notes.txt", ".hidden.jsonl"):
        (tmp_path / other).write_bytes(as_bytes(line(9)))
    (tmp_path / "folder.jsonl").mkdir()
    counts = command(str(tmp_path))
    assert (counts["lines"], counts["stored"], counts["set_aside"], counts["holes"]) == (5, 4, 1, 0)
    assert [one.label for one in Import.objects.order_by("pk")] == ["a.jsonl.gz", "b.jsonl", "c.NDJSON"]
    again = command(str(tmp_path))
    assert (again["stored"], again["duplicates"]) == (0, 4)


def test_a_folder_of_tables_is_read_file_by_file_and_one_of_mails_as_one_delivery(deliver):
    rows = {f"{n}.csv": f"message_id,sent_at,sender\n{n},2026-10-12T01:01:12Z,li.na".encode() for n in (1, 2)}
    assert deliver(rows, name="tables", source="tables", kind="csv", channel="sms")["stored"] == 2
    mails = {f"{n}.eml": mail(Message_ID=f"<{n}@example.com>") for n in (1, 2)}
    assert deliver(mails, name="mails")["stored"] == 2
    labels = Import.objects.order_by("pk").values_list("label", flat=True)
    assert list(labels) == ["1.csv", "2.csv", "mails"]


def test_other_feeds_come_by_standard_input_too(pipe):
    assert pipe(mail(), source="journal", kind="mail")["stored"] == 1
    assert Message.objects.get().source.kind == "mail"


def test_a_folder_without_a_feed_is_told(tmp_path):
    with pytest.raises(CommandError, match=r"no file of this source in it: their names end in \.jsonl, \.ndjson, \.gz"):
        command(str(tmp_path))
    assert not Import.objects.exists()


def test_a_file_of_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.jsonl").write_bytes(as_bytes(line(1)))
    (tmp_path / "b.jsonl").write_bytes(as_bytes(line(2)))
    read = services.import_feed

    def refused(*, path: Path, **more):
        if path.name == "b.jsonl":
            raise PermissionError(13, "Permission denied")
        return read(path=path, **more)

    monkeypatch.setattr(services, "import_feed", refused)
    with pytest.raises(CommandError, match=r"b\.jsonl cannot be read: Permission denied"):
        command(str(tmp_path))
    assert Message.objects.count() == 1


# --- progress


def test_progress_tells_lines_bytes_rate_and_time_left():
    run = Import(label="f.jsonl", lines=3000, stored=2900, set_aside=100, passed=30_000_000, size=120_000_000)
    words = import_archive.told(run, 0, 0, seconds=10)
    assert words == (
        " 25 %  f.jsonl: 3000 lines, 2900 stored, 100 set aside, 28.6 MB of 114.4 MB, 300 lines a second, "
        "about 0:00:30 left"
    )


def test_a_run_that_goes_on_tells_the_pace_of_its_own():
    run = Import(label="f", lines=3000, passed=30_000, size=40_000)
    assert "100 lines a second, about 0:00:10 left" in import_archive.told(run, 2000, 20_000, seconds=10)


def test_as_clock():
    assert import_archive.as_clock(3 * 3600 + 4 * 60 + 5) == "3:04:05"


def test_the_real_command_reads_a_real_pipe(tmp_path):
    env = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path / 'site.sqlite3'}"}

    def manage(*args: str, **more) -> subprocess.CompletedProcess:
        return subprocess.run(  # noqa: S603
            [sys.executable, "manage.py", *args], cwd=ROOT, env=env, capture_output=True, check=True, **more
        )

    manage("migrate", "--verbosity", "0", "--skip-checks")
    raw = b"".join(as_bytes(line(n)) + b"\n" for n in range(1, 6))
    told = json.loads(manage("import_archive", "-", "--source", "wecom", "--json", input=raw).stdout)
    assert told["stored"] == 5
