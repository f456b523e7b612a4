import pytest
from bs4 import BeautifulSoup
from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils import translation

from portal.people.models import Employee
from portal.standing import services
from portal.standing.models import StandingChange
from tests import studying
from training.models import Assignment

TEAM, PEOPLE = reverse("standing:team"), reverse("standing:people")


@pytest.fixture
def team(make_employee):
    """A manager with three people: one current, one assigned, one not assigned."""
    manager = make_employee(name_en="Boss")
    current = make_employee(name_en="Ann Current", name_zh="安当", manager=manager)
    assigned = make_employee(name_en="Bo Assigned", manager=manager)
    make_employee(name_en="Cy Nothing", manager=manager)
    make_employee(name_en="Dee Elsewhere")
    studying.complete(studying.assign(current))
    studying.assign(assigned)
    services.catch_up()
    return manager


def names(response) -> list[str]:
    rows = BeautifulSoup(response.text, "html.parser").select("table.heat tbody th a")
    return [row.text for row in rows]


def test_a_manager_sees_everybody_below_and_nobody_else(team, sign_in):
    assert names(sign_in(team).get(TEAM)) == ["Ann Current 安当", "Bo Assigned", "Cy Nothing"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("training=current", ["Ann Current 安当"]),
        ("training=due", ["Bo Assigned"]),
        ("training=lapsed", ["Cy Nothing"]),
        ("archive=clean", []),
        ("training=nonsense&department=x&page=-1", ["Ann Current 安当", "Bo Assigned", "Cy Nothing"]),
    ],
)
def test_filters_live_in_the_address(team, sign_in, query, found):
    assert names(sign_in(team).get(f"{TEAM}?{query}")) == found


@pytest.mark.parametrize(("text", "found"), [("bo ", ["Bo Assigned"]), ("安", ["Ann Current 安当"]), ("dee", [])])
def test_a_name_is_looked_for_in_the_body_of_the_request(team, sign_in, text, found):
    assert names(sign_in(team).post(TEAM, {"q": text})) == found


def test_a_name_in_the_address_is_not_looked_at(team, sign_in):
    assert len(names(sign_in(team).get(f"{TEAM}?q=bo"))) == 3


def test_the_fragment_is_the_part_of_the_page_it_replaces(team, sign_in):
    client = sign_in(team)
    [in_page] = BeautifulSoup(client.get(f"{TEAM}?training=due").text, "html.parser").select("#people-rows")
    fragment = client.get(f"{TEAM}?training=due", headers={"HX-Request": "true"})
    [alone] = BeautifulSoup(fragment.text, "html.parser").find_all("div", recursive=False)
    assert alone == in_page


def test_the_matrix_counts_the_people_that_its_cells_lead_to(team, sign_in):
    client = sign_in(team)
    cells = BeautifulSoup(client.get(TEAM).text, "html.parser").select(".matrix a")
    assert len(cells) == 12
    told = [(cell["href"].removesuffix("#people"), int(cell.strong.text)) for cell in cells]
    assert [len(names(client.get(href))) for href, _ in told] == [count for _, count in told]
    assert sum(count for _, count in told) == 3


def test_hr_cannot_filter_by_what_hr_may_not_see(team, make_employee, sign_in):
    hr = make_employee(roles=("HR",))
    client = sign_in(hr)
    assert len(names(client.get(f"{PEOPLE}?archive=breach"))) == len(names(client.get(PEOPLE)))
    assert "May message" not in client.get(PEOPLE).text


def test_a_page_of_many_costs_as_many_queries_as_one_of_few(team, make_employee, sign_in, count_queries):
    client = sign_in(team)
    few = count_queries(lambda: client.get(TEAM))
    for _ in range(12):
        studying.assign(make_employee(manager=team))
    services.catch_up()
    assert count_queries(lambda: client.get(TEAM)) == few


def test_each_change_of_a_standing_says_what_came_and_what_went(team, sign_in):
    person = Employee.objects.get(name_en="Bo Assigned")
    studying.complete(Assignment.objects.get(employee=person))
    services.catch_up()
    page = BeautifulSoup(sign_in(team).get(reverse("standing:person", args=[person.uid])).text, "html.parser")
    newest, first = page.select("table.changes tbody tr")
    assert "Training is current until" in newest.select_one("li").text
    assert "has been assigned" in newest.select_one("del").text
    assert not first.select("del")
    numbers = [row.select("td")[-1].get_text(strip=True) for row in (newest, first)]
    entries = StandingChange.objects.filter(employee=person).values_list("entry_seq", flat=True)
    assert numbers == [f"entry {seq}" for seq in entries]


@pytest.mark.parametrize(
    ("at", "said"),
    [("2999-01-01", "That day has not come yet"), ("foo", "That is no day"), ("1999-01-01", "That is not a past day")],
)
def test_a_day_that_cannot_be_shown_is_said_to_be_so(team, sign_in, at, said):
    assert said in sign_in(team).get(f"{TEAM}?at={at}").text


def test_numbers_are_in_groups_of_three_in_chinese_too():
    with translation.override("zh-hans"):
        assert intcomma(467242) == "467,242"
