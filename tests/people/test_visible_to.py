import pytest

from portal.people import rules, services
from portal.people.models import Employee, ReportingLine


@pytest.fixture
def line(make_employee):
    """Head over middle over leaf, with a peer beside the leaf and a stranger outside."""
    head = make_employee(name_en="Head")
    middle = make_employee(name_en="Middle", manager=head)
    leaf = make_employee(name_en="Leaf", manager=middle)
    peer = make_employee(name_en="Peer", manager=middle)
    other = make_employee(name_en="Other")
    return head, middle, leaf, peer, other


def seen_by(viewer: Employee) -> set[str]:
    return set(Employee.objects.visible_to(viewer).values_list("name_en", flat=True))


def test_an_employee_sees_themselves_alone(line):
    assert seen_by(line[2]) == {"Leaf"}


def test_a_manager_sees_everybody_below_at_any_depth(line):
    assert seen_by(line[0]) == {"Head", "Middle", "Leaf", "Peer"}
    assert seen_by(line[1]) == {"Middle", "Leaf", "Peer"}


@pytest.mark.parametrize("role", ["HR", "Compliance", "Auditor"])
def test_hr_compliance_and_auditors_see_everybody(line, make_employee, role):
    viewer = make_employee(name_en="Viewer", roles=(role,))
    assert seen_by(viewer) == {"Head", "Middle", "Leaf", "Peer", "Other", "Viewer"}


def test_an_author_sees_no_more_than_anybody(make_employee, line):
    assert seen_by(make_employee(name_en="Writer", roles=("Author",))) == {"Writer"}


def test_a_suspended_manager_sees_nobody(line):
    services.set_active(employee=line[1], active=False, by="system:test", reason="left")
    assert seen_by(Employee.objects.get(pk=line[1].pk)) == set()


def test_a_person_who_moves_takes_everybody_below_along(line):
    head, middle, leaf, _peer, other = line
    services.set_manager(employee=middle, manager=other, by="system:test")
    assert seen_by(head) == {"Head"}
    assert seen_by(other) == {"Other", "Middle", "Leaf", "Peer"}
    assert ReportingLine.objects.get(manager=other, report=leaf).depth == 2


def test_a_circle_of_managers_is_refused(line):
    with pytest.raises(rules.ManagerCycle):
        services.set_manager(employee=line[0], manager=line[2], by="system:test")


def test_rebuilding_gives_the_lines_that_moving_had_kept(line):
    head, middle, leaf, _, other = line
    services.set_manager(employee=leaf, manager=other, by="system:test")
    services.set_manager(employee=other, manager=middle, by="system:test")
    kept = set(ReportingLine.objects.values_list("manager", "report", "depth"))
    services.rebuild_reporting_lines()
    assert set(ReportingLine.objects.values_list("manager", "report", "depth")) == kept
    assert (head.pk, leaf.pk, 3) in kept


def test_lines_of_a_circle_cannot_be_computed():
    with pytest.raises(rules.ManagerCycle):
        list(rules.reporting_lines({1: 2, 2: 3, 3: 1}))
