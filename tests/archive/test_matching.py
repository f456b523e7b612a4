"""Handles matched by hand: what changes, what HR's list cannot undo, and the way back."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.db.models.functions import Lower

from archive import services, tasks
from archive.models import Finding, Identity, Message, Participant, Record, Robot, Unmatched
from archive.services import matching, suggesting
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from tests.archive.conftest import CLIENT, at, line

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def sun(make_employee) -> Employee:
    return make_employee(name_en="Sun Yan", email="yan.sun@example.com")


@pytest.fixture
def strange(make_employee, run_import, write_feed) -> Unmatched:
    """A handle that wrote to a client and to a colleague, and means nobody."""
    make_employee(wecom_userid="zhangwei")
    feed = [
        line(1, "加我个人微信聊", sender="SunYan", to=(CLIENT,), sent=at(12)),
        line(2, sender="sunyan", to=("zhangwei",), sent=at(14)),
    ]
    run_import(write_feed(feed))
    return Unmatched.objects.get()


def match(row: Unmatched, employee: Employee, by: Employee, first=None, last=None) -> Identity:
    return services.match_handle(row=row, employee=employee, first_on=first, last_on=last, by=by)


def declare(row: Unmatched, by: Employee, first=None, last=None, reason: str = "a shared test account") -> Robot:
    return services.declare_robot(row=row, first_on=first, last_on=last, reason=reason, by=by)


def work() -> None:
    for job in Job.objects.filter(kind=matching.TASK, state=Job.State.WAITING):
        tasks.rematch(job.pk)


def senders() -> list[tuple]:
    return list(Participant.objects.filter(role="s").order_by("sent_at").values_list("kind", "employee"))


def finding() -> Finding:
    return Finding.objects.get(kind="unmatched_identity")


def test_what_is_known_of_a_stranger_comes_from_the_messages(strange, officer):
    seen = services.stranger(strange, officer)
    assert (seen.handle, seen.messages) == ("SunYan", 2)
    assert [one.wecom_userid for one in seen.talked_with] == ["zhangwei"]
    assert (seen.first_at.day, seen.last_at.day) == (12, 14)


def test_a_matched_handle_counts_for_the_employee_from_the_first_message(strange, sun, officer):
    match(strange, sun, officer)
    assert senders() == [("employee", sun.pk)] * 2
    assert not Unmatched.objects.exists()
    assert (finding().state, finding().closed_why) == ("closed", "the handle was matched")
    assert Finding.objects.get(kind="off_channel").employee == sun
    work()
    assert Record.objects.get(employee=sun, month=OCTOBER).sent == 2
    entry = Entry.objects.get(verb="archive.handle_matched")
    told = {"channel": "wecom", "handle": "SunYan", "employee": sun.uid, "from": None, "to": None}
    assert (entry.actor, entry.subject, ledger.body_of(entry)) == (officer.uid, sun.uid, told)
    assert ledger.verify()[1] is None


def test_only_the_days_that_were_named_count(strange, sun, officer):
    match(strange, sun, officer, date(2026, 10, 13), date(2026, 10, 14))
    assert senders() == [("unknown", None), ("employee", sun.pk)]
    assert Unmatched.objects.get().handle_folded == "sunyan"
    assert finding().is_open
    identity = Identity.objects.get(origin="admin")
    assert (identity.valid_from, identity.valid_to) == (
        datetime(2026, 10, 12, 16, tzinfo=UTC),
        datetime(2026, 10, 14, 16, tzinfo=UTC),
    )


def test_the_messages_of_a_leavers_handle_are_given_to_whom_comes_after(make_employee, run_import, write_feed, officer):
    leaver = make_employee(wecom_userid="desk", left_on=date(2026, 10, 13))
    heir = make_employee()
    run_import(write_feed([line(1, sender="desk", sent=at(13)), line(2, sender="desk", sent=at(15))]))
    match(Unmatched.objects.get(handle="desk"), heir, officer)
    assert senders() == [("employee", leaver.pk), ("employee", heir.pk)]
    identity = Identity.objects.get(origin="admin")
    assert (identity.valid_from, identity.valid_to) == (datetime(2026, 10, 13, 16, tzinfo=UTC), None)
    services.sync_identities(by="system:test")
    assert senders() == [("employee", leaver.pk), ("employee", heir.pk)]


@pytest.mark.parametrize(
    ("first", "last"), [(date(2026, 10, 13), None), (date(2026, 10, 1), date(2026, 10, 20)), (None, date(2026, 10, 13))]
)
def test_a_handle_never_means_two_people_on_one_day(make_employee, run_import, write_feed, officer, first, last):
    make_employee(wecom_userid="desk", left_on=date(2026, 10, 13))
    run_import(write_feed([line(1, sender="desk", sent=at(13)), line(2, sender="desk", sent=at(15))]))
    with pytest.raises(services.BadSpan):
        match(Unmatched.objects.get(handle="desk"), make_employee(), officer, first, last)
    assert Identity.objects.count() == 1


def test_the_last_day_does_not_come_before_the_first(strange, sun, officer):
    for act in (lambda *days: match(strange, sun, officer, *days), lambda *days: declare(strange, officer, *days)):
        with pytest.raises(services.BadSpan):
            act(date(2026, 10, 14), date(2026, 10, 13))
    assert not Identity.objects.filter(origin="admin").exists()


def test_who_comes_second_is_told(strange, sun, officer):
    match(strange, sun, officer)
    with pytest.raises(services.AlreadyMatched):
        match(strange, sun, officer)
    with pytest.raises(services.AlreadyMatched):
        declare(strange, officer)


# --- HR's list


def test_hrs_list_never_undoes_a_match_by_hand(strange, sun, make_employee, officer):
    match(strange, sun, officer)
    services.sync_identities(by="system:test")
    other = make_employee(wecom_userid="sunyan")
    services.refresh_findings()
    assert senders() == [("employee", sun.pk)] * 2
    identity = Identity.objects.get(handle_folded="sunyan")
    assert (identity.employee, identity.valid_to, identity.origin) == (sun, None, "admin")
    Employee.objects.filter(pk=other.pk).update(wecom_userid="")
    Employee.objects.filter(pk=sun.pk).update(wecom_userid="sunyan", left_on=date(2026, 10, 13))
    services.sync_identities(by="system:test")
    identity.refresh_from_db()
    assert (identity.valid_from, identity.valid_to) == (None, None)


def test_hrs_list_says_whom_the_handle_means_after_a_match_that_ended(strange, sun, make_employee, officer):
    match(strange, sun, officer, None, date(2026, 10, 13))
    heir = make_employee(wecom_userid="sunyan")
    services.refresh_findings()
    assert senders() == [("employee", sun.pk), ("employee", heir.pk)]
    kept = Identity.objects.get(origin="admin")
    assert Identity.objects.get(employee=heir).valid_from == kept.valid_to == datetime(2026, 10, 13, 16, tzinfo=UTC)


def test_a_match_of_earlier_days_leaves_hrs_identity_of_later_ones(make_employee, run_import, write_feed, officer):
    """The match is made after HR's identity and lies before it: the farther one is the newer."""
    first = make_employee(wecom_userid="desk")
    services.sync_identities(by="system:test", now=datetime(2026, 9, 1, tzinfo=UTC))
    Employee.objects.filter(pk=first.pk).update(wecom_userid="")
    services.sync_identities(by="system:test", now=datetime(2026, 10, 13, tzinfo=UTC))
    heir = make_employee(wecom_userid="desk")
    services.sync_identities(by="system:test", now=datetime(2026, 10, 14, tzinfo=UTC))
    Identity.objects.filter(employee=first).delete()
    Identity.objects.filter(employee=heir).update(valid_from=datetime(2026, 10, 13, 16, tzinfo=UTC))
    run_import(write_feed([line(1, sender="desk", sent=at(12)), line(2, sender="desk", sent=at(15))]))
    found = make_employee()
    match(Unmatched.objects.get(handle="desk"), found, officer)
    before = list(Identity.objects.order_by("pk").values("employee", "valid_from", "valid_to"))
    services.sync_identities(by="system:test")
    assert list(Identity.objects.order_by("pk").values("employee", "valid_from", "valid_to")) == before
    assert senders() == [("employee", found.pk), ("employee", heir.pk)]


