from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from archive import rules as archive_rules
from portal.ledger.models import Entry
from portal.standing import rules, services
from portal.standing.models import Standing, StandingChange
from tests import studying

pytestmark = pytest.mark.django_db


def state_of(employee) -> tuple[str, str, bool]:
    standing = Standing.objects.get(employee=employee)
    return standing.training_state, standing.archive_state, standing.may_message


def test_the_words_for_the_archives_state_are_the_archives():
    assert {archive_rules.NO_DATA, archive_rules.CLEAN, archive_rules.ATTENTION, archive_rules.BREACH} == set(
        rules.ArchiveState
    )


def test_everybody_on_the_list_gets_a_standing_and_an_outside_auditor_none(make_employee):
    employee = make_employee()
    auditor = make_employee(employee_no=None, roles=("Auditor",))
    assert services.catch_up() == 1
    assert state_of(employee) == ("not_assigned", "no_data", False)
    assert not Standing.objects.filter(employee=auditor).exists()


def test_assignment_and_completion_change_it_and_each_change_is_an_entry(make_employee):
    employee = make_employee()
    services.catch_up()
    assignment = studying.assign(employee)
    services.catch_up()
    assert state_of(employee) == ("assigned", "no_data", True)
    studying.complete(assignment)
    services.catch_up()
    assert state_of(employee) == ("current", "no_data", True)
    changes = StandingChange.objects.filter(employee=employee).order_by("at")
    assert [change.training_state for change in changes] == ["not_assigned", "assigned", "current"]
    entries = Entry.objects.filter(subject=employee.uid, verb="standing.changed")
    assert [entry.seq for entry in entries] == [change.entry_seq for change in changes]


def test_nothing_new_writes_nothing(make_employee):
    studying.assign(make_employee())
    services.catch_up()
    entries = Entry.objects.count()
    assert services.catch_up() == 0
    assert Entry.objects.count() == entries


def test_only_people_to_whom_something_happened_are_looked_at(make_employee):
    one, _other = make_employee(), make_employee()
    services.catch_up()
    before = services.Look.objects.get().seq
    studying.assign(one)
    assert services.whom_the_log_names(after=before, upto=services.ledger.head_seq()) == [one.pk]
    assert services.who_else_waits(timezone.now(), most=10) == []


def test_a_due_date_that_passes_bars_by_itself(make_employee):
    employee = make_employee()
    with time_machine.travel("2026-03-01T10:00:00+08:00", tick=False):
        studying.assign(employee, due_on=date(2026, 3, 31))
        services.catch_up()
        assert state_of(employee)[2] is True
    with time_machine.travel("2026-03-31T23:59:00+08:00", tick=False):
        services.catch_up()
        assert state_of(employee) == ("due_soon", "no_data", True)
    with time_machine.travel("2026-04-01T00:01:00+08:00", tick=False):
        services.catch_up()
        assert state_of(employee) == ("overdue", "no_data", False)


def test_the_standing_of_a_past_moment_never_changes(make_employee):
    employee = make_employee()
    with time_machine.travel("2026-03-01T10:00:00+08:00", tick=False):
        studying.assign(employee, due_on=date(2026, 3, 31))
        services.catch_up()
        then = timezone.now()
    with time_machine.travel("2026-04-02T10:00:00+08:00", tick=False):
        services.catch_up()
        assert services.standing_at(employee=employee, moment=then).training_state == "assigned"
        assert services.standing_at(employee=employee, moment=timezone.now()).training_state == "overdue"
        assert services.standing_at(employee=employee, moment=then - timedelta(days=1)) is None


def test_a_completion_rings_for_the_standings(make_employee, bells, django_capture_on_commit_callbacks, settings):
    assignment = studying.assign(make_employee())
    bells.clear()
    with django_capture_on_commit_callbacks(execute=True):
        studying.complete(assignment)
    assert settings.STANDING_CATCH_UP_TASK in {name for name, _ in bells}


def test_everybody_under_a_new_policy_keeps_nobody_waiting_to_whom_something_happened(make_employee, monkeypatch):
    people = [make_employee() for _ in range(5)]
    services.catch_up()
    Standing.objects.update(policy_version="of old")
    studying.assign(people[-1])
    monkeypatch.setattr(services, "PIECE", 2)
    assert services.catch_up() == 3
    assert state_of(people[-1])[0] == "assigned"
    assert [services.catch_up() for _ in range(2)] == [2, 0]
    assert not Standing.objects.filter(policy_version="of old").exists()


def test_a_hundred_changes_cost_as_many_queries_as_ten(make_employee, count_queries):
    """On SQLite a statement takes so many values at most; a batch of ten and one of a hundred differ by those alone."""
    costs = []
    for n in (10, 100):
        ids = [make_employee().pk for _ in range(n)]
        costs.append(count_queries(lambda ids=ids: services.bring_up_to_date(employee_ids=ids, today=date(2026, 6, 1))))
    assert costs[1] - costs[0] <= 6
    assert StandingChange.objects.count() == 110


def test_a_hundred_people_cost_as_many_reads_as_ten(make_employee, count_queries):
    """The facts of a batch are read at once."""
    few = [make_employee().pk for _ in range(10)]
    services.bring_up_to_date(employee_ids=few, today=timezone.localdate())
    many = few + [make_employee().pk for _ in range(90)]
    services.bring_up_to_date(employee_ids=many, today=timezone.localdate())
    today = timezone.localdate()
    cost_of_few = count_queries(lambda: services.bring_up_to_date(employee_ids=few, today=today))
    assert count_queries(lambda: services.bring_up_to_date(employee_ids=many, today=today)) == cost_of_few
