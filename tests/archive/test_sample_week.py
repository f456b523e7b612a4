"""Every number of the sample's description, through the real commands."""

import io
from collections import Counter
from datetime import date

import pytest
import time_machine
from django.core.management import call_command
from django.db.models import Sum

from archive import sealing, services
from archive.models import Batch, Finding, Hole, Import, Message, MessageText, Participant, Recall, Record, SetAside
from archive.models.messages import PartyKind
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import FEED, FRIDAY_EVENING, STATE

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def friday_evening():
    with time_machine.travel(FRIDAY_EVENING, tick=True):
        yield


@pytest.fixture
def week(staff, run_import) -> dict:
    return run_import(FEED)


@pytest.fixture
def judged(week) -> None:
    """The permit list taken to hold for the whole week."""
    call_command(
        "import_archive_state",
        str(STATE),
        source="wecom",
        taken_at=FRIDAY_EVENING,
        holds_from=date(2026, 10, 12),
        stdout=io.StringIO(),
    )
    services.refresh_findings()


def test_the_importer_counts_what_the_description_counts(week):
    assert week == {
        "lines": 59,
        "stored": 57,
        "duplicates": 1,
        "conflicts": 0,
        "set_aside": 1,
        "content": 53,
        "recalls": 1,
        "consents": 2,
        "control": 1,
        "unreadable": 0,
        "holes": 1,
        "missing_numbers": 2,
        "unmatched": ["sunyan"],
        "unknown_kinds": ["ai_summary_card"],
    }


def test_the_cut_off_line_is_set_aside_with_number_reason_and_bytes(week):
    aside = SetAside.objects.get()
    assert (aside.line_no, aside.reason, aside.maybe_seq) == (43, "not_json", 1044)
    assert sealing.unseal(aside.sealed, aside.key_id).endswith(b'"roo')
    assert aside.length == len(sealing.unseal(aside.sealed, aside.key_id)) + 1


def test_of_two_deliveries_the_earlier_is_kept(week):
    assert Message.objects.get(seq=1036).latency_seconds == 40


def test_the_hole_lies_between_its_neighbours(week):
    hole = Hole.objects.get()
    assert (hole.first, hole.last) == (1031, 1032)
    assert hole.before_at == Message.objects.get(seq=1030).sent_at
    assert hole.after_at == Message.objects.get(seq=1033).sent_at


def test_kinds_are_counted(week):
    kinds = set(Message.objects.exclude(msgtype="switch").values_list("msgtype", flat=True))
    assert len(kinds) == 31
    assert set(Message.objects.filter(is_known_kind=False).values_list("msgtype", flat=True)) == {"ai_summary_card"}
    assert Message.objects.get(seq=1048).category == "control"


def test_who_took_part_is_counted(week, staff):
    content = Participant.objects.filter(message__category="content")
    people = {staff[userid].pk for userid in ("zhangwei", "li.na", "wangfang", "ChenHao", "amy.lau")}
    assert set(content.exclude(employee=None).values_list("employee_id", flat=True)) == people
    contacts = set(content.filter(kind=PartyKind.CONTACT).values_list("handle", flat=True))
    assert Counter(handle[:2] for handle in contacts) == {"wm": 4, "wo": 1}
    assert content.filter(kind=PartyKind.ROBOT).get().message.seq == 1007
    assert content.filter(kind=PartyKind.UNKNOWN).get().message.seq == 1047


def test_rooms_are_counted(week):
    content = Message.objects.content()
    assert sorted(Counter(content.exclude(room="").values_list("room", flat=True)).values()) == [6, 8, 11]
    assert content.filter(room="").count() == 28
    assert content.filter(msgid__endswith="_external").count() == 38
    assert content.filter(seq__in=[1017, 1018], room="", msgid__endswith="_external").count() == 2


def test_media_references_are_counted(week):
    assert Message.objects.aggregate(Sum("media_refs")) == {"media_refs__sum": 11}
    assert Message.objects.get(seq=1022).media_refs == 1  # inside the forwarded conversation
    assert Message.objects.get(seq=1043).media_refs == 1  # inside the mixed message


