import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from portal.demo import conduct, people, story

TODAY = date(2026, 11, 23)
STATES = {"not_assigned", "assigned", "in_progress", "current", "due_soon", "overdue", "expired", "exempt"}


@pytest.fixture(scope="module")
def firm() -> list[people.Person]:
    return people.everybody(TODAY)


def test_the_same_day_and_seed_give_the_same_people(firm):
    assert people.everybody(TODAY) == firm


def test_another_seed_gives_other_people(firm):
    assert people.everybody(TODAY, seed=1) != firm


def test_there_are_240_people_in_four_levels_and_three_offices(firm):
    assert len(firm) == 240
    assert Counter(person.level for person in firm) == {1: 1, 2: 6, 3: 30, 4: 203}
    assert {person.office for person in firm} == {"shanghai", "hong-kong", "new-york"}


def test_everybody_but_the_head_reports_to_somebody_one_level_up(firm):
    level = {person.number: person.level for person in firm}
    assert [person.level for person in firm if not person.manager] == [1]
    assert all(level[person.manager] == person.level - 1 for person in firm if person.manager)


def test_managers_stand_before_those_who_report_to_them(firm):
    seen: set[str] = {""}
    for person in firm:
        assert person.manager in seen
        seen.add(person.number)


def test_numbers_addresses_and_userids_are_one_persons(firm):
    for values in (
        [person.number for person in firm],
        [person.email for person in firm],
        [person.name_en for person in firm],
        [person.userid.casefold() for person in firm if person.userid],
    ):
        assert len(values) == len(set(values))


def test_names_come_in_both_scripts_and_one_is_very_long(firm):
    both = [person for person in firm if person.name_zh]
    assert 150 < len(both) < 240
    assert any("é" in person.name_en or "ñ" in person.name_en for person in firm)
    assert max(len(person.name_en) for person in firm) > 60


def test_one_userid_is_all_digits_and_begins_with_zeros(firm):
    assert "0000318" in {person.userid for person in firm}


@pytest.mark.parametrize("size", [24, 60, 240])
def test_a_firm_of_any_size_has_its_named_people(size):
    firm = people.everybody(TODAY, size)
    assert len(firm) == size
    assert {person.key for person in firm} - {""} == set(people.NAMED)


def test_a_firm_without_room_for_its_roles_is_refused():
    with pytest.raises(ValueError, match="at least 24"):
        people.everybody(TODAY, 23)


@pytest.mark.parametrize("size", [24, 240])
def test_every_training_state_is_planned(size):
    plans = story.plans(people.everybody(TODAY, size), TODAY)
    assert {plan.state for plan in plans.values()} == STATES


def test_most_people_are_current(firm):
    states = Counter(plan.state for plan in story.plans(firm, TODAY).values())
    assert states["current"] > 150


@pytest.mark.parametrize("today", [date(2026, 11, 23), date(2027, 1, 1), date(2028, 2, 29), date(2027, 5, 16)])
def test_nobody_does_anything_after_yesterday(today):
    plans = story.plans(people.everybody(today), today)
    last = max(step.at for plan in plans.values() for step in story.steps(plan, [5] * 6))
    # Midnight in Shanghai is 16:00 of the day before in UTC.
    assert last < datetime(today.year, today.month, today.day, tzinfo=UTC) - timedelta(hours=8)


def test_steps_of_a_person_are_in_order_and_a_quiz_comes_after_its_lessons(firm):
    for plan in story.plans(firm, TODAY).values():
        steps = list(story.steps(plan, [5] * 6))
        assert [step.at for step in steps] == sorted(step.at for step in steps)
        finished: set[tuple[int, int]] = set()
        for step in steps:
            if step.what == "finish":
                finished.add((step.cycle, step.module))
            if step.what == "start":
                assert (step.cycle, step.module) in finished


def test_nobody_plays_two_parts_and_who_has_one_has_no_account(firm):
    given = conduct.conducts(firm, TODAY)
    assert len(given) == len(conduct.CAST)
    keys = {person.number: person.key for person in firm}
    assert {keys[number] for number in given} == {""}


def test_who_goes_off_channel_stops_after_the_course_for_the_most_part(firm):
    trained = date(2026, 8, 1)
    before = after = 0
    for n in range(50):
        told = conduct.slips(
            conduct.OFF_CHANNEL,
            trained_on=trained,
            start=date(2026, 5, 25),
            today=TODAY,
            chance=random.Random(n),
        )
        before += sum(day < trained for day, _ in told)
        after += sum(day >= trained for day, _ in told)
    assert before > 5 * after > 0
