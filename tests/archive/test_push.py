"""The door for machines: what comes in, what is told of it, and what is refused."""

import gzip
import json
from datetime import timedelta
from io import BytesIO
from itertools import pairwise

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from archive import services, tasks
from archive.models import (
    Conflict,
    Finding,
    Import,
    Intake,
    Message,
    PushAnswer,
    Record,
    SetAside,
    Source,
    SourceToken,
    Unmatched,
)
from archive.services import afterwards, pushing, taking
from archive.services.taking import Answer
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Body, Entry
from tests.archive.conftest import FEED, as_bytes, line
from tests.archive.test_hostile_lines import HOSTILE

pytestmark = pytest.mark.django_db
NDJSON = "application/x-ndjson"


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def source(db) -> Source:
    return services.get_source("wecom")


@pytest.fixture
def token(source, officer) -> str:
    return services.make_token(source=source, label="puller 1", expires_on=None, by=officer)[1]


@pytest.fixture
def push(token):
    """Push lines as the machine does. Other options go into the request."""

    def send(lines: list | bytes, *, source: str = "wecom", bearer: str = token, headers: dict | None = None, **more):
        body = lines if isinstance(lines, bytes) else b"".join(as_bytes(one) + b"\n" for one in lines)
        kind = more.pop("content_type", NDJSON)
        # The client of the tests leaves these two out of a request without a body.
        options = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(body)), **more}
        sent = {"Authorization": f"Bearer {bearer}", **(headers or {})}
        return Client().post(reverse("archive:push", args=[source]), body, content_type=kind, headers=sent, **options)

    return send


def work() -> None:
    """Do what a worker does with every job that waits."""
    for job in Job.objects.filter(kind=afterwards.TASK, state=Job.State.WAITING):
        tasks.judge_deliveries(job.pk)


def results(response) -> list[tuple]:
    return [(one["line"], one["result"], one["reason"]) for one in response.json()["answers"]]


# --- what comes in


def test_each_line_is_told_what_became_of_it(push, make_employee):
    make_employee(wecom_userid="li.na")
    other = line(1, "other words")
    response = push([line(1), line(2), b"", line(1), b"broken", other, line(2, msgid="another")])
    assert response.status_code == 200
    assert results(response) == [
        (1, "stored", None),
        (2, "stored", None),
        (4, "duplicate", None),
        (5, "set_aside", "not_json"),
        (6, "conflict", "content"),
        (7, "conflict", "number"),
    ]
    told, run = response.json(), Import.objects.get()
    sums = {"lines": 6, "stored": 2, "duplicates": 1, "conflicts": 2, "set_aside": 1}
    assert {name: told[name] for name in sums} == sums == {name: run.counts[name] for name in sums}
    assert (told["import"], told["source"], run.via, run.token.label) == (run.uid, "wecom", "push", "puller 1")
    assert (Message.objects.count(), Conflict.objects.count(), SetAside.objects.get().line_no) == (2, 2, 5)


def test_a_record_that_comes_readable_in_the_same_push_is_stored_twice_told(push):
    dark = {"seq": 2, "msgid": line(2)["msg"]["msgid"], "publickey_ver": 1, "error": 10007}
    assert results(push([dark, line(2)])) == [(1, "stored", None), (2, "stored", None)]
    assert Message.objects.get().category == "content"


def test_the_sample_feed_by_push_ends_with_the_rows_of_the_file(push, staff, run_import):
    from django.db import transaction

    from tests.archive.test_importing import stored

    with transaction.atomic():
        run_import(FEED)
        expected = stored()
        transaction.set_rollback(True)
    assert not Message.objects.exists()
    raw = FEED.read_bytes().splitlines(keepends=True)
    for first, last in pairwise([0, 7, 8, 30, len(raw)]):
        assert push(b"".join(raw[first:last])).status_code == 200
    work()
    ends = stored()
    versions = [(who, month, *rest) for who, month, _version, *rest in ends.pop("records")]
    assert versions == [(who, month, *rest) for who, month, _version, *rest in expected.pop("records")]
    closed = {kind for kind, _seq, state in ends["findings"] if state == "closed"}
    assert closed <= {"hole"}  # numbers that a later push brought
    assert ends == expected
    assert ledger.verify()[1] is None


