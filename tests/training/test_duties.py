"""Dates worked by hand: due dates, renewals, seasons, leave. Holidays as the governments announced them."""

from datetime import UTC, date, datetime

import pytest

from portal.people import calendars
from training import duties
from training.audiences import EVERYBODY, BadAudience, Kind, Person, below_each, check, matched, membership
from training.duties import Terms

TODAY = date(2030, 3, 15)


def day(text: str) -> date:
    return date.fromisoformat(text)


def terms(**fields) -> Terms:
    return Terms(**{"rule": 1, "name": "Everybody", "version": 1, "starts_on": day("2026-01-01"), **fields})


def due(told: Terms, *, joined: str | None = None, known: str = "2020-01-01", place: str = "", today: str) -> str:
    joined_on = day(joined) if joined else None
    found = duties.first_due(told, joined_on=joined_on, created_on=day(known), jurisdiction=place, today=day(today))
    return f"{found.due_on} {found.what}{' least' if found.is_least else ''}"


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("CN", "2026-10-09 joined"),  # 28-30 September, then the golden week to 7 October, 8 and 9
        ("HK", "2026-10-05 joined"),  # 1 October is a holiday: 28 29 30, then 2 and 5
        ("US", "2026-10-02 joined"),  # 28 29 30 1 2
        ("", "2026-10-02 joined"),
    ],
)
def test_working_days_are_those_of_the_office(place, expected):
    told = terms(due_kind="working_days", due_days=5)
    assert due(told, joined="2026-09-25", known="2026-09-25", place=place, today="2026-09-25") == expected


def test_a_weekend_day_that_is_made_up_for_is_a_working_day():
    assert calendars.is_working_day(day("2026-10-10"), "CN")  # a Saturday, for the golden week
    assert not calendars.is_working_day(day("2026-10-10"), "HK")


def test_who_joined_before_the_rule_counts_from_its_start_and_who_joined_after_from_joining():
    assert due(terms(), joined="2019-05-05", today="2026-01-01") == "2026-01-31 start"
    assert due(terms(), joined="2026-02-10", known="2026-02-09", today="2026-02-10") == "2026-03-12 joined"


def test_nobody_is_late_on_the_day_they_are_told():
    assert due(terms(), joined="2026-01-05", known="2026-03-02", today="2026-03-02") == "2026-03-09 joined least"
    five = terms(due_kind="working_days", due_days=20)
    assert due(five, joined="2026-01-05", known="2026-03-02", today="2026-03-02") == "2026-03-09 joined least"


def test_who_comes_under_a_rule_after_it_looked_at_them_counts_from_that_day():
    assert due(terms(applied_on=day("2026-06-01")), joined="2019-05-05", today="2026-06-02") == "2026-07-02 entered"


def test_on_a_date_means_that_date_and_later_joiners_have_their_days():
    told = terms(due_kind="date", due_date=day("2026-06-30"), due_days=30)
    assert due(told, joined="2019-05-05", today="2026-01-01") == "2026-06-30 start"
    assert due(told, joined="2026-05-01", known="2026-05-01", today="2026-05-01") == "2026-06-30 joined"
    assert due(told, joined="2026-06-20", known="2026-06-20", today="2026-06-20") == "2026-07-20 joined"


def until(completed: str, told: Terms | None = None, lapses: str | None = None, months: int = 12) -> str:
    return str(duties.expires_on(day(completed), months, told, day(lapses) if lapses else None))


def test_finishing_inside_the_window_keeps_the_anniversary():
    rolling = terms(renewal_kind="rolling", window_days=60)
    assert until("2026-11-23", rolling) == "2027-11-22"
    assert until("2027-10-01", rolling, "2027-11-22") == "2028-11-22"
    assert until("2027-09-23", rolling, "2027-11-22") == "2028-11-22"  # the first day of the window
    assert until("2027-09-22", rolling, "2027-11-22") == "2028-09-21"  # a day before it
    assert until("2027-11-22", rolling, "2027-11-22") == "2028-11-22"  # the last day
    assert until("2027-11-23", rolling, "2027-11-22") == "2028-11-22"  # a day late: counted from completion
    assert until("2027-12-24", rolling, "2027-11-22") == "2028-12-23"


