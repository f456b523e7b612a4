"""The database stopped as by a crash and back; the broker gone for a minute; clocks and a killed worker meanwhile."""

import threading
import time
from functools import partial

import pytest
import requests
from django.db import connection, connections
from django.urls import reverse

from portal.jobs.models import Job
from tests.faults import work
from tests.faults.engines import IS_POSTGRES, FolderBroker, Postgres, RedisBroker
from tests.faults.firm import Browser, all_at_once
from tests.faults.waiting import wait_until

SUBMISSIONS, PEOPLE = 400, 20


@pytest.mark.skipif(not IS_POSTGRES, reason="SQLite is a library in each process: there is nothing to stop")
def test_database_stopped_in_immediate_mode_and_back(firm, house):
    database, web, worker = Postgres(), house.web(), house.worker()
    run, before, done = work.ask_for_import(firm, lines=6_000, seed=31), len(firm.acknowledged), []
    browsers = [Browser(learner, house.address) for learner in firm.learners[:PEOPLE]]
    papers_left = threading.Event()

    def sit(browser: Browser) -> None:
        for _ in range(SUBMISSIONS // PEOPLE):
            while True:  # what a test reads of the database for itself may fail as well
                try:
                    firm.sit(browser)
                    break
                except Exception:
                    if not papers_left.is_set():
                        raise
                    connections.close_all()
                    time.sleep(0.2)

    crowd = threading.Thread(target=lambda: done.append(all_at_once([partial(sit, one) for one in browsers], most=8)))
    crowd.start()
    wait_until(lambda: len(firm.acknowledged) >= before + SUBMISSIONS // 4, "a quarter is in", seconds=120)
    papers_left.set()
    connection.close()
    database.stop()
    told = [requests.get(f"{house.address}{path}", timeout=30) for path in ("/healthz", "/verify/nothing/")]
    assert told[0].status_code == 503
    assert told[1].status_code == 503
    asked = browsers[0].session.get(f"{house.address}/", timeout=30, allow_redirects=False)
    assert asked.status_code == 503
    assert "cannot reach its data" in asked.text
    time.sleep(2)
    database.start()
    crowd.join()
    assert [one for one in done[0] if isinstance(one, Exception)] == []
    assert sum(browser.turned_away for browser in browsers) > 0
    assert web.is_running
    assert worker.is_running
    work.let_leases_run_out()
    wait_until(lambda: _ended(run), "the import has ended", seconds=120, who=worker)
    assert len(firm.acknowledged) >= before + SUBMISSIONS
    firm.check()


def _ended(run) -> bool:
    run.refresh_from_db()
    if not run.is_ended:
        work.let_leases_run_out()
        time.sleep(0.5)
    return run.is_ended


def test_broker_gone_for_a_minute_and_a_worker_killed_and_nobody_helps(firm, house):
    """Two clocks ring, as on two machines. What is waited for here is true time: leases of 90 s, a ring each minute."""
    broker = RedisBroker() if IS_POSTGRES else FolderBroker()
    house.web()
    worker, beats = house.worker(), [house.beat(1), house.beat(2)]
    cut_off = work.ask_for_import(firm, lines=20_000, seed=41)
    wait_until(lambda: _done(cut_off) > 0, "the import is on its way", who=worker)
    worker.kill()
    survivor = house.worker()
    broker.stop()
    began = time.monotonic()
    asked = _asked_for_meanwhile(firm, house)
    time.sleep(max(0, 60 - (time.monotonic() - began)))
    broker.start()
    jobs = [cut_off.job_id, *asked]

    def all_done() -> bool:
        return set(Job.objects.filter(pk__in=jobs).values_list("state", flat=True)) == {"done"}

    wait_until(all_done, "all is done by itself", seconds=240, who=survivor)
    assert all(beat.is_running for beat in beats)
    assert Job.objects.filter(pk__in=jobs).count() == len(jobs) == 3
    firm.check()


def _done(run) -> int:
    return Job.objects.values_list("done", flat=True).get(pk=run.job_id)


def _asked_for_meanwhile(firm, house) -> list[int]:
    """Hand in, upload a feed and ask what reminders go out tomorrow. No request fails or takes long."""
    began = time.monotonic()
    learners = [Browser(learner, house.address) for learner in firm.learners[:10]]
    assert all(isinstance(one, list) for one in all_at_once([partial(firm.sit, one, 2) for one in learners], most=4))
    newest = Job.objects.order_by("-pk").values_list("pk", flat=True).first()
    officer, hr = Browser(firm.officer, house.address), Browser(firm.hr, house.address)
    feed = {"file": ("feed.jsonl", work.feed_of(500, seed=42))}
    officer.post(reverse("archive:import_list"), {"source": "while-away"}, files=feed)
    hr.post(reverse("reminders:preview"), {})
    assert sum(one.turned_away for one in (*learners, officer, hr)) == 0
    assert time.monotonic() - began < 40
    return list(Job.objects.filter(pk__gt=newest).values_list("pk", flat=True))