# --- no person


def test_a_handle_declared_to_be_no_person_is_judged_no_more(strange, officer, run_import, write_feed):
    declare(strange, officer)
    assert senders() == [("robot", None)] * 2
    assert not Unmatched.objects.exists()
    assert (finding().state, finding().closed_how, finding().decided_by) == ("closed", "not_a_person", officer)
    assert finding().closed_why == "a shared test account"
    run_import(write_feed([line(3, "加我个人微信聊", sender="sunyan", to=(CLIENT,))], "more.jsonl"))
    services.refresh_findings()
    assert Message.objects.get(seq=3).sender_kind == "robot"
    assert not Message.objects.get(seq=3).signals.exists()
    assert not Unmatched.objects.exists()
    told = ledger.body_of(Entry.objects.get(verb="archive.handle_declared"))
    days = {"from": None, "to": None}
    assert told == {"channel": "wecom", "handle": "SunYan", **days, "reason": "a shared test account"}


def test_a_robot_may_be_one_for_a_time(strange, officer):
    declare(strange, officer, date(2026, 10, 14))
    assert senders() == [("unknown", None), ("robot", None)]
    with pytest.raises(services.BadSpan):
        declare(Unmatched.objects.get(), officer)
    declare(Unmatched.objects.get(), officer, None, date(2026, 10, 13))
    assert senders() == [("robot", None)] * 2


