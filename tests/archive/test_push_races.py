"""Pushes at the same moment. Both databases: SQLite serialises the writers, PostgreSQL needs the locks."""

from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import services, tasks
from archive.models import Import, Intake, Message, PushAnswer, SetAside, Source
from archive.services import afterwards
from portal.jobs.models import Job
from portal.ledger import services as ledger
from tests.archive.conftest import as_bytes, line
from tests.quizzes.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
BODY = b"".join(as_bytes(line(n)) + b"\n" for n in range(1, 41)) + b"broken\n"


@pytest.fixture
def make_token(make_employee):
    officer = make_employee(roles=("Compliance",))

    def make(name: str) -> str:
        source = services.get_source(name)
        return services.make_token(source=source, label="puller", expires_on=None, by=officer)[1]

    return make


def push(token: str, source: str = "wecom", body: bytes = BODY, **headers):
    return Client().post(
        reverse("archive:push", args=[source]),
        body,
        content_type="application/x-ndjson",
        headers={"Authorization": f"Bearer {token}", **headers},
    )


def work() -> None:
    for job in Job.objects.filter(kind=afterwards.TASK, state=Job.State.WAITING):
        tasks.judge_deliveries(job.pk)


def assert_all_is_whole() -> None:
    """Each message once, every line somewhere, all judged, and a ledger without a gap."""
    work()
    assert Message.objects.count() == 40
    assert {one.state for one in Import.objects.all()} == {"done"}
    sums = {name: sum(getattr(row, name) for row in Intake.objects.all()) for name in Intake.COUNTS}
    assert sums == {name: sum(getattr(run, name) for run in Import.objects.all()) for name in Intake.COUNTS}
    assert ledger.verify()[1] is None


@pytest.mark.parametrize("_round", range(3))
def test_one_body_pushed_twice_at_once_is_stored_once(make_token, _round):
    token = make_token("wecom")
    said = at_once(*[lambda: push(token)] * 3)
    assert [one.status_code for one in said] == [200, 200, 200]
    became = Counter((one["line"], one["result"]) for answer in said for one in answer.json()["answers"])
    assert all(became[n, "stored"] == 1 and became[n, "duplicate"] == 2 for n in range(1, 41))
    assert_all_is_whole()


@pytest.mark.parametrize("_round", range(3))
def test_one_key_pushed_twice_at_once_is_one_import_and_one_answer(make_token, _round):
    token = make_token("wecom")
    said = at_once(*[lambda: push(token, **{"Idempotency-Key": "7"})] * 3)
    assert [one.status_code for one in said] == [200, 200, 200]
    assert {one.content for one in said} == {said[0].content}
    assert (Import.objects.count(), PushAnswer.objects.count(), SetAside.objects.count()) == (1, 1, 1)
    assert_all_is_whole()


@pytest.mark.parametrize("_round", range(3))
def test_two_sources_of_one_channel_that_push_one_message_at_once_keep_it_once(make_token, _round):
    tokens = {name: make_token(name) for name in ("one", "two")}
    said = at_once(lambda: push(tokens["one"], "one"), lambda: push(tokens["two"], "two"))
    assert [one.status_code for one in said] == [200, 200]
    assert sorted(one.json()["stored"] for one in said) == [0, 40]
    assert_all_is_whole()


@pytest.mark.parametrize("_round", range(3))
def test_pushes_and_the_job_that_judges_them_do_not_wait_for_each_other(make_token, _round):
    token = make_token("wecom")
    lines = BODY.splitlines(keepends=True)
    push(token, body=b"".join(lines[:10]))
    said = at_once(
        work,
        lambda: push(token, body=b"".join(lines[10:20])),
        lambda: push(token, body=b"".join(lines[20:])),
        services.refresh_findings,
    )
    assert [getattr(one, "status_code", one) for one in said] == [None, 200, 200, None]
    assert_all_is_whole()


def test_a_push_while_a_file_is_read_is_told_to_come_again(make_token):
    token = make_token("wecom")
    Source.objects.update(held_by="job:other", held_until=timezone.now() + timedelta(minutes=2))
    assert {one.status_code for one in at_once(*[lambda: push(token)] * 2)} == {503}
    assert not Import.objects.exists()


def test_tokens_made_at_once_stay_under_their_number(make_token, make_employee):
    make_token("wecom")
    source, officer = Source.objects.get(), make_employee(roles=("Compliance",))
    for n in range(8):
        services.make_token(source=source, label=f"{n}", expires_on=None, by=officer)
    made = at_once(*[lambda: services.make_token(source=source, label="last", expires_on=None, by=officer)] * 3)
    assert sorted(type(one).__name__ for one in made) == ["TooManyTokens", "TooManyTokens", "tuple"]
