from datetime import date, timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import IntegrityError, transaction

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from training import services
from training.models import Assignment, Exemption, Rule

TODAY = date(2030, 3, 15)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def make_rule(make_edition):
    def make(course=None, **fields) -> Rule:
        dull = {"name": "Everybody", "due_days": 30, "starts_on": TODAY}
        return services.set_rule(course=course or make_edition().course, **(dull | fields), by="system:test")

    return make


def said(verb: str) -> list[dict]:
    return [ledger.body_of(entry) for entry in Entry.objects.filter(verb=verb)]


def test_assigning_writes_the_first_cycle_and_its_entry(make_employee, make_edition):
    employee, course = make_employee(), make_edition().course
    assignment = services.assign(employee=employee, course=course, due_on=TODAY + 30 * DAY, by="system:test")
    assert (assignment.cycle, assignment.assigned_on, assignment.edition) == (1, TODAY, None)
    entry = Entry.objects.get(verb="training.assigned")
    assert entry.subject == employee.uid
    assert ledger.body_of(entry) == {"course": course.slug, "cycle": 1, "due_on": "2030-04-14", "rule": None}


def test_assigning_what_is_open_changes_nothing(make_assignment):
    first = make_assignment(due_on=TODAY + 3 * DAY)
    again = services.assign(employee=first.employee, course=first.course, due_on=TODAY + 90 * DAY, by="system:test")
    assert (again.pk, again.due_on) == (first.pk, TODAY + 3 * DAY)
    assert len(said("training.assigned")) == 1


def test_after_a_completion_the_next_assignment_is_the_next_cycle(make_assignment, complete_course):
    first = make_assignment()
    complete_course(first)
    assert make_assignment(first.employee, first.course).cycle == 2


def test_assigning_rings_for_the_standings_after_the_commit(
    make_employee, make_edition, bells, django_capture_on_commit_callbacks
):
    employee, course = make_employee(), make_edition().course
    with django_capture_on_commit_callbacks(execute=True):
        services.assign(employee=employee, course=course, due_on=TODAY, by="system:test")
        assert bells == []
    assert bells == [(settings.STANDING_CATCH_UP_TASK, [])]


def test_a_broker_that_is_away_stops_nothing(
    make_employee, make_edition, monkeypatch, caplog, django_capture_on_commit_callbacks
):
    def away(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr("celery.current_app.send_task", away, raising=False)
    with django_capture_on_commit_callbacks(execute=True):
        services.assign(employee=make_employee(), course=make_edition().course, due_on=TODAY, by="system:test")
    assert Assignment.objects.count() == 1
    assert "could not ring" in caplog.text


def test_a_rule_assigns_everybody_on_staff_and_nobody_else(make_rule, make_employee):
    here = make_employee(joined_on=TODAY)
    make_employee(employee_no=None)
    make_employee(left_on=TODAY - DAY)
    make_employee(is_active=False)
    make_employee(joined_on=TODAY + DAY)
    make_rule()
    assert services.apply_rules(today=TODAY) == 1
    assert [a.employee for a in Assignment.objects.all()] == [here]
    assert Assignment.objects.get().due_on == TODAY + 30 * DAY


def test_applying_rules_twice_assigns_nobody_twice(make_rule, make_employee):
    make_employee()
    make_rule()
    assert [services.apply_rules(today=TODAY), services.apply_rules(today=TODAY)] == [1, 0]


@pytest.mark.parametrize("fields", [{"is_active": False}, {"starts_on": TODAY + DAY}])
def test_a_rule_that_is_ended_or_not_begun_assigns_nobody(make_rule, make_employee, fields):
    make_employee()
    make_rule(**fields)
    assert services.apply_rules(today=TODAY) == 0


def test_who_is_exempt_is_not_assigned_until_the_exemption_ends(make_rule, make_employee):
    rule = make_rule()
    person, boss = make_employee(), make_employee(employee_no=None)
    services.exempt(
        employee=person, course=rule.course, reason="On leave", starts_on=TODAY, ends_on=TODAY + 9 * DAY,
        approved_by=boss, by=boss.uid,
    )  # fmt: skip
    assert services.apply_rules(today=TODAY + 9 * DAY) == 0
    assert services.apply_rules(today=TODAY + 10 * DAY) == 1
    [entry] = said("training.exempted")
    assert (entry["reason"], entry["ends_on"], entry["approved_by"]) == ("On leave", "2030-03-24", boss.uid)


def test_nobody_approves_their_own_exemption(make_employee, make_edition):
    person, course = make_employee(), make_edition().course
    with pytest.raises(IntegrityError), transaction.atomic():
        services.exempt(
            employee=person, course=course, reason="Busy", starts_on=TODAY, ends_on=TODAY,
            approved_by=person, by=person.uid,
        )  # fmt: skip
    assert Exemption.objects.count() == 0
    assert said("training.exempted") == []


def test_a_renewal_is_assigned_thirty_days_before_the_completion_lapses(
    make_rule, make_employee, make_assignment, complete_course
):
    rule = make_rule()
    completion = complete_course(make_assignment(make_employee(), rule.course))
    last_day = completion.expires_on
    assert services.apply_rules(today=last_day - 31 * DAY) == 0
    with time_machine.travel(f"{last_day - 30 * DAY}T04:00:00Z", tick=False):
        assert services.apply_rules(today=last_day - 30 * DAY) == 1
        assert services.apply_rules(today=last_day - 30 * DAY) == 0
    renewal = Assignment.objects.get(cycle=2)
    assert (renewal.due_on, renewal.rule) == (last_day, rule)


def test_an_unchanged_rule_writes_no_entry_and_a_changed_one_does(make_rule):
    rule = make_rule()
    make_rule(rule.course)
    assert len(said("training.rule_set")) == 1
    make_rule(rule.course, due_days=14)
    assert [entry["due_days"] for entry in said("training.rule_set")] == [30, 14]
    assert Rule.objects.get().due_days == 14


def test_many_people_are_assigned_in_batches(make_rule, make_employee, monkeypatch):
    monkeypatch.setattr("training.assignments.BATCH", 2)
    for _ in range(5):
        make_employee()
    make_rule()
    assert services.apply_rules(today=TODAY) == 5
    assert Assignment.objects.values("employee").distinct().count() == 5


def test_looking_again_when_nobody_owes_anything_costs_the_same_for_one_person_and_for_ten(
    make_rule, make_employee, count_queries
):
    make_rule()
    make_employee()
    services.apply_rules(today=TODAY)
    one = count_queries(lambda: services.apply_rules(today=TODAY))
    for _ in range(9):
        make_employee()
    services.apply_rules(today=TODAY)
    assert count_queries(lambda: services.apply_rules(today=TODAY)) == one