def test_the_staff_list_goes_before_what_was_declared(strange, officer, make_employee):
    declare(strange, officer)
    sun = make_employee(wecom_userid="sunyan")
    services.refresh_findings()
    assert senders() == [("employee", sun.pk)] * 2


def test_a_declaration_needs_a_reason(strange, officer):
    with pytest.raises(services.ReasonMissing):
        declare(strange, officer, reason="  ")


# --- and back


def test_a_match_that_never_held_is_undone_whole(strange, sun, officer):
    identity = match(strange, sun, officer)
    work()
    services.undo(match=identity, ends_on=None, reason="another Sun Yan", by=officer)
    work()
    assert senders() == [("unknown", None)] * 2
    assert Unmatched.objects.get().handle_folded == "sunyan"
    assert finding().state == "new"
    assert Record.objects.get(employee=sun, month=OCTOBER).sent == 0
    told = ledger.body_of(Entry.objects.get(verb="archive.handle_undone"))
    assert (told["employee"], told["reason"], told["holds_until"]) == (sun.uid, "another Sun Yan", None)
    assert Entry.objects.filter(verb="archive.finding_reopened").count() == 1
    match(Unmatched.objects.get(), sun, officer)
    assert finding().state == "closed"


def test_a_match_may_end_on_a_day(strange, sun, officer):
    identity = match(strange, sun, officer)
    services.undo(match=identity, ends_on=date(2026, 10, 14), reason="gave the phone away", by=officer)
    assert senders() == [("employee", sun.pk), ("unknown", None)]
    identity.refresh_from_db()
    assert identity.valid_to == datetime(2026, 10, 13, 16, tzinfo=UTC)
    with pytest.raises(services.BadSpan):
        services.undo(match=identity, ends_on=date(2026, 10, 20), reason="later", by=officer)


