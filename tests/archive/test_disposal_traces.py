"""What a disposal leaves: findings without names, frozen records, tombstones that nothing gets past."""

import json
from collections import Counter
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive import services
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
    RecordVersion,
    SetAside,
    Signal,
    Source,
    Tombstone,
)
from archive.services import disposing, records
from archive.services.due import mark_months_due
from portal.ledger import services as ledger
from portal.ledger.models import Body, Entry
from tests.archive.conftest import CLIENT
from tests.archive.keeping import NOW, UK_OVER, ask, hold, left, old, run

pytestmark = pytest.mark.django_db
RECALLED = {"action": "recall", "msgtype": "revoke", "text": {}}


@pytest.fixture(autouse=True)
def on_that_day():
    with time_machine.travel(NOW, tick=True):
        yield


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
    services.review_finding(finding=finding, decision="dismissed", reason="spoken with", reviewer=two_officers[0])
    run(two_officers)
    finding.refresh_from_db()
    assert (left(), finding.message) == ([], None)
    assert finding.facts == {"month": "2018-03", "messages": 3, "count": 3, "disposal": Disposal.objects.last().uid}


def test_a_finding_loses_every_id_and_keeps_its_story(offices, run_import, write_feed, two_officers):
    run_import(write_feed([old(1, date(2018, 3, 1), "加我个人微信聊", to=(CLIENT,))]))
    finding, msgid = Finding.objects.get(kind="off_channel"), Message.objects.get().msgid
    opened = Entry.objects.filter(verb="archive.finding_opened", subject=offices["uk.jones"].uid).earliest("seq")
    assert msgid in finding.key
    services.review_finding(finding=finding, decision="dismissed", reason="spoken with", reviewer=two_officers[0])
    disposal = run(two_officers)
    finding.refresh_from_db()
    assert (finding.message, finding.kind, finding.state, finding.employee, finding.closed_why) == (
        None,
        "off_channel",
        "dismissed",
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


def test_a_hold_on_other_days_of_the_person_keeps_what_the_log_says(offices, run_import, write_feed, two_officers):
    run_import(write_feed([old(1, date(2018, 3, 1), "加我个人微信聊", to=(CLIENT,))]))
    opened = Entry.objects.filter(verb="archive.finding_opened", subject=offices["uk.jones"].uid).earliest("seq")
    Finding.objects.open().update(state="closed", closed_at=timezone.now())
    hold(two_officers[0], employee=offices["uk.jones"], first_on=date(2020, 1, 1))
    run(two_officers)
    assert left() == []
    assert Body.objects.filter(entry=opened).exists()
    assert ledger.verify()[1] is None


def test_a_sample_keeps_fingerprint_and_review_of_what_went(offices, run_import, write_feed, two_officers):
    run_import(write_feed([old(n, date(2018, 3, n), to=(CLIENT,)) for n in (1, 2)]))
    sample = services.draw_sample(month=date(2018, 3, 1), by="system:test")
    prints = {one.number: bytes(one.fingerprint) for one in sample.items.all()}
    services.review_item(item=sample.items.get(number=1), result="fine", action="", reviewer=two_officers[0])
    Finding.objects.open().update(state="closed", closed_at=timezone.now())
    run(two_officers)
    assert {one.number: bytes(one.fingerprint) for one in sample.items.filter(message=None)} == prints
    assert sample.items.get(number=1).reviewer == two_officers[0]
    assert ledger.body_of(Entry.objects.get(verb="archive.disposed"))["samples"] == 2


def test_a_finding_about_a_repaired_message_without_a_number_loses_its_id(offices, two_officers, old_talk):
    message = Message.objects.get(seq=2)
    key = f"text_repaired:{message.source_id}:{message.msgid}"
    finding = Finding.objects.create(
        kind="text_repaired", key=key, severity=1, source=message.source, about_on=NOW.date(), opened_at=NOW,
        due_on=NOW.date(), state="closed", closed_at=NOW, facts={"lines": [2]}, policy_version="1",
    )  # fmt: skip
    run(two_officers)
    finding.refresh_from_db()
    assert (message.msgid in finding.key, "lines" in finding.facts) == (False, False)


def test_records_that_were_final_stand_with_their_versions(old_talk, two_officers):
    """What a regulator was told stays: neither the record nor its versions change because messages went."""
    services.recompute_due(by="system:test")

    def told() -> tuple[list, list]:
        columns = ("employee", "month", "version", "is_final", "metrics", "entry_seq")
        return list(Record.objects.order_by("pk").values_list(*columns)), list(RecordVersion.objects.values())

    before = told()
    assert all(is_final for *_rest, is_final, _metrics, _entry in before[0][:3])
    run(two_officers)
    services.refresh_findings()
    assert mark_months_due(Record.objects.values_list("employee_id", "month"), "policy") is None
    services.recompute_due(by="system:test")
    assert told() == before


def test_the_lack_of_consent_is_not_about_a_contact_any_more_whose_last_message_went(
    offices, run_import, write_feed, two_officers
):
    run_import(write_feed([old(1, date(2018, 3, 1), to=(CLIENT,))]))
    finding = Finding.objects.get(kind="consent_missing")
    services.review_finding(finding=finding, decision="dismissed", reason="has left", reviewer=two_officers[0])
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
    fields = Message._meta.get_fields(include_hidden=True)
    pointing = {(one.related_model.__name__, one.on_delete.__name__) for one in fields if not one.concrete}
    assert pointing == {
        ("Attachment", "CASCADE"),
        ("Conflict", "SET_NULL"),
        ("Delivery", "CASCADE"),
        ("Finding", "SET_NULL"),
        ("MessageText", "CASCADE"),
        ("Participant", "CASCADE"),
        ("Recall", "CASCADE"),
        ("Recall", "SET_NULL"),
        ("SampleItem", "SET_NULL"),
        ("Signal", "CASCADE"),
    }
    swept = {model.__name__ for model in disposing.SWEPT}
    assert {name for name, _deed in pointing} - {"SampleItem"} <= swept  # whose rows hold nothing of the message


def lines_left() -> int:
    return SetAside.objects.filter(sealed__isnull=False).count()


@pytest.mark.parametrize(
    ("day", "text", "stay"),
    [
        (date(2006, 10, 12), "all", 0),  # with the day of slack: 20 years, the longest of all who work here
        (date(2006, 10, 16), "all", 1),
        (date(2006, 10, 12), "flagged", 1),  # goes by itself
    ],
)
def test_a_line_that_could_not_be_read_goes_when_the_longest_period_of_all_is_over(
    offices, run_import, write_feed, two_officers, settings, day, text, stay
):
    offices["sg.tan"].office.jurisdiction = "CN"
    offices["sg.tan"].office.save()
    settings.ARCHIVE_TEXT = text
    run_import(write_feed([old(1, day), '{"seq": 2, ']))
    Finding.objects.open().update(state="closed", closed_at=timezone.now())
    assert lines_left() == 1
    disposal = run(two_officers)
    assert (lines_left(), disposal.preview["lines"]) == (stay, 1 - stay)
    aside = SetAside.objects.get()
    assert (aside.reason, len(aside.digest)) == ("not_json", 64)
    assert Entry.objects.filter(verb="archive.lines_disposed").count() == 1 - stay


def test_no_line_goes_while_somebody_works_where_no_period_is_known_or_a_hold_is_on_its_time(
    offices, run_import, write_feed, two_officers, settings
):
    settings.ARCHIVE_TEXT = "all"
    run_import(write_feed([old(1, date(2003, 3, 1)), '{"seq": 2, ']))
    Finding.objects.open().update(state="closed", closed_at=timezone.now())
    run(two_officers)
    assert lines_left() == 1  # Singapore
    offices["sg.tan"].office.jurisdiction = "HK"
    offices["sg.tan"].office.save()
    Posting.objects.filter(employee=offices["sg.tan"]).update(jurisdiction="HK")
    made = hold(two_officers[0], first_on=date(2003, 1, 1), last_on=date(2003, 12, 31))
    run(two_officers)
    assert lines_left() == 1
    services.lift_hold(hold=made, reason="closed", by=two_officers[0])
    run(two_officers)
    assert lines_left() == 0


# --- records ---------------------------------------------------------------------------------------------------------


def months_frozen() -> set[tuple[str, str]]:
    rows = Record.objects.exclude(frozen_by=None).values_list("employee__wecom_userid", "month")
    return {(who, f"{month:%Y-%m}") for who, month in rows}


def test_records_of_the_months_touched_stand_for_ever(old_talk, offices, two_officers, run_import, write_feed):
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


def test_what_is_due_is_computed_before_its_messages_go(old_talk, offices, two_officers):
    Record.objects.filter(employee=offices["uk.jones"]).delete()
    RecordDue.objects.get_or_create(employee=offices["uk.jones"], month=date(2018, 3, 1))
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


def test_a_frozen_month_that_is_not_final_is_not_asked_for_again_and_again(old_talk, two_officers):
    run(two_officers)
    Record.objects.exclude(frozen_by=None).update(is_final=False, covered_to=date(2018, 3, 1))
    services.refresh_findings()
    records.recompute_due(by="system:test")
    assert not Entry.objects.filter(verb="archive.records_left").exists()


# --- it does not come back -------------------------------------------------------------------------------------------


def test_the_same_feed_again_brings_nothing_back(old_talk, two_officers, run_import, write_feed):
    run(two_officers)
    before = (left(), Record.objects.count(), Finding.objects.count(), Participant.objects.count())
    counts = run_import(write_feed(old_talk, "again.jsonl"))
    assert (counts["lines"], counts["duplicates"], counts["stored"], counts["holes"]) == (10, 10, 0, 0)
    assert (left(), Record.objects.count(), Finding.objects.count(), Participant.objects.count()) == before


def test_nor_by_another_source_nor_with_other_content_nor_on_its_number(old_talk, two_officers, run_import, write_feed):
    run(two_officers)
    assert run_import(write_feed(old_talk), source="second")["stored"] == 0
    other = {**old_talk[0], "msg": {**old_talk[0]["msg"], "text": {"content": "changed"}}}
    elsewhere = {**old_talk[0], "seq": 77}
    same_number = {**old_talk[0], "msg": {**old_talk[0]["msg"], "msgid": "another"}}
    counts = run_import(write_feed([other, elsewhere, same_number]))
    assert (counts["duplicates"], counts["conflicts"], counts["stored"]) == (2, 1, 0)
    assert Conflict.objects.values_list("kind", "msgid", "first").get() == ("number", "another", None)
    assert left() == [3, 5, 6, 7, 8, 10]


def test_looking_for_tombstones_takes_the_same_queries_however_many_there_are(old_talk, two_officers, write_feed):
    from archive.services.sorting import sort
    from archive.sources.feed import open_feed

    def queries() -> int:
        with write_feed(old_talk).open("rb") as stream, CaptureQueriesContext(connection) as captured:
            source = Source.objects.get(name="wecom")
            how = services.running.how(source, "feed.jsonl")
            sort(source, list(open_feed(stream, 10**6, how).read(line=0, offset=0)))
        return len(captured)

    before = queries()
    run(two_officers)
    assert queries() == before + 2
