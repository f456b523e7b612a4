"""Role × page × person, written out: who sees whom on which page, and what is left of somebody who has moved away."""

import csv
import io
from datetime import date

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.formats import date_format

from archive.metrics import Metrics
from archive.models import Finding, Record
from portal.people import services as people
from portal.people.models import Employee
from portal.standing import services
from tests import studying

pytestmark = pytest.mark.django_db
MONTH, PAST = date(2026, 4, 1), "2026-05-20"

# Down: who looks. Across: about whom. a: everything, t: training alone, -: not even that they are there.
# Head is over Anna and Ben, who are peers; Anna over Al and Amy, Al over Ali; Ben over Bo.
TABLE = """
             Head Anna Ben Al Amy Ali Bo
Head         a    a    a   a  a   a   a
Anna         -    a    -   a  a   a   -
Ben          -    -    a   -  -   -   a
Al           -    -    -   a  -   a   -
Amy          -    -    -   -  a   -   -
Ali          -    -    -   -  -   a   -
Bo           -    -    -   -  -   -   a
HR           t    t    t   t  t   t   t
Compliance   a    a    a   a  a   a   a
Auditor      a    a    a   a  a   a   a
Author       -    -    -   -  -   -   -
"""
NAMES, *LINES = TABLE.strip().splitlines()
SEES = {viewer: dict(zip(NAMES.split(), cells, strict=True)) for viewer, *cells in (line.split() for line in LINES)}
MANAGERS = ("Head", "Anna", "Ben", "Al")
FULL = {name: f"{name} Surname" for name in NAMES.split()}


def on(text: str) -> time_machine.travel:
    return time_machine.travel(f"{text}T10:00:00+08:00", tick=False)


@pytest.fixture
def firm(make_employee) -> dict[str, Employee]:
    """Everybody has a standing since May, a record of April and an open finding; it is June."""
    above = {"Head": None, "Anna": "Head", "Ben": "Head", "Al": "Anna", "Amy": "Anna", "Ali": "Al", "Bo": "Ben"}
    found: dict[str, Employee] = {}
    with on("2026-05-01"):
        for name, manager in above.items():
            found[name] = make_employee(name_en=FULL[name], manager=found.get(manager))
            studying.assign(found[name], due_on=date(2026, 6, 10))
        services.catch_up()
    for n, (name, person) in enumerate(found.items()):
        Finding.objects.create(
            kind="recall_pattern", key=f"one:{n}", employee=person, facts={"count": 987_654}, severity=2,
            policy_version="1", due_on=date(2026, 6, 20), opened_at="2026-05-02T10:00:00+08:00", about_on=MONTH,
        )  # fmt: skip
        Record.objects.create(
            employee=person, month=MONTH, sent=1, received=0, captured=1, client_captured=0, client_sent=0,
            active_days=1, unknown_contacts=0, metrics=Metrics().as_dict(), covered_to=date(2026, 4, 30),
            policy_version="1", entry_seq=1, is_final=True,
        )  # fmt: skip
        assert name == NAMES.split()[n]
    for role in ("HR", "Compliance", "Auditor", "Author"):
        found[role] = make_employee(name_en=role, roles=(role,), employee_no=None)
    with on("2026-06-01"):
        services.bring_up_to_date(employee_ids=Employee.objects.values_list("pk", flat=True), today=date(2026, 6, 1))
        yield found


def named(text: str) -> set[str]:
    return {name for name, full in FULL.items() if full in text}


def downloaded(client: Client, address: str) -> set[str]:
    response = client.get(address)
    assert response.status_code == 200
    return named(str(list(csv.reader(io.StringIO(b"".join(response).decode("utf-8-sig"))))))


@pytest.mark.parametrize("viewer", SEES)
def test_the_pages_of_one_person(viewer, firm, sign_in):
    client, wrong = sign_in(firm[viewer]), []
    for name, sees in SEES[viewer].items():
        page = reverse("standing:person", args=[firm[name].uid])
        answers = {
            "page": client.get(page).status_code,
            "past": client.get(f"{page}?at={PAST}").status_code,
            "month": client.get(reverse("standing:person_month", args=[firm[name].uid, MONTH])).status_code,
        }
        wanted = {"a": (200, 200, 200), "t": (200, 403, 404), "-": (404, 404, 404)}[sees]
        if tuple(answers.values()) != wanted:
            wrong.append((name, answers))
        if sees != "-":
            shows_archive = "Excessive recalls" in client.get(page).text
            assert shows_archive is (sees == "a"), name
    assert wrong == []


