"""The pages' tables as files: the same rows, no more than the viewer sees, nothing that a spreadsheet runs."""

import csv
import hashlib
import io
import tracemalloc
import zipfile

import pytest
from bs4 import BeautifulSoup
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from portal import tables
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.standing import services
from tests import studying

pytestmark = pytest.mark.django_db


def rows_of(response) -> list[dict]:
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(b"".join(response).decode("utf-8-sig"))))


@pytest.fixture
def team(make_employee):
    manager = make_employee(name_en="Boss")
    trained = make_employee(name_en="=Ann", manager=manager)
    make_employee(name_en="Bo", manager=manager)
    make_employee(name_en="Elsewhere")
    studying.complete(studying.assign(trained))
    services.catch_up()
    return manager


def test_page_and_file_say_the_same_under_the_same_filters(team, sign_in):
    client = sign_in(team)
    for query in ("", "?training=current", "?training=lapsed", "?archive=clean"):
        page = BeautifulSoup(client.get(reverse("standing:team") + query).text, "html.parser")
        shown = [row.text.strip() for row in page.select("table.heat tbody th a")]
        taken = rows_of(client.get(reverse("standing:team_file", args=["csv"]) + query))
        assert [row["Name"].lstrip("'") for row in taken] == shown, query
    assert {
        row["Name"]: row["May message"] for row in rows_of(client.get(reverse("standing:team_file", args=["csv"])))
    } == {
        "'=Ann": "yes",
        "Bo": "no",
    }


def test_hr_gets_the_people_without_what_the_archive_knows(team, make_employee, sign_in):
    taken = rows_of(sign_in(make_employee(roles=("HR",))).get(reverse("standing:people_file", args=["csv"])))
    assert len(taken) >= 4
    assert "Archive" not in taken[0]
    assert "Why" not in taken[0]


def test_an_xlsx_holds_texts_only_and_opens_as_one(team, sign_in):
    response = sign_in(team).get(reverse("standing:team_file", args=["xlsx"]))
    book = zipfile.ZipFile(io.BytesIO(b"".join(response)))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "=Ann" in sheet
    assert "<f>" not in sheet


def test_every_file_taken_out_is_an_entry(team, sign_in):
    response = sign_in(team).get(reverse("standing:team_file", args=["csv"]) + "?training=current")
    content = b"".join(response)
    told = ledger.body_of(Entry.objects.get(verb="standing.exported"))
    assert (told["what"], told["kind"], told["filters"], told["rows"]) == ("team", "csv", "training=current", 1)
    assert told["digest"] == hashlib.sha256(content).hexdigest()
    assert int(response.headers["Content-Length"]) == len(content)


def test_another_kind_of_file_is_not_found(team, sign_in):
    assert sign_in(team).get("/team.exe").status_code == 404


@given(st.text(max_size=20))
def test_no_cell_begins_as_a_formula(text):
    cell = tables.safe(text)
    assert not cell.lstrip(tables.ODD_SPACES).startswith(tables.FORMULA)
    assert cell in (text, f"'{text}")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_long_table_needs_no_more_memory_than_a_short_one(kind):
    def peak(rows: int) -> int:
        tracemalloc.start()
        table = tables.written(kind, ["n", "text"], ((n, f"row {n} " * 5) for n in range(rows)))
        with table.file:
            assert table.rows == rows
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20_000) < peak(200) + 2_000_000