def test_a_declaration_is_undone_too(strange, officer):
    robot = declare(strange, officer)
    services.undo(match=robot, ends_on=None, reason="it is a person", by=officer)
    assert senders() == [("unknown", None)] * 2
    assert (finding().state, finding().decided_by) == ("new", None)
    assert not Robot.objects.exists()


def test_what_hr_says_is_not_undone_here(strange, officer, sun):
    hrs = Identity.objects.get(handle="zhangwei")
    with pytest.raises(services.NotByHand):
        services.undo(match=hrs, ends_on=None, reason="wrong", by=officer)
    with pytest.raises(services.ReasonMissing):
        services.undo(match=match(strange, sun, officer), ends_on=None, reason=" ", by=officer)


def test_a_handle_of_very_many_messages_is_left_to_the_job(strange, sun, officer, monkeypatch):
    monkeypatch.setattr(matching, "AT_ONCE", 1)
    match(strange, sun, officer)
    assert senders() == [("unknown", None)] * 2
    work()
    assert senders() == [("employee", sun.pk)] * 2
    assert finding().state == "closed"
    assert Record.objects.get(employee=sun, month=OCTOBER).sent == 2


# --- whom to choose


def test_likely_people_are_found_without_dots_and_order(officer, sun, make_employee):
    make_employee(name_en="Sun Yannick")
    by_address = make_employee(name_en="Somebody Else", email="sun-yan@example.com")
    assert set(services.likely(officer, "SunYan")) == {sun, by_address}
    assert set(services.likely(officer, "sun_yan2")) == {sun, by_address}
    assert not services.likely(officer, "li")
    assert not services.likely(officer, "13800138000")


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("Sun Yan", "yansun"),
        ("CHAN Tai Man", "taiman.chan"),
        ("CHAN Tai Man", "chantaiman"),
        ("Mary Chan Tai Man", "Mary_Chan-Tai.Man1"),
        ("Sunyan", "sun.yan"),
    ],
)
def test_a_name_may_be_written_together_and_the_other_way_round(officer, make_employee, name, handle):
    person = make_employee(name_en=name)
    make_employee(name_en="Nobody Like That")
    assert list(services.likely(officer, handle)) == [person]


def test_likely_people_are_looked_up_by_index(officer, make_employee):
    make_employee(name_en="Sun Yan")
    if connection.vendor == "sqlite":
        lower = Employee.objects.annotate(lower_name=Lower("name_en"))
        assert "people_employee_by_lower_name" in lower.filter(lower_name__among=["sun yan"]).explain()
    assert suggesting.as_names("abcd") >= {"abcd", "a bcd", "bcd a", "d abc", "a b c d", "d a b c"}
    assert len(suggesting.as_names("a" * 12 + "bcdefghijklm"[:12])) < 10_000


def test_candidates_are_found_by_name_number_address_or_userid(officer, make_employee):
    person = make_employee(
        name_en="Sun Yan", name_zh="孙燕", employee_no="N7", email="syan@example.com", wecom_userid="s7"
    )
    gone = make_employee(name_en="Sun Li", left_on=date(2026, 1, 1), is_active=False)
    make_employee(name_en="Sun Outside", employee_no=None)
    for text in ("sun y", "孙燕", "n7", "SYAN@", "s7"):
        assert list(services.candidates(officer, text)) == [person]
    assert set(services.candidates(officer, " sun ")) == {person, gone}
    assert not services.candidates(officer, "  ")


def test_nobody_is_found_whom_the_viewer_may_not_see(make_employee, sun):
    assert not services.candidates(make_employee(), "sun")
    assert not services.likely(make_employee(), "sunyan")


def test_a_stranger_costs_the_same_however_much_was_said(strange, officer, count_queries, run_import, write_feed):
    services.stranger(strange, officer)
    one = count_queries(lambda: services.stranger(strange, officer))
    run_import(write_feed([line(n, sender="sunyan", to=("zhangwei",)) for n in range(10, 40)], "more.jsonl"))
    assert count_queries(lambda: services.stranger(strange, officer)) == one
