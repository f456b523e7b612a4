"""Two moves at the same moment. Both databases: SQLite serialises the writers, PostgreSQL needs the locks."""

import pytest

from portal.people import rules, services
from portal.people.models import ReportingLine
from tests.quizzes.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def kept_lines() -> set[tuple[int, int, int]]:
    return set(ReportingLine.objects.values_list("manager", "report", "depth"))


def assert_lines_are_what_the_managers_say() -> None:
    kept = kept_lines()
    services.rebuild_reporting_lines()  # raises for a circle
    assert kept_lines() == kept


@pytest.mark.parametrize("_round", range(4))
def test_two_people_put_under_each_other_at_once_make_no_circle(make_employee, _round):
    top = make_employee()
    one, other = make_employee(manager=top), make_employee(manager=top)
    said = at_once(
        lambda: services.set_manager(employee=one, manager=other, by="system:test"),
        lambda: services.set_manager(employee=other, manager=one, by="system:test"),
    )
    assert sorted(type(answer).__name__ for answer in said) == [rules.ManagerCycle.__name__, "NoneType"]
    assert_lines_are_what_the_managers_say()


@pytest.mark.parametrize("_round", range(4))
def test_who_moves_away_while_the_manager_moves_is_not_taken_along(make_employee, _round):
    moved = make_employee(manager=make_employee())
    leaf, elsewhere, new_home = make_employee(manager=moved), make_employee(), make_employee()
    said = at_once(
        lambda: services.set_manager(employee=moved, manager=new_home, by="system:test"),
        lambda: services.set_manager(employee=leaf, manager=elsewhere, by="system:test"),
    )
    assert said == [None, None]
    assert_lines_are_what_the_managers_say()
