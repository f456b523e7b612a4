"""Disposal: what goes under which rule, by whose order, and that a hold beats it."""

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import retention, services
from archive.models import Disposal, Message, Participant, Posting, Tombstone
from archive.services import disposing, holding, looking
from archive.services.tombstones import id_digest
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, ROOM
from tests.archive.keeping import NOW, TODAY, UK_OVER, approve, ask, hold, left, old, run, step_by_step

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def on_that_day():
    with time_machine.travel(NOW, tick=True):
        yield


# --- the preview -----------------------------------------------------------------------------------------------------


def test_the_preview_counts_by_rule_and_month_and_says_what_stays(old_talk, two_officers):
    made = hold(two_officers[0], room=ROOM)
    disposal = ask(two_officers[0])
    assert disposal.preview == {
        "looked_at": 8,
        "going": {
            "uk-sysc-10a-1-15": {"2021-10": 1},
            "us-sec-204-2-e": {"2018-03": 1},
            "hk-keeping-of-records": {"2019-10": 1},
        },
        "kept": {"period": 2, "no_schedule": 1, "no_employee": 1, "under_hold": 1},
        "holds": {made.uid: 1},
        "lines": 0,
    }
    assert (disposal.state, disposal.schedule_version) == ("asked", retention.current().version)
    assert left() == list(range(1, 11))
    entry = Entry.objects.get(verb="archive.disposal_counted")
    assert ledger.body_of(entry)["preview"] == disposal.preview


def test_nothing_is_over_a_day_earlier(old_talk, two_officers):
    going = ask(two_officers[0], TODAY - timedelta(1)).preview["going"]
    assert going == {"uk-sysc-10a-1-15": {"2018-03": 1}, "us-sec-204-2-e": {"2018-03": 1}}


def test_the_walk_looks_at_nothing_younger_than_the_shortest_period(old_talk, run_import, write_feed, two_officers):
    young = [old(20 + n, UK_OVER + timedelta(2 + n % 900)) for n in range(40)]
    run_import(write_feed(young, "young.jsonl"))
    assert ask(two_officers[0]).preview["looked_at"] == 8


