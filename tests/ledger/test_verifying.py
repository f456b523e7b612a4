"""The verification as it is run: by the command, as long work of the worker, and with the checks of other rooms."""

import json
import logging
from datetime import datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import outside, overview, running, sealing, sending, services, tasks, verifying
from portal.ledger.models import Entry, Seal, Verification

pytestmark = pytest.mark.django_db


def complaint(*, after: int, upto: int):
    """A check of another room: its row of Entry 2 says something else."""
    if after < 2 <= upto:
        yield services.Disagreement(2, "certificate 17 names another person")
        yield services.Disagreement(3, "and so does another")


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_says_that_all_is_sound(write, capsys):
    write()
    call_command("verify_ledger")
    out = capsys.readouterr().out
    assert "3 entries, all sound; 0 seals, 0 copies outside" in out
    assert "nothing is sealed yet" in out


def test_the_command_names_the_first_bad_entry_and_fails(write, without_guards):
    write(5)
    Entry.objects.filter(seq__gte=3).update(verb="forged")
    with pytest.raises(CommandError, match=r"Entry 3: its digest does not fit what it says \(the 2 before it") as error:
        call_command("verify_ledger")
    assert error.value.returncode == 1


def test_the_command_as_json(write, without_guards, capsys):
    write(5)
    sealing.seal()
    call_command("verify_ledger", json=True)
    told = json.loads(capsys.readouterr().out)
    assert told | {"notes": []} == {
        "after": 0, "upto": 6, "seals": 1, "outside": 0, "notes": [],
        "fault_seq": None, "fault_code": "", "fault_detail": {},
    }  # fmt: skip
    Entry.objects.filter(seq=2).update(verb="forged")
    with pytest.raises(CommandError):
        call_command("verify_ledger", json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["upto"], told["fault_seq"], told["fault_code"]) == (1, 2, "digest")


def test_a_seal_from_outside_is_compared_and_one_of_another_log_is_refused(write, tmp_path, capsys):
    write()
    seal = sealing.seal()
    mine, other, none = tmp_path / "mine.txt", tmp_path / "other.txt", tmp_path / "none.txt"
    mine.write_bytes(seal.note.encode())
    other.write_bytes(seal.note.replace("localhost", "elsewhere").encode())
    none.write_bytes(b"\xff no seal")
    call_command("verify_ledger", seal=[mine])
    assert "1 copies outside" in capsys.readouterr().out
    for bad in (other, none):
        with pytest.raises(CommandError, match=f"the outside seal {bad.name} is not one of this log"):
            call_command("verify_ledger", seal=[mine, bad])
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        call_command("verify_ledger", seal=[tmp_path / "gone.txt"])


def test_copies_in_the_folder_are_compared_without_being_asked_for(write, settings, tmp_path, capsys):
    settings.SEALS_OUT_DIR = str(tmp_path)
    for _ in range(3):
        write()
        sealing.seal()
    sending.deliver_due()
    call_command("verify_ledger")
    assert "3 seals, 3 copies outside" in capsys.readouterr().out


# --- other rooms -------------------------------------------------------------------------------------------------


def test_a_row_of_another_room_that_contradicts_its_entry_is_a_fault(write, settings):
    settings.LEDGER_CHECKS = [*settings.LEDGER_CHECKS, "tests.ledger.test_verifying.complaint"]
    write(5)
    walk = verifying.verify()
    assert (walk.fault.seq, str(walk.fault)) == (2, "certificate 17 names another person")


# --- notes -------------------------------------------------------------------------------------------------------


def test_a_clock_that_steps_back_is_a_note_and_no_fault(write):
    with time_machine.travel(datetime(2030, 1, 2, tzinfo=timezone.get_current_timezone()), tick=False):
        write(2)
        sealing.seal()
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=timezone.get_current_timezone()), tick=False):
        write(1)
        sealing.seal()
    walk = verifying.verify()
    assert walk.fault is None
    assert walk.notes == [{"code": "time_back", "seq": 4}, {"code": "seal_time_back", "seal": 2}]


