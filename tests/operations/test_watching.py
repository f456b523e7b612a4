"""What those who run the site see: alive, ready, figures, and the work that was given up."""

import json
import logging
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError, transaction
from django.urls import reverse
from django.utils import timezone

from portal import tracing
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.logs import QuietFormatter
from portal.operations import looking, tasks

TOKEN = "a token that nobody guesses"


@pytest.fixture
def operator(make_employee, sign_in):
    return sign_in(make_employee(roles=("Operator",), employee_no=None))


def give_up(key: str = "k") -> Job:
    now = timezone.now()
    return Job.objects.create(
        kind="archive.tasks.run_import", key=key, state="failed", due_at=now, ended_at=now, attempts=5, error="OSError"
    )


def test_alive_asks_nobody_and_ready_names_what_is_missing(client, db, monkeypatch):
    assert client.get("/healthz/live").text == "ok\n"
    assert client.get("/healthz/ready").json() == {"missing": []}

    def away():
        raise OperationalError

    monkeypatch.setattr(looking, "connection", SimpleNamespace(cursor=away))
    monkeypatch.setattr(looking, "cache", SimpleNamespace(set=lambda *what: None, get=lambda *what: None))
    answer = client.get("/healthz/ready")
    assert (answer.status_code, answer.json()) == (503, {"missing": ["database", "cache"]})
    assert client.get("/healthz/live").status_code == 200


def test_who_is_not_migrated_is_not_ready(client, db, monkeypatch):
    monkeypatch.setattr(looking, "_migrated", False)
    monkeypatch.setattr(looking.MigrationExecutor, "migration_plan", lambda self, nodes: ["one"])
    assert client.get("/healthz/ready").json() == {"missing": ["migrations"]}


def test_without_the_setting_there_are_no_figures_and_with_it_only_for_the_token(client, db, settings):
    assert client.get("/metrics").status_code == 404
    settings.MONITOR_TOKEN = TOKEN
    for wrong in ("", "Bearer", "Bearer x", f"Basic {TOKEN}"):
        assert client.get("/metrics", headers={"authorization": wrong}).status_code == 401
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain")


def figures(client, settings) -> dict[str, float]:
    settings.MONITOR_TOKEN = TOKEN
    told = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text
    rows = (line.rpartition(" ") for line in told.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _space, value in rows}


def test_figures_tell_queues_clock_backup_seals_and_requests(client, settings, make_employee):
    with transaction.atomic():
        ledger.append(verb="test.done", actor="system:test", subject="system:test", body={})
    give_up()
    Job.objects.create(kind="x", key="y", due_at=timezone.now() - timedelta(seconds=90))
    found = figures(client, settings)
    assert found['onchannel_jobs{queue="imports",state="failed"}'] == 1
    assert found['onchannel_jobs{queue="quick",state="waiting"}'] == 1
    assert 90 <= found['onchannel_job_wait_seconds{queue="quick"}'] < 120
    assert found["onchannel_tick_age_seconds"] == found["onchannel_backup_age_seconds"] == -1
    assert found["onchannel_unsealed_entries"] == Entry.objects.count()
    tasks.tick()
    ledger.seal()
    again = figures(client, settings)
    assert 0 <= again["onchannel_tick_age_seconds"] < 60
    assert 0 <= again["onchannel_seal_age_seconds"] < 60
    assert again["onchannel_unsealed_entries"] == 0
    counted = 'onchannel_requests_total{method="GET",status="2xx",view="operations:figures"}'
    assert again[counted] == found.get(counted, 0) + 1


def test_no_person_is_in_the_figures(client, settings, make_employee, sign_in):
    person = make_employee(name_en="Lin Yue", email="lin.yue@example.com", roles=("Compliance",))
    sign_in(person).get(reverse("standing:person", args=[person.uid]))
    settings.MONITOR_TOKEN = TOKEN
    told = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).text
    assert "standing:person" in told
    assert not [word for word in ("Lin Yue", "lin.yue", person.uid) if word in told]


def test_a_look_costs_as_many_queries_whatever_there_is(client, settings, count_queries):
    few = count_queries(looking.look)
    for n in range(20):
        give_up(str(n))
    assert count_queries(looking.look) == few


def test_the_operator_sees_what_was_given_up_and_lets_it_be_tried_again_once(
    operator, bells, django_capture_on_commit_callbacks
):
    job = give_up()
    page = operator.get(reverse("operations:overview")).text
    assert job.uid in page
    assert "not seen" in page
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            operator.post(reverse("operations:again", args=[job.uid]))
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error) == ("waiting", 0, "")
    assert bells == [("archive.tasks.run_import", [job.pk])]
    entry = Entry.objects.get(verb="operations.job_tried_again")
    assert ledger.body_of(entry) == {"job": job.uid, "kind": job.kind, "error": "OSError"}


# --- one id for all that follows from a request ----------------------------------------------------------------------


def test_each_answer_has_an_id_of_its_own_and_a_stranger_cannot_choose_it(client, db, settings):
    one, other = (client.get("/healthz/live", headers={"x-request-id": "chosen-by-me"}) for _ in range(2))
    assert one.headers["X-Request-ID"] != other.headers["X-Request-ID"]
    assert len(one.headers["X-Request-ID"]) == 32
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert (
        client.get("/healthz/live", headers={"x-request-id": "from-the-proxy"}).headers["X-Request-ID"]
        == "from-the-proxy"
    )
    assert client.get("/healthz/live", headers={"x-request-id": 'a b\tc"d'}).headers["X-Request-ID"] != 'a b\tc"d'
    assert tracing.current() == ""


def test_the_id_stands_in_the_log_and_goes_with_what_is_rung():
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, "told", (), None)
    headers: dict = {}
    token = tracing._current.set("abcdef0123456789")
    try:
        assert json.loads(QuietFormatter("%(message)s").format(record))["request_id"] == "abcdef0123456789"
        tracing._hand_on(headers=headers)
    finally:
        tracing._current.reset(token)
    assert headers == {"request_id": "abcdef0123456789"}
    assert "request_id" not in json.loads(QuietFormatter("%(message)s").format(record))
    tracing._hand_on(headers=(none := {}))
    assert none == {}


def test_a_task_goes_by_the_id_of_the_request_that_rang_for_it():
    from portal.celery import app

    seen = []

    @app.task(name="tests.seen")
    def see():
        seen.append(tracing.current())

    see.apply(headers={"request_id": "abcdef0123456789"})
    see.apply(task_id="11111111-2222-3333-4444-555555555555")
    assert seen == ["abcdef0123456789", "11111111222233334444555555555555"]
    assert tracing.current() == ""