def test_latency_is_counted(week):
    known = sorted(Message.objects.content().values_list("latency_seconds", flat=True))
    assert (known[len(known) // 2], known[-(-95 * 53 // 100) - 1], known[-1]) == (40, 40, 11_400)
    late = dict(Message.objects.filter(latency_seconds__gt=3600).values_list("seq", "latency_seconds"))
    assert late == {1041: 11_400, 1042: 9_700}


def test_keys_are_counted(week):
    assert Counter(Message.objects.values_list("publickey_ver", flat=True)) == {1: 37, 2: 20}
    assert Message.objects.filter(publickey_ver=2).order_by("seq").first().seq == 1040


def test_a_message_taken_back_stays_and_is_marked(week):
    original, recall = Message.objects.get(seq=1030), Recall.objects.get()
    assert recall.original == original
    assert original.recalled_at == recall.message.sent_at


def test_a_userid_is_matched_without_regard_to_case(week, staff):
    assert Participant.objects.get(message__seq=1027, role="s").employee == staff["ChenHao"]
    assert Message.objects.get(seq=1027).sender == "chenhao"


@pytest.mark.parametrize(
    ("userid", "sent", "received", "captured", "client", "contacts", "active", "recalls", "signals", "unknown"),
    [
        ("zhangwei", 12, 17, 29, 15, 2, 5, 0, 1, 0),
        ("li.na", 9, 18, 27, 14, 2, 5, 0, 0, 0),
        ("wangfang", 3, 8, 11, 0, 0, 3, 0, 0, 0),
        ("ChenHao", 9, 16, 25, 13, 3, 5, 1, 0, 1),
        ("amy.lau", 8, 5, 13, 12, 3, 5, 0, 1, 1),
        ("0000318", 0, 0, 0, 0, 0, 0, 0, 0, 0),
    ],
)
def test_each_employees_record(
    judged, staff, userid, sent, received, captured, client, contacts, active, recalls, signals, unknown
):
    record = Record.objects.get(employee=staff[userid], month="2026-10-01")
    assert (record.sent, record.received, record.captured, record.client_captured) == (sent, received, captured, client)
    assert (record.active_days, record.unknown_contacts) == (active, unknown)
    found = record.metrics
    assert (found["contacts"], found["recalls"], found["signals_own"]) == (contacts, recalls, signals)
    assert found["agreed"] + found["refused"] + found["unknown"] == contacts
    assert not record.is_final
    assert record.version == 1
    assert Entry.objects.get(seq=record.entry_seq).verb == "archive.records_computed"


def test_the_findings_of_that_evening(judged, staff):
    found = Finding.objects.order_by("kind", "message__seq").values_list("kind", "employee", "message__seq")
    assert list(found) == [
        ("after_refusal", staff["li.na"].pk, 1044),
        ("after_refusal", staff["amy.lau"].pk, 1045),
        ("capture_late", None, None),
        ("hole", None, None),
        ("off_channel", staff["amy.lau"].pk, 1037),
        ("off_channel", staff["zhangwei"].pk, 1043),
        ("silent_seat", staff["0000318"].pk, None),
        ("unknown_kind", None, None),
        ("unmatched_identity", None, None),
    ]


def test_the_findings_say_what_they_are_about(judged, staff):
    hole = Finding.objects.get(kind="hole").facts
    assert (hole["first"], hole["last"], hole["length"], hole["set_aside"]) == (1031, 1032, 2, [])
    late = Finding.objects.get(kind="capture_late").facts
    assert (late["day"], late["late"], late["messages"], late["longest"]) == ("2026-10-14", 2, 14, 11_400)
    stranger = Finding.objects.get(kind="unmatched_identity").facts
    assert (stranger["handle"], stranger["messages"], stranger["talked_with"]) == ("sunyan", 1, [staff["zhangwei"].uid])
    assert Finding.objects.get(kind="unknown_kind").facts == {"msgtype": "ai_summary_card"}
    rules = {hit["rule"] for hit in Finding.objects.get(message__seq=1037).facts["hits"]}
    assert rules == {"move-app", "knows-recorded"}


def test_due_days_are_working_days_and_for_a_hole_days_of_the_window(judged):
    due = dict(Finding.objects.values_list("kind", "due_on"))
    assert due["off_channel"] == date(2026, 10, 23)
    assert due["hole"] == date(2026, 10, 21)
    assert due["silent_seat"] == date(2026, 10, 30)


def test_every_finding_has_its_entry(judged):
    opened = Entry.objects.filter(verb="archive.finding_opened")
    assert opened.count() == Finding.objects.count()
    about = {one.employee.uid if one.employee else "system:archive" for one in Finding.objects.all()}
    assert set(opened.values_list("subject", flat=True)) == about
    assert ledger.verify()[1] is None


def test_a_missing_word_on_consent_is_found_seven_days_after_the_first_message(judged, staff):
    missing = Finding.objects.filter(kind="consent_missing")
    for day, people in ((18, []), (19, ["amy.lau"]), (20, ["amy.lau"]), (21, ["ChenHao", "amy.lau"])):
        with time_machine.travel(FRIDAY_EVENING.replace(day=day)):
            services.refresh_findings()
        assert sorted(missing.values_list("employee__wecom_userid", flat=True)) == people


def test_the_words_of_flagged_messages_alone_are_kept_and_unknown_kinds_whole(judged):
    kept = MessageText.objects.values_list("message__seq", "why")
    unknown = Message.objects.filter(is_known_kind=False, error_code=None).values_list("seq", flat=True)
    assert set(kept) == {(1037, "signal"), (1043, "signal"), *((seq, "unknown") for seq in unknown)}
    assert len(unknown) == 1


def test_a_second_reading_changes_nothing(judged, run_import):
    def rows():
        kept = (Message, Participant, Recall, MessageText, Batch, Finding, Record, Hole)
        return {model: list(model.objects.order_by("pk").values()) for model in kept}

    before = rows()
    again = run_import(FEED)
    assert rows() == before
    assert (again["stored"], again["duplicates"], again["set_aside"], again["lines"]) == (0, 58, 1, 59)
    assert (again["holes"], again["missing_numbers"], again["unmatched"]) == (1, 2, ["sunyan"])
    assert Import.objects.count() == 2
    assert not Entry.objects.filter(
        verb="archive.records_computed", seq__gt=max(r["entry_seq"] for r in before[Record])
    )


def test_the_batch_can_be_proved_from_the_ledger(week):
    batch = Batch.objects.get()
    said = ledger.body_of(Entry.objects.get(seq=batch.entry_seq))
    assert (said["count"], said["root"], said["feed"]) == (57, bytes(batch.root).hex(), Import.objects.get().digest)
    assert sorted(batch.messages.values_list("leaf", flat=True)) == list(range(57))


def test_the_roof_is_rung_once_the_import_is_committed(
    staff, run_import, bells, settings, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        run_import(FEED)
    assert (settings.STANDING_CATCH_UP_TASK, []) in bells
