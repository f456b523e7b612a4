"""Records over time: what makes a version, what bars and leave change, and sums over more than a month."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from archive import policy, services
from archive.models import Bar, Disposal, Finding, Record, RecordDue, RecordVersion
from archive.services import computing, records
from archive.services.due import mark_months_due
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Leave
from tests.archive.conftest import CLIENT, at, line

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def person(make_employee):
    return make_employee(wecom_userid="li.na", employee_no="E001")


def on(day: int, month: int = 10) -> time_machine.travel:
    return time_machine.travel(datetime(2026, month, day, 4, tzinfo=UTC), tick=False)


@pytest.fixture
def final(person, run_import, write_feed) -> Record:
    """October with one message, final since 6 November."""
    with on(16):
        run_import(write_feed([line(1)]))
    with on(6, 11):
        services.refresh_findings()
    record = Record.objects.get(employee=person, month=OCTOBER)
    assert (record.is_final, record.version, record.version_why) == (True, 1, "")
    return record


def test_what_changes_a_final_record_makes_a_version_with_its_reason(final, run_import, write_feed):
    with on(9, 11):
        run_import(write_feed([line(2)], "late.jsonl"))
    old, (entry, sent) = final.metrics, (final.entry_seq, final.sent)
    final.refresh_from_db()
    assert (final.version, final.version_why, final.sent) == (2, "messages", sent + 1)
    version = RecordVersion.objects.get()
    assert (version.version, version.metrics, version.entry_seq, version.replaced_why) == (1, old, entry, "messages")
    told = ledger.body_of(Entry.objects.get(seq=final.entry_seq))["records"][0]
    assert (told["version"], told["why"], told["metrics"]) == (2, "messages", final.metrics)


def test_people_are_computed_in_as_many_goes_as_their_messages_need(make_employee, run_import, write_feed, monkeypatch):
    """Memory holds so many messages at once, and one person's at least: the figures are the same."""
    handles = ["ann", "bo", "cy", "dee"]
    for handle in handles:
        make_employee(wecom_userid=handle)
    monkeypatch.setattr(records, "PARTS", 5)
    sizes, compute = [], computing.compute
    monkeypatch.setattr(computing, "compute", lambda people, *more: sizes.append(len(people)) or compute(people, *more))
    counts = [2, 3, 8, 1]
    lines = [who for who, count in zip(handles, counts, strict=True) for _n in range(count)]
    with on(16):
        run_import(write_feed([line(n, sender=who, to=(CLIENT,)) for n, who in enumerate(lines, start=1)]))
    assert sizes == [2, 1, 1]
    assert list(Record.objects.order_by("employee").values_list("sent", flat=True)) == counts


def test_a_recall_that_comes_late_says_so(person, run_import, write_feed):
    recall = line(2, action="recall", msgtype="revoke", revoke={"pre_msgid": line(1)["msg"]["msgid"]})
    with on(16):
        run_import(write_feed([recall]))
    with on(6, 11):
        services.refresh_findings()
    with on(9, 11):
        run_import(write_feed([line(1)], "late.jsonl"))
    record = Record.objects.get(employee=person, month=OCTOBER)
    assert (record.version, record.metrics["orphan_recalls"]) == (2, 0)


def test_a_provisional_record_changes_without_a_version(person, run_import, write_feed):
    with on(16):
        run_import(write_feed([line(1)]))
        run_import(write_feed([line(2)], "more.jsonl"))
    assert list(Record.objects.values_list("version", "sent")) == [(1, 2)]
    assert not RecordVersion.objects.exists()


def test_computing_again_gives_the_same_numbers(final):
    mark_months_due([(final.employee_id, OCTOBER)])
    entries = Entry.objects.count()
    with on(9, 11):
        assert services.recompute_due(by="system:test") == 1
    assert (RecordDue.objects.count(), RecordVersion.objects.count(), Entry.objects.count()) == (0, 0, entries)


