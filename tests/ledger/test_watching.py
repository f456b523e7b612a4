"""An alarm for what has stopped: nothing while all is well, once a day while it is not, and nothing when it ends."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from portal.ledger import sealing, sending, services, watching
from portal.ledger.models import Delivery, Entry


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def folder(tmp_path, settings):
    settings.SEALS_OUT_DIR = str(tmp_path / "out")
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def codes() -> list[str]:
    return [one.code for one in watching.troubles(timezone.now())]


def test_a_log_without_entries_and_one_that_is_sealed_are_well(write, folder, clock):
    assert codes() == []
    write(3)
    assert codes() == []
    sealing.seal()
    sending.deliver_due()
    clock.shift(watching.LATE + timedelta(hours=1))
    assert codes() == []


@pytest.mark.parametrize("sealed_before", [False, True])
def test_entries_that_nobody_seals_are_told_after_three_hours(write, clock, sealed_before):
    if sealed_before:
        write(1)
        sealing.seal()
    write(2)
    clock.shift(watching.LATE)
    assert codes() == []
    clock.shift(1)
    assert codes() == ["sealing"]
    sealing.seal()
    assert codes() == []


def test_the_daily_seal_is_missed_although_nothing_is_new(write, clock):
    write(1)
    sealing.seal()
    clock.shift(sealing.AT_LEAST_EVERY + watching.LATE)
    assert codes() == []
    clock.shift(1)
    assert codes() == ["sealing"]


def test_a_place_that_takes_nothing_is_told_by_its_name(write, settings, tmp_path, clock):
    settings.SEALS_OUT_DIR = str(tmp_path / "nowhere")
    write(1)
    seal = sealing.seal()
    sending.deliver_due()
    clock.shift(watching.LATE + timedelta(seconds=1))
    [found] = watching.troubles(timezone.now())
    assert (found.code, found.place, found.since) == ("sending", Delivery.Place.FOLDER, seal.at)
    assert "No seal has reached the folder since 15 March 2030" in found.words


def test_copies_that_were_deleted_outside_are_named(write, folder):
    for _ in range(8):
        write(1)
        sealing.seal()
    sending.deliver_due()
    for number in range(1, 8):
        (folder / f"seal-{number:08}.txt").unlink()
    [found] = watching.troubles(timezone.now())
    assert found.code == "gone"
    assert found.what == ", ".join(f"seal-{number:08}.txt" for number in range(1, 6)) + " (+2)"
    (folder / "seal-00000008.txt").unlink()
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert codes() == ["unreachable"]


def test_the_alarm_is_one_entry_and_one_mail_a_day_for_each_reader_of_the_log_in_their_language(
    write, clock, make_employee, mailoutbox, django_capture_on_commit_callbacks
):
    make_employee(roles=("Compliance",), email="li@example.com", language="zh-hans")
    make_employee(roles=("Auditor",), email="ann@example.com", language="en")
    make_employee(roles=("Compliance",), email="gone@example.com", is_active=False)
    make_employee(roles=("HR",))
    write(1)
    clock.shift(watching.LATE + timedelta(seconds=1))
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            watching.watch()
    assert [mail.to for mail in mailoutbox] == [["li@example.com"], ["ann@example.com"]]
    assert "封签" in mailoutbox[0].body
    assert "The log has not been sealed since 15 March 2030" in mailoutbox[1].body
    assert services.body_of(Entry.objects.get(verb="ledger.alarm")) == {"troubles": ["sealing"]}
    clock.shift(timedelta(days=1))
    with django_capture_on_commit_callbacks(execute=True):
        watching.watch()
    assert (len(mailoutbox), Entry.objects.filter(verb="ledger.alarm").count()) == (4, 2)


def test_page_and_health_report_tell_it(write, clock, make_employee, sign_in, client):
    client_of_compliance = sign_in(make_employee(roles=("Compliance",)))
    write(1)
    assert client.get("/healthz").json()["seals"] == "sound"
    assert "has not been sealed" not in client_of_compliance.get(reverse("ledger:evidence")).text
    clock.shift(watching.LATE + timedelta(seconds=1))
    client_of_compliance = sign_in(make_employee(roles=("Compliance",)))
    assert client.get("/healthz").json()["seals"] == "sealing"
    assert "The log has not been sealed since" in client_of_compliance.get(reverse("ledger:evidence")).text


def test_a_time_stamp_alone_keeps_nothing(write, settings, make_employee, sign_in):
    settings.SEALS_TIMESTAMP_URL = "http://127.0.0.1:9/"
    write(1)
    sealing.seal()
    page = sign_in(make_employee(roles=("Compliance",))).get(reverse("ledger:evidence")).text
    assert "nobody outside keeps it" in page
    assert "No seal leaves this machine yet" in page
