"""Who above a late person is told, and when that stops."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from portal.ledger.models import Entry
from portal.people.models import Leave
from portal.reminders import handling
from portal.reminders.models import Digest, Handled
from portal.standing import nudges
from portal.standing import services as standing
from tests import studying
from tests.reminders.conftest import at, go, monday, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(owing, make_employee, make_office):
    """Ann, due on MONDAY, under Bob under Cleo under Dan; the managers owe nothing."""
    office = make_office(code="hq")
    dan = make_employee(name_en="Dan", office=office)
    cleo = make_employee(name_en="Cleo", manager=dan, office=office)
    bob = make_employee(name_en="Bob", manager=cleo, office=office)
    ann = owing(due_in=0, name_en="Ann", manager=bob)
    return {"ann": ann, "bob": bob, "cleo": cleo, "dan": dan}


def told(line: dict, days: range) -> dict[str, list[int]]:
    """Let the days go by; return on which of them each manager is told of somebody."""
    for day in days:
        go(day)
    found = {name: [] for name in line}
    names = {one.pk: name for name, one in line.items()}
    for digest in Digest.objects.order_by("on"):
        if digest.content["people"]:
            found[names[digest.employee_id]].append((digest.on - monday()).days)
    return found


def test_the_manager_is_told_after_five_working_days_and_the_next_after_ten(postman, line):
    found = told(line, range(22))
    assert found == {"ann": [], "bob": [7, 14, 21], "cleo": [14, 21], "dan": []}
    [mail, *_later] = [one for one in postman.read if one["To"] == line["bob"].email]
    assert "Ann" in text_of(mail)
    assert "was due on 9 November 2026, 7 days ago" in text_of(mail)
    assert "/reminders/late/" in text_of(mail)


def test_it_stops_at_who_reminded_and_they_alone_are_told_again(postman, line):
    with time_machine.travel(at(-1), tick=False):
        standing.catch_up()
    told(line, range(8))
    with time_machine.travel(at(8), tick=False):
        standing.catch_up()
        nudges.remind(employee=line["ann"], by=line["bob"])
    assert told(line, range(8, 30)) == {"ann": [], "bob": [7, 15, 22, 29], "cleo": [], "dan": []}


def test_it_stops_at_who_looks_after_it_and_when_it_is_done(postman, line, sign_in):
    told(line, range(15))
    with time_machine.travel(at(15), tick=False):
        client = sign_in(line["cleo"])
        assert "Ann" in client.get(reverse("reminders:late_people")).text
        client.post(reverse("reminders:handle", args=[line["ann"].uid]))
        client.post(reverse("reminders:handle", args=[line["ann"].uid]))
        page = client.get(reverse("reminders:late_people")).text
    assert "looks after it since" in page
    assert (Handled.objects.count(), Entry.objects.filter(verb="reminders.handled").count()) == (1, 1)
    assert told(line, range(15, 23)) == {"ann": [], "bob": [7, 14], "cleo": [14, 22], "dan": []}
    with time_machine.travel(at(23), tick=False):
        studying.complete(line["ann"].assignments.get())
    assert told(line, range(24, 50))["cleo"] == [14, 22]


def test_what_was_done_before_somebody_was_late_stops_nothing(postman, line):
    with time_machine.travel(at(0), tick=False):
        handling.handle(employee=line["ann"], by=line["bob"])
    assert told(line, range(15))["cleo"] == [14]


def test_nobody_is_told_of_who_is_away_or_gone(postman, line):
    Leave.objects.create(employee=line["ann"], first_on=monday() + timedelta(5), last_on=monday() + timedelta(12))
    assert told(line, range(13))["bob"] == []
    line["ann"].left_on = monday() + timedelta(13)
    line["ann"].save()
    assert told(line, range(14, 30))["bob"] == []


def test_a_manager_gets_one_digest_with_their_own_and_their_peoples(postman, line, owing):
    bob = line["bob"]
    with time_machine.travel(at(-30), tick=False):
        studying.assign(bob, due_on=monday() + timedelta(7))
    told(line, range(8))
    digest = Digest.objects.get(employee=bob, on=monday() + timedelta(7))
    assert (len(digest.content["items"]), len(digest.content["people"])) == (1, 1)


def test_only_who_is_above_may_say_that_they_look_after_it(line, sign_in, make_employee):
    stranger = make_employee()
    make_employee(manager=stranger)
    for who in (stranger, line["ann"]):
        assert sign_in(who).post(reverse("reminders:handle", args=[line["ann"].uid])).status_code == 404
    assert not Handled.objects.exists()
