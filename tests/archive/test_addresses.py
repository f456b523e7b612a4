"""Whom an address means, and a number that a table cut the zeros off."""

import json

import pytest

from archive import rules, services
from archive.models import Finding, Identity, Message, Participant, Record, Unmatched
from archive.services import identities, running
from portal.people.models import Employee
from tests.archive.conftest import line
from tests.archive.mails import mail, mbox

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_people(make_employee) -> tuple[Employee, Employee]:
    li = make_employee(wecom_userid="li.na", email="li.na@example.com")
    return li, make_employee(wecom_userid="zhangwei", email="zhangwei@example.com")


def test_an_address_is_the_employee_whom_hr_gives_it_to(deliver, two_people):
    deliver(mail(From="LI.NA@Example.com", To="zhangwei@example.com"))
    assert set(Participant.objects.values_list("employee", flat=True)) == {one.pk for one in two_people}
    assert Record.objects.get(employee=two_people[0]).sent == 1


def test_addresses_are_no_identities_where_no_feed_has_them(run_import, write_feed):
    run_import(write_feed([line(1)]))
    assert set(Identity.objects.values_list("channel", flat=True)) == {"wecom"}
    services.get_source("journal", terms=services.Terms("mail"))
    services.refresh_findings()
    assert sorted(Identity.objects.filter(channel="mail").values_list("handle", flat=True)) == [
        "li.na@example.com",
        "zhangwei@example.com",
    ]


def test_an_unmatched_address_of_the_firm_is_told_and_one_outside_is_a_contact(deliver, make_employee):
    make_employee(email="somebody@gmail.com")
    deliver(mail(To="new@example.com, client@outside.example, friend@gmail.com, x@sub.example.com"))
    kinds = dict(Participant.objects.filter(role="r").values_list("handle", "kind"))
    assert kinds == {
        "new@example.com": "unknown",
        "client@outside.example": "contact",
        "friend@gmail.com": "contact",
        "x@sub.example.com": "contact",
    }
    assert Finding.objects.get(kind="unmatched_identity").facts["handle"] == "new@example.com"
    assert Message.objects.get().contacts == ["client@outside.example", "friend@gmail.com", "x@sub.example.com"]


def test_the_firms_domains_are_what_the_mapping_says(deliver):
    deliver(mail(To="a@firm.example, b@example.com"), mapping={"own_domains": ["Firm.example"]})
    assert dict(Participant.objects.filter(role="r").values_list("handle", "kind")) == {
        "a@firm.example": "unknown",
        "b@example.com": "contact",
    }


def test_the_staff_lists_domains_are_read_once_a_run(deliver, monkeypatch):
    services.get_source("journal", terms=services.Terms("mail"))
    services.sync_identities(by="system:test")
    read = []
    domains_of = rules.domains_of
    monkeypatch.setattr(identities.rules, "domains_of", lambda addresses: (read.append(1), domains_of(addresses))[1])
    monkeypatch.setattr(running, "BATCH_LINES", 2)
    deliver(mbox(mail(Message_ID=f"<{n}@x>") for n in range(9)))
    assert read == [1]


def test_a_stranger_by_address_is_matched_when_hr_tells(deliver, make_employee):
    deliver(mail(From="new@example.com", To="client@outside.example"))
    assert not Record.objects.exists()
    person = make_employee(email="New@example.com")
    services.refresh_findings()
    assert Record.objects.get(employee=person).client_sent == 1
    assert (Unmatched.objects.count(), Finding.objects.open().filter(kind="unmatched_identity").count()) == (0, 0)


def test_a_leavers_address_means_nobody_after_the_last_day(deliver, two_people):
    Employee.objects.filter(pk=two_people[0].pk).update(left_on="2026-10-11")
    deliver(mail())
    assert Participant.objects.get(role="s").kind == "unknown"


def test_a_long_address_is_matched_all_the_same(deliver, make_employee):
    long = f"{'x' * 60}.{'y' * 60}@{'z' * 40}.example.com"
    person = make_employee(email=long)
    deliver(mail(From=long))
    assert Participant.objects.get(role="s").employee == person


NUMBERS = "message_id,sent_at,sender\n1,2026-10-12T01:00:00Z,318\n2,2026-10-12T01:00:00Z,7\n3,2026-10-12T01:00:00Z,42\n"


def test_a_number_that_lost_its_zeros_is_matched_where_it_can_be_one_person_only(deliver, make_employee):
    people = {handle: make_employee(wecom_userid=handle) for handle in ("000318", "007", "0007", "0042", "42")}
    deliver(NUMBERS.encode(), "a.csv", source="table", kind="csv")
    found = dict(Participant.objects.values_list("handle", "employee"))
    assert found == {"318": people["000318"].pk, "7": None, "42": people["42"].pk}


def test_zeros_are_looked_for_in_tables_only(deliver, make_employee):
    make_employee(wecom_userid="000318")
    deliver(json.dumps(line(1, sender="318")).encode(), "a.jsonl", source="puller", kind="wecom")
    assert Participant.objects.get(role="s").kind == "unknown"


def test_a_number_that_lost_its_zeros_is_matched_when_hr_tells_and_let_go_when_there_are_two(deliver, make_employee):
    deliver(NUMBERS.encode(), "a.csv", source="table", kind="csv")
    person = make_employee(wecom_userid="000318")
    services.refresh_findings()
    assert Participant.objects.get(handle="318").employee == person
    assert "318" not in Unmatched.objects.values_list("handle", flat=True)
    make_employee(wecom_userid="0000318")
    services.refresh_findings()
    assert Participant.objects.get(handle="318").kind == "unknown"
    assert "318" in Unmatched.objects.values_list("handle", flat=True)