def test_the_walk_goes_along_an_index_and_costs_the_same_however_much_is_young(old_talk, run_import, write_feed):
    walk = looking.Walk.until(TODAY, retention.current())
    with CaptureQueriesContext(connection) as few:
        found, place = walk.next(looking.Place(), 3)
    again, _place = walk.next(place, 100)
    assert [one.msgid for one in found + again] == [
        one.msgid for one in Message.objects.filter(sent_at__lt=walk.ends).order_by("sent_at", "pk")
    ]
    run_import(write_feed([old(30 + n, date(2026, 1, 1)) for n in range(50)], "young.jsonl"))
    with CaptureQueriesContext(connection) as many:
        walk.next(looking.Place(), 3)
    assert len(many) == len(few) <= 10
    [read] = [one["sql"] for one in few.captured_queries if '"fingerprint"' in one["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # which takes no index for a handful of rows unless it must
            cursor.execute(
                "SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off"
            )
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{read}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "archive_message_by_time" in plan
    assert "SCAN archive_message " not in plan


@pytest.mark.parametrize("as_of", [TODAY + timedelta(1), date(2099, 1, 1)])
def test_a_day_to_come_gives_a_preview_that_nobody_can_approve(old_talk, two_officers, as_of):
    preview = ask(two_officers[0], as_of)
    preview.refresh_from_db()
    assert (preview.state, preview.counted_at is not None, preview.is_open) == ("preview", True, False)
    assert preview.preview["looked_at"] >= 4
    with pytest.raises(services.NotWaiting):
        services.decide_disposal(disposal=preview, approve=True, by=two_officers[1])
    assert ask(two_officers[1]).state == "asked"  # it stands in nobody's way


def test_who_asked_withdraws_and_nobody_else(old_talk, two_officers):
    waiting = ask(two_officers[0])
    with pytest.raises(services.SomebodyElses):
        services.withdraw_disposal(disposal=waiting, by=two_officers[1])
    assert services.withdraw_disposal(disposal=waiting, by=two_officers[0]).state == "withdrawn"
    assert Entry.objects.filter(verb="archive.disposal_withdrawn", actor=two_officers[0].uid).count() == 1
    with pytest.raises(services.NotWaiting):
        services.withdraw_disposal(disposal=waiting, by=two_officers[0])
    approved = approve(ask(two_officers[0]), two_officers[1])
    with pytest.raises(services.NotWaiting):
        services.withdraw_disposal(disposal=approved, by=two_officers[0])


def test_what_would_take_nothing_is_not_approved(two_officers):
    empty = ask(two_officers[0])
    empty.refresh_from_db()
    with pytest.raises(services.NothingToDispose):
        services.decide_disposal(disposal=empty, approve=True, by=two_officers[1])


def test_one_at_a_time_and_with_a_reason(old_talk, two_officers):
    with pytest.raises(services.ReasonMissing):
        ask(two_officers[0], reason=" ")
    first = ask(two_officers[0])
    with pytest.raises(services.AnotherIsOpen):
        ask(two_officers[1])
    with pytest.raises(IntegrityError), transaction.atomic():
        Disposal.objects.create(
            as_of=TODAY, schedule_version="1", reason="x", asked_by=two_officers[0], asked_at=timezone.now()
        )
    approve(first, two_officers[1])
    with pytest.raises(services.AnotherIsOpen):
        ask(two_officers[1])


# --- two people ------------------------------------------------------------------------------------------------------


def test_who_asked_cannot_approve_and_the_database_refuses_it_too(old_talk, two_officers):
    disposal = ask(two_officers[0])
    with pytest.raises(services.SamePerson):
        approve(disposal, two_officers[0])
    with pytest.raises(services.SamePerson):
        services.decide_disposal(disposal=disposal, approve=False, reason="mine", by=two_officers[0])
    with pytest.raises(IntegrityError, match="archive_disposal_takes_two_people"), transaction.atomic():
        Disposal.objects.update(state="approved", decided_by=two_officers[0], decided_at=timezone.now())
    assert Job.objects.filter(kind=disposing.DISPOSE).count() == 0


def test_nothing_runs_that_nobody_has_counted(old_talk, two_officers):
    disposal = services.ask_disposal(as_of=TODAY, reason="yearly", by=two_officers[0])
    with pytest.raises(services.NotWaiting):
        approve(disposal, two_officers[1])
    with pytest.raises(IntegrityError, match="archive_disposal_counted_before_it_runs"), transaction.atomic():
        Disposal.objects.update(state="approved", decided_by=two_officers[1], decided_at=timezone.now())


@pytest.mark.parametrize("role", ["Auditor", "HR", None])
def test_others_neither_ask_nor_decide_nor_stop(old_talk, two_officers, make_employee, role):
    other = make_employee(roles=(role,) if role else ())
    disposal = ask(two_officers[0])
    with pytest.raises(PermissionDenied):
        ask(other)
    with pytest.raises(PermissionDenied):
        approve(disposal, other)
    approve(disposal, two_officers[1])
    with pytest.raises(PermissionDenied):
        services.stop_disposal(disposal=disposal, reason="why not", by=other)


def test_a_refusal_takes_a_reason_and_ends_it(old_talk, two_officers):
    disposal = ask(two_officers[0])
    with pytest.raises(services.ReasonMissing):
        services.decide_disposal(disposal=disposal, approve=False, by=two_officers[1])
    services.decide_disposal(disposal=disposal, approve=False, reason="a claim is coming", by=two_officers[1])
    disposal.refresh_from_db()
    assert (disposal.state, disposal.decided_by, disposal.decided_why) == (
        "refused",
        two_officers[1],
        "a claim is coming",
    )
    with pytest.raises(services.NotWaiting):
        approve(disposal, two_officers[1])
    assert Entry.objects.get(verb="archive.disposal_refused").actor == two_officers[1].uid
    assert left() == list(range(1, 11))
    assert ask(two_officers[0]).state == "asked"


# --- the run ---------------------------------------------------------------------------------------------------------


def test_what_is_over_goes_with_everything_that_hangs_on_it(old_talk, two_officers):
    gone = Message.objects.filter(seq__in=[1, 2, 4, 9])
    pks, ids = list(gone.values_list("pk", flat=True)), {id_digest("wecom", one.msgid) for one in gone}
    leaves = {(one.batch_id, one.leaf, bytes(one.fingerprint)) for one in gone}
    disposal = run(two_officers)
    assert left() == [3, 5, 6, 7, 8, 10]
    assert not Participant.objects.filter(message__in=pks).exists()
    stones = Tombstone.objects.all()
    assert {bytes(one.id_digest) for one in stones} == ids
    assert {(one.batch_id, one.leaf, bytes(one.fingerprint)) for one in stones} == leaves
    assert {one.disposal_id for one in stones} == {disposal.pk}
    assert (disposal.state, disposal.disposed, disposal.kept_back) == ("done", 4, 0)


def test_each_step_says_what_it_did_by_whose_order_under_which_rule(old_talk, two_officers):
    disposal = run(two_officers)
    entry = Entry.objects.get(verb="archive.disposed")
    body = ledger.body_of(entry)
    assert (body["asked_by"], body["approved_by"]) == (two_officers[0].uid, two_officers[1].uid)
    assert (body["messages"], body["count"], body["source"], body["as_of"]) == (4, 4, "wecom", "2026-10-16")
    assert (body["first_sent"][:10], body["last_sent"][:10]) == ("2018-03-01", "2021-10-15")
    assert body["schedules"] == {"version": disposal.schedule_version, "digest": retention.current().digest}
    assert {one["id"]: one["messages"] for one in body["rules"]} == {
        "uk-sysc-10a-1-15": 2,
        "us-sec-204-2-e": 1,
        "hk-keeping-of-records": 1,
    }
    [uk] = [one for one in body["rules"] if one["id"].startswith("uk")]
    assert (uk["rule"], uk["cites"], uk["link"]) == (
        "FCA Handbook, SYSC 10A.1.15",
        "uk-sysc-10a",
        "https://www.handbook.fca.org.uk/handbook/SYSC/10A/",
    )
    assert (body["removed"]["message"], body["removed"]["participant"]) == (4, 8)
    assert Tombstone.objects.filter(entry_seq=entry.seq).count() == 4
    assert ledger.verify()[1] is None
    verbs = Entry.objects.filter(verb__startswith="archive.dispos").order_by("seq").values_list("verb", flat=True)
    assert list(verbs) == [
        f"archive.{verb}"
        for verb in ("disposal_asked", "disposal_counted", "disposal_approved", "disposed", "disposal_done")
    ]


@pytest.mark.parametrize(
    ("criteria", "stay"),
    [
        ({"contact": CLIENT}, [1, 4, 9]),
        ({"room": ROOM}, [9]),
        ({"first_on": date(2018, 3, 2), "last_on": date(2019, 12, 31)}, [4, 9]),
        ({"first_on": date(2018, 3, 2), "contact": CLIENT, "last_on": date(2018, 3, 2)}, [9]),
    ],
)
def test_a_hold_beats_every_schedule(old_talk, two_officers, criteria, stay):
    made = hold(two_officers[0], **criteria)
    disposal = run(two_officers)
    assert left() == sorted([3, 5, 6, 7, 8, 10, *stay])
    assert disposal.kept_back == len(stay)
    services.lift_hold(hold=made, reason="closed", by=two_officers[1])
    run(two_officers)
    assert left() == [3, 5, 6, 7, 8, 10]


def test_a_hold_on_a_person_keeps_what_they_wrote_and_what_they_were_sent(old_talk, offices, two_officers):
    hold(two_officers[0], employee=offices["us.smith"])
    run(two_officers)
    assert left() == [2, 3, 5, 6, 7, 8, 10]


def test_a_hold_made_while_it_runs_counts_from_the_next_step_on(old_talk, two_officers, monkeypatch):
    monkeypatch.setattr(disposing, "TAKEN", 3)
    made = []

    def before(number: int) -> None:
        if Tombstone.objects.exists() and not made:
            made.append(hold(two_officers[0], contact=CLIENT))

    disposal = run(two_officers, before=before)
    assert left() == [1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert (disposal.disposed, disposal.kept_back) == (1, 3)


def test_a_step_and_a_hold_wait_for_each_other(old_talk, two_officers):
    """Both take all sources before the step looks for holds and before the hold is written."""

    def statements(act) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            act()
        return [one["sql"] for one in captured.captured_queries]

    disposal = approve(ask(two_officers[0]), two_officers[1])
    steps = statements(lambda: step_by_step(disposal))
    making = statements(lambda: hold(two_officers[0], room=ROOM))
    lock = "FOR UPDATE" if connection.features.has_select_for_update else ""
    for told, then in ((steps, 'FROM "archive_hold"'), (making, 'INSERT INTO "archive_hold"')):
        locked = next(n for n, sql in enumerate(told) if 'FROM "archive_source"' in sql and sql.endswith(lock))
        assert locked < next(n for n, sql in enumerate(told) if then in sql)


def test_where_somebody_worked_then_decides_not_where_they_work_now(old_talk, offices, make_office, two_officers):
    """A move from London to Shanghai makes older messages no older, and one from Shanghai to London none younger."""
    services.refresh_findings()
    with time_machine.travel(NOW - timedelta(days=1)):
        for handle, place in (("uk.jones", "CN"), ("cn.wang", "UK")):
            offices[handle].office = make_office(jurisdiction=place)
            offices[handle].save()
        services.refresh_findings()
    assert Posting.objects.filter(employee=offices["cn.wang"]).count() == 2
    run(two_officers)
    assert left() == [3, 5, 6, 7, 8, 10]


def test_moving_is_noted_once(offices):
    from archive.services.postings import sync_postings

    assert [sync_postings(), sync_postings()] == [5, 0]
    assert holding.active_holds().terms == {}
