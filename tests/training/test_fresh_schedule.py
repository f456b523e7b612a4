"""The schedule of the weekly questions, played over years with any answers."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.fresh import schedule
from training.fresh.schedule import A_WEEK, AFTER_RIGHT, AFTER_WRONG, Place

BEGIN = date(2030, 1, 7)  # a Monday


def test_wrong_comes_again_after_eight_days_right_after_sixteen_and_twice_right_is_enough():
    new = Place(0, BEGIN)
    assert schedule.after(new, is_right=False, on=BEGIN) == Place(0, date(2030, 1, 15))
    once = schedule.after(new, is_right=True, on=BEGIN)
    assert once == Place(1, date(2030, 1, 23))
    assert schedule.after(once, is_right=True, on=BEGIN) == Place(2, None)
    assert schedule.after(once, is_right=False, on=BEGIN) == Place(0, date(2030, 1, 15))


def test_a_retired_question_is_not_asked():
    with pytest.raises(ValueError, match="retired"):
        schedule.after(Place(2, None), is_right=True, on=BEGIN)


@pytest.mark.parametrize("offset", range(7))
def test_a_week_begins_on_monday(offset):
    assert schedule.week_of(BEGIN + timedelta(days=offset)) == BEGIN


def test_what_is_due_goes_before_what_is_new_the_longest_due_first():
    due = [(BEGIN - timedelta(days=1), "late"), (BEGIN - timedelta(days=9), "later"), (BEGIN, "today")]
    asked = schedule.choose(due, {"m": ["new"]}, {}, most=2, day=BEGIN, seed="s")
    assert asked == (["later", "late"], [])


def test_new_questions_come_from_the_module_of_which_fewest_were_asked():
    new = {"a": ["a1", "a2", "a3"], "b": ["b1"]}
    again, chosen = schedule.choose([], new, {"a": 1}, most=3, day=BEGIN, seed="s")
    assert again == []
    assert [module for module, _key in chosen] == ["b", "a", "a"]


def played(answers, days, modules):
    """Play weeks: on a day of each, as ``days`` says, up to two are asked and answered. Return [(day, key, right)]."""
    places: dict[str, Place] = {}
    begun: defaultdict[str, int] = defaultdict(int)
    told = []
    for week, offset in enumerate(days):
        day = BEGIN + timedelta(weeks=week, days=offset)
        new = {m: [key for key in keys if key not in places] for m, keys in modules.items()}
        due = [(place.due_on, key) for key, place in places.items() if place.due_on]
        again, chosen = schedule.choose(due, new, begun, most=A_WEEK, day=day, seed="me")
        for module, key in chosen:
            begun[module] += 1
            places[key] = Place(0, day)
        for key in [*again, *(key for _module, key in chosen)]:
            is_right = next(answers)
            places[key] = schedule.after(places[key], is_right=is_right, on=day)
            told.append((day, key, is_right))
    return told, places


@settings(max_examples=150, deadline=None)
@given(
    answers=st.lists(st.booleans(), min_size=120, max_size=120),
    days=st.lists(st.integers(0, 6), min_size=10, max_size=60),
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=4),
)
def test_whatever_is_answered_nothing_comes_early_and_what_is_known_never_again(answers, days, sizes):
    modules = {f"m{n}": [f"m{n}-q{i}" for i in range(size)] for n, size in enumerate(sizes)}
    told, places = played(iter(answers), days, modules)
    by_key = defaultdict(list)
    for day, key, is_right in told:
        by_key[key].append((day, is_right))
    for key, mine in by_key.items():
        for (day, is_right), (later, _right) in pairwise(mine):
            assert later - day >= (AFTER_RIGHT if is_right else AFTER_WRONG)
        twice = [n for n in range(1, len(mine)) if mine[n - 1][1] and mine[n][1]]
        assert twice in ([], [len(mine) - 1]), "asked again after it was right twice in a row"
        assert (places[key].due_on is None) is bool(twice)
    weeks = defaultdict(list)
    for day, key, _right in told:
        weeks[schedule.week_of(day)].append(key)
    assert all(len(keys) == len(set(keys)) <= A_WEEK for keys in weeks.values())


@given(size=st.integers(1, 12), days=st.lists(st.integers(0, 6), min_size=40, max_size=40))
def test_who_is_always_right_is_done_with_every_question(size, days):
    told, places = played(iter([True] * 80), days, {"m": [f"q{i}" for i in range(size)]})
    assert len(told) == 2 * size
    assert all(place == Place(2, None) for place in places.values())
    assert len(places) == size
