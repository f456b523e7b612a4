"""Fifty at once, equal and different; and what is sent again because nobody heard the answer."""

import json
from functools import partial
from pathlib import Path

import pytest
import requests
from django.db import connection
from django.urls import reverse

from archive import services as archive
from archive.models import Import, Message, PushAnswer
from portal.people.models import Employee
from portal.scim import tokens
from quizzes.models import Attempt
from tests.faults import work
from tests.faults.engines import IS_POSTGRES
from tests.faults.firm import Browser, Paper, all_at_once, bodies
from tests.faults.waiting import wait_until

FIFTY = 50


def test_quick_fifty_equal_and_fifty_different_submissions_at_once(firm, house):
    house.web()
    browsers = [Browser(learner, house.address) for learner in firm.learners[:FIFTY]]
    papers = [Paper.fill(browser.begin()) for browser in browsers]
    different = all_at_once([partial(one.submit, paper) for one, paper in zip(browsers, papers, strict=True)])
    assert different == [None] * FIFTY
    for paper in papers:
        firm.note(paper)
    paper = Paper.fill(browsers[0].begin())
    windows = [Browser(firm.learners[0], house.address) for _ in range(FIFTY)]
    assert all_at_once([partial(one.submit, paper) for one in windows]) == [None] * FIFTY
    firm.note(paper)
    assert sum(one.turned_away for one in (*browsers, *windows)) == 0
    firm.check()


def test_fifty_beginnings_at_once_are_one_attempt(firm, house):
    house.web()
    windows = [Browser(firm.learners[60], house.address) for _ in range(FIFTY)]
    begun = all_at_once([window.begin for window in windows])
    assert len(set(begun)) == 1, begun
    assert Attempt.objects.filter(employee=firm.learners[60], submitted_at=None).count() == 1
    firm.check()


def test_an_upload_that_is_sent_again_is_one_import(firm, house):
    house.web()
    officers, imports = [Browser(firm.officer, house.address) for _ in range(5)], Import.objects.count()
    archive.get_source("again", by="system:test")
    feed = work.feed_of(400, seed=81)

    def upload(browser: Browser) -> str:
        return browser.post(reverse("archive:import_list"), {"source": "again"}, files={"file": ("f.jsonl", feed)})

    assert len(set(all_at_once([partial(upload, one) for one in officers]))) == 1
    assert Import.objects.count() == imports + 1


def test_a_push_that_is_sent_again_stores_each_line_once_and_is_answered_alike(firm, house):
    house.web()
    source = archive.get_source("pushed", by="system:test")
    secret = archive.make_token(source=source, label="puller", expires_on=None, by=firm.officer)[1]
    feed, before = work.feed_of(300, seed=82), Message.objects.count()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson", "Idempotency-Key": "once"}

    def push() -> dict:
        url = f"{house.address}{reverse('archive:push', args=['pushed'])}"
        while True:
            answer = requests.post(url, feed, headers=headers, timeout=60)
            if answer.status_code != 503:  # busy with the same: as told, sent again in a while
                assert answer.status_code == 200, answer.text
                return answer.json()

    told = all_at_once([push] * 10)
    assert len({json.dumps(one, sort_keys=True) for one in told}) == 1, told
    assert Message.objects.count() - before == told[0]["stored"]
    assert PushAnswer.objects.filter(key="once").count() == 1


def test_a_person_whom_the_directory_sends_again_is_one(firm, house):
    house.web()
    secret = tokens.make(label="Entra", by=firm.hr)
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "again@example.com", "active": True
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/scim+json"}

    def post() -> int:
        return requests.post(f"{house.address}/scim/v2/Users", json=body, headers=headers, timeout=60).status_code

    assert sorted(all_at_once([post] * 10)) == [201] + [409] * 9
    assert Employee.objects.filter(email="again@example.com").count() == 1
    made = Employee.objects.get(email="again@example.com")
    assert sum(body.get("email") == made.email for body in bodies("people.added")) <= 1


@pytest.mark.skipif(IS_POSTGRES, reason="a PostgreSQL says so itself: the next test")
def test_quick_a_web_worker_commits_to_the_disk(firm, house, tmp_path):
    """Asked of the connection that has just served a submission in the running server."""
    told = tmp_path / "pragmas"
    house.web(workers=1, config=Path(__file__).with_name("telling_pragmas.py"), PRAGMAS_TO=str(told))
    firm.sit(Browser(firm.learners[7], house.address))
    wait_until(told.exists, "the connection was asked")
    assert told.read_text() == "2 wal"  # 2 is FULL: a commit is acknowledged after its fsync


@pytest.mark.skipif(not IS_POSTGRES, reason="SQLite is asked in the test before")
def test_quick_postgresql_commits_to_the_disk(firm):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
        assert cursor.fetchone() == ("on", "on")
