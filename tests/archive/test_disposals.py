"""Disposal: what goes and what stays, by whose order, step by step, and for good."""

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import retention, services, tasks
from archive.models import (
    Attachment,
    Conflict,
    Delivery,
    Disposal,
    Finding,
    Message,
    MessageText,
    Participant,
    Posting,
    Recall,
    Record,
    RecordDue,
    Signal,
    Source,
    Tombstone,
)
from archive.services import disposing, holding, looking, records
from archive.services.holding import Criteria
from archive.services.tombstones import id_digest
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Body, Entry
from tests.archive.conftest import CLIENT, ROOM
from tests.archive.keeping import NOW, TODAY, approve, ask, old, step_by_step

pytestmark = pytest.mark.django_db
UK_OVER, HK_OVER = date(2021, 10, 15), date(2019, 10, 15)  # last days that are over on 16 October 2026
RECALLED = {"action": "recall", "msgtype": "revoke", "text": {}}


@pytest.fixture(autouse=True)
def on_that_day():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def talk(offices, run_import, write_feed):
    """Messages of all ages under several laws. On 16 October 2026 numbers 1, 2, 4 and 9 are over."""
    lines = [
        old(1, UK_OVER, to=(CLIENT,)),
        old(2, date(2018, 3, 1), to=("us.smith",)),
        old(3, UK_OVER),  # a colleague in Hong Kong took part: seven years
        old(4, HK_OVER, sender="hk.lee", to=(CLIENT,)),
        old(5, date(2018, 3, 1), sender="cn.wang", to=("uk.jones",)),  # twenty years
        old(6, date(2018, 3, 1), sender="sg.tan", to=("uk.jones",)),  # no schedule
        old(7, date(2018, 3, 1), sender=CLIENT, to=("former.one",)),  # no employee
        old(8, UK_OVER + timedelta(1), to=(CLIENT,)),  # the first day that is not over
        old(9, date(2018, 3, 2), to=(CLIENT,), roomid=ROOM),
        old(10, date(2026, 10, 1), to=(CLIENT,)),
    ]
    run_import(write_feed(lines))
    return lines


def left() -> list[int]:
    return sorted(Message.objects.values_list("seq", flat=True))


def run(officers, as_of: date = TODAY, **more) -> Disposal:
    disposal = approve(ask(officers[0], as_of), officers[1])
    step_by_step(disposal, **more)
    return disposal


def hold(by, **criteria):
    return services.make_hold(name="Matter 7", reason="asked by counsel", criteria=Criteria(**criteria), by=by)


# --- the preview -----------------------------------------------------------------------------------------------------


def test_the_preview_counts_by_rule_and_month_and_says_what_stays(talk, two_officers):
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
    }
    assert (disposal.state, disposal.schedule_version) == ("asked", retention.current().version)
    assert left() == list(range(1, 11))
    entry = Entry.objects.get(verb="archive.disposal_counted")
    assert ledger.body_of(entry)["preview"] == disposal.preview


def test_nothing_is_over_a_day_earlier(talk, two_officers):
    going = ask(two_officers[0], TODAY - timedelta(1)).preview["going"]
    assert going == {"uk-sysc-10a-1-15": {"2018-03": 1}, "us-sec-204-2-e": {"2018-03": 1}}


def test_the_walk_looks_at_nothing_younger_than_the_shortest_period(talk, run_import, write_feed, two_officers):
    young = [old(20 + n, UK_OVER + timedelta(2 + n % 900)) for n in range(40)]
    run_import(write_feed(young, "young.jsonl"))
    assert ask(two_officers[0]).preview["looked_at"] == 8


def test_the_walk_goes_along_an_index_and_costs_the_same_however_much_is_young(talk, run_import, write_feed):
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
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{read}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "archive_message_by_time" in plan
    assert "SCAN archive_message " not in plan


@pytest.mark.parametrize("as_of", [TODAY + timedelta(1), date(2099, 1, 1)])
def test_nobody_asks_as_of_a_day_to_come(talk, two_officers, as_of):
    with pytest.raises(services.NotThatDay):
        ask(two_officers[0], as_of)


def test_one_at_a_time_and_with_a_reason(talk, two_officers):
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


