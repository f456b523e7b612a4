"""Seats and consent over the pages and by push: the same checks, told so that a person can act on them."""

import gzip
import hashlib
import json
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from archive import services, tasks
from archive.models import AnswerCopy, ConsentWord, Record, SeatCopy, Source, SourceToken
from archive.services import state
from portal.jobs.models import Job
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, FRIDAY_EVENING, ROBOT, ROOM, STATE, line
from tests.archive.test_copies import room
from tests.archive.test_push import officer, source, token  # noqa: F401 - fixtures
from tests.archive.test_state import answers, word

pytestmark = pytest.mark.django_db
LIST, NEW = reverse("archive:import_list"), reverse("archive:state_new")
PAGE = reverse("archive:source_state", args=["wecom"])
PUSH = reverse("archive:push_state", args=["wecom"])


@pytest.fixture
def compliance(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def client(compliance, sign_in):
    return sign_in(compliance)


def upload(client, data: dict | bytes, name: str = "wecom", **more):
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return client.post(NEW, {"name": name, "answers": SimpleUploadedFile("state.json", raw), **more}, follow=True)


def text(response) -> str:
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser").get_text(" ", strip=True)


def work() -> None:
    for job in Job.objects.filter(kind=state.TASK, state=Job.State.WAITING):
        tasks.judge_state(job.pk)


def test_a_file_is_kept_and_the_records_follow(client, compliance, run_import, write_feed, make_employee):
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(1, to=(CLIENT,))]))
    page = text(upload(client, answers("li.na", single=[word()]), taken_at="2026-10-14T12:00", holds_from="2026-10-12"))
    assert "Kept: 1 seats on a list, 1 new words on consent, 1 copies of other answers." in page
    copy = SeatCopy.objects.get()
    assert (copy.taken_at, copy.holds_from) == (datetime(2026, 10, 14, 4, tzinfo=UTC), date(2026, 10, 12))
    assert Entry.objects.get(verb="archive.state_imported").actor == compliance.uid
    record = Record.objects.get()
    assert record.metrics["agreed"] == 0
    work()
    record.refresh_from_db()
    assert record.metrics["agreed"] == 1


