"""What is decided about a finding is decided about its hole or its handle, and the other way round."""

import pytest

from archive import services
from archive.models import Finding, Hole, Participant, Robot, Unmatched
from tests.archive.conftest import CLIENT, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",))


@pytest.fixture
def feed(run_import, write_feed) -> None:
    """Numbers 2 to 4 are missing, and the handle desk means nobody."""
    run_import(write_feed([line(1, sender="desk", to=(CLIENT,)), line(5, sender="desk", to=(CLIENT,))]))


def close(kind: str, how: str, officer, decision: str = "closed") -> Finding:
    finding = Finding.objects.select_related("source").get(kind=kind)
    return services.review_finding(finding=finding, decision=decision, how=how, reason="looked", reviewer=officer)


@pytest.mark.parametrize(("how", "state"), [("lost", "confirmed"), ("explained", "explained")])
def test_a_finding_about_a_hole_that_closes_settles_the_hole(feed, officer, how, state):
    finding = close("hole", how, officer)
    assert (finding.state, finding.closed_how, finding.decided_by) == ("closed", how, officer)
    assert Hole.objects.get().state == state


def test_a_hole_that_is_confirmed_and_open_is_settled_too(feed, officer):
    close("hole", "", officer, decision="confirmed")
    assert Hole.objects.get().state == "suspected"
    assert close("hole", "lost", officer).state == "closed"
    assert Hole.objects.get().state == "confirmed"


def test_a_hole_that_is_gone_or_settled_meanwhile_leaves_the_finding_to_be_closed(feed, officer):
    Hole.objects.update(state="explained")
    assert close("hole", "lost", officer).closed_how == "lost"
    assert Hole.objects.get().state == "explained"


def test_a_way_that_no_hole_closes_in_is_refused(feed, officer):
    with pytest.raises(services.WrongWay):
        close("hole", "declared", officer)
    assert Hole.objects.get().state == "suspected"


def test_a_handle_that_is_no_person_is_declared_from_its_finding(feed, officer):
    finding = close("unmatched_identity", "not_a_person", officer)
    assert (finding.state, finding.closed_how, finding.closed_why) == ("closed", "not_a_person", "looked")
    robot = Robot.objects.get()
    assert (robot.handle, robot.channel, robot.reason, robot.declared_by) == ("desk", "wecom", "looked", officer)
    assert not Unmatched.objects.exists()
    assert set(Participant.objects.filter(handle="desk").values_list("kind", flat=True)) == {"robot"}


def test_without_a_reason_nothing_is_declared(feed, officer):
    finding = Finding.objects.get(kind="unmatched_identity")
    with pytest.raises(services.ReasonMissing):
        services.review_finding(finding=finding, decision="closed", how="not_a_person", reason=" ", reviewer=officer)
    assert not Robot.objects.exists()


def test_what_another_has_taken_on_is_left_to_them(feed, officer, make_employee):
    other = make_employee(roles=("Compliance",))
    for finding in Finding.objects.all():
        services.claim_finding(finding=finding, reviewer=other)
    for kind, how in (("unmatched_identity", "not_a_person"), ("hole", "lost")):
        with pytest.raises(services.SomebodyElses):
            close(kind, how, officer)
    assert (Robot.objects.count(), Hole.objects.get().state) == (0, "suspected")