def test_who_asked_cannot_approve_and_the_database_refuses_it_too(talk, two_officers):
    disposal = ask(two_officers[0])
    with pytest.raises(services.SamePerson):
        approve(disposal, two_officers[0])
    with pytest.raises(services.SamePerson):
        services.decide_disposal(disposal=disposal, approve=False, reason="mine", by=two_officers[0])
    with pytest.raises(IntegrityError, match="archive_disposal_takes_two_people"), transaction.atomic():
        Disposal.objects.update(state="approved", decided_by=two_officers[0], decided_at=timezone.now())
    assert Job.objects.filter(kind=disposing.DISPOSE).count() == 0


def test_nothing_runs_that_nobody_has_counted(talk, two_officers):
    disposal = services.ask_disposal(as_of=TODAY, reason="yearly", by=two_officers[0])
    with pytest.raises(services.NotWaiting):
        approve(disposal, two_officers[1])
    with pytest.raises(IntegrityError, match="archive_disposal_counted_before_it_runs"), transaction.atomic():
        Disposal.objects.update(state="approved", decided_by=two_officers[1], decided_at=timezone.now())


@pytest.mark.parametrize("role", ["Auditor", "HR", None])
def test_others_neither_ask_nor_decide_nor_stop(talk, two_officers, make_employee, role):
    other = make_employee(roles=(role,) if role else ())
    disposal = ask(two_officers[0])
    with pytest.raises(PermissionDenied):
        ask(other)
    with pytest.raises(PermissionDenied):
        approve(disposal, other)
    approve(disposal, two_officers[1])
    with pytest.raises(PermissionDenied):
        services.stop_disposal(disposal=disposal, reason="why not", by=other)


def test_a_refusal_takes_a_reason_and_ends_it(talk, two_officers):
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


def test_what_is_over_goes_with_everything_that_hangs_on_it(talk, two_officers):
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


def test_each_step_says_what_it_did_by_whose_order_under_which_rule(talk, two_officers):
    disposal = run(two_officers)
    entry = Entry.objects.get(verb="archive.disposed")
    body = ledger.body_of(entry)
    assert (body["asked_by"], body["approved_by"]) == (two_officers[0].uid, two_officers[1].uid)
    assert (body["messages"], body["leaves"], body["source"], body["as_of"]) == (4, 4, "wecom", "2026-10-16")
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
        "https://handbook.fca.org.uk/",
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
def test_a_hold_beats_every_schedule(talk, two_officers, criteria, stay):
    made = hold(two_officers[0], **criteria)
    disposal = run(two_officers)
    assert left() == sorted([3, 5, 6, 7, 8, 10, *stay])
    assert disposal.kept_back == len(stay)
    services.lift_hold(hold=made, reason="closed", by=two_officers[1])
    run(two_officers)
    assert left() == [3, 5, 6, 7, 8, 10]


def test_a_hold_on_a_person_keeps_what_they_wrote_and_what_they_were_sent(talk, offices, two_officers):
    hold(two_officers[0], employee=offices["us.smith"])
    run(two_officers)
    assert left() == [2, 3, 5, 6, 7, 8, 10]


def test_a_hold_made_while_it_runs_counts_from_the_next_step_on(talk, two_officers, monkeypatch):
    monkeypatch.setattr(disposing, "TAKEN", 3)
    made = []

    def before(number: int) -> None:
        if Tombstone.objects.exists() and not made:
            made.append(hold(two_officers[0], contact=CLIENT))

    disposal = run(two_officers, before=before)
    assert left() == [1, 3, 4, 5, 6, 7, 8, 9, 10]
    assert (disposal.disposed, disposal.kept_back) == (1, 3)


def test_a_step_and_a_hold_wait_for_each_other(talk, two_officers):
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


def test_where_somebody_worked_then_decides_not_where_they_work_now(talk, offices, make_office, two_officers):
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


def test_nothing_goes_while_an_open_finding_is_about_it(offices, run_import, write_feed, two_officers):
    lines = [old(1, date(2018, 3, 1), "加我个人微信聊", to=(CLIENT,)), old(2, date(2018, 3, 1), to=(CLIENT,))]
    run_import(write_feed(lines))
    assert ask(two_officers[0]).preview["kept"] == {"under_review": 1}
    services.decide_disposal(
        disposal=Disposal.objects.get(), approve=False, reason="first the finding", by=two_officers[1]
    )
    run(two_officers)
    assert left() == [1]
    for finding in Finding.objects.open():
        services.review_finding(finding=finding, decision="dismissed", reason="training", reviewer=two_officers[0])
    run(two_officers)
    assert left() == []


