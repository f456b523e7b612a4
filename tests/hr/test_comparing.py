"""What a list would change, by plain values."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.hr import columns
from portal.hr.comparing import Change, Difference, Kind, Person, Wrong, compare

TODAY = date(2026, 11, 25)
EMPTY = dict.fromkeys((column.name for column in columns.COLUMNS), "")


def row(number: str, **told: str) -> dict[str, str]:
    return {"employee_no": number, "name_en": f"Name {number}", "email": f"{number.lower()}@example.com"} | told


def person(pk: int, number: str, *, has_left: bool = False, **told: str) -> Person:
    return Person(pk, EMPTY | row(number, **told), has_left)


def difference(rows: list[dict], people: list[Person] = (), *, is_complete: bool = False) -> Difference:
    known = {one.values["employee_no"]: one for one in people}
    lines = list(enumerate(rows, start=2))
    return compare(lines, known, offices={"sh", "hk"}, is_complete=is_complete, today=TODAY)


def only(found: Difference) -> Change:
    (change,) = found.changes
    return change


def test_a_newcomer_is_added_with_what_the_line_says():
    change = only(difference([row("A", title="", joined_on="2026/3/1")]))
    assert (change.kind, change.after["joined_on"]) == (Kind.ADDED, "2026-03-01")
    assert "title" not in change.after


def test_only_what_differs_is_a_change_and_a_column_that_is_missing_is_left_alone():
    here = person(1, "A", title="Banker", unit="Sales")
    assert difference([row("A")], [here]).unchanged == 1
    change = only(difference([row("A", title="Adviser", unit="Sales")], [here]))
    assert (change.kind, change.before, change.after) == (Kind.CHANGED, {"title": "Banker"}, {"title": "Adviser"})


def test_a_last_day_makes_a_leaver():
    assert only(difference([row("A", left_on="2026-12-31")], [person(1, "A")])).kind == Kind.LEAVES


@pytest.mark.parametrize("is_complete", [True, False])
def test_who_is_not_on_the_list_leaves_only_where_it_is_everybody(is_complete):
    people = [person(1, "A"), person(2, "B"), person(3, "C", has_left=True, left_on="2026-01-31")]
    found = difference([row("A")], people, is_complete=is_complete)
    leavers = [(change.employee_no, change.after) for change in found.changes]
    assert leavers == ([("B", {"left_on": "2026-11-25"})] if is_complete else [])


def test_who_is_on_a_line_that_is_refused_does_not_leave():
    found = difference([row("A", email="none")], [person(1, "A")], is_complete=True)
    assert [change.kind for change in found.changes] == [Kind.REFUSED]


def test_somebody_comes_back_by_number_or_by_address():
    gone = person(1, "A", has_left=True, left_on="2026-01-31", joined_on="2020-01-01")
    by_number = only(difference([row("A", left_on="")], [gone]))
    assert (by_number.kind, by_number.person, by_number.after) == (Kind.RETURNS, 1, {"left_on": ""})
    by_address = only(difference([row("Z", name_en="Name A", email="A@example.com", joined_on="2026-11-01")], [gone]))
    assert (by_address.kind, by_address.person, by_address.after["employee_no"]) == (Kind.RETURNS, 1, "Z")
    assert by_address.after["left_on"] == ""


def test_a_list_that_tells_no_last_days_brings_nobody_back_by_chance():
    gone = person(1, "A", has_left=True, left_on="2026-01-31", joined_on="2020-01-01")
    assert not difference([row("A")], [gone]).changes
    assert not difference([row("A", left_on="2026-01-31")], [gone]).changes


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({"name_en": ""}, Wrong.NO_NUMBER),
        ({"email": "nobody"}, Wrong.BAD_EMAIL),
        ({"office": "atlantis"}, Wrong.NO_OFFICE),
        ({"joined_on": "31.3.2026"}, Wrong.BAD_DATE),
        ({"joined_on": "2026-02-30"}, Wrong.BAD_DATE),
        ({"joined_on": "2026-02-02", "left_on": "2026-02-01"}, Wrong.LEFT_BEFORE_JOINING),
        ({"manager_no": "NOBODY"}, Wrong.NO_MANAGER),
        ({"manager_no": "A"}, Wrong.OWN_MANAGER),
        ({"title": "x" * 121}, Wrong.TOO_LONG),
        ({"email": "taken@example.com"}, Wrong.EMAIL_TAKEN),
        ({"wecom_userid": "TAKEN"}, Wrong.USERID_TAKEN),
    ],
)
def test_a_line_that_cannot_be_followed_is_refused_with_the_reason(told, wrong):
    here = person(9, "X", email="taken@example.com", wecom_userid="taken")
    assert only(difference([row("A") | told], [here])).wrong == wrong


@pytest.mark.parametrize(
    "day", ["2026-03-31", "2026/3/31", "2026.3.31", "2026年3月31日", "20260331", "2026-03-31 00:00:00"]
)
def test_days_as_offices_write_them(day):
    assert only(difference([row("A", joined_on=day)])).after["joined_on"] == "2026-03-31"


def test_the_second_line_of_a_number_is_refused_and_the_first_followed():
    found = difference([row("A"), row("A", email="other@example.com")])
    assert [(c.kind, c.about) for c in found.changes] == [(Kind.ADDED, ""), (Kind.REFUSED, "2")]


def test_an_address_that_becomes_free_is_given_by_the_next_list():
    people = [person(1, "A"), person(2, "B")]
    rows = [row("A", email="b@example.com"), row("B", email="new@example.com")]
    found = {change.employee_no: (change.kind, change.about) for change in difference(rows, people).changes}
    assert found == {"A": (Kind.REFUSED, "B"), "B": (Kind.CHANGED, "")}
    later = [person(1, "A"), person(2, "B", email="new@example.com")]
    assert only(difference(rows, later)).after == {"email": "b@example.com"}


def test_who_bears_the_address_of_a_refused_line_does_not_leave():
    found = difference([row("NEW", email="a@example.com")], [person(1, "A")], is_complete=True)
    assert only(found).wrong == Wrong.EMAIL_TAKEN


def test_a_circle_is_refused_whole_and_who_reports_into_it_stays():
    rows = [row("A", manager_no="B"), row("B", manager_no="C"), row("C", manager_no="A"), row("D", manager_no="A")]
    people = [person(n, number) for n, number in enumerate("ABC", start=1)]
    found = {change.employee_no: (change.kind, change.wrong) for change in difference(rows, people).changes}
    circle = (Kind.REFUSED, Wrong.CIRCLE)
    assert found == {"A": circle, "B": circle, "C": circle, "D": (Kind.ADDED, "")}


def test_who_would_report_to_a_refused_newcomer_is_refused_too():
    found = difference([row("A", email="none"), row("B", manager_no="A"), row("C", manager_no="B")])
    assert {change.employee_no: change.wrong for change in found.changes} == {
        "A": Wrong.BAD_EMAIL,
        "B": Wrong.NO_MANAGER,
        "C": Wrong.NO_MANAGER,
    }


NUMBERS = st.sampled_from("ABCDEF")
LINES = st.lists(
    st.fixed_dictionaries(
        {"employee_no": NUMBERS, "manager_no": st.one_of(st.just(""), NUMBERS), "email": NUMBERS.map("{}@x.com".format)}
    ),
    max_size=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, LINES, st.booleans())
def test_once_followed_a_list_changes_nothing_more_and_nobody_stands_above_themselves(first, second, is_complete):
    people: dict[str, Person] = {}
    for rows in (first, second, second, second):
        lines = [(n, {"name_en": "N", **one}) for n, one in enumerate(rows, start=2)]
        found = compare(lines, people, offices=set(), is_complete=is_complete, today=TODAY)
        for change in found.changes:
            if change.kind == Kind.REFUSED:
                continue
            old = people.pop(change.employee_no, None) or next(
                (people.pop(n) for n, one in list(people.items()) if one.pk == change.person), None
            )
            values = (old.values if old else EMPTY) | {"employee_no": change.employee_no} | change.after
            pk = old.pk if old else len(people) + 1000 + change.line
            people[values["employee_no"]] = Person(pk, values, bool(values["left_on"]))
        addresses = [one.values["email"] for one in people.values()]
        assert len(addresses) == len(set(addresses))
        for number in people:
            seen, above = set(), number
            while above := people[above].values["manager_no"] if above in people else "":
                assert above != number
                if above in seen:
                    break
                seen.add(above)
        told = [(change.kind, change.employee_no, change.after) for change in found.changes]
    assert all(kind == Kind.REFUSED for kind, _number, _after in told)


def test_tags_are_told_by_name_or_short_name_in_any_order():
    ann = {"A": person(1, "A", tags="Licensed; Sales")}
    known = {"licensed": "Licensed", "sales": "Sales", "销售": "Sales", "desk group": ""}
    told = {"offices": set(), "is_complete": False, "today": TODAY, "tags": known}
    same = compare([(2, row("A", tags="销售、 LICENSED，desk group"))], ann, **told)
    assert (same.changes, same.unchanged) == ([], 1)
    other = only(compare([(2, row("A", tags="Sales;New one"))], ann, **told))
    assert (other.before, other.after) == ({"tags": "Licensed; Sales"}, {"tags": "New one; Sales"})
    assert only(compare([(2, row("A", tags=""))], ann, **told)).after == {"tags": ""}
    long = only(compare([(2, row("A", tags="x" * 61))], ann, **told))
    assert (long.wrong, long.about) == (Wrong.TOO_LONG, "tags")


def test_who_has_the_address_and_no_number_gets_it():
    guest = Person(7, EMPTY | row("A", employee_no=""))
    told = {"offices": set(), "is_complete": True, "today": TODAY}
    change = only(compare([(2, row("A"))], {}, without_number={"a@example.com": guest}, **told))
    assert (change.kind, change.person, change.after) == (Kind.CHANGED, 7, {"employee_no": "A"})
    refused = only(compare([(2, row("A"))], {}, without_number={"a@example.com": None}, **told))
    assert refused.wrong == Wrong.EMAIL_TAKEN
    assert compare([], {}, without_number={"a@example.com": guest}, **told).changes == []
