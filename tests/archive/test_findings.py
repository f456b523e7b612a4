"""Findings and records over time: who may see them, how they end, what becomes final."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.utils import timezone

from archive import services
from archive.models import Finding, Message, MessageText, Record
from archive.rules import BREACH, CLEAN, NO_DATA
from archive.services import computing
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, at, line

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def flagged(make_employee, run_import, write_feed) -> Finding:
    """An off-channel finding about somebody with a manager, opened on 16 October."""
    manager = make_employee(email="manager@example.com")
    person = make_employee(wecom_userid="li.na", manager=manager)
    with time_machine.travel(datetime(2026, 10, 16, 10, tzinfo=UTC)):
        run_import(write_feed([line(1, "加我个人微信聊", to=(CLIENT,))]))
    return Finding.objects.get(kind="off_channel", employee=person)


def test_a_moment_of_pulling_in_the_future_is_not_believed(make_employee, run_import, write_feed):
    make_employee(wecom_userid="li.na")
    with time_machine.travel(datetime(2026, 10, 16, 10, tzinfo=UTC)):
        run_import(write_feed([line(1, sent=at(15)), line(2, sent=at(15), pulled=20 * 86400)]))
        assert [one.captured_at is None for one in Message.objects.order_by("seq")] == [False, True]
        assert computing.covered_to() == date(2026, 10, 15)


def test_the_feed_never_speaks_for_a_day_to_come(run_import, write_feed):
    with time_machine.travel(datetime(2026, 10, 16, 10, tzinfo=UTC)):
        run_import(write_feed([line(1, sent=at(16, 17), pulled=23 * 3600), line(2, sent=at(25), pulled=None)]))
        assert computing.covered_to() == date(2026, 10, 16)


@pytest.fixture
def compliance(make_employee):
    return make_employee(roles=("Compliance",))


def review(finding: Finding, decision: str, reviewer, reason: str = "looked at it", **how) -> Finding:
    return services.review_finding(finding=finding, decision=decision, reason=reason, reviewer=reviewer, **how)


def settle(finding: Finding, reviewer, second) -> Finding:
    """Close a confirmed breach on all the evidence that it needs."""
    services.second_finding(finding=finding, reviewer=second, reason="read it too")
    return review(finding, "closed", reviewer, how="remedied", evidence={"remedy"})


def test_a_decision_is_kept_with_who_when_and_why(flagged, compliance):
    review(flagged, "confirmed", compliance, "asked for WhatsApp")
    flagged.refresh_from_db()
    assert (flagged.state, flagged.decided_by, flagged.closed_at, flagged.is_open) == (
        "confirmed",
        compliance,
        None,
        True,
    )
    entry = Entry.objects.get(verb="archive.finding_confirmed")
    assert (entry.actor, entry.subject) == (compliance.uid, flagged.employee.uid)
    assert ledger.body_of(entry)["text"] == "asked for WhatsApp"
    assert flagged.steps.get(what="confirmed").entry_seq == entry.seq


def test_a_decision_needs_a_reason_and_cannot_be_made_twice(flagged, compliance):
    with pytest.raises(services.ReasonMissing):
        review(flagged, "dismissed", compliance, "  ")
    review(flagged, "dismissed", compliance)
    for decision in ("dismissed", "confirmed", "closed"):
        with pytest.raises(services.AlreadyDecided):
            review(flagged, decision, compliance)
    with pytest.raises(ValueError, match="new"):
        review(flagged, "new", compliance)


def test_the_words_go_when_the_finding_is_settled(flagged, compliance, make_employee):
    assert MessageText.objects.get().delete_after is None
    review(flagged, "confirmed", compliance)
    assert MessageText.objects.get().delete_after is None
    settle(flagged, compliance, make_employee())
    assert MessageText.objects.get().delete_after > timezone.now()


def test_a_dismissed_finding_is_not_opened_again_by_the_same_facts(flagged, compliance, run_import, write_feed):
    review(flagged, "dismissed", compliance)
    run_import(write_feed([line(1, "加我个人微信聊", to=(CLIENT,)), line(2)], "again.jsonl"))
    assert Finding.objects.filter(kind="off_channel").count() == 1


@pytest.mark.parametrize(
    ("role", "sees"),
    [("own", 1), ("manager", 1), ("colleague", 0), ("HR", 0), ("Compliance", 1), ("Auditor", 1), ("Author", 0)],
)
def test_who_sees_a_persons_findings_and_records(flagged, make_employee, role, sees):
    viewer = {"own": flagged.employee, "manager": flagged.employee.manager}.get(role) or make_employee(
        roles=() if role == "colleague" else (role,)
    )
    assert Finding.objects.visible_to(viewer).filter(pk=flagged.pk).count() == sees
    assert Record.objects.visible_to(viewer).filter(employee=flagged.employee).count() == sees
    viewer.is_active = False
    assert not Finding.objects.visible_to(viewer).exists()
    assert not Record.objects.visible_to(viewer).exists()


def test_findings_about_a_feed_are_for_who_sees_every_record(flagged, compliance, run_import, write_feed):
    run_import(write_feed([line(5)], "hole.jsonl"))
    about_feed = {"employee": None}
    assert Finding.objects.visible_to(compliance).filter(**about_feed).exists()
    assert not Finding.objects.visible_to(flagged.employee).filter(**about_feed).exists()
    assert not Finding.objects.visible_to(flagged.employee.manager).filter(**about_feed).exists()


def test_the_state_of_a_person_follows_the_finding(flagged, compliance, make_employee):
    person, other = flagged.employee, make_employee()

    def state(day: date = date(2026, 10, 16)) -> str:
        return services.facts_for([person.pk], today=day)[person.pk].state

    facts = services.facts_for([person.pk, other.pk], today=date(2026, 10, 16))
    assert (facts[person.pk].state, facts[person.pk].to_review, facts[person.pk].open_findings) == ("attention", 1, 1)
    assert [(one.code, one.kind) for one in facts[person.pk].reasons] == [("open", "off_channel")]
    assert facts[person.pk].last_message_at is not None
    assert facts[other.pk].state == NO_DATA
    assert state(flagged.due_on) == "attention"
    assert state(date(2026, 10, 24)) == BREACH
    review(flagged, "confirmed", compliance)
    assert state() == BREACH
    settle(flagged, compliance, make_employee())
    assert state() == CLEAN
    assert state(date(2026, 12, 1)) == NO_DATA


def test_facts_cost_the_same_for_one_and_for_many(flagged, make_employee, count_queries):
    people = [flagged.employee.pk, *(make_employee().pk for _n in range(10))]
    one = count_queries(lambda: services.facts_for(people[:1]))
    assert count_queries(lambda: services.facts_for(people)) == one
    assert services.facts_for([]) == {}


# --- months


def test_a_month_becomes_final_and_what_comes_later_is_a_new_version(make_employee, run_import, write_feed):
    person = make_employee(wecom_userid="li.na")
    with time_machine.travel(datetime(2026, 11, 5, 4, tzinfo=UTC)):
        run_import(write_feed([line(1), line(2, sent=at(2, month=11))]))
        services.refresh_findings()
        record = Record.objects.get(month=OCTOBER)
        assert (record.is_final, record.version, record.covered_to) == (False, 1, date(2026, 10, 31))
    with time_machine.travel(datetime(2026, 11, 6, 4, tzinfo=UTC)):
        services.refresh_findings()
        record.refresh_from_db()
        assert (record.is_final, record.version) == (True, 1)
        before = record.entry_seq
        services.refresh_findings()
        record.refresh_from_db()
        assert record.entry_seq == before
        run_import(write_feed([line(3)], "late.jsonl"))
        record.refresh_from_db()
        assert (record.version, record.sent) == (2, 2)
    old = ledger.body_of(Entry.objects.get(seq=before))["records"]
    assert [(one["version"], one["metrics"]["sent"]) for one in old if one["employee"] == person.uid] == [(1, 1)]


def test_a_provisional_month_grows_with_the_feed(make_employee, run_import, write_feed):
    make_employee(wecom_userid="li.na")
    with time_machine.travel(datetime(2026, 10, 16, 10, tzinfo=UTC)):
        run_import(write_feed([line(1, sent=at(12))]))
        record = Record.objects.get()
        assert (record.covered_to, record.metrics["working_days"]) == (date(2026, 10, 12), 4)
        run_import(write_feed([line(2, sent=at(16), sender="nobody", to=())], "friday.jsonl"))
        services.refresh_findings()
        record.refresh_from_db()
        assert (record.covered_to, record.metrics["working_days"], record.version) == (date(2026, 10, 16), 8, 1)


def test_working_days_are_those_of_the_office_and_of_employment(make_employee, make_office, run_import, write_feed):
    new_york = make_office(jurisdiction="US")
    make_employee(wecom_userid="li.na", office=new_york)
    make_employee(wecom_userid="zhangwei", joined_on=date(2026, 10, 14))
    run_import(write_feed([line(1, sent=at(16))]))
    found = {
        one.employee.wecom_userid: one.metrics["working_days"] for one in Record.objects.select_related("employee")
    }
    assert found == {"li.na": 11, "zhangwei": 3}


def test_a_day_is_the_firms_day(make_employee, run_import, write_feed):
    make_employee(wecom_userid="li.na")
    last_evening = int(datetime(2026, 10, 31, 16, 30, tzinfo=UTC).timestamp() * 1000)  # 00:30 on 1 November
    run_import(write_feed([line(1, sent=last_evening)]))
    assert Record.objects.filter(sent=1).get().month == date(2026, 11, 1)


def test_a_fall_against_the_months_before_is_a_silence(make_employee, run_import, write_feed):
    make_employee(wecom_userid="li.na")
    feed, seq = [], 0
    for month, talk in ((7, 30), (8, 20), (9, 40), (10, 5), (11, 1)):
        for n in range(talk):
            seq += 1
            feed.append(line(seq, to=(CLIENT,), sent=at(2 + n % 20, 10, n, month=month)))
    with time_machine.travel(datetime(2026, 11, 20, tzinfo=UTC)):
        run_import(write_feed(feed))
    percents = dict(Record.objects.values_list("month", "metrics__drop_percent"))
    assert percents == {
        date(2026, 7, 1): None,
        date(2026, 8, 1): None,
        date(2026, 9, 1): None,
        OCTOBER: 16,
        date(2026, 11, 1): None,
    }
    finding = Finding.objects.get(kind="silent_seat")
    assert (finding.facts["why"], finding.facts["month"]) == (["drop"], "2026-10")


def test_a_day_with_too_many_late_messages_is_told_when_it_is_over(make_employee, run_import, write_feed):
    make_employee(wecom_userid="li.na")
    feed = [line(n, sent=at(14, 9, n), pulled=4000 if n == 1 else 40) for n in range(1, 10)]
    with time_machine.travel(datetime(2026, 10, 14, 10, tzinfo=UTC)):
        run_import(write_feed(feed))
        assert not Finding.objects.filter(kind="capture_late").exists()
    with time_machine.travel(datetime(2026, 10, 15, 1, tzinfo=UTC)):
        services.refresh_findings()
        services.refresh_findings()
    finding = Finding.objects.get(kind="capture_late")
    assert (finding.about_on, finding.facts["late"], finding.facts["messages"]) == (date(2026, 10, 14), 1, 9)


def test_exactly_a_tenth_is_not_too_many(make_employee, run_import, write_feed):
    make_employee(wecom_userid="li.na")
    run_import(write_feed([line(n, sent=at(14, 9, n), pulled=4000 if n == 1 else 40) for n in range(1, 11)]))
    assert not Finding.objects.filter(kind="capture_late").exists()