def test_what_an_open_finding_counts_as_its_evidence_stays(offices, run_import, write_feed, two_officers):
    refused = old(
        1,
        date(2018, 3, 1),
        sender=CLIENT,
        to=("uk.jones",),
        msgtype="disagree",
        disagree={"userid": CLIENT, "disagree_time": 1},
    )
    refused["msg"]["disagree"]["disagree_time"] = refused["msg"]["msgtime"]
    run_import(write_feed([refused, *[old(n, date(2018, 3, 1), to=(CLIENT,)) for n in (2, 3, 4)]]))
    finding = Finding.objects.get(kind="after_refusal")
    assert len(finding.facts["messages"]) == 3
    run(two_officers)
    assert left() == [2, 3, 4]
    services.review_finding(finding=finding, decision="closed", reason="spoken with", reviewer=two_officers[0])
    run(two_officers)
    finding.refresh_from_db()
    assert (left(), finding.message) == ([], None)
    assert finding.facts == {"month": "2018-03", "messages": 3, "count": 3, "disposal": Disposal.objects.last().uid}


def test_a_finding_loses_every_id_and_keeps_its_story(offices, run_import, write_feed, two_officers):
    run_import(write_feed([old(1, date(2018, 3, 1), "加我个人微信聊", to=(CLIENT,))]))
    finding, msgid = Finding.objects.get(kind="off_channel"), Message.objects.get().msgid
    opened = Entry.objects.filter(verb="archive.finding_opened", subject=offices["uk.jones"].uid).earliest("seq")
    assert msgid in finding.key
    services.review_finding(finding=finding, decision="closed", reason="spoken with", reviewer=two_officers[0])
    disposal = run(two_officers)
    finding.refresh_from_db()
    assert (finding.message, finding.kind, finding.state, finding.employee, finding.closed_why) == (
        None,
        "off_channel",
        "closed",
        offices["uk.jones"],
        "spoken with",
    )
    assert set(finding.facts) == {"direction", "hits", "disposal"}
    assert finding.facts["disposal"] == disposal.uid
    assert msgid not in finding.key
    assert not Body.objects.filter(entry=opened).exists()
    [told] = ledger.body_of(Entry.objects.get(verb="archive.disposed"))["findings"]
    assert (told["finding"], told["facts"]["direction"]) == (finding.uid, "own")
    assert ledger.verify()[1] is None
    assert msgid.encode() not in b"".join(bytes(one) for one in Body.objects.values_list("content", flat=True))


def test_the_lack_of_consent_is_not_about_a_contact_any_more_whose_last_message_went(
    offices, run_import, write_feed, two_officers
):
    run_import(write_feed([old(1, date(2018, 3, 1), to=(CLIENT,))]))
    finding = Finding.objects.get(kind="consent_missing")
    services.review_finding(finding=finding, decision="closed", reason="has left", reviewer=two_officers[0])
    run(two_officers)
    finding.refresh_from_db()
    assert CLIENT not in json.dumps(finding.facts) + finding.key
    services.refresh_findings()
    assert Finding.objects.filter(kind="consent_missing").count() == 1


def test_recalls_copies_texts_attachments_and_conflicts_go_too(offices, run_import, write_feed, two_officers, settings):
    settings.ARCHIVE_TEXT = "all"
    taken_back = old(1, date(2018, 3, 1), "加我个人微信聊", to=("us.smith",))
    back = old(2, date(2018, 3, 1), to=("us.smith",), revoke={"pre_msgid": taken_back["msg"]["msgid"]}, **RECALLED)
    contradicts = {**taken_back, "msg": {**taken_back["msg"], "text": {"content": "other"}}}
    run_import(write_feed([taken_back, back, contradicts]))
    run_import(write_feed([taken_back]), source="second")
    Attachment.objects.create(message=Message.objects.get(seq=1), number=1, media_type="x/y", size=1, digest=b"1" * 32)
    Finding.objects.open().update(state="closed", closed_at=timezone.now())
    models = (Message, Participant, MessageText, Signal, Recall, Delivery, Conflict, Attachment)
    assert all(model.objects.exists() for model in models), Counter({m.__name__: m.objects.count() for m in models})
    run(two_officers)
    assert not any(model.objects.exists() for model in models)
    assert Tombstone.objects.count() == 3
    assert Counter(Tombstone.objects.values_list("source__name", flat=True)) == {"wecom": 2, "second": 1}