@pytest.mark.parametrize("viewer", SEES)
def test_the_pages_of_many(viewer, firm, sign_in):
    """A manager's lists name everybody below and nobody else; others have no team, and lists by role alone."""
    client = sign_in(firm[viewer])
    below = {name for name, sees in SEES[viewer].items() if sees != "-" and name != viewer}
    team, findings = reverse("standing:team"), reverse("standing:team_findings")
    files = [reverse(name, args=["csv"]) for name in ("standing:team_file", "standing:team_finding_file")]
    if viewer in MANAGERS:
        heading = {viewer}  # the page greets whom it belongs to
        assert named(client.get(team).text) - heading == below
        assert named(client.get(f"{team}?at={PAST}").text) - heading == below
        assert named(client.post(team, {"q": "Surname"}).text) - heading == below
        assert named(client.get(f"{findings}?state=all&whose=nobody&about=feeds").text) - heading == below
        assert [downloaded(client, file) - ({viewer} if "team." in file else set()) for file in files] == [below, below]
    else:
        assert {client.get(address).status_code for address in (team, findings, *files)} == {403}
    everybody = {"HR", "Compliance", "Auditor"}
    people_page = client.get(reverse("standing:people"))
    assert people_page.status_code == (200 if viewer in everybody else 403)
    assert named(people_page.text) == (set(FULL) if viewer in everybody else set())
    oversight = {"Compliance", "Auditor"}
    for page in ("standing:firm", "standing:finding_list"):
        assert client.get(reverse(page)).status_code == (200 if viewer in oversight else 403)


def test_a_manager_reads_of_findings_what_they_are_and_not_what_is_in_them(firm, sign_in):
    client = sign_in(firm["Anna"])
    pages = [client.get(reverse(name)).text for name in ("standing:team_findings",)]
    pages += [client.get(reverse("standing:person", args=[firm["Al"].uid])).text]
    due = date_format(date(2026, 6, 20), "SHORT_DATE_FORMAT")
    assert all("Excessive recalls" in page and due in page for page in pages)
    assert not any("987654" in page or "987,654" in page for page in pages)
    case = firm["Al"].findings.get()
    assert client.get(reverse("standing:finding", args=[case.uid])).status_code == 403


def test_the_tile_of_a_team_opens_as_many_findings_as_it_says(firm, sign_in, count_queries):
    client = sign_in(firm["Anna"])
    page = client.get(reverse("standing:team")).text
    address = reverse("standing:team_findings")
    assert f'href="{address}"' in page
    assert page.count(f'<a class="card" href="{address}"><div class="num">3</div>') == 1
    assert "3 findings" in client.get(address).text
    few = count_queries(lambda: client.get(address))
    for n in range(20):
        Finding.objects.create(
            kind="silent_seat", key=f"more:{n}", employee=firm["Ali"], facts={}, severity=2, policy_version="1",
            due_on=date(2026, 6, 20), opened_at="2026-05-02T10:00:00+08:00", about_on=MONTH,
        )  # fmt: skip
    assert count_queries(lambda: client.get(address)) == few


def test_who_moves_away_leaves_the_old_manager_s_pages_and_stays_in_the_history(firm, sign_in):
    with on("2026-06-02"):
        people.set_manager(employee=firm["Al"], manager=firm["Ben"], by="system:test")
        services.catch_up()
    with on("2026-06-03"):
        anna, ben = sign_in(firm["Anna"]), sign_in(firm["Ben"])
        for address in (reverse("standing:team"), reverse("standing:team_findings")):
            assert named(anna.get(address).text) - {"Anna"} == {"Amy"}
            assert named(ben.get(address).text) - {"Ben"} == {"Al", "Ali", "Bo"}
        for name in ("Al", "Ali"):
            assert anna.get(reverse("standing:person", args=[firm[name].uid])).status_code == 404
            assert ben.get(reverse("standing:person", args=[firm[name].uid])).status_code == 200
        then = anna.get(f"{reverse('standing:team')}?at={PAST}").text
        assert named(then) - {"Anna"} == {"Amy"}
        assert "2 people who belonged here then" in then  # counted, as it was, and not named
        auditor = sign_in(firm["Auditor"]).get(f"{reverse('standing:firm')}?at={PAST}").text
        assert named(auditor) == set(FULL)
