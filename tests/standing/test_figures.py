"""The firm's figures: the page, its files and the API say the same to the unit, and each number opens as many rows."""

import csv
import io
import re
import zipfile
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone

from archive.metrics import Metrics
from archive.models import Finding, Record
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Department, Employee, Office
from portal.standing import figures, permission_feed, services, tasks
from portal.standing.models import FeedToken
from tests import studying

pytestmark = pytest.mark.django_db
TODAY, FIRM, API = date(2026, 6, 2), reverse("standing:firm"), reverse("standing:firm_api")


def find(person: Employee, n: int, *, days: int, due: int, state: str = "new", kind: str = "recall_pattern") -> None:
    is_open = state in Finding.OPEN
    Finding.objects.create(
        kind=kind, key=f"{kind}:{n}", employee=person, facts={}, severity=2, policy_version="1", state=state,
        due_on=TODAY + timedelta(due), opened_at=timezone.now() - timedelta(days), about_on=date(2026, 5, 1),
        closed_at=None if is_open else timezone.now(),
    )  # fmt: skip


def record(person: Employee, *, captured: int, is_silent: bool = False) -> None:
    Record.objects.create(
        employee=person, month=date(2026, 5, 1), sent=captured, received=0, captured=captured,
        client_captured=captured // 2, client_sent=0, active_days=1, unknown_contacts=0, is_silent_seat=is_silent,
        metrics=Metrics().as_dict(), covered_to=date(2026, 5, 31), policy_version="1", entry_seq=1, is_final=True,
    )  # fmt: skip


@pytest.fixture
def firm(make_employee, make_department, make_office) -> dict:
    """Three departments, one under another, two offices, people in neither, a leaver; every figure is more than 0."""
    sales = make_department("=Sales")
    desks = make_department("Desks", parent=sales)
    far = make_department("Far", parent=desks)
    east, west = make_office("east", name="East"), make_office("west", name="West")
    with time_machine.travel("2026-03-01T10:00:00+08:00", tick=False):
        ann = make_employee(name_en="Ann", department=sales, office=east)
        bo = make_employee(name_en="Bo", department=desks, office=east)
        cy = make_employee(name_en="Cy", department=far, office=west)
        di = make_employee(name_en="Di")
        gone = make_employee(name_en="Gone", department=sales, office=west)
        studying.complete(studying.assign(ann))
        studying.assign(bo, due_on=date(2026, 5, 20))
        studying.assign(cy, due_on=date(2026, 6, 10))
        services.catch_up()
    with time_machine.travel("2026-06-02T10:00:00+08:00", tick=False):
        gone.left_on = date(2026, 5, 30)
        gone.save()
        studying.read_and_try(studying.assign(di, due_on=date(2026, 6, 30)), 1, right=False)
        for n, (person, days, due) in enumerate(((ann, 0, 5), (bo, 8, -1), (cy, 31, 0), (cy, 91, -30), (gone, 3, 9))):
            find(person, n, days=days, due=due)
        find(di, 9, days=40, due=3, state="confirmed", kind="off_channel")
        find(ann, 10, days=50, due=-20, state="dismissed")
        for person, captured in ((ann, 40), (bo, 0), (gone, 7)):
            record(person, captured=captured, is_silent=not captured)
        services.bring_up_to_date(employee_ids=Employee.objects.values_list("pk", flat=True), today=TODAY)
        tasks.take_stock()
        yield {"officer": make_employee(roles=("Compliance",), name_en="Officer", employee_no=None)}


@pytest.fixture
def client(firm, sign_in):
    return sign_in(firm["officer"])


def soup(response) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser")


def number(text: str) -> int:
    return int(text.replace(",", "").strip())


def csv_rows(response) -> list[list[str]]:
    assert response.status_code == 200
    return list(csv.reader(io.StringIO(b"".join(response).decode("utf-8-sig"))))


def xlsx_rows(response) -> list[list[str]]:
    """Read the cells as their texts: shared strings are not used in files that are written row by row.

    A cell with a style is a day, as the days from 30 December 1899.
    """
    assert response.status_code == 200
    sheet = zipfile.ZipFile(io.BytesIO(b"".join(response))).read("xl/worksheets/sheet1.xml")
    ns = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    rows = ElementTree.fromstring(sheet).findall(".//x:row", ns)  # noqa: S314 - our own file of a moment ago
    return [[_cell(cell, is_heading=n == 0) for cell in row.findall("x:c", ns)] for n, row in enumerate(rows)]


def _cell(cell, *, is_heading: bool) -> str:
    text = "".join(cell.itertext())
    if is_heading or "s" not in cell.attrib:
        return text
    return (date(1899, 12, 30) + timedelta(int(text))).isoformat()