def test_everything_that_points_at_a_message_is_thought_of():
    """A new table with a message in it: say here, and in forgetting, what becomes of its rows."""
    pointing = {(one.related_model.__name__, one.on_delete.__name__) for one in Message._meta.related_objects}
    assert pointing == {
        ("Attachment", "CASCADE"),
        ("Conflict", "SET_NULL"),
        ("Delivery", "CASCADE"),
        ("Finding", "SET_NULL"),
        ("MessageText", "CASCADE"),
        ("Participant", "CASCADE"),
        ("Recall", "CASCADE"),
        ("Recall", "SET_NULL"),
        ("Signal", "CASCADE"),
    }
    swept = {model.__name__ for model in disposing.SWEPT}
    assert {name for name, _deed in pointing} <= swept


# --- records ---------------------------------------------------------------------------------------------------------


def months_frozen() -> set[tuple[str, str]]:
    rows = Record.objects.exclude(frozen_by=None).values_list("employee__wecom_userid", "month")
    return {(who, f"{month:%Y-%m}") for who, month in rows}


def test_records_of_the_months_touched_stand_for_ever(talk, offices, two_officers, run_import, write_feed):
    before = {one.pk: one.metrics for one in Record.objects.all()}
    run(two_officers)
    assert months_frozen() == {
        ("uk.jones", "2021-10"),
        ("uk.jones", "2018-03"),
        ("us.smith", "2018-03"),
        ("hk.lee", "2019-10"),
    }
    frozen = ledger.body_of(Entry.objects.get(verb="archive.disposed"))["records_frozen"]
    assert sorted(frozen) == sorted(
        [one.employee.uid, f"{one.month:%Y-%m}"] for one in Record.objects.exclude(frozen_by=None)
    )
    run_import(write_feed([old(40, date(2018, 3, 9), to=("cn.wang",))], "late.jsonl"))
    services.refresh_findings()
    assert {one.pk: one.metrics for one in Record.objects.all() if one.pk in before and one.frozen_by_id} == {
        pk: metrics for pk, metrics in before.items() if Record.objects.get(pk=pk).frozen_by_id
    }
    left_alone = [ledger.body_of(one) for one in Entry.objects.filter(verb="archive.records_left")]
    assert [(body["month"], [one["employee"] for one in body["records"]]) for body in left_alone] == [
        ("2018-03-01", [offices["uk.jones"].uid])
    ]
    assert not RecordDue.objects.exists()
    services.refresh_findings()
    assert Entry.objects.filter(verb="archive.records_left").count() == 1


def test_what_is_due_is_computed_before_its_messages_go(talk, offices, two_officers):
    Record.objects.filter(employee=offices["uk.jones"]).delete()
    RecordDue.objects.create(employee=offices["uk.jones"], month=date(2018, 3, 1))
    run(two_officers)
    assert Record.objects.get(employee=offices["uk.jones"], month=date(2018, 3, 1)).captured == 4


def test_a_recall_of_what_went_is_not_computed_anew(offices, run_import, write_feed, two_officers):
    """The month of the recall is frozen with that of its original: without it the recall would be an orphan."""
    first = old(1, UK_OVER - timedelta(15), to=(CLIENT,))  # 30 September
    back = old(2, date(2021, 10, 20), to=(CLIENT,), revoke={"pre_msgid": first["msg"]["msgid"]}, **RECALLED)
    run_import(write_feed([first, back]))
    run(two_officers)
    assert left() == [2]
    assert months_frozen() == {("uk.jones", "2021-09"), ("uk.jones", "2021-10")}
    record = Record.objects.get(month=date(2021, 10, 1))
    assert (record.metrics["recalls"], record.metrics["orphan_recalls"]) == (1, 0)


def test_a_frozen_month_that_is_not_final_is_not_asked_for_again_and_again(talk, two_officers):
    run(two_officers)
    Record.objects.exclude(frozen_by=None).update(is_final=False, covered_to=date(2018, 3, 1))
    services.refresh_findings()
    records.recompute_due(by="system:test")
    assert not Entry.objects.filter(verb="archive.records_left").exists()


# --- it does not come back -------------------------------------------------------------------------------------------


