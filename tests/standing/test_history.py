"""What was so at a past date: asked again, it is the same, whatever has happened since."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from portal.people import services as people
from portal.standing import history, services
from portal.standing.models import Standing, StandingChange
from tests import studying

pytestmark = pytest.mark.django_db


def on(text: str) -> time_machine.travel:
    return time_machine.travel(f"{text}T10:00:00+08:00", tick=False)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T12:00:00+08:00")


def move(employee, manager) -> None:
    people.set_manager(employee=employee, manager=manager, by="system:test")
    services.catch_up()


@pytest.fixture
def firm(make_employee) -> dict:
    """Ann over Bea over Cy and Di, in March; in April Cy moves to Eve and Di leaves; in May Cy is trained."""
    with on("2026-03-02"):
        ann, eve = make_employee(name_en="Ann"), make_employee(name_en="Eve")
        bea = make_employee(name_en="Bea", manager=ann)
        cy, di = make_employee(name_en="Cy", manager=bea), make_employee(name_en="Di", manager=bea)
        services.catch_up()
    with on("2026-04-02"):
        move(cy, eve)
        di.left_on = timezone.localdate()
        di.save()
    with on("2026-04-03"):
        Standing.objects.filter(employee=di).update(next_change_at=timezone.now())
        services.catch_up()
    with on("2026-05-02"):
        studying.complete(studying.assign(cy))
        services.catch_up()
    return {"ann": ann, "bea": bea, "cy": cy, "di": di, "eve": eve}


def team(firm: dict, manager: str, day: str) -> list[str]:
    names = {one.pk: name for name, one in firm.items()}
    return sorted(names[pk] for pk in history.team_at(firm[manager], moment(day)).people)


def test_a_team_is_asked_as_it_was(firm):
    assert team(firm, "ann", "2026-03-10") == ["bea", "cy", "di"]
    assert team(firm, "bea", "2026-03-10") == ["cy", "di"]
    assert team(firm, "bea", "2026-04-10") == []
    assert team(firm, "eve", "2026-03-10") == []
    assert team(firm, "eve", "2026-04-10") == ["cy"]


def test_the_firm_is_counted_as_it_was(firm):
    march, april, may = (history.firm_at(moment(day)) for day in ("2026-03-10", "2026-04-10", "2026-05-10"))
    assert (march.count, march.barred) == (5, 5)
    assert (april.count, april.barred) == (4, 4)
    assert (may.count, may.barred, may.by_state["current", "no_data"]) == (4, 3, 1)
    assert history.firm_at(moment("2026-01-01")).count == 0


def test_the_answer_for_a_past_date_never_changes(firm):
    before = {day: history.firm_at(moment(day)) for day in ("2026-03-10", "2026-04-10", "2026-05-10")}
    teams = {day: team(firm, "ann", day) for day in before}
    with on("2026-06-02"):
        move(firm["cy"], firm["ann"])
        studying.assign(firm["bea"])
        services.catch_up()
    assert {day: history.firm_at(moment(day)) for day in before} == before
    assert {day: team(firm, "ann", day) for day in before} == teams
    assert team(firm, "ann", "2026-06-10") == ["bea", "cy"]


def test_a_move_alone_is_a_change_with_its_entry(firm):
    moved = StandingChange.objects.filter(employee=firm["cy"]).order_by("at")[1]
    assert (moved.manager, moved.training_state) == (firm["eve"], "not_assigned")
    assert Standing.objects.get(employee=firm["cy"]).entry_seq > moved.entry_seq


def test_who_has_left_may_not_message(firm):
    standing = Standing.objects.get(employee=firm["di"])
    assert (standing.is_on_staff, standing.may_message, [one["code"] for one in standing.reasons]) == (
        False,
        False,
        ["not_on_staff"],
    )


def test_of_two_changes_at_one_moment_the_later_counts(firm):
    with on("2026-07-01"):
        move(firm["cy"], None)
        move(firm["cy"], firm["bea"])
    assert team(firm, "bea", "2026-07-01") == ["cy"]


def test_the_day_after_the_last_one_is_known_beforehand(make_employee):
    with on("2026-03-02"):
        leaver = make_employee(left_on=timezone.localdate() + timedelta(days=3))
        services.catch_up()
        assert str(timezone.localdate(Standing.objects.get(employee=leaver).next_change_at)) == "2026-03-06"