def test_what_follows_is_a_job_that_looks_at_every_push_that_waits(push, make_employee, bells):
    person = make_employee(wecom_userid="li.na")
    make_employee(wecom_userid="zhangwei")
    push([line(1), line(2)])
    push([line(5, sender="stranger")])
    job = Job.objects.get(kind=afterwards.TASK)
    assert [one.state for one in Import.objects.all()] == ["judging", "judging"]
    assert not Finding.objects.exists()
    work()
    job.refresh_from_db()
    assert (job.state, job.result) == (Job.State.DONE, {"deliveries": 2})
    assert {one.state for one in Import.objects.all()} == {"done"}
    assert set(Finding.objects.values_list("kind", flat=True)) == {"hole", "unmatched_identity"}
    assert Record.objects.get(employee=person).sent == 2
    assert [entry.actor for entry in Entry.objects.filter(verb="archive.imported")] == ["system:push"] * 2
    push([line(3)])
    assert Job.objects.filter(kind=afterwards.TASK, state=Job.State.WAITING).count() == 1


def test_a_push_that_comes_while_the_job_works_is_judged_by_it(push, monkeypatch):
    push([line(1)])
    judged = afterwards.piecemeal.judge_piece

    def and_another(run, **more):
        if Import.objects.count() == 1:
            push([line(2)])
        judged(run, **more)

    monkeypatch.setattr(afterwards.piecemeal, "judge_piece", and_another)
    work()
    assert [one.state for one in Import.objects.all()] == ["done", "done"]
    assert Job.objects.filter(kind=afterwards.TASK).count() == 1


def test_a_job_that_was_given_up_is_rung_again(push):
    push([line(1)])
    Job.objects.update(state=Job.State.FAILED, ended_at=timezone.now(), error="OSError")
    tasks.refresh_findings()
    work()
    assert Import.objects.get().state == "done"


def test_a_new_push_rings_for_those_whose_job_was_given_up(push):
    push([line(1)])
    Job.objects.update(state=Job.State.FAILED, ended_at=timezone.now(), error="OSError")
    push([line(2)])
    work()
    assert {one.state for one in Import.objects.all()} == {"done"}


def test_an_empty_push_moves_the_last_pull_and_leaves_nothing(push, source):
    push([line(1)])
    yesterday = timezone.now() - timedelta(hours=20)
    Source.objects.update(last_pull_at=yesterday)
    response = push(b"")
    source.refresh_from_db()
    assert (response.status_code, response.json()["import"], response.json()["answers"]) == (200, None, [])
    assert source.last_pull_at > yesterday
    assert Import.objects.count() == 1
    assert Intake.objects.get().deliveries == 2


def test_an_empty_push_that_ends_a_silence_leaves_an_import(push, source):
    Source.objects.update(last_pull_at=timezone.now() - timedelta(hours=25))
    assert push(b"\n\n").json()["import"] == Import.objects.get().uid
    work()
    assert (Import.objects.get().state, Import.objects.get().lines) == ("done", 0)


def test_hostile_lines_are_set_aside_and_the_good_one_is_stored(push):
    raw = [param.values[0] for param in HOSTILE if len(param.values[0]) < 500_000]
    reasons = [param.values[1] for param in HOSTILE if len(param.values[0]) < 500_000]
    response = push([*raw, line(9)])
    assert [one["reason"] for one in response.json()["answers"]] == [*reasons, None]
    assert response.json()["answers"][-1]["result"] == "stored"
    work()
    assert Import.objects.get().state == "done"