def test_the_same_feed_again_brings_nothing_back(talk, two_officers, run_import, write_feed):
    run(two_officers)
    before = (left(), Record.objects.count(), Finding.objects.count(), Participant.objects.count())
    counts = run_import(write_feed(talk, "again.jsonl"))
    assert (counts["lines"], counts["duplicates"], counts["stored"], counts["holes"]) == (10, 10, 0, 0)
    assert (left(), Record.objects.count(), Finding.objects.count(), Participant.objects.count()) == before


def test_nor_by_another_source_nor_with_other_content_nor_on_its_number(talk, two_officers, run_import, write_feed):
    run(two_officers)
    assert run_import(write_feed(talk), source="second")["stored"] == 0
    other = {**talk[0], "msg": {**talk[0]["msg"], "text": {"content": "changed"}}}
    elsewhere = {**talk[0], "seq": 77}
    same_number = {**talk[0], "msg": {**talk[0]["msg"], "msgid": "another"}}
    counts = run_import(write_feed([other, elsewhere, same_number]))
    assert (counts["duplicates"], counts["conflicts"], counts["stored"]) == (3, 0, 0)
    assert left() == [3, 5, 6, 7, 8, 10]


def test_looking_for_tombstones_takes_the_same_queries_however_many_there_are(talk, two_officers, write_feed):
    from archive.services.sorting import sort
    from archive.sources.feed import open_feed

    def queries() -> int:
        with write_feed(talk).open("rb") as stream, CaptureQueriesContext(connection) as captured:
            source = Source.objects.get(name="wecom")
            how = services.running.how(source, "feed.jsonl")
            sort(source, list(open_feed(stream, 10**6, how).read(line=0, offset=0)))
        return len(captured)

    before = queries()
    run(two_officers)
    assert queries() == before + 2


# --- cut off, stopped, changed ---------------------------------------------------------------------------------------


def test_changed_schedules_stop_it_before_anything_more_goes(talk, two_officers, settings, tmp_path):
    disposal = approve(ask(two_officers[0]), two_officers[1])
    own = tmp_path / "retention.yaml"
    own.write_text(retention.PATH.read_text(encoding="utf-8").replace("years: 5", "years: 9"), encoding="utf-8")
    settings.ARCHIVE_RETENTION_FILE = str(own)
    step_by_step(disposal)
    assert (disposal.state, left()) == ("stopped", list(range(1, 11)))
    assert "schedules changed" in disposal.decided_why
    assert Entry.objects.get(verb="archive.disposal_stopped").actor == "system:archive"


