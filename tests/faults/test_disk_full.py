"""No room for the database, files, the log: refused clearly, nothing acknowledged is lost, and on without a restart.

Where nothing may be mounted a limit on the size of files stands in for the disk.
"""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse

from archive.models import Import
from tests.faults import work
from tests.faults.engines import IS_POSTGRES
from tests.faults.firm import Browser, Paper
from tests.faults.waiting import wait_until

WORDS = "no room to store anything"
MOST_TRIES = 400


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    """Put a disk of that size over the folder. Skips where nobody may mount."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    if mounted.returncode:
        pytest.skip("a disk can be mounted by root alone, and not in every container")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S603, S607


def fill(place: Path) -> Path:
    """Take what room there is; the file returned gives it back."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def sit_until_refused(firm, browser: Browser) -> None:
    """Sit the quiz until the site says that there is no room. What was acknowledged before is noted."""
    for _ in range(MOST_TRIES):
        answer = browser.ask("POST", reverse("training:quiz", args=["tiny", "first"]))
        if answer.status_code == 302:
            paper = Paper.fill(answer.headers["Location"].strip("/").split("/")[1])
            answer = browser.ask("POST", reverse("training:attempt", args=[paper.uid]), data=paper.form)
        if answer.status_code != 302:
            assert (answer.status_code, WORDS in answer.text) == (503, True), answer.text[:500]
            assert "Retry-After" in answer.headers
            return
        firm.note(paper)
    pytest.fail("the disk was never full")


@pytest.mark.skipif(IS_POSTGRES, reason="the files of PostgreSQL are not the web server's")
def test_quick_no_room_for_the_database_without_a_mount(firm, house):
    web, browser = house.web(), Browser(firm.learners[0], house.address)
    firm.sit(browser)
    with web.may_not_write_beyond(4096):
        sit_until_refused(firm, browser)
        assert browser.ask("GET", reverse("training:course_list")).status_code == 200  # reading goes on
    firm.sit(browser, 3)
    firm.check()


@pytest.mark.skipif(IS_POSTGRES, reason="PostgreSQL has a disk of its own in the next test")
def test_no_room_for_the_database_on_a_disk_that_is_full(firm, house, tmp_path):
    """The whole firm moves to a small disk, and back when the test is over."""
    file = Path(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with small_disk(tmp_path / "disk", file.stat().st_size // 2**20 + 16) as disk:
        moved = disk / file.name
        moved.write_bytes(file.read_bytes())
        connection.settings_dict["NAME"] = str(moved)
        try:
            house.web(DATABASE_URL=f"sqlite:///{moved}")
            browser = Browser(firm.learners[1], house.address)
            firm.sit(browser)
            ballast = fill(disk)
            sit_until_refused(firm, browser)
            ballast.unlink()
            firm.sit(browser, 3)
            firm.check()
        finally:
            house.end()
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            connection.settings_dict["NAME"] = str(file)
            for left in file.parent.glob(f"{file.name}-*"):
                left.unlink()
            file.write_bytes(moved.read_bytes())


@pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has a disk of its own in the test before")
def test_no_room_for_tables_of_postgresql(firm, house):
    """What every submission writes into lies on a small disk."""
    place = Path("/tmp") / f"onchannel-disk-{connection.settings_dict['PORT']}"  # noqa: S108 - where postgres may go
    with small_disk(place, 64) as disk:
        subprocess.run(["chown", "postgres:postgres", str(disk)], check=True)  # noqa: S603, S607
        _sql(f"CREATE TABLESPACE small LOCATION '{disk}'", "ALTER TABLE quizzes_response SET TABLESPACE small")
        try:
            house.web()
            browser = Browser(firm.learners[2], house.address)
            firm.sit(browser)
            ballast = fill(disk)
            sit_until_refused(firm, browser)
            ballast.unlink()
            firm.sit(browser, 3)
            firm.check()
        finally:
            house.end()
            _sql("ALTER TABLE quizzes_response SET TABLESPACE pg_default", "CHECKPOINT", "DROP TABLESPACE small")
    place.rmdir()


def _sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def upload(browser: Browser, feed: bytes):
    """A refusal comes before the whole file has been read, so the connection cannot be used again."""
    about = {"data": {"source": "no-room"}, "files": {"file": ("feed.jsonl", feed)}}
    return browser.ask("POST", reverse("archive:import_list"), headers={"Connection": "close"}, **about)


def check_upload_is_refused_and_later_taken(firm, house, feed: bytes, full) -> None:
    browser, imports = Browser(firm.officer, house.address), Import.objects.count()
    before = set(Path(settings.PRIVATE_DIR).rglob("*"))
    with full:
        answer = upload(browser, feed)
        assert (answer.status_code, WORDS in answer.text) == (503, True), answer.text[:500]
    assert Import.objects.count() == imports
    left = {path for path in set(Path(settings.PRIVATE_DIR).rglob("*")) - before if path.is_file()}
    assert {str(path): path.stat().st_size for path in left} == {}, "half a file was left behind"
    assert upload(browser, feed).status_code == 302
    worker, run = house.worker(), Import.objects.latest("pk")
    wait_until(lambda: Import.objects.get(pk=run.pk).is_ended, "the import has ended", who=worker, seconds=120)
    assert Import.objects.get(pk=run.pk).state == "done"


def test_no_room_for_files_without_a_mount(firm, house):
    web = house.web()
    roomy = max(path.stat().st_size for path in Path(settings.DATA_DIR).glob("*.sqlite3*")) if not IS_POSTGRES else 0
    limit = roomy + 2**20
    feed = work.feed_of(2_000, 51) + b"\n" * (limit + 2**20)
    check_upload_is_refused_and_later_taken(firm, house, feed, web.may_not_write_beyond(limit))


@pytest.mark.parametrize("folder", ["uploads", "feeds"])
def test_no_room_for_files_on_a_disk_that_is_full(firm, house, folder):
    house.web()
    feed = work.feed_of(2_000, 52 + len(folder)) + b"\n" * 8 * 2**20
    full = small_disk(Path(settings.PRIVATE_DIR) / folder, 4)
    check_upload_is_refused_and_later_taken(firm, house, feed, full)


def test_quick_no_room_for_the_log(firm, house):
    """Nobody is refused anything because nothing can be logged."""
    nowhere = Path("/dev/full")  # takes nothing, as a disk without room
    house.web(log=nowhere, LOG_LEVEL="DEBUG")
    house.worker(log=nowhere, LOG_LEVEL="DEBUG")
    browser, officer = Browser(firm.learners[3], house.address), Browser(firm.officer, house.address)
    firm.sit(browser, 3)
    assert browser.ask("GET", "/nowhere/").status_code == 404  # which is logged
    assert upload(officer, work.feed_of(200, 54)).status_code == 302
    run = Import.objects.latest("pk")
    wait_until(lambda: Import.objects.get(pk=run.pk).state == "done", "the import is done")
    firm.check()