def test_a_record_whose_messages_were_disposed_of_is_never_computed_again(final, make_employee, run_import, write_feed):
    asked, decided = make_employee(), make_employee()
    now = timezone.now()
    gone = Disposal.objects.create(
        state="done", as_of=OCTOBER, schedule_version="1", reason="x", asked_by=asked, asked_at=now,
        counted_at=now, decided_by=decided, decided_at=now, ended_at=now,
    )  # fmt: skip
    Record.objects.filter(pk=final.pk).update(frozen_by=gone)
    with on(9, 11):
        run_import(write_feed([line(2)], "late.jsonl"))
    final.refresh_from_db()
    assert (final.version, final.sent) == (1, 1)


# --- what the roof told of the permission


def bar(person, is_barred: bool, at: datetime) -> int:
    return services.set_bars(barred={person.pk: is_barred}, at=at)


def test_bars_begin_and_end_once(person):
    noon = datetime(2026, 10, 12, 4, tzinfo=UTC)
    assert [bar(person, is_barred, noon) for is_barred in (False, True, True)] == [0, 1, 0]
    assert bar(person, False, noon + timedelta(hours=1)) == 1
    assert bar(person, False, noon + timedelta(hours=2)) == 0
    assert list(Bar.objects.values_list("begins_at", "ends_at")) == [(noon, noon + timedelta(hours=1))]
    bar(person, True, noon + timedelta(hours=3))
    bar(person, False, noon + timedelta(hours=3))
    assert Bar.objects.count() == 1


def test_who_writes_to_clients_while_barred_gets_a_finding(person, run_import, write_feed):
    with on(12):
        bar(person, True, datetime(2026, 10, 12, 0, tzinfo=UTC))
    with on(16):
        run_import(write_feed([line(1, to=(CLIENT,)), line(2, to=("zhangwei",))]))
    finding = Finding.objects.get(kind="barred_talk")
    assert (finding.employee, finding.facts["count"], finding.message.seq) == (person, 1, 1)
    assert services.facts_for([person.pk], today=date(2026, 10, 16))[person.pk].state == "breach"


def test_a_bar_that_is_told_late_reaches_back_to_its_moment(person, run_import, write_feed):
    with on(16):
        run_import(write_feed([line(1, to=(CLIENT,))]))
        bar(person, True, datetime(2026, 10, 12, 0, tzinfo=UTC))
        services.recompute_due(by="system:test")
    assert Finding.objects.filter(kind="barred_talk").count() == 1


# --- files that were not fetched


def test_files_of_client_talk_that_the_puller_could_not_fetch_open_a_finding_until_they_come(
    person, run_import, write_feed
):
    picture = {"msgtype": "image", "image": {"md5sum": "aa", "filesize": 1, "sdkfileid": "F1"}}
    lost = line(1, to=(CLIENT,), **picture) | {"media": [{"sdkfileid": "F1", "error": 10010}]}
    other = line(2, to=(CLIENT,), **picture) | {"media": [{"sdkfileid": "F1", "md5sum": "AA"}]}
    with on(16):
        run_import(write_feed([lost, other]))
    finding = Finding.objects.get(kind="media_missing")
    assert (finding.facts["count"], finding.message.seq) == (1, 1)
    assert Record.objects.get(employee=person).metrics["media_missing"] == 1


# --- leave


def test_days_of_leave_are_no_working_days_and_silence_on_them_means_nothing(final, tmp_path, capsys):
    path = tmp_path / "leave.csv"
    path.write_text(
        "employee_no,first_on,last_on\nE001,2026-10-12,2026-10-14\nE001,2026-10-30,x\nE9,2026-10-01,2026-10-02\n"
    )
    before = final.metrics["working_days"]
    with pytest.raises(CommandError, match="2 of 3 lines"):
        call_command("import_leave", path)
    assert not Leave.objects.exists()
    with pytest.raises(CommandError, match="2 of 3 lines"):
        call_command("import_leave", path, "--write")
    told = capsys.readouterr()
    assert "3 lines, 1 new or changed leaves kept" in told.out
    assert f"{path}:3: A day is not written like 2026-10-01." in told.err
    assert f"{path}:4: Nobody has the number E9." in told.err
    with on(9, 11):
        services.recompute_due(by="system:test")
    final.refresh_from_db()
    assert (final.metrics["working_days"], final.version_why) == (before - 1, "leave")  # the feed ends on the 12th


