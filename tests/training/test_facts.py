from datetime import date, timedelta

import pytest
import time_machine

from training import rules, services
from training.facts import ModuleMark
from training.rules import State, TrainingFacts

TODAY = date(2030, 3, 15)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


def test_everybody_asked_for_is_in_the_answer(make_employee, make_edition):
    make_edition()
    person = make_employee()
    assert services.facts_for([person.pk]) == {person.pk: TrainingFacts()}


def test_without_any_course_nobody_has_facts(make_employee):
    person = make_employee()
    assert services.facts_for([person.pk]) == {person.pk: TrainingFacts()}
    assert services.module_marks([person.pk]) == {person.pk: []}
    assert services.module_titles() == []


def test_facts_follow_a_person_from_assignment_to_completion_to_renewal(
    make_assignment, finish_lessons, complete_course
):
    assignment = make_assignment(due_on=TODAY + 40 * DAY)
    person = assignment.employee_id

    def facts() -> TrainingFacts:
        return services.facts_for([person])[person]

    assert facts() == TrainingFacts(due_on=TODAY + 40 * DAY)
    finish_lessons(assignment)
    assert facts() == TrainingFacts(due_on=TODAY + 40 * DAY, has_begun=True)
    complete_course(assignment)
    assert facts() == TrainingFacts(expires_on=date(2031, 3, 14))
    services.assign(employee=assignment.employee, course=assignment.course, due_on=date(2031, 3, 14), by="system:test")
    assert facts() == TrainingFacts(due_on=date(2031, 3, 14), expires_on=date(2031, 3, 14))


def test_the_completion_that_lasts_longest_counts(make_assignment, complete_course, clock):
    first = make_assignment()
    complete_course(first)
    clock.move_to("2030-09-01T04:00:00Z")
    complete_course(make_assignment(first.employee, first.course))
    assert services.facts_for([first.employee_id])[first.employee_id].expires_on == date(2031, 8, 31)


def test_exemptions_are_among_the_facts(make_employee, make_edition):
    person, boss, course = make_employee(), make_employee(), make_edition().course
    services.exempt(
        employee=person, course=course, reason="Leave", starts_on=TODAY, ends_on=TODAY + DAY,
        approved_by=boss, by=boss.uid,
    )  # fmt: skip
    facts = services.facts_for([person.pk])[person.pk]
    assert rules.training_state(facts, TODAY) == State.EXEMPT
    assert rules.next_change_on(facts, TODAY) == TODAY + 2 * DAY


def test_the_course_of_the_oldest_active_rule_is_the_one_that_permits(make_edition):
    make_edition()
    ruled = make_edition().course
    services.set_rule(course=ruled, name="All", due_days=30, starts_on=TODAY, by="system:test")
    assert services.permit_course() == ruled


def test_marks_stand_in_the_order_of_the_modules(make_assignment, make_edition, finish_lessons, take_quiz):
    edition = make_edition(modules=3)
    assignment = make_assignment(course=edition.course)
    first, second, _third = edition.modules.all()
    finish_lessons(assignment, first)
    finish_lessons(assignment, second)
    take_quiz(assignment, first)
    person = assignment.employee_id
    assert services.module_titles() == ["Module 1", "Module 2", "Module 3"]
    marks = services.module_marks([person])[person]
    assert marks == [ModuleMark(100, is_begun=True), ModuleMark(None, is_begun=True), ModuleMark()]
    assert [(mark.tone, mark.label) for mark in marks] == [("good", "100%"), ("warn", "begun"), ("none", "–")]


def test_a_renewal_that_nobody_has_opened_does_not_hide_what_was_passed(make_assignment, complete_course):
    first = make_assignment()
    complete_course(first)
    make_assignment(first.employee, first.course)
    marks = services.module_marks([first.employee_id])[first.employee_id]
    assert [mark.percent for mark in marks] == [100, 100]


def test_the_history_tells_every_cycle_newest_first(make_assignment, complete_course, clock):
    first = make_assignment(due_on=TODAY + DAY)
    complete_course(first)
    clock.move_to("2030-09-01T04:00:00Z")
    make_assignment(first.employee, first.course)
    newest, oldest = services.history_of(first.employee)
    assert (newest.cycle, newest.completed_on, newest.percent) == (2, None, None)
    assert (oldest.completed_on, oldest.expires_on, oldest.percent) == (TODAY, date(2031, 3, 14), 100)
    assert newest.title == oldest.title == first.course.current.title["en"]


@pytest.mark.parametrize("ask", [services.facts_for, services.module_marks])
def test_ten_people_cost_as_many_queries_as_one(make_assignment, make_edition, complete_course, count_queries, ask):
    course = make_edition().course
    people = [complete_course(make_assignment(course=course)).employee_id for _ in range(10)]
    assert count_queries(lambda: ask(people)) == count_queries(lambda: ask(people[:1]))
    assert len(ask(people)) == 10


def test_a_history_of_three_cycles_costs_as_many_queries_as_one_of_one(make_assignment, complete_course, count_queries):
    first = make_assignment()
    complete_course(first)
    one = count_queries(lambda: services.history_of(first.employee))
    complete_course(make_assignment(first.employee, first.course))
    complete_course(make_assignment(first.employee))
    assert count_queries(lambda: services.history_of(first.employee)) == one
