"""Whether the archive is what was stored: every kind of tampering is found, once, and what is sound stays silent."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from archive import merkle, services, tasks
from archive.models import AnswerCopy, Batch, Delivery, Finding, Message, Seat, SeatCopy, Tombstone
from archive.services import integrity, running
from portal.jobs.models import Job
from portal.ledger import guards, keys, rules
from portal.ledger import services as ledger
from portal.ledger.models import Body, Entry, Verification
from portal.standing import case
from tests.archive.conftest import CLIENT
from tests.archive.keeping import NOW, approve, ask, old, step_by_step
from tests.archive.test_state import answers, word

pytestmark = pytest.mark.django_db
LONG_AGO, LATELY = date(2018, 3, 1), date(2026, 3, 1)


@pytest.fixture(autouse=True)
def on_that_day():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def archive(offices, run_import, write_feed, two_officers, monkeypatch) -> None:
    """Four batches of three, one of them copies by a second source; half of it has been disposed of."""
    monkeypatch.setattr(running, "BATCH_LINES", 3)
    lines = [old(n, LONG_AGO, to=(CLIENT,)) for n in range(1, 5)] + [old(n, LATELY) for n in range(5, 10)]
    run_import(write_feed(lines))
    run_import(write_feed([lines[0], lines[7], lines[8]], "second.jsonl"), source="second")
    Finding.objects.open().update(state="closed", closed_at=timezone.now())
    step_by_step(approve(ask(two_officers[0]), two_officers[1]))
    for hours in (2, 1):
        moment = timezone.now() - timedelta(hours=hours)
        said = answers("li.na", single=[word()], rooms={"wr1": [word()], "wr2": [word()]})
        services.import_state(source=services.get_source("wecom"), data=said, taken_at=moment, by="system:test")
    assert (Message.objects.count(), Delivery.objects.count(), Tombstone.objects.count()) == (5, 2, 5)


def faults() -> list[str]:
    """Verify and return what was found, in words."""
    told: list[str] = []
    services.verify(by="system:test", progress=lambda look, found: told.extend(one.what for one in found))
    return told


def test_what_is_sound_is_found_sound(archive):
    look = services.verify(by="system:test")
    assert (look.batches, look.leaves, look.disposals, look.tombstones, look.faults) == (4, 12, 1, 5, 0)
    body = ledger.body_of(Entry.objects.get(verb="archive.verified"))
    upto = body.pop("upto")
    counts = {"batches": 4, "leaves": 12, "disposals": 1, "tombstones": 5}
    assert body == {**counts, "faults": 0, "faulty": []}
    assert upto == Entry.objects.get(verb="archive.verified").seq - 1
    assert not Finding.objects.filter(kind="integrity").exists()


def update(model, **values) -> Callable[[], None]:
    def act() -> None:
        row = model.objects.order_by("pk").first()
        model.objects.filter(pk=row.pk).update(**values)

    return act


def one_message_is_deleted() -> None:
    Message.objects.order_by("pk").first().delete()


def one_copy_is_deleted() -> None:
    Delivery.objects.order_by("pk").first().delete()


def one_message_is_added() -> None:
    row = Message.objects.order_by("pk").first()
    row.pk, row.msgid, row.seq, row.leaf = None, "slipped in", 999, 77
    row.save(force_insert=True)


def two_messages_change_places() -> None:
    first, second = Message.objects.filter(batch=Message.objects.order_by("-pk").first().batch)[:2]
    Message.objects.filter(pk=first.pk).update(leaf=second.leaf)
    Message.objects.filter(pk=second.pk).update(leaf=first.leaf)


def a_message_moves_to_another_batch() -> None:
    first, last = Message.objects.order_by("pk").first(), Message.objects.order_by("pk").last()
    Message.objects.filter(pk=first.pk).update(batch=last.batch)


def message_and_root_are_changed_together() -> None:
    message = Message.objects.order_by("pk").last()
    Message.objects.filter(pk=message.pk).update(fingerprint=b"\1" * 32)
    leaves = Message.objects.filter(batch=message.batch).order_by("leaf").values_list("fingerprint", flat=True)
    Batch.objects.filter(pk=message.batch_id).update(root=merkle.root([bytes(one) for one in leaves]))


def a_whole_batch_is_deleted() -> None:
    batch = Message.objects.order_by("pk").last().batch
    Delivery.objects.filter(message__batch=batch).delete()
    Message.objects.filter(batch=batch).delete()
    batch.delete()


def a_batch_points_at_another_entry() -> None:
    first, last = Batch.objects.order_by("pk").first(), Batch.objects.order_by("pk").last()
    Batch.objects.filter(pk=first.pk).update(entry_seq=last.entry_seq)


def without_guards(act: Callable[[], None]) -> None:
    guards.lift(connection)
    act()
    guards.install(connection)


def the_ledger_says_another_root() -> None:
    batch = Batch.objects.order_by("pk").last()
    body = Body.objects.get(entry=batch.entry_seq)
    content = body.content.tobytes() if isinstance(body.content, memoryview) else body.content
    changed = content.replace(bytes(batch.root).hex().encode(), b"00" * 32)
    without_guards(lambda: Body.objects.filter(pk=body.pk).update(content=changed))


def the_ledger_says_another_root_with_a_fitting_commitment() -> None:
    the_ledger_says_another_root()
    body = Body.objects.get(entry=Batch.objects.order_by("pk").last().entry_seq)
    commitment = rules.commitment(bytes(body.salt), bytes(body.content))
    without_guards(lambda: Entry.objects.filter(pk=body.pk).update(commitment=commitment))


def what_an_entry_says_is_deleted() -> None:
    seq = Batch.objects.order_by("pk").last().entry_seq
    without_guards(lambda: Body.objects.filter(pk=seq).delete())


def a_message_is_made_to_look_disposed_of() -> None:
    message, stone = Message.objects.order_by("pk").last(), Tombstone.objects.order_by("pk").first()
    Delivery.objects.filter(message=message).delete()
    stone.pk, stone.batch, stone.leaf, stone.fingerprint = None, message.batch, message.leaf, message.fingerprint
    stone.id_digest = b"\2" * 32
    stone.save(force_insert=True)
    message.delete()


def a_forged_tombstone_names_an_entry_of_its_own() -> None:
    a_message_is_made_to_look_disposed_of()
    Tombstone.objects.filter(id_digest=b"\2" * 32).update(entry_seq=1)


def an_answer_is_deleted() -> None:
    copy = AnswerCopy.objects.filter(about="wr1").first()
    copy.words.update(copy=None)
    copy.delete()


def a_seat_is_added() -> None:
    Seat.objects.create(copy=SeatCopy.objects.first(), handle="me", handle_folded="me")


def a_list_is_deleted() -> None:
    SeatCopy.objects.first().delete()


TAMPERING = {
    "a fingerprint is changed": (update(Message, fingerprint=b"\1" * 32), "do not give its root"),
    "a message is deleted": (one_message_is_deleted, "leaves where"),
    "a message is added": (one_message_is_added, "leaves where"),
    "two messages change places": (two_messages_change_places, "do not give its root"),
    "a message moves to another batch": (a_message_moves_to_another_batch, "leaves where"),
    "the fingerprint of a copy is changed": (update(Delivery, fingerprint=b"\1" * 32), "do not give its root"),
    "a copy is deleted": (one_copy_is_deleted, "leaves where"),
    "a root is changed": (update(Batch, root=b"\1" * 32), "do not give its root"),
    "message and root are changed together": (message_and_root_are_changed_together, "says otherwise of root"),
    "a count is changed": (update(Batch, count=2), "leaves where"),
    "the lines of a batch are changed": (update(Batch, first_line=77), "says otherwise of lines"),
    "a batch is deleted with all its messages": (a_whole_batch_is_deleted, "that the ledger speaks of is gone"),
    "a batch points at another Entry": (a_batch_points_at_another_entry, "says otherwise of feed"),
    "what an Entry says is changed": (the_ledger_says_another_root, "says was changed"),
    "an Entry is changed to fit": (the_ledger_says_another_root_with_a_fitting_commitment, "was changed"),
    "what an Entry says is deleted": (what_an_entry_says_is_deleted, "says is gone"),
    "a tombstone's fingerprint is changed": (update(Tombstone, fingerprint=b"\1" * 32), "do not give its root"),
    "a tombstone's id is changed": (update(Tombstone, id_digest=b"\1" * 32), "not those that the disposal left"),
    "a tombstone is deleted": (lambda: Tombstone.objects.first().delete(), "leaves where"),
    "a message is made to look disposed of": (a_message_is_made_to_look_disposed_of, "not those that the disposal"),
    "an answer is changed": (update(AnswerCopy, answer="{}"), "not those that were kept"),
    "an answer and its digest are changed": (
        update(AnswerCopy, answer="{}", digest=sha256(b"{}").hexdigest()),
        "not those that were kept",
    ),
    "an answer is deleted": (an_answer_is_deleted, "not those that were kept"),
    "an answer goes to another Entry": (lambda: AnswerCopy.objects.filter(about="wr1").update(entry_seq=1), "no Entry"),
    "a seat is added": (a_seat_is_added, "not those that were kept"),
    "a permit list is deleted": (a_list_is_deleted, "not those that were kept"),
    "a tombstone names no disposal": (a_forged_tombstone_names_an_entry_of_its_own, "that no disposal made"),
}


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_found(archive, name):
    act, words = TAMPERING[name]
    act()
    found = faults()
    assert any(words in one for one in found), found
    finding = Finding.objects.filter(kind="integrity").first()
    assert (finding.severity, finding.due_on <= date(2026, 10, 19)) == (Finding.Severity.CRITICAL, True)


@pytest.mark.parametrize("name", ["a fingerprint is changed", "a batch is deleted with all its messages"])
def test_a_finding_is_opened_once_for_a_batch_and_the_exit_status_is_one(archive, name, two_officers, capsys):
    TAMPERING[name][0]()
    for _time in range(2):
        with pytest.raises(CommandError, match=r"faults in \d batches, \d+ records.*: [12]$") as failed:
            call_command("verify_archive")
        assert failed.value.returncode == 1
        assert TAMPERING[name][1] in capsys.readouterr().err
    keys = sorted(Finding.objects.filter(kind="integrity").values_list("key", flat=True))
    assert len(set(keys)) == len(keys) > 0
    for one in Finding.objects.filter(kind="integrity"):
        services.review_finding(finding=one, decision="confirmed", reason="looked at", reviewer=two_officers[0])
        services.second_finding(finding=one, reason="so it is", reviewer=two_officers[1])
        told = {"decision": "closed", "how": "explained", "reason": "restored from backup"}
        services.review_finding(finding=one, **told, reviewer=two_officers[0])
    with pytest.raises(CommandError):
        call_command("verify_archive")
    assert sorted(Finding.objects.filter(kind="integrity").values_list("key", flat=True)) == keys


def test_the_command_says_that_all_is_well(archive, capsys):
    call_command("verify_archive")
    assert "4 batches, 12 records, 5 of them disposed of, all as they were stored" in capsys.readouterr().out


def test_the_nightly_job_goes_step_by_step(archive, monkeypatch):
    monkeypatch.setattr(integrity, "BATCHES", 1)
    TAMPERING["a root is changed"][0]()
    tasks.verify_tonight()
    tasks.verify_tonight()
    job = Job.objects.get(kind=integrity.VERIFY)  # one a day
    tasks.verify_archive(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.result["faults"]) == ("done", 4, 4, 1)
    assert Finding.objects.filter(kind="integrity").count() == 1


def test_a_disposal_beside_the_verification_is_no_fault(archive, two_officers, monkeypatch):
    """Between reading messages and reading tombstones some moved from one to the other: it is looked at again."""
    read = integrity.leaves_of
    calls = []

    def stale_once(batches):
        found = read(batches)
        if not calls:
            found[next(iter(found))].pop()
        calls.append(1)
        return found

    monkeypatch.setattr(integrity, "leaves_of", stale_once)
    assert faults() == []
    assert len(calls) == 2


def test_an_evidence_log_that_does_not_verify_is_a_finding_once(archive):
    services.refresh_findings()
    now, seen = timezone.now(), {"is_full": True, "began_at": timezone.now(), "seals": 0, "outside": 0, "after": 0}
    Verification.objects.create(**seen, ended_at=now, upto=9)
    services.refresh_findings()
    assert not Finding.objects.filter(kind="integrity").exists()
    for _time in range(2):
        Verification.objects.create(**seen, ended_at=now, upto=6, fault_seq=7, fault_code="digest")
        services.refresh_findings()
    finding = Finding.objects.get(kind="integrity")
    assert (finding.key, finding.facts["fault"], finding.facts["entry"]) == ("integrity:log:7:digest", "log", 7)


def test_every_fault_can_be_said_to_a_person(archive):
    for name, (act, _words) in TAMPERING.items():
        with transaction.atomic():
            act()
            told: list[str] = []
            services.verify(by="system:test", progress=lambda look, found, told=told: told.extend(found))
            assert told, name
            assert all(case.say_fault(one.code) for one in told), name
            transaction.set_rollback(True)
    assert case.say_fault("log")


# --- proofs ----------------------------------------------------------------------------------------------------------


def test_a_message_is_proved_up_to_the_seal_and_so_is_each_copy(archive, checked, capsys):
    [key] = sealed_with()
    message = Message.objects.get(seq=8)
    call_command("prove_message", message.msgid)
    proof = json.loads(capsys.readouterr().out)
    assert [(one["source"], one["disposed"]) for one in proof["copies"]] == [("wecom", None), ("second", None)]
    for copy in proof["copies"]:
        status, said = checked(copy, key)
        assert (status, bytes(message.fingerprint).hex() in said) == (0, True), said
    changed = {**copy, "batch": {**copy["batch"], "leaf": "00" * 32}}
    assert checked(changed, key)[0] == 1


def test_what_was_disposed_of_can_still_be_proved_and_so_can_its_disposal(archive, checked):
    [key] = sealed_with()
    proof = services.proof_of(channel="wecom", msgid=old(1, LONG_AGO)["msg"]["msgid"])
    assert len(proof["copies"]) == 2
    for copy in proof["copies"]:
        assert checked(copy, key)[0] == 0
        status, said = checked(copy["disposed"], key)
        assert (status, "archive.disposed" in said, "SYSC 10A" in said) == (0, True, True), said
        leaf = bytes.fromhex(copy["disposed"]["batch"]["leaf"])
        assert leaf.endswith(bytes.fromhex(proof["id_digest"]) + bytes.fromhex(copy["batch"]["leaf"]))


def test_what_was_never_here_has_no_proof_and_what_is_not_sealed_yet_none_yet(archive):
    with pytest.raises(services.NotHere):
        services.proof_of(channel="wecom", msgid="nothing")
    with pytest.raises(CommandError, match="No message nothing of wecom is here"):
        call_command("prove_message", "nothing")
    with pytest.raises(CommandError, match="no seal covers it yet"):
        call_command("prove_message", Message.objects.get(seq=8).msgid)


def sealed_with() -> list[str]:
    """Seal the ledger and return the public keys."""
    ledger.seal()
    return [str(one) for one in keys.public_keys()]