def test_a_line_that_is_too_long_is_set_aside_too(push):
    response = push([b'{"seq":1,"msg":{"msgid":"1","x":"' + b"y" * 2**20 + b'"}}', line(9)])
    assert results(response) == [(1, "set_aside", "too_long"), (2, "stored", None)]


@pytest.mark.parametrize(
    "body",
    [b"\x1f\x8b\x08\x00", b"\x00" * 5000, b"\xff\xfe\n\xff", b"\r\n\r\n", b"[" * 100_000],
    ids=["gzip", "NUL", "no UTF-8", "empty", "deep"],
)
def test_a_senseless_body_hurts_nobody(push, body):
    assert push(body).status_code == 200
    assert not Message.objects.exists()


def test_gzip_inside_gzip_is_one_line_that_is_no_text(push):
    packed = gzip.compress(gzip.compress(as_bytes(line(1))))
    response = push(packed, headers={"Content-Encoding": "gzip"})
    assert {one["result"] for one in response.json()["answers"]} == {"set_aside"}


def test_a_packed_body_is_unpacked(push):
    body = gzip.compress(b"".join(as_bytes(line(n)) + b"\n" for n in range(1, 4)))
    assert push(body, headers={"Content-Encoding": "GZIP"}).json()["stored"] == 3


# --- once


def test_the_same_body_again_finds_its_lines_known(push):
    push([line(1), line(2)])
    again = push([line(1), line(2)])
    assert [one["result"] for one in again.json()["answers"]] == ["duplicate", "duplicate"]
    assert (Message.objects.count(), Import.objects.count()) == (2, 2)
    work()
    assert {one.state for one in Import.objects.all()} == {"done"}


def test_the_same_key_is_told_the_same_and_nothing_is_done(push):
    headers = {"Idempotency-Key": "42-a"}
    first = push([line(1), b"broken", line(2)], headers=headers)
    again = push([line(1), b"broken", line(2)], headers=headers)
    assert first.json() == again.json()
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert (Import.objects.count(), SetAside.objects.count(), Message.objects.count()) == (1, 1, 2)


def test_the_same_key_after_it_was_judged_is_told_the_same(push):
    headers = {"Idempotency-Key": "42-a"}
    first = push([line(1)], headers=headers)
    work()
    assert push([line(1)], headers=headers).json() == first.json()


def test_a_key_stands_for_one_body(push):
    headers = {"Idempotency-Key": "42-a"}
    push([line(1)], headers=headers)
    response = push([line(2)], headers=headers)
    assert (response.status_code, response.json()["error"]) == (422, "key_reused")
    assert Message.objects.count() == 1


def test_a_key_is_the_tokens_own(push, source, officer):
    other = services.make_token(source=source, label="puller 2", expires_on=None, by=officer)[1]
    headers = {"Idempotency-Key": "1"}
    push([line(1)], headers=headers)
    assert push([line(2)], headers=headers, bearer=other).json()["stored"] == 1


def test_an_answer_is_kept_for_two_days(push):
    push([line(1)], headers={"Idempotency-Key": "1"})
    PushAnswer.objects.update(made_at=timezone.now() - timedelta(hours=47))
    assert services.forget_answers() == 0
    PushAnswer.objects.update(made_at=timezone.now() - timedelta(hours=49))
    tasks.refresh_findings()
    assert not PushAnswer.objects.exists()


@pytest.mark.parametrize("key", ["x" * 256, "a b", "schlüssel", "a\tb"])
def test_a_key_that_is_none_is_refused(push, key):
    response = push([line(1)], HTTP_IDEMPOTENCY_KEY=key)
    assert (response.status_code, response.json()["error"]) == (400, "bad_key")


@given(
    st.lists(
        st.tuples(st.sampled_from(["stored", "set_aside"]), st.sampled_from([None, "not_json"]), st.integers(1, 2)),
        max_size=12,
    )
)
def test_answers_in_short_say_the_same(parts):
    number, answers = 0, []
    for result, reason, step in parts:
        number += step
        answers.append(Answer(number, result, reason))
    short = json.loads(json.dumps(pushing.stretches(answers)))
    assert list(pushing.answers_of(short)) == answers