def test_the_same_file_again_says_that_nothing_has_changed(client):
    for said in ("Kept:", "All of it was here already"):
        assert said in text(upload(client, answers("li.na") | {"taken_at": "2026-10-14T12:00:00+08:00"}))
    assert Job.objects.filter(kind=state.TASK).count() == 1


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "The submitted file is empty"),
        (b"{", "not JSON in UTF-8"),
        (b"{}", "The file has none of: get_permit_user_list"),
        (b'{"get_permit_user_list":{"errcode":0},"get_permit_user_list":{}}', "not JSON in UTF-8"),
        (json.dumps({"check_room_agree": [1]}).encode(), "What stands under check_room_agree is not its answers"),
        (json.dumps({"taken_at": "soon", **answers("x")}).encode(), "taken_at is no moment"),
        (b"[" * 100_000, "not JSON in UTF-8"),
        (json.dumps({"check_single_agree": {"a": [[]] * 3}}).encode() + b"\xff", "not JSON in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_kept_is_refused_with_the_reason_and_begins_no_source(client, data, complaint):
    assert complaint in text(upload(client, data, name="brand-new"))
    assert not Source.objects.exists()
    assert not SeatCopy.objects.exists()


def test_a_contradiction_is_refused_and_changes_nothing(client):
    at = {"taken_at": "2026-10-14T12:00"}
    upload(client, answers("li.na"), **at)
    assert "Another list of that very moment is here already" in text(upload(client, answers("amy"), **at))
    assert "given in the future" in text(upload(client, answers("amy"), taken_at="2199-01-01T00:00"))
    assert SeatCopy.objects.count() == 1


def test_a_file_that_is_too_large_leads_to_the_command(client, monkeypatch):
    monkeypatch.setattr("archive.forms.STATE_BYTES", 10)
    assert "Use the command import_archive_state" in text(upload(client, answers("li.na")))


def test_errors_of_the_interfaces_are_told_and_kept(client):
    page = text(upload(client, {"check_room_agree": {ROOM: {"errcode": 301002, "errmsg": "<b>no</b> permission"}}}))
    assert "1 answer is an error." in page
    assert "Error 301002 <b>no</b> permission" in text(client.get(PAGE, {"errors": "1"}))


def test_only_who_may_import_has_the_form(make_employee, sign_in):
    auditor = sign_in(make_employee(roles=("Auditor",)))
    assert "Keep a copy of seats and consent" not in text(auditor.get(LIST))
    assert auditor.post(NEW).status_code == 403
    assert "Keep a copy of seats and consent" in text(sign_in(make_employee(roles=("Compliance",))).get(LIST))


def test_the_sample_as_at_each_day(staff, client):
    data = services.read_state(STATE.read_bytes())
    wecom = services.get_source("wecom")
    services.import_state(
        source=wecom, data=data, taken_at=FRIDAY_EVENING, holds_from=date(2026, 10, 12), by="system:test"
    )
    friday = text(client.get(PAGE, {"on": "2026-10-16"}))
    assert "By the permit list of 16 Oct 2026, 18:00." in friday
    assert "5 seats" in friday
    assert "wmQk3xCQAAmB8sEyUq5TkJi2aCv7rZcA in room wrQk3xCQAAkR2cLiEnTgRoUpHkDeSkAA refused" in friday
    monday = text(client.get(PAGE, {"on": "2026-10-12", "whom": "wmQk3xCQAAmB8sEyUq5TkJi2aCv7rZcA"}))
    assert "refused" not in monday  # that was said on Tuesday
    assert "No permit list speaks for that day" in text(client.get(PAGE, {"on": "2026-10-11"}))


def test_rooms_and_robots_are_told(client):
    robot = {"errcode": 0, "data": {"name": "Reminder", "creator_userid": "li.na"}}
    upload(client, {"get_robot_info": {ROBOT: robot}, "externalcontact_groupchat_get": {ROOM: room("a", outside=True)}})
    page = text(client.get(PAGE))
    assert f"Reminder {ROBOT} li.na" in page
    assert f"Deal {ROOM} li.na 1 Outsiders" in page


def test_a_copy_is_saved_as_it_was_delivered(client):
    upload(client, answers("li.na", single=[word()]))
    copy = AnswerCopy.objects.get()
    response = client.get(reverse("archive:state_copy", args=["wecom", copy.pk]))
    assert hashlib.sha256(response.content).hexdigest() == copy.digest
    assert response["Content-Disposition"].startswith("attachment")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert client.get(reverse("archive:state_copy", args=["other", copy.pk])).status_code == 404


def test_the_page_costs_the_same_for_one_copy_and_for_many(client, count_queries):
    def keep(n: int, count: int) -> None:
        rows = [word(contact=f"{CLIENT}{k}", userid=f"u{k}") for k in range(count)]
        rooms = {f"wr{k}": rows for k in range(count)}
        data = answers(*(f"u{k}" for k in range(count)), single=rows, rooms=rooms)
        data["groupchat_get"] = {f"wr{k}": room(*(f"u{j}" for j in range(count))) for k in range(count)}
        at = timezone.now() - timedelta(minutes=n)
        services.import_state(source=services.get_source("wecom"), data=data, taken_at=at, by="system:test")

    keep(50, 1)
    client.get(PAGE)
    one = count_queries(lambda: client.get(PAGE))
    for n in range(3):
        keep(n, 12)
    assert count_queries(lambda: client.get(PAGE)) == one


# --- by push


def push(bearer: str, data: dict | bytes, **headers):
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    sent = {"Authorization": f"Bearer {bearer}", **headers}
    return Client().post(PUSH, body, content_type="application/json", headers=sent)


DATED = {"taken_at": "2026-10-14T12:00:00+08:00", **answers("li.na", single=[word()])}


def test_a_machine_pushes_a_copy_and_the_same_again_is_known(token):  # noqa: F811
    first, again = push(token, DATED).json(), push(token, DATED).json()
    assert first == {
        **{"source": "wecom", "taken_at": "2026-10-14T12:00:00+08:00", "seats": 1, "words": 1, "copies": 1, "errors": 0}
    }
    assert {name: again[name] for name in ("seats", "words", "copies", "errors")} == dict.fromkeys(
        ("seats", "words", "copies", "errors"), 0
    )
    assert ConsentWord.objects.count() == SeatCopy.objects.count() == 1
    assert SourceToken.objects.get().last_used_at is not None
    assert Entry.objects.get(verb="archive.state_imported").actor == "system:push"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (answers("li.na"), 422, "not_a_state"),
        (b"[]", 422, "not_a_state"),
        (b"\x00", 422, "not_a_state"),
        ({**DATED, "taken_at": "2199-01-01T00:00:00Z"}, 422, "not_a_state"),
    ],
)
def test_what_cannot_be_kept_is_told_by_code(token, data, status, code):  # noqa: F811
    response = push(token, data)
    assert (response.status_code, response.json()["error"]) == (status, code)
    assert not SeatCopy.objects.exists()


def test_the_limits_are_stated_and_enforced(token, monkeypatch):  # noqa: F811
    assert Client().options(PUSH).json()["limits"]["bytes"] == services.STATE_BYTES
    assert push("wrong", DATED).status_code == 401
    wrong = Client().post(PUSH, b"{}", content_type="text/plain", headers={"Authorization": f"Bearer {token}"})
    assert (wrong.status_code, wrong.json()["error"]) == (415, "wrong_type")
    assert push(token, b" " * (services.STATE_BYTES + 1)).status_code == 413
    bomb = gzip.compress(b" " * (services.STATE_BYTES + 1))
    assert push(token, bomb, **{"Content-Encoding": "gzip"}).status_code == 413
    packed = gzip.compress(json.dumps(DATED).encode())
    assert push(token, packed, **{"Content-Encoding": "gzip"}).json()["seats"] == 1
    monkeypatch.setattr(services, "PUSHES", 1)
    assert push(token, DATED).status_code == 429


def test_a_push_of_the_clock_is_not_yet_the_future(token):  # noqa: F811
    with time_machine.travel(datetime(2026, 10, 14, 4, tzinfo=UTC), tick=False):
        assert push(token, {**DATED, "taken_at": "2026-10-14T04:09:00Z"}).status_code == 200
        assert push(token, {**DATED, "taken_at": "2026-10-14T04:11:00Z"}).status_code == 422