def test_many_notes_of_a_kind_are_counted_and_not_listed(write):
    for day in range(1, 50):
        moment = datetime(2030, 1 + day % 2, 1 + day // 2, tzinfo=timezone.get_current_timezone())
        with time_machine.travel(moment, tick=False):
            write(1)
    notes = verifying.verify().notes
    assert len(notes) == 20 + 1 + 1  # the first twenty, how many more, and that nothing is sealed
    assert notes[20] == {"code": "more", "of": "time_back", "count": 4}


# --- as long work ------------------------------------------------------------------------------------------------


def run() -> Job:
    tasks.start_verification()
    job = Job.objects.order_by("pk").last()
    tasks.verify(job.pk)
    job.refresh_from_db()
    return job


def test_the_first_run_is_a_full_one_and_its_result_is_kept(write):
    write(5)
    sealing.seal()
    job = run()
    assert (job.state, job.key[:5], job.result) == ("done", "full:", {"sound": True, "upto": 6, "fault_seq": None})
    row = Verification.objects.get()
    assert (row.is_full, row.entries, row.seals, row.is_sound, row.notes) == (True, 6, 1, True, [])
    assert overview.health() == "sound"


def test_the_clock_may_ring_as_often_as_it_likes(write):
    write(1)
    for _ in range(3):
        run()
    assert Verification.objects.count() == 1


def test_an_hour_later_only_what_came_after_the_last_verified_seal_is_read(write):
    start = datetime(2030, 5, 6, 12, tzinfo=timezone.get_current_timezone())
    with time_machine.travel(start, tick=False):
        write(5)
        sealing.seal()
        write(2)
        run()
    with time_machine.travel(start + timedelta(hours=1), tick=False):
        write(3)
        sealing.seal()
        write(1)
        assert run().key.startswith("new:")
    row = Verification.objects.order_by("pk").last()
    assert (row.is_full, row.after, row.upto, row.seals) == (False, 6, 12, 2)
    assert overview.health() == "sound"


@pytest.mark.parametrize(
    ("hours", "kind"), [(1, "new"), (13, "new"), (14, "new"), (20, "new"), (22, "full"), (25, "full")]
)
def test_once_a_night_or_when_a_night_was_missed_everything_is_read(write, hours, kind):
    noon = datetime(2030, 5, 6, 4, tzinfo=timezone.get_current_timezone())
    Verification.objects.create(is_full=True, began_at=noon, ended_at=noon, after=0, upto=0, seals=0, outside=0)
    assert running.key_of(noon + timedelta(hours=hours)).startswith(f"{kind}:")


def test_a_fault_is_loud_and_every_run_after_it_reads_everything(write, without_guards, caplog):
    start = datetime(2030, 5, 6, 12, tzinfo=timezone.get_current_timezone())
    with time_machine.travel(start, tick=False):
        write(5)
        sealing.seal()
        Entry.objects.filter(seq=2).update(verb="forged")
        with caplog.at_level(logging.CRITICAL):
            assert run().result == {"sound": False, "upto": 1, "fault_seq": 2}
    assert "entry 2, digest" in caplog.text
    assert overview.health() == "unsound"
    assert verifying.last_verified_seal() is None
    with time_machine.travel(start + timedelta(hours=1), tick=False):
        assert run().result["fault_seq"] == 2


@pytest.mark.parametrize("is_sound", [True, False])
def test_a_run_that_is_killed_between_two_parts_goes_on_and_finds_the_same(
    write, monkeypatch, without_guards, settings, tmp_path, is_sound
):
    """…although others write, seal and dispose in between."""
    settings.SEALS_OUT_DIR = str(tmp_path)
    monkeypatch.setattr(running, "AT_A_TIME", 40)
    monkeypatch.setattr(verifying, "CHUNK", 30)
    for _ in range(5):
        write(100)
        sealing.seal()
    sending.deliver_due()
    if not is_sound:
        Entry.objects.filter(seq=444).update(verb="forged")
    tasks.start_verification()
    job, parts = Job.objects.get(), 0
    while not job.is_ended:
        parts += 1
        jobs.work(job.pk, killed_after(1), prepare=running.ahead)
        if is_sound:
            write(60)
            sealing.seal()
            sending.deliver_due()
            services.dispose(seqs=[parts, 500 - parts], rule="R", citation="L", asked_by="a", approved_by="b", by="a")
        Job.objects.filter(pk=job.pk, state="waiting").update(due_at=timezone.now(), attempts=0)
        job.refresh_from_db()
    assert parts > 10
    row = Verification.objects.get()
    assert (row.fault_code, row.fault_seq, row.upto) == (("", None, 501) if is_sound else ("digest", 444, 443))
    assert (row.seals, row.outside) == ((5, 5) if is_sound else (4, 4))


def killed_after(parts: int):
    """A step that stops for good after so many parts, as a worker does that is killed."""
    left = parts

    def step(job: Job) -> bool:
        nonlocal left
        if left == 0:
            raise KeyboardInterrupt
        left -= 1
        return running.step(job)

    def guarded(job: Job) -> bool:
        try:
            return step(job)
        except KeyboardInterrupt as error:
            raise RuntimeError("killed") from error

    return guarded


def test_what_is_written_meanwhile_is_left_to_the_next_run(write):
    write(10)
    walk = verifying.Walk()
    walk.advance(4)
    write(10)
    sealing.seal()
    walk.finish()
    assert (walk.fault, walk.seq, walk.seals.seen) == (None, 10, 0)


def test_a_walk_that_was_put_down_goes_on_where_it_was(write):
    for _ in range(4):
        write(70)
        sealing.seal()
    copies = [outside.Outside.read(str(seal.number), seal.note) for seal in Seal.objects.all()]
    walk = verifying.Walk(outside=copies)
    while not walk.is_finished:
        walk.advance(33)
        if not walk.is_finished:
            walk = verifying.Walk(outside=copies, state=json.loads(json.dumps(walk.state())))
    assert (walk.fault, walk.seq, walk.seals.seen, walk.compared) == (None, 281, 4, 4)


# --- health ------------------------------------------------------------------------------------------------------


def test_health_in_one_word(client, write):
    assert client.get("/healthz").json() == {"database": "ok", "ledger": "unverified", "seals": "sound"}
    write(1)
    run()
    assert client.get("/healthz").json() == {"database": "ok", "ledger": "sound", "seals": "sound"}
    Verification.objects.update(ended_at=timezone.now() - timedelta(hours=31))
    assert client.get("/healthz").json()["ledger"] == "stale"
    Verification.objects.update(fault_seq=3, fault_code="digest")
    assert client.get("/healthz").json()["ledger"] == "unsound"