# --- who


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer oc_wrong"},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic eDp5"},
        {"Authorization": ""},
        {"Authorization": "Bearer ÿ\x00"},
    ],
)
def test_without_the_token_nobody_comes_in(push, headers):
    response = push([line(1)], headers=headers)
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert not Import.objects.exists()


def test_a_wrong_token_and_an_unknown_source_are_told_the_same(push, officer):
    services.get_source("other")
    said = [
        push([line(1)], source="nowhere"),
        push([line(1)], source="other"),
        push([line(1)], source="wecom x"),
        push([line(1)], bearer="oc_wrong"),
    ]
    assert {(one.status_code, one.content) for one in said} == {(401, said[0].content)}


def test_a_session_opens_nothing_and_is_not_looked_at(push, officer, sign_in, source):
    response = sign_in(officer).post(reverse("archive:push", args=["wecom"]), b"", content_type=NDJSON)
    assert response.status_code == 401


def test_the_door_needs_no_session_and_no_csrf_token(token, source, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = Client(enforce_csrf_checks=True)
    with CaptureQueriesContext(connection) as caught:
        response = client.post(
            reverse("archive:push", args=["wecom"]),
            as_bytes(line(1)),
            content_type=NDJSON,
            headers={"Authorization": f"Bearer {token}"},
        )
    assert response.status_code == 200
    assert not response.cookies
    assert not [one for one in caught if "django_session" in one["sql"]]
    assert "no-store" in response.headers["Cache-Control"]


def test_a_token_is_kept_as_a_hash_and_never_in_the_ledger(push, token):
    push([line(1)])
    work()
    kept = SourceToken.objects.get()
    assert (kept.hint, len(kept.digest)) == (token[:8], 64)
    assert token not in str(SourceToken.objects.values())
    assert not [body for body in Body.objects.all() if token[8:].encode() in bytes(body.content)]


def test_a_token_shows_when_it_was_last_used(push):
    assert SourceToken.objects.get().last_used_at is None
    before = timezone.now()
    push(b"")
    assert SourceToken.objects.get().last_used_at >= before


def test_a_token_that_was_ended_or_has_expired_opens_nothing(push, officer, source):
    today = timezone.localdate()
    kept, text = services.make_token(source=source, label="short", expires_on=today, by=officer)
    assert push([line(1)], bearer=text).status_code == 200
    SourceToken.objects.filter(pk=kept.pk).update(expires_at=timezone.now())
    assert push([line(1)], bearer=text).status_code == 401
    services.end_token(token=SourceToken.objects.get(label="puller 1"), by=officer)
    assert push([line(1)]).status_code == 401
    verbs = [entry.verb for entry in Entry.objects.filter(verb__startswith="archive.token")]
    assert verbs == ["archive.token_made", "archive.token_made", "archive.token_ended"]


def test_rotation_is_a_second_token_and_then_the_end_of_the_first(push, officer, source, token):
    _kept, second = services.make_token(source=source, label="puller 1 anew", expires_on=None, by=officer)
    assert [push(b"", bearer=one).status_code for one in (token, second)] == [200, 200]
    first = SourceToken.objects.get(label="puller 1")
    services.end_token(token=first, by=officer)
    services.end_token(token=first, by=officer)
    assert [push(b"", bearer=one).status_code for one in (token, second)] == [401, 200]
    assert Entry.objects.filter(verb="archive.token_ended").count() == 1


def test_there_are_not_ever_more_tokens(officer, source):
    made = [services.make_token(source=source, label=f"{n}", expires_on=None, by=officer)[0] for n in range(10)]
    with pytest.raises(services.TooManyTokens):
        services.make_token(source=source, label="11", expires_on=None, by=officer)
    services.end_token(token=made[0], by=officer)
    assert services.make_token(source=source, label="11", expires_on=None, by=officer)


def test_a_token_cannot_have_expired_before_it_begins(officer, source):
    with pytest.raises(services.AlreadyOver):
        services.make_token(
            source=source, label="late", expires_on=timezone.localdate() - timedelta(days=1), by=officer
        )


# --- limits


def test_the_limits_are_stated_to_who_asks(source):
    response = Client().options(reverse("archive:push", args=["wecom"]))
    stated = response.json()["limits"]
    assert response.headers["Allow"] == "OPTIONS, POST"
    assert (stated["bytes"], stated["lines"], stated["pushes"], stated["seconds"]) == (2**21, 2000, 60, 60)


def test_limits_that_the_documentation_states_are_those_that_hold():
    from pathlib import Path

    text = Path("docs/push.md").read_text(encoding="utf-8")
    assert f"{taking.MOST_LINES:,} lines" in text
    assert f"{taking.MOST_BYTES // 2**20} MiB" in text
    assert f"{pushing.PUSHES} pushes in {pushing.PUSH_SECONDS} seconds" in text


def test_a_body_that_is_too_large_is_not_read(push):
    response = push(b"x" * (2**21 + 1))
    assert (response.status_code, response.json()["error"]) == (413, "too_many_bytes")
    assert response.json()["limits"]["bytes"] == 2**21
    assert push(b"", CONTENT_LENGTH=str(2**40)).status_code == 413


def test_too_many_lines_are_refused_whole(push):
    many = [line(n) for n in range(1, 2002)]
    assert push(many).json()["error"] == "too_many_lines"
    assert not Message.objects.exists()


def test_as_many_lines_as_are_allowed_are_stored(push):
    response = push([line(n) for n in range(1, 2001)])
    assert (response.status_code, response.json()["stored"]) == (200, 2000)


@pytest.mark.parametrize("size", [2**21 + 1, 2**27])
def test_a_bomb_is_refused_without_unpacking_it_whole(push, size, monkeypatch):
    reached = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, n: reached.append(n) or read(self, n))
    bomb = gzip.compress(b" " * size)
    response = push(bomb, headers={"Content-Encoding": "gzip"})
    assert (response.status_code, response.json()["error"]) == (413, "too_many_bytes")
    assert reached == [2**21 + 1]