def test_counted_renewal_counts_from_each_completion():
    assert until("2027-10-01", terms(), "2027-11-22") == "2028-09-30"
    assert until("2027-10-01", None, "2027-11-22") == "2028-09-30"
    assert until("2027-10-01", terms(renewal_months=24), "2027-11-22") == "2029-09-30"


def test_an_anniversary_on_a_leap_day_comes_back():
    rolling = terms(renewal_kind="rolling", window_days=30)
    assert until("2028-02-29") == "2029-02-28"
    assert until("2029-02-20", rolling, "2029-02-28") == "2030-02-28"
    assert until("2031-02-20", rolling, "2031-02-28") == "2032-02-29"  # the anniversary stays 1 March


SPRING = ((3, 1), (5, 31))
TURN = ((12, 1), (1, 31))


@pytest.mark.parametrize(
    ("completed", "season", "expected"),
    [
        ("2026-03-01", SPRING, "2027-05-31"),  # in season: counts until the end of the next
        ("2026-05-31", SPRING, "2027-05-31"),
        ("2026-06-01", SPRING, "2027-05-31"),  # after it: until the end of the coming one
        ("2026-01-29", SPRING, "2026-05-31"),
        ("2026-02-10", SPRING, "2027-05-31"),  # within the window before it: that season is served
        ("2026-12-24", TURN, "2028-01-31"),
        ("2027-01-10", TURN, "2028-01-31"),
        ("2027-02-01", TURN, "2028-01-31"),
        ("2027-02-01", ((2, 1), (2, 29)), "2028-02-29"),
        ("2028-02-29", ((2, 1), (2, 29)), "2029-02-28"),
    ],
)
def test_a_season_is_served_once_a_year(completed, season, expected):
    assert until(completed, terms(renewal_kind="season", season=season, window_days=30)) == expected


def test_a_renewal_opens_at_the_window_or_with_the_season():
    assert duties.opens_on(terms(window_days=45), day("2027-11-22")) == day("2027-10-08")
    spring = terms(renewal_kind="season", season=SPRING)
    assert duties.opens_on(spring, day("2027-05-31")) == day("2027-03-01")
    assert duties.opens_on(spring, day("2027-11-22")) == day("2027-10-23")


def test_a_renewal_is_due_when_the_completion_lapses_and_never_at_once():
    found = duties.renewal_due(terms(), day("2027-11-22"), day("2027-10-23"))
    assert (found.due_on, found.what, found.is_least) == (day("2027-11-22"), "lapses", False)
    late = duties.renewal_due(terms(), day("2027-11-22"), day("2028-01-01"))
    assert (late.due_on, late.is_least) == (day("2028-01-08"), True)


def test_a_long_leave_moves_the_date_by_its_working_days_and_a_short_one_does_not():
    due_on, assigned = day("2026-03-31"), day("2026-03-02")
    fortnight = (day("2026-03-09"), day("2026-03-20"))  # ten weekdays
    assert duties.after_leave(due_on, assigned, [fortnight], "") == (day("2026-04-14"), 10)
    assert duties.after_leave(due_on, assigned, [(day("2026-03-09"), day("2026-03-19"))], "") == (due_on, 0)
    assert duties.after_leave(due_on, assigned, [(day("2026-04-01"), day("2026-06-30"))], "") == (due_on, 0)


def test_who_was_away_already_has_only_the_days_after_the_cycle_began_added():
    away = (day("2026-02-02"), day("2026-03-06"))
    assert duties.after_leave(day("2026-03-31"), day("2026-03-02"), [away], "") == (day("2026-04-07"), 5)


def test_a_leave_that_begins_within_the_moved_time_counts_too():
    leaves = [(day("2026-03-09"), day("2026-03-20")), (day("2026-04-06"), day("2026-04-17"))]
    assert duties.after_leave(day("2026-03-31"), day("2026-03-02"), leaves, "") == (day("2026-04-28"), 20)