def test_schedules_that_changed_after_the_count_cannot_be_approved(talk, two_officers, settings, tmp_path):
    disposal = ask(two_officers[0])
    own = tmp_path / "retention.yaml"
    own.write_text(retention.PATH.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    settings.ARCHIVE_RETENTION_FILE = str(own)
    with pytest.raises(services.NotWaiting, match="schedules have changed"):
        approve(disposal, two_officers[1])


def test_a_person_can_stop_it_between_two_steps(talk, two_officers, monkeypatch):
    monkeypatch.setattr(disposing, "TAKEN", 3)
    disposal = approve(ask(two_officers[0]), two_officers[1])

    def before(number: int) -> None:
        if Tombstone.objects.exists() and Disposal.objects.get().state == "approved":
            services.stop_disposal(disposal=disposal, reason="counsel called", by=two_officers[0])

    step_by_step(disposal, before)
    assert (disposal.state, disposal.disposed, disposal.decided_why) == ("stopped", 1, "counsel called")
    assert len(left()) == 9
    with pytest.raises(services.NotRunning):
        services.stop_disposal(disposal=disposal, reason="again", by=two_officers[0])


def test_an_empty_archive_and_one_without_anything_over_are_done_at_once(two_officers, offices, run_import, write_feed):
    assert run(two_officers).disposed == 0
    run_import(write_feed([old(1, date(2026, 10, 1))]))
    disposal = run(two_officers)
    assert (disposal.state, disposal.disposed, disposal.preview["looked_at"]) == ("done", 0, 0)


STEPS = 6  # of the run below: the places where it is cut off


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("killed_at", [*range(STEPS), None])
def test_a_run_that_is_killed_ends_as_one_that_was_not(talk, two_officers, monkeypatch, killed_at):
    monkeypatch.setattr(disposing, "TAKEN", 3)
    disposal = approve(ask(two_officers[0]), two_officers[1])
    done = []

    def until_killed(job: Job) -> bool:
        finished = services.dispose_some(job)
        if len(done) == killed_at:
            raise KeyboardInterrupt  # before it was committed: a worker that is killed says nothing
        done.append(job.cursor)
        return finished

    if killed_at is None:
        job = jobs.work(disposal.job_id, until_killed, prepare=services.sweep)
        assert (job.state, len(done)) == ("done", STEPS + _tables_swept())
    else:
        with pytest.raises(KeyboardInterrupt):
            jobs.work(disposal.job_id, until_killed, prepare=services.sweep)
        assert Tombstone.objects.count() == 10 - Message.objects.count()
        Job.objects.filter(pk=disposal.job_id).update(lease_until=timezone.now() - timedelta(seconds=1))
        tasks.dispose(disposal.job_id)
    disposal.refresh_from_db()
    assert (disposal.state, disposal.disposed, left()) == ("done", 4, [3, 5, 6, 7, 8, 10])
    assert Tombstone.objects.count() == 4
    bodies = [ledger.body_of(one) for one in Entry.objects.filter(verb="archive.disposed")]
    assert sum(body["messages"] for body in bodies) == 4
    assert Entry.objects.filter(verb="archive.disposal_done").count() == 1
    assert ledger.verify()[1] is None
    assert services.verify(by="system:test").faults == 0


def _tables_swept() -> int:
    """PostgreSQL sweeps a table a step, SQLite all at once."""
    return len(disposing.SWEPT) - 1 if connection.vendor == "postgresql" else 0


@pytest.mark.django_db(transaction=True)
def test_the_bytes_are_gone_from_the_disk(offices, run_import, write_feed, two_officers, settings):
    settings.ARCHIVE_TEXT = "all"
    lines = [old(n, date(2018, 3, 1), f"secret {n}", to=(CLIENT,), roomid=f"wrGoneRoom{n:022}") for n in range(1, 60)]
    lines += [old(n, date(2026, 3, 1), f"secret {n}", to=(CLIENT,), roomid=f"wrStayRoom{n:022}") for n in range(60, 90)]
    run_import(write_feed(lines))
    Finding.objects.open().update(state="closed", closed_at=timezone.now())
    gone = Message.objects.filter(seq__lt=60).select_related("text")
    traces = {f"{one.seq}": (one.msgid.encode(), one.room.encode(), bytes(one.text.sealed)) for one in gone}
    stays = Message.objects.get(seq=70).msgid.encode()
    assert found_on_disk(stays)
    disposal = approve(ask(two_officers[0]), two_officers[1])
    with CaptureQueriesContext(connection) as captured:
        tasks.dispose(disposal.job_id)
    disposal.refresh_from_db()
    assert (disposal.state, disposal.disposed) == ("done", 59)
    if connection.vendor == "postgresql":
        vacuumed = {one["sql"] for one in captured.captured_queries if one["sql"].startswith("VACUUM")}
        assert vacuumed == {f'VACUUM "{model._meta.db_table}"' for model in disposing.SWEPT}
        return
    assert found_on_disk(stays)
    assert [seq for seq, parts in traces.items() if any(found_on_disk(part) for part in parts)] == []


def found_on_disk(trace: bytes) -> bool:
    """Whether the bytes stand anywhere in SQLite's file or its log. True for other databases: not to be told."""
    if connection.vendor != "sqlite":
        return True
    name = connection.settings_dict["NAME"]
    files = [name, f"{name}-wal"]
    return any(trace in Path(file).read_bytes() for file in files)


@pytest.mark.django_db(transaction=True)
def test_somebody_who_reads_on_only_puts_the_sweep_off(talk, two_officers, monkeypatch):
    def busy(tables: list[str]) -> list[str]:
        raise jobs.Postponed("somebody reads from the log")

    disposal = approve(ask(two_officers[0]), two_officers[1])
    with monkeypatch.context() as patch:
        patch.setattr(disposing, "_sweep_some", busy)
        tasks.dispose(disposal.job_id)
    job = Job.objects.get(pk=disposal.job_id)
    assert (job.state, job.cursor) == ("waiting", {"sweep": [model._meta.db_table for model in disposing.SWEPT]})
    Job.objects.update(due_at=timezone.now())
    tasks.dispose(disposal.job_id)
    disposal.refresh_from_db()
    assert disposal.state == "done"


def test_moving_is_noted_once(offices):
    from archive.services.postings import sync_postings

    assert [sync_postings(), sync_postings()] == [5, 0]
    assert holding.active_holds().terms == {}