PACKED = gzip.compress(b"{}", mtime=0)


@pytest.mark.parametrize(
    "body", [b"no gzip", PACKED[:-3], PACKED + b"more", b"\x1f\x8b"], ids=["none", "cut", "more", "head"]
)
def test_a_damaged_packed_body_is_refused(push, body):
    response = push(body, headers={"Content-Encoding": "gzip"})
    assert (response.status_code, response.json()["error"]) == (400, "cannot_unpack")


@pytest.mark.parametrize(
    ("content_type", "headers"),
    [
        ("application/json", {}),
        ("text/plain", {}),
        ("multipart/form-data; boundary=x", {}),
        ("application/x-www-form-urlencoded", {}),
        ("", {}),
        (NDJSON, {"Content-Encoding": "br"}),
        (NDJSON, {"Content-Encoding": "gzip, gzip"}),
        (f"{NDJSON}; charset=gb18030", {}),
    ],
)
def test_another_type_is_refused(push, content_type, headers):
    response = push([line(1)], content_type=content_type, headers=headers)
    assert (response.status_code, response.json()["error"]) == (415, "wrong_type")


def test_a_body_of_unknown_length_is_refused(push):
    response = push([line(1)], headers={"Transfer-Encoding": "chunked"})
    assert (response.status_code, response.json()["error"]) == (411, "length_required")
    assert push([line(1)], CONTENT_LENGTH="").status_code == 411


def test_a_body_that_is_cut_off_is_not_stored(push):
    body = as_bytes(line(1)) + b"\n"
    response = push(body, **{"CONTENT_LENGTH": str(len(body) + 1), "wsgi.input": BytesIO(body)})
    assert (response.status_code, response.json()["error"]) == (400, "cut_off")
    assert not Import.objects.exists()


