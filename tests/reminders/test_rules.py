"""When somebody is reminded: over every due date, leave and policy."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from portal.people.calendars import is_working_day
from portal.reminders import rules
from portal.reminders.rules import Act, Owed, Terms

DAY = timedelta(days=1)
days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
places = st.sampled_from(["CN", "HK", "US", "UK", ""])
policies = st.builds(
    Terms,
    before_days=st.lists(st.integers(1, 40), max_size=4).map(tuple),
    on_the_day=st.booleans(),
    after_every=st.integers(1, 9),
    escalate_after=st.integers(1, 9),
    escalate_again=st.integers(1, 9),
    levels=st.integers(0, 3),
)


def owed(due_on: date, **fields) -> Owed:
    return Owed("training", "x/1", {"en": "X"}, due_on, **fields)


def reminded_on(what: Owed, terms: Terms, place: str, first: date, last: date, away=()) -> list[date]:
    """Play the days: a round each day, for somebody who is written to on days at work alone."""
    found, day = [], first
    while day <= last:
        if rules.is_at_work(day, place, away):
            since = rules.caught_up_since(day, day - DAY, place, away)
            if rules.calls_for_reminder(what, terms, since, day, place):
                found.append(day)
        day += DAY
    return found


@given(days, places, policies)
def test_played_day_by_day_it_is_reminded_of_on_the_days_of_the_policy_and_no_other(due_on, place, terms):
    first, last = due_on - 60 * DAY, due_on + 40 * DAY
    told = reminded_on(owed(due_on), terms, place, first, last)
    assert told == [day for day in rules.moments(terms, due_on, place, after=40) if first <= day <= last]
    assert all(is_working_day(day, place) for day in told)


@given(days, places, policies, st.integers(-20, 20), st.integers(0, 30))
def test_who_was_away_is_told_once_when_back_of_what_fell_into_the_leave(due_on, place, terms, begins, length):
    away = [(due_on + begins * DAY, due_on + (begins + length) * DAY)]
    first, last = due_on - 60 * DAY, due_on + 90 * DAY
    usual = reminded_on(owed(due_on), terms, place, first, last)
    told = reminded_on(owed(due_on), terms, place, first, last, away)
    missed = [day for day in usual if away[0][0] <= day <= away[0][1]]
    assert not [day for day in told if away[0][0] <= day <= away[0][1]]
    extra = set(told) - set(usual)
    assert len(extra) <= 1
    if missed and away[0][1] < last - 20 * DAY:
        back = next(away[0][1] + n * DAY for n in range(1, 21) if is_working_day(away[0][1] + n * DAY, place))
        assert back in told


@given(days, places, policies, st.integers(2, 7))
def test_days_on_which_no_round_was_made_are_caught_up_by_the_next(due_on, place, terms, down):
    """Whatever day the site comes back on, what fell due for a reminder meanwhile is told then."""
    marks = rules.moments(terms, due_on, place)
    for mark in marks:
        back = mark + down * DAY
        since = rules.caught_up_since(back, mark - DAY, place, ())
        assert rules.calls_for_reminder(owed(due_on), terms, since, back, place)


@given(days, places, policies)
def test_a_notice_is_never_late_and_what_is_new_is_told_the_next_working_day(due_on, place, terms):
    notice = owed(due_on, is_notice=True)
    assert not [day for day in reminded_on(notice, terms, place, due_on + DAY, due_on + 40 * DAY)]
    assert rules.late([notice], due_on + 99 * DAY) == []
    came_on = due_on - 55 * DAY
    new = reminded_on(owed(due_on, came_on=came_on), Terms(before_days=()), place, came_on, came_on + 30 * DAY)
    assert len(new) == 1
    assert new[0] > came_on


@given(days, places, policies, st.integers(0, 60), st.integers(1, 4))
def test_further_up_is_never_told_before_and_nobody_once_another_has_acted(late_from, place, terms, after, level):
    today = late_from + after * DAY
    told = {"late_from": late_from, "terms": terms, "today": today, "jurisdiction": place}
    higher = rules.is_told(manager=9, level=level + 1, act=None, **told)
    assert not higher or rules.is_told(manager=8, level=level, act=None, **told)
    act = Act(by=7, on=late_from + DAY)
    assert not rules.is_told(manager=9, level=level, act=act, **told)
    if rules.is_told(manager=7, level=level, act=act, **told):
        assert rules.working_days_after(act.on, today, place) >= terms.escalate_again


def test_only_what_was_done_since_the_person_became_late_counts():
    acts = [Act(1, date(2026, 3, 1)), Act(2, date(2026, 3, 9)), Act(3, date(2026, 3, 7))]
    assert rules.acted_last(acts, date(2026, 3, 6)) == acts[1]
    assert rules.acted_last(acts, date(2026, 3, 9)) is None


def test_grace_moves_who_is_late_and_not_when_the_person_is_reminded():
    what = owed(date(2026, 3, 2), grace_days=7)
    assert rules.late([what], date(2026, 3, 9)) == []
    assert rules.late([what], date(2026, 3, 10)) == [what]
    assert rules.calls_for_reminder(what, Terms(), date(2026, 3, 4), date(2026, 3, 5), "CN")


def test_what_the_archive_calls_for_is_nobodys_but_the_persons():
    assert rules.late([owed(date(2026, 3, 2), is_of_archive=True)], date(2026, 4, 1)) == []


def test_terms_are_read_as_they_were_written():
    terms = Terms(before_days=(30, 3), hour=8, levels=0)
    assert Terms.read(terms.as_json()) == terms
