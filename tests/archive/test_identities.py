from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from archive import services
from archive.models import Finding, Identity, Message, Participant, Record, Unmatched
from portal.people.models import Employee
from tests.archive.conftest import CLIENT, at, line

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


def sync(now: datetime | None = None) -> None:
    services.sync_identities(by="system:test", now=now)


def test_hrs_userids_become_identities_once(make_employee):
    make_employee(wecom_userid="ChenHao")
    make_employee(wecom_userid="")
    make_employee(wecom_userid="outsider", employee_no=None)
    sync()
    sync()
    identity = Identity.objects.get()
    assert (identity.handle, identity.handle_folded, identity.valid_from, identity.valid_to) == (
        "ChenHao",
        "chenhao",
        None,
        None,
    )


def test_a_userid_that_is_given_to_somebody_new_means_them_from_then_on(make_employee, run_import, write_feed):
    first = make_employee(wecom_userid="desk")
    moment = datetime(2026, 10, 14, tzinfo=UTC)
    sync(moment - timedelta(days=30))
    Employee.objects.filter(pk=first.pk).update(wecom_userid="")
    second = make_employee(wecom_userid="Desk")
    sync(moment)
    run_import(write_feed([line(1, sender="desk", sent=at(13)), line(2, sender="desk", sent=at(15))]))
    senders = Participant.objects.filter(role="s").order_by("sent_at").values_list("employee", flat=True)
    assert list(senders) == [first.pk, second.pk]


def test_a_leavers_userid_means_nobody_after_the_last_day(make_employee, run_import, write_feed):
    make_employee(wecom_userid="desk", left_on=date(2026, 10, 13))
    make_employee(wecom_userid="zhangwei")
    counts = run_import(write_feed([line(1, sender="desk", sent=at(13, 23)), line(2, sender="desk", sent=at(14, 9))]))
    kinds = Participant.objects.filter(role="s").order_by("sent_at").values_list("kind", flat=True)
    assert (list(kinds), counts["unmatched"]) == (["employee", "unknown"], ["desk"])


def test_a_leaver_who_comes_back_is_matched_again(make_employee):
    person = make_employee(wecom_userid="desk", left_on=date(2026, 10, 13))
    sync()
    assert Identity.objects.get().valid_to == datetime(2026, 10, 13, 16, tzinfo=UTC)
    Employee.objects.filter(pk=person.pk).update(left_on=None)
    sync()
    assert Identity.objects.get().valid_to is None


def test_a_userid_that_hr_takes_away_ends_now(make_employee):
    person = make_employee(wecom_userid="desk")
    sync()
    Employee.objects.filter(pk=person.pk).update(wecom_userid="")
    before = timezone.now()
    sync()
    assert Identity.objects.get().valid_to >= before


def test_the_database_refuses_two_meanings_at_once(make_employee):
    make_employee(wecom_userid="desk")
    sync()
    with pytest.raises(IntegrityError), transaction.atomic():
        Identity.objects.create(handle="desk", handle_folded="desk", employee=make_employee())


def test_a_stranger_who_turns_up_on_hrs_list_is_matched_back_to_the_first_message(
    make_employee, run_import, write_feed
):
    zhang = make_employee(wecom_userid="zhangwei")
    feed = [line(1, "加我个人微信聊", sender="SunYan", to=(CLIENT,)), line(2, sender="sunyan", to=("zhangwei",))]
    counts = run_import(write_feed(feed))
    assert counts["unmatched"] == ["SunYan"]
    finding = Finding.objects.get(kind="unmatched_identity")
    assert (finding.facts["messages"], finding.facts["talked_with"]) == (2, [zhang.uid])
    sun = make_employee(wecom_userid="sunyan")
    services.refresh_findings()
    finding.refresh_from_db()
    assert (finding.state, Unmatched.objects.count()) == ("closed", 0)
    assert Record.objects.get(employee=sun, month=OCTOBER).sent == 2
    assert Message.objects.get(seq=1).sender_kind == "employee"
    assert Finding.objects.get(kind="off_channel").employee == sun


def test_a_handle_that_means_nobody_again_is_told_again(make_employee, run_import, write_feed):
    person = make_employee(wecom_userid="zhangwei")
    run_import(write_feed([line(1, sender="desk", sent=at(12))]))
    leaver = make_employee(wecom_userid="desk")
    services.refresh_findings()
    Employee.objects.filter(pk=leaver.pk).update(left_on=date(2026, 10, 13))
    run_import(write_feed([line(2, sender="desk", sent=at(14)), line(3, sender=person.wecom_userid)], "later.jsonl"))
    told = Finding.objects.filter(kind="unmatched_identity").order_by("pk").values_list("state", "about_on")
    assert list(told) == [("closed", date(2026, 10, 12)), ("new", date(2026, 10, 14))]


def test_what_a_leavers_account_did_after_the_last_day_is_told_when_hr_says_so(make_employee, run_import, write_feed):
    leaver = make_employee(wecom_userid="desk")
    make_employee(wecom_userid="zhangwei")
    run_import(write_feed([line(1, sender="desk", sent=at(13)), line(2, sender="desk", sent=at(15))]))
    assert not Unmatched.objects.exists()
    Employee.objects.filter(pk=leaver.pk).update(left_on=date(2026, 10, 13))
    services.refresh_findings()
    assert Unmatched.objects.get().handle == "desk"
    finding = Finding.objects.get(kind="unmatched_identity")
    assert (finding.about_on, finding.facts["messages"]) == (date(2026, 10, 15), 1)


def test_the_staff_list_goes_before_the_shape_of_a_handle(make_employee, run_import, write_feed):
    odd = "wmLooksLikeAContactButIsNone0001"
    make_employee(wecom_userid="zhangwei")
    run_import(write_feed([line(1, sender="zhangwei", to=(odd,))]))
    message = Message.objects.get()
    assert (message.is_external, message.contacts) == (True, [odd])
    make_employee(wecom_userid=odd)
    services.refresh_findings()
    message.refresh_from_db()
    assert (message.is_external, message.contacts) == (False, [])
    assert set(Record.objects.values_list("client_captured", flat=True)) == {0}