def test_a_leave_that_is_told_again_changes_nothing_and_a_longer_one_its_months(final, person):
    def tell(last: date) -> int:
        told = services.read_leaves(iter(["employee_no,first_on,last_on", f"E001,2026-10-28,{last}"]))
        return services.take_leaves(told=told, by="system:test")

    assert [tell(date(2026, 10, 30)), tell(date(2026, 10, 30)), tell(date(2026, 11, 3))] == [1, 0, 1]
    assert Entry.objects.filter(verb="people.leave_set", subject=person.uid).count() == 2


# --- more than a month


def test_a_longer_time_is_computed_from_messages_not_from_months(person, run_import, write_feed):
    feed = [line(1, to=(CLIENT,), pulled=10), line(2, to=(CLIENT,), sent=at(3, month=9), pulled=30)]
    feed += [line(n, to=("zhangwei",), sent=at(4, n, month=9), pulled=50) for n in range(10, 14)]
    with on(16):
        run_import(write_feed(feed))
    quarter = services.period(person, OCTOBER, 3)
    months = Record.objects.filter(employee=person)
    assert (quarter.sent, quarter.contacts, quarter.latency_p50) == (6, 1, 50)
    assert sum(one.metrics["contacts"] for one in months) == 2  # a union is no sum
    assert services.period(person, date(2026, 8, 1), 1).captured == 0


# --- the firm's own thresholds


def firms(settings, tmp_path, text: str) -> None:
    settings.ARCHIVE_POLICY_FILE = tmp_path / f"{abs(hash(text))}.yaml"
    settings.ARCHIVE_POLICY_FILE.write_text(text, encoding="utf-8")


def test_the_firms_thresholds_go_over_those_that_ship(settings, tmp_path):
    firms(settings, tmp_path, 'version: "firm-1"\nrecalls_least: 9\nfindings: {hole: {severity: 2, due: 9}}\n')
    terms = policy.current()
    assert (terms.version, terms.recalls_least, terms.recall_percent) == ("firm-1", 9, 5)
    assert (terms.findings["hole"].due, terms.findings["conflict"].due) == (9, 10)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("recalls_least: 9", "needs a version of its own"),
        ('version: "1"', "needs a version of its own"),
        ("version: x\nrecall_least: 9", "no such threshold: recall_least"),
        ("version: x\nrecalls_least: many", "recalls_least is 'many': it must be a whole number"),
        ("version: x\nrecalls_least: -1", "recalls_least is -1"),
        ("version: x\ndefault_agree_counts: 1", "default_agree_counts is 1: it must be true or false"),
        ("version: x\nfirm_calendar: MARS", "firm_calendar is 'MARS'"),
        ("version: x\nfindings: {holes: {severity: 1, due: 1}}", "findings: no such name: holes"),
        ("version: x\nfindings: {hole: {severity: 9, due: 1}}", "severity of hole must be 1"),
        ("version: x\nfindings: {hole: {weight: 9}}", "takes severity, due and calendar_days"),
        ("- a", "holds no thresholds"),
        ("a: [", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_remedy(settings, tmp_path, text, complaint):
    from archive.checks import firms_policy_can_be_used

    firms(settings, tmp_path, text)
    [error] = firms_policy_can_be_used(None)
    assert complaint in error.msg
    assert str(settings.ARCHIVE_POLICY_FILE) in error.msg


def test_new_thresholds_are_an_entry_and_judge_what_is_not_final(settings, tmp_path, final, run_import, write_feed):
    with on(9, 11):
        run_import(write_feed([line(9, sent=at(9, month=11))], "november.jsonl"))
        services.refresh_findings()
    assert Entry.objects.filter(verb="archive.policy_changed").count() == 1
    firms(settings, tmp_path, "version: firm-2\nsilence_days: 3\n")
    with on(9, 11):
        services.refresh_findings()
        services.refresh_findings()
    [_first, second] = Entry.objects.filter(verb="archive.policy_changed").order_by("seq")
    assert ledger.body_of(second)["thresholds"]["silence_days"] == 3
    assert dict(Record.objects.values_list("month", "policy_version")) == {
        OCTOBER: "1",
        date(2026, 11, 1): "firm-2",
    }
