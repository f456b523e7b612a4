"""Lines that were set aside are read again: repaired by a person, or as they are by a newer version."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from archive import sealing, services, tasks
from archive.models import Hole, Import, Intake, Message, SetAside, Source
from archive.services import afterwards, repairing, taking
from archive.sources import wecom
from archive.sources.base import KEPT_OF_ASIDE
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import as_bytes, line
from tests.archive.mails import CAPTURE, mail

pytestmark = pytest.mark.django_db
CUT = as_bytes(line(2))[:-3]


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def aside(run_import, write_feed) -> SetAside:
    """Line 2 of three is cut off, so its number is missing."""
    run_import(write_feed([line(1), CUT, line(3)]))
    assert Hole.objects.count() == 1
    return SetAside.objects.select_related("run__source").get()


def work() -> None:
    for job in Job.objects.filter(kind=afterwards.TASK, state=Job.State.WAITING):
        tasks.judge_deliveries(job.pk)


def test_a_repaired_line_is_stored_and_fills_its_hole(aside, officer):
    run = services.repair(aside=aside, raw=as_bytes(line(2)), by=officer)
    work()
    run.refresh_from_db()
    aside.refresh_from_db()
    assert (run.state, run.via, run.lines, run.stored, run.started_by) == ("done", "repair", 1, 1, officer)
    assert (aside.repaired_by, Message.objects.count(), Hole.objects.count()) == (run, 3, 0)
    told = ledger.body_of(Entry.objects.get(verb="archive.aside_repaired"))
    assert told == {
        "import": aside.run.uid,
        "line": 2,
        "before": aside.digest,
        "after": run.digest,
        "as_it_is": False,
        "repaired_by": run.uid,
    }
    assert Entry.objects.filter(verb="archive.imported").order_by("-seq").first().actor == officer.uid
    assert Intake.objects.get(via="repair").stored == 1


def test_a_repair_is_no_pull(aside, officer):
    long_ago = timezone.now() - timedelta(days=2)
    Source.objects.update(last_pull_at=long_ago)
    services.repair(aside=aside, raw=as_bytes(line(2)), by=officer)
    assert Source.objects.get().last_pull_at == long_ago


def test_a_line_may_have_held_several(aside, officer):
    both = as_bytes(line(2)) + b"\r\n\n" + as_bytes(line(4)) + b"\n"
    assert services.repair(aside=aside, raw=both, by=officer).stored == 2


def test_what_is_still_broken_changes_nothing(aside, officer):
    with pytest.raises(services.StillBroken) as caught:
        services.repair(aside=aside, raw=as_bytes(line(2)) + b"\n" + CUT + b"\n{}", by=officer)
    assert caught.value.lines == [(2, "not_json"), (3, "no_seq")]
    with pytest.raises(services.NothingToRead):
        services.repair(aside=aside, raw=b" \n\n", by=officer)
    with pytest.raises(services.TooMuch):
        services.repair(aside=aside, raw=b"x" * (taking.MOST_BYTES + 1), by=officer)
    aside.refresh_from_db()
    assert (aside.repaired_by, Import.objects.count(), Message.objects.count()) == (None, 1, 2)


def test_a_line_is_repaired_once(aside, officer):
    services.repair(aside=aside, raw=as_bytes(line(2)), by=officer)
    with pytest.raises(services.AlreadyRepaired):
        services.repair(aside=aside, raw=as_bytes(line(2, "something else")), by=officer)
    assert Message.objects.count() == 3


def test_a_repaired_line_may_be_known_or_contradict(aside, officer):
    run = services.repair(aside=aside, raw=as_bytes(line(1, "other words")), by=officer)
    assert (run.stored, run.conflicts) == (0, 1)
    work()
    run.refresh_from_db()
    assert run.state == "done"


def test_a_busy_source_is_told(aside, officer):
    Source.objects.update(held_by="job:other", held_until=timezone.now() + timedelta(minutes=2))
    with pytest.raises(services.SourceBusy):
        services.repair(aside=aside, raw=as_bytes(line(2)), by=officer)


def test_a_newer_version_reads_the_line_as_it_is(run_import, write_feed, officer, monkeypatch):
    monkeypatch.setattr(wecom, "RECIPIENTS_LIMIT", 1)
    run_import(write_feed([line(1, to=("zhangwei", "amy.lau"))]))
    aside = SetAside.objects.select_related("run__source").get()
    with pytest.raises(services.StillBroken):
        services.read_again(aside=aside, by=officer)
    assert not Entry.objects.filter(verb="archive.aside_repaired").exists()
    monkeypatch.undo()
    run = services.read_again(aside=aside, by=officer)
    assert (run.stored, Message.objects.get().participants.count()) == (1, 3)
    told = ledger.body_of(Entry.objects.get(verb="archive.aside_repaired"))
    assert (told["as_it_is"], told["after"]) == (True, aside.digest)


def test_of_a_long_line_only_the_beginning_was_kept(run_import, write_feed, officer):
    long = json.dumps(line(1, "x" * KEPT_OF_ASIDE))[:-1]
    run_import(write_feed([long]))
    aside = SetAside.objects.select_related("run__source").get()
    assert not services.is_whole(aside)
    with pytest.raises(services.NotWhole):
        services.read_again(aside=aside, by=officer)
    assert services.repair(aside=aside, raw=long.encode() + b"}", by=officer).stored == 1


@pytest.mark.parametrize("spare", [0, 1])
def test_a_line_of_exactly_what_is_kept_is_whole(run_import, write_feed, spare):
    run_import(write_feed([b"x" * (KEPT_OF_ASIDE - 1 + spare)]))
    aside = SetAside.objects.get()
    kept = sealing.unseal(aside.sealed, aside.key_id)
    assert services.is_whole(aside) is (spare == 0)
    assert len(kept) == KEPT_OF_ASIDE - 1 + spare


def test_a_line_whose_bytes_are_gone_cannot_be_read_again(aside, officer):
    SetAside.objects.update(sealed=None, key_id="", delete_after=None)
    aside.refresh_from_db()
    with pytest.raises(services.NotWhole):
        services.read_again(aside=aside, by=officer)
    assert services.repair(aside=aside, raw=as_bytes(line(2)), by=officer).stored == 1


def test_reading_a_line_needs_a_reason(aside):
    with pytest.raises(services.ReasonMissing):
        repairing.read_aside(aside=aside, reason=" ", by="system:test")


# --- other feeds than WeCom's


def test_a_mail_that_was_set_aside_is_repaired(deliver, officer):
    deliver(mail(From=None), mapping=CAPTURE)
    aside = SetAside.objects.select_related("run__source").get()
    assert aside.reason == "no_sender"
    services.repair(aside=aside, raw=mail(), by=officer)
    assert Message.objects.get().sender == "li.na@example.com"


def test_a_row_of_a_table_is_repaired_with_its_heading(deliver, officer):
    heading = "message_id,sent_at,sender,recipients,text"
    rows = ["1,2026-10-12T01:01:12Z,li.na,zhangwei,hello", "2,soon,li.na,zhangwei,hello"]
    deliver("\n".join([heading, *rows]).encode(), name="table.csv", kind="csv")
    aside = SetAside.objects.select_related("run__source").get()
    assert aside.reason == "bad_time"
    mended = "2,2026-10-12T02:01:12Z,li.na,zhangwei,hello"
    with pytest.raises(services.StillBroken):
        services.repair(aside=aside, raw=mended.encode(), by=officer)
    services.repair(aside=aside, raw=f"{heading}\n{mended}\n".encode(), by=officer)
    assert sorted(Message.objects.values_list("msgid", flat=True)) == ["1", "2"]
    aside.refresh_from_db()
    assert aside.repaired_by.via == "repair"
