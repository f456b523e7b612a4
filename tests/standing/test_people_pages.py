import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from portal.standing import services
from tests import studying

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