def told(value: object) -> str:
    return "" if value is None else str(value)


def api(client, officer: Employee, query: str = "") -> dict:
    secret = permission_feed.make_token(label="BI", by=officer, opens=FeedToken.Opens.FIRM)
    client.logout()
    response = client.get(API + query, headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 200
    return response.json()


# --- the same everywhere


def test_csv_xlsx_and_api_hold_the_same_cells(firm, client):
    files = {}
    for name in figures.NAMES:
        as_csv = csv_rows(client.get(reverse("standing:firm_file", args=[name, "csv"])))
        as_xlsx = xlsx_rows(client.get(reverse("standing:firm_file", args=[name, "xlsx"])))
        assert [[cell.lstrip("'") for cell in row] for row in as_csv] == as_xlsx, name
        files[name] = as_csv
    tables = api(client, firm["officer"])["tables"]
    assert set(tables) == set(figures.NAMES)
    for name, rows in tables.items():
        assert [[told(cell) for cell in row.values()] for row in rows] == [
            [cell.lstrip("'") for cell in row] for row in files[name][1:]
        ], name
    assert all(len(rows) > 0 for name, rows in tables.items() if name != "effect")  # too few people for an effect


def test_the_page_says_what_the_api_says(firm, client):
    page, tables = soup(client.get(FIRM)), api(client, firm["officer"])["tables"]
    tiles = {row["figure"]: row["value"] for row in tables["tiles"]}
    shown = [tile.select_one(".num").text for tile in page.select(".tiles .card")]
    wanted = [
        f"{tiles['current_percent']}%",
        *(tiles[name] for name in ("late", "due_soon", "open_findings", "barred")),
    ]
    assert shown == [str(one) for one in wanted]
    cells = [number(cell.strong.text) for cell in page.select(".matrix a")]
    assert cells == [row["people"] for row in tables["states"]]
    for title, name in (("By department", "departments"), ("By office", "offices")):
        section = page.find("h2", string=title).parent
        rows = [[link.text for link in row.select("a")] for row in section.select("tbody tr")]
        keys = ("people", "current", "late", "barred", "open_findings")
        assert rows == [[str(one[key]) for key in keys] for one in tables[name]], name
    figures_of = {
        "reach": lambda row: [row["people"], row["kept"], row["silent"]],
        "knowledge": lambda row: [row["people"], row["passed"]] if row["people"] else [0],
    }
    for title, name in (("How far the archive reaches", "reach"), ("What people know, by module", "knowledge")):
        [section] = [one.parent for one in page.select("h2") if one.text.startswith(title)]
        rows = [[number(link.text) for link in row.select("a")] for row in section.select("tbody tr")]
        assert rows == [figures_of[name](row) for row in tables[name]], name
    ages = [
        [number(link.text) for link in row.select("a")]
        for row in page.find("caption", string="Open findings by age").parent.select("tbody tr")
    ]
    assert ages == [[row["open"], row["overdue"]] for row in tables["ages"]]
    lapses = [number(link.text) for link in page.select("a[href*='lapses=']")]
    assert lapses == [row["people"] for row in tables["forecast"]]
    kinds = [
        [number(link.text) for link in row.select("a")]
        for row in page.find("h2", string="Findings by kind").parent.select("tbody tr")
    ]
    assert kinds == [[row["open"], row["ever"]] for row in tables["kinds"]]


def test_the_figures_add_up(firm, client):
    tables = api(client, firm["officer"])["tables"]
    tiles = {row["figure"]: row["value"] for row in tables["tiles"]}
    tops = [row for row in tables["departments"] if row["level"] == 1]
    for key, tile in (("people", "people"), ("current", "current"), ("late", "late"), ("barred", "barred")):
        assert sum(row[key] for row in tops) == sum(row[key] for row in tables["offices"]) == tiles[tile], key
    assert sum(row["open_findings"] for row in tops) == tiles["open_findings"] == 5
    assert sum(row["open"] for row in tables["ages"]) == sum(row["open"] for row in tables["kinds"]) == 6
    assert tiles["open_findings_in_all"] == 6  # one is about somebody who has left
    assert sum(row["people"] for row in tables["states"]) == tiles["people"] == 4


# --- the rows behind


def rows_behind(client, address: str) -> int:
    page = soup(client.get(address.split("#")[0]))
    return len(page.select("table.heat tbody tr, #finding-rows tbody tr, .tries tbody tr"))


PARTS = {
    "whole": lambda: {},
    "department": lambda: {"department": Department.objects.get(name="Desks").pk},
    "nowhere": lambda: {"department": 0},
    "office": lambda: {"office": Office.objects.get(code="east").pk},
    "both": lambda: PARTS["department"]() | PARTS["office"](),
}


@pytest.mark.parametrize("part", PARTS)
def test_each_number_opens_as_many_rows_as_it_says(firm, client, part):
    page = soup(client.get(FIRM, PARTS[part]()))
    links = [
        (link["href"], link.text.strip())
        for link in page.select("main a[href]")
        if re.fullmatch(r"[\d,]+", link.text.strip())
    ] + [(cell["href"], cell.strong.text) for cell in page.select(".matrix a")]
    links += [(tile["href"], tile.select_one(".num").text) for tile in page.select(".tiles a") if "%" not in tile.text]
    assert len(links) > (60 if part == "whole" else 25)
    assert any(number(says) for _address, says in links)
    for address, says in links:
        assert rows_behind(client, address) == number(says), address


def test_the_files_of_a_narrowed_page_are_narrowed_as_it_is(firm, client):
    page = soup(client.get(FIRM, PARTS["office"]()))
    addresses = [link["href"] for link in page.select(".files a[href*='csv']")]
    assert addresses
    assert all("office=" in one for one in addresses)
    [states] = [one for one in addresses if "states" in one]
    cells = [number(cell.strong.text) for cell in page.select(".matrix a")]
    assert [int(row[2]) for row in csv_rows(client.get(states))[1:]] == cells
    assert sum(cells) == 2


def test_a_department_counts_those_under_it_and_so_does_its_page(firm, client):
    tables = api(client, firm["officer"], "?table=departments")["tables"]
    assert [(row["name"], row["level"], row["people"]) for row in tables["departments"]] == [
        ("=Sales", 1, 3), ("Desks", 2, 2), ("Far", 3, 1), ("–", 1, 1),
    ]  # fmt: skip


def test_the_tries_behind_a_module_stay_those_that_were_counted(firm, client, make_employee):
    address = reverse("standing:module_tries", args=["first"])
    before = client.get(address).text
    with time_machine.travel("2026-06-02T11:00:00+08:00", tick=False):
        studying.read_and_try(studying.assign(make_employee(name_en="Later")), 1, right=True)
        page = soup(client.get(address))
    assert "Later" not in page.text
    assert len(page.select(".tries tbody tr")) == 2 == before.count("/team/")
    assert [row.td.find_next("td").text for row in page.select(".tries tbody tr")] == ["0%", "100%"]  # lowest first
    taken = csv_rows(client.get(reverse("standing:knowledge_file", args=["first", "csv"]) + "?outcome=failed"))
    assert [(row[1], row[4], row[5]) for row in taken[1:]] == [("Di", "0", "no")]


# --- files and tokens


def test_a_file_of_figures_is_an_entry_and_no_cell_is_a_formula(firm, client):
    rows = csv_rows(client.get(reverse("standing:firm_file", args=["departments", "csv"])))
    assert rows[1][2] == "'=Sales"
    body = ledger.body_of(Entry.objects.get(verb="standing.exported"))
    assert (body["what"], body["rows"]) == ("firm-departments", 4)


def test_a_table_that_there_is_not_is_not_found(client):
    assert client.get(reverse("standing:firm_file", args=["salaries", "csv"])).status_code == 404
    assert client.get(reverse("standing:module_tries", args=["none"])).status_code == 404


def test_a_token_opens_one_thing_and_only_as_long_as_its_maker_may(firm, client):
    officer = firm["officer"]
    standing = permission_feed.make_token(label="MDM", by=officer)
    figures_token = permission_feed.make_token(label="BI", by=officer, opens="firm")
    client.logout()

    def ask(address: str, secret: str) -> int:
        return client.get(address, headers={"Authorization": f"Bearer {secret}"}).status_code

    feed = reverse("standing:api")
    assert [ask(feed, standing), ask(API, standing), ask(feed, figures_token), ask(API, figures_token)] == [
        200, 401, 401, 200,
    ]  # fmt: skip
    assert ask(f"{API}?table=salaries", figures_token) == 400
    officer.groups.clear()
    assert ask(API, figures_token) == 403


def test_the_page_costs_the_same_for_more_people_and_findings(
    firm, client, make_employee, make_department, count_queries
):
    few = count_queries(lambda: client.get(FIRM))
    for n in range(12):
        person = make_employee(department=make_department())
        find(person, 100 + n, days=n, due=n)
        record(person, captured=n)
    services.catch_up()
    assert count_queries(lambda: client.get(FIRM)) == few
    assert few <= 26