@pytest.mark.parametrize(
    ("zone", "moment", "expected"),
    [
        ("Asia/Shanghai", datetime(2026, 3, 31, 15, 59, tzinfo=UTC), "2026-03-31"),
        ("Asia/Shanghai", datetime(2026, 3, 31, 16, 0, tzinfo=UTC), "2026-04-01"),
        ("America/New_York", datetime(2026, 4, 1, 3, 59, tzinfo=UTC), "2026-03-31"),
        ("America/New_York", datetime(2026, 4, 1, 4, 0, tzinfo=UTC), "2026-04-01"),
        ("Europe/London", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "2026-03-29"),  # the clocks go forward at 1:00
        ("Europe/London", datetime(2026, 3, 29, 22, 59, tzinfo=UTC), "2026-03-29"),
        ("Europe/London", datetime(2026, 3, 29, 23, 0, tzinfo=UTC), "2026-03-30"),  # a day of 23 hours
        ("America/New_York", datetime(2026, 11, 2, 4, 59, tzinfo=UTC), "2026-11-01"),  # a day of 25 hours
    ],
)
def test_the_day_is_that_of_the_place(zone, moment, expected):
    assert calendars.day_at(moment, zone) == day(expected)


# --- audiences


PARENTS = {1: None, 2: 1, 3: 2, 4: None}
ANN = Person(pk=1, department=3, office="HK", jurisdiction="HK", joined_on=day("2030-01-10"), tags=frozenset({"sfc"}))


def asks(tree: dict, person: Person = ANN) -> bool:
    check(tree)
    return membership(tree, today=TODAY, below=below_each(PARENTS))(person)


def fact(kind: str, *values) -> dict:
    return {"fact": kind, "is": list(values)}


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (EVERYBODY, True),
        ({"any": []}, False),
        (fact("department", 1), True),  # two levels up
        (fact("department", 3), True),
        (fact("department", 4), False),
        (fact("department", 99), False),
        (fact("office", "SH", "HK"), True),
        (fact("jurisdiction", "CN"), False),
        (fact("role", "HR"), False),
        (fact("tag", "sfc"), True),
        (fact("hired_before", "2030-01-10"), False),
        (fact("hired_before", "2030-01-11"), True),
        (fact("hired_after", "2030-01-09"), True),
        (fact("hired_within", 64), True),  # 64 days before 15 March is 10 January
        (fact("hired_within", 63), False),
        ({"not": fact("office", "HK")}, False),
        ({"all": [fact("office", "HK"), {"not": fact("tag", "sfc")}]}, False),
        ({"any": [fact("office", "SH"), {"all": [fact("tag", "sfc"), fact("department", 2)]}]}, True),
    ],
)
def test_who_is_in_an_audience(tree, expected):
    assert asks(tree) is expected


def test_who_was_there_before_the_portal_joined_before_every_day():
    old = Person(pk=2)
    assert asks(fact("hired_before", "2000-01-01"), old)
    assert not asks(fact("hired_after", "2000-01-01"), old)
    assert not asks(fact("hired_within", 9999), old)


@pytest.mark.parametrize(
    "tree",
    [
        [], {}, {"all": [], "any": []}, {"fact": "shoes", "is": ["42"]}, {"fact": "office"}, fact("office"),
        fact("hired_before", "soon"), fact("hired_within", -1), {"not": []}, {"all": [{"some": []}]},
        {"not": {"not": {"not": {"not": {"not": {"not": {"all": []}}}}}}},
    ],
)  # fmt: skip
def test_what_is_no_audience_is_refused(tree):
    with pytest.raises(BadAudience):
        check(tree)


def test_what_matched_is_told_without_what_did_not():
    tree = {"all": [{"any": [fact("office", "SH", "HK"), fact("tag", "gold")]}, {"not": fact("role", "HR")}]}
    told = matched(tree, ANN, today=TODAY, below=below_each(PARENTS))
    assert told == [fact("office", "HK"), fact("role", "HR") | {"not": True}]


def test_every_kind_of_fact_can_be_asked_about():
    values = {Kind.DEPARTMENT: 1, Kind.HIRED_WITHIN: 5, Kind.HIRED_BEFORE: "2030-01-01", Kind.HIRED_AFTER: "2030-01-01"}
    for kind in Kind:
        assert asks(fact(kind.value, values.get(kind, "x"))) in (True, False)