def test_a_token_that_pushes_too_often_waits(push, officer, source, monkeypatch):
    monkeypatch.setattr(services, "PUSHES", 3)
    other = services.make_token(source=source, label="other", expires_on=None, by=officer)[1]
    said = [push(b"") for _ in range(4)]
    assert [one.status_code for one in said] == [200, 200, 200, 429]
    assert (said[-1].headers["Retry-After"], said[-1].json()["error"]) == ("60", "too_often")
    assert push(b"", bearer=other).status_code == 200


def test_who_guesses_tokens_is_told_to_wait(push):
    said = [push(b"", bearer=f"oc_{n}").status_code for n in range(31)]
    assert said == [401] * 30 + [429]
    assert push(b"").status_code == 200


def test_a_source_that_is_being_imported_is_busy(push, source):
    Source.objects.update(held_by="job:other", held_until=timezone.now() + timedelta(minutes=2))
    response = push([line(1)])
    assert (response.status_code, response.headers["Retry-After"]) == (503, "30")
    assert not Import.objects.exists()
    Source.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert push([line(1)]).status_code == 200


def test_a_source_that_is_read_from_files_cannot_be_pushed(push):
    Source.objects.update(kind="csv")
    response = push([line(1)])
    assert (response.status_code, response.json()["error"]) == (409, "not_pushable")


def test_it_cannot_be_read(push):
    assert Client().get(reverse("archive:push", args=["wecom"])).status_code == 405


def test_a_refusal_is_told_in_the_language_that_is_asked_for(push):
    assert "令牌" in push(b"", bearer="x", headers={"Accept-Language": "zh-hans"}).json()["detail"]


def test_a_failure_on_the_way_keeps_nothing(push, monkeypatch):
    def fails(*args, **kwargs):
        raise OSError

    monkeypatch.setattr(taking.intake, "add", fails)
    with pytest.raises(OSError):  # noqa: PT011 - the client of the tests raises what would be a 500
        push([line(1)], headers={"Idempotency-Key": "1"})
    assert not Message.objects.exists()
    assert not PushAnswer.objects.exists()
    monkeypatch.undo()
    assert push([line(1)], headers={"Idempotency-Key": "1"}).json()["stored"] == 1


# --- what is counted


def test_what_comes_in_is_the_sum_of_the_imports(push, run_import, write_feed):
    push([line(1), b"broken"])
    push([line(1), line(2)])
    run_import(write_feed([line(2), line(3), line(1, "other")]))
    work()
    for via in ("push", "file"):
        runs, row = Import.objects.filter(via=via), Intake.objects.get(via=via)
        for name in Intake.COUNTS:
            assert getattr(row, name) == sum(getattr(run, name) for run in runs)
        assert row.deliveries == runs.count()


def test_the_last_pull_is_told_by_every_whole_delivery(run_import, write_feed, source):
    before = timezone.now()
    run_import(write_feed([]))
    source.refresh_from_db()
    assert source.last_pull_at >= before
    assert not Unmatched.objects.exists()


def test_imports_from_before_are_counted_by_the_migration(run_import, write_feed, push):
    from importlib import import_module

    from django.apps import apps

    run_import(write_feed([line(1), b"broken"]))
    push([line(1), line(2)])
    work()
    before = list(Intake.objects.order_by("via").values("source", "day", "via", "deliveries", *Intake.COUNTS))
    Intake.objects.all().delete()
    Source.objects.update(last_pull_at=None)
    import_module("archive.migrations.0015_count_what_came_before_and_when").count(apps, None)
    assert list(Intake.objects.order_by("via").values("source", "day", "via", "deliveries", *Intake.COUNTS)) == before
    assert Source.objects.get().last_pull_at == max(Import.objects.values_list("ended_at", flat=True))
