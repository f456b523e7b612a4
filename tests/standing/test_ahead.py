"""What will lapse, how it came to stand so, whom to talk to first: each number beside the rows behind it."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils import timezone

from archive.models import Finding
from portal.people import services as people
from portal.people.models import Employee
from portal.standing import outlook, people_table, services, talks, tasks, trend
from portal.standing.models import MonthEnd, Standing, Stock
from tests import studying

pytestmark = pytest.mark.django_db

TEAM, PEOPLE, FIRM = reverse("standing:team"), reverse("standing:people"), reverse("standing:firm")


def on(text: str) -> time_machine.travel:
    return time_machine.travel(f"{text}T10:00:00+08:00", tick=False)


@pytest.fixture
def team(make_employee) -> dict:
    """On 1 June 2026: one trained in March to 28 February, one due in 20 days, one overdue, one not assigned."""
    boss = make_employee(name_en="Boss")
    named = {name: make_employee(name_en=name, manager=boss) for name in ("Ann", "Bo", "Cy", "Dee")}
    with on("2026-03-01"):
        studying.complete(studying.assign(named["Ann"]))
        studying.assign(named["Cy"], due_on=date(2026, 5, 20))
        services.catch_up()
    with on("2026-06-01"):
        studying.assign(named["Bo"], due_on=date(2026, 6, 21))
        services.catch_up()
        yield {"boss": boss, **named}


def below(team: dict):
    return Employee.objects.below(team["boss"])


def forecast(team: dict, today: date) -> list[outlook.Lapses]:
    return outlook.forecast(people_table.groups(below(team), today), today)


def test_the_day_of_the_lapse_is_the_first_day_untrained(team):
    lapses = dict(Standing.objects.values_list("employee__name_en", "lapses_on"))
    assert lapses["Ann"] == date(2027, 3, 1)
    assert lapses["Bo"] == date(2026, 6, 22)
    assert lapses["Cy"] is None  # it has lapsed
    assert lapses["Dee"] is None


def test_the_forecast_counts_whom_the_rows_behind_it_name(team, sign_in):
    found = forecast(team, date(2026, 6, 1))
    assert [(one.days, one.people) for one in found] == [(30, 1), (60, 1), (90, 1)]
    assert [one.people for one in forecast(team, date(2026, 5, 1))] == [0, 1, 1]
    rows = BeautifulSoup(sign_in(team["boss"]).get(f"{TEAM}?lapses=30").text, "html.parser")
    assert [row.text for row in rows.select("table.heat tbody th a")] == ["Bo"]


def test_tiles_lead_to_as_many_people_as_they_say(team, sign_in):
    client = sign_in(team["boss"])
    page = BeautifulSoup(client.get(TEAM).text, "html.parser")
    for tile in page.select(".tiles a.card"):
        says = tile.select_one(".num").text
        rows = BeautifulSoup(client.get(tile["href"].split("#")[0]).text, "html.parser")
        named = len(rows.select("table.heat tbody tr"))
        assert says == (f"{named * 100 // 4}%" if says.endswith("%") else str(named)), tile


def test_month_ends_are_counted_once_and_from_what_was_then(team):
    ann, boss = team["Ann"], team["boss"]
    assert trend.take(date(2026, 6, 1)) == 3  # March, April, May: before there was nothing
    assert trend.take(date(2026, 6, 1)) == 0
    rows = MonthEnd.objects.filter(manager=boss).values_list("month", "people", "current", "lapsed")
    assert list(rows) == [
        (date(2026, 3, 1), 4, 1, 2),  # Bo and Dee were not assigned
        (date(2026, 4, 1), 4, 1, 2),
        (date(2026, 5, 1), 4, 1, 2),
    ]
    with on("2026-06-15"):
        people.set_manager(employee=ann, manager=None, by="system:test")
        services.catch_up()
    assert trend.take(date(2026, 7, 1)) == 1
    june = MonthEnd.objects.get(manager=boss, month=date(2026, 6, 1))
    assert (june.people, june.current) == (3, 0)
    assert MonthEnd.objects.get(manager=None, month=date(2026, 6, 1)).people == 5
    assert MonthEnd.objects.filter(manager=boss, month=date(2026, 5, 1)).get().people == 4


def test_who_has_left_is_not_counted_but_those_below_them_are(team, make_employee):
    with on("2026-06-10"):
        below = make_employee(manager=team["Ann"])
        services.catch_up()
        team["Ann"].left_on = date(2026, 6, 12)
        team["Ann"].save()
    with on("2026-06-13"):
        services.bring_up_to_date(employee_ids=[team["Ann"].pk], today=date(2026, 6, 13))
    trend.take(date(2026, 7, 1))
    june = MonthEnd.objects.filter(month=date(2026, 6, 1)).values_list("manager", "people")
    assert dict(june) == {None: 5, team["boss"].pk: 4, team["Ann"].pk: 1}
    assert below.manager == team["Ann"]


def test_the_chart_has_a_point_for_each_month_and_for_today(team):
    trend.take(date(2026, 6, 1))
    now = trend.now_of({("current", "clean"): 3, ("overdue", "breach"): 1}, barred=1)
    assert (now.people, now.current, now.lapsed, now.clean, now.breach, now.barred) == (4, 3, 1, 3, 1, 1)
    points = trend.points(team["boss"], now, date(2026, 6, 1))
    assert [one.current_percent for one in points] == [25, 25, 25, 75]
    chart = trend.chart(points)
    assert [len(line.dots) for line in chart.lines] == [4, 4]
    assert chart.lines[0].dots[-1][1] == round(trend.BASE - (trend.BASE - trend.TOP) * 0.75)
    assert trend.chart(points[-1:]) is None


def test_the_most_urgent_are_talked_to_first(team, make_employee):
    with on("2026-06-01"):
        Finding.objects.create(
            kind="off_channel", key="x", employee=team["Ann"], facts={}, severity=3, policy_version="1",
            due_on=date(2026, 5, 1), opened_at=timezone.now() - timedelta(days=40), about_on=date(2026, 4, 20),
        )  # fmt: skip
        services.bring_up_to_date(employee_ids=[team["Ann"].pk], today=date(2026, 6, 1))
    found = talks.first(below(team), date(2026, 6, 1))
    assert [(one.employee.name_en, one.may_remind) for one in found] == [("Ann", False), ("Cy", True), ("Dee", False)]
    assert "moved off the firm's channel" in " ".join(found[0].sentences)
    later = talks.first(below(team), date(2026, 6, 10))  # Bo's course lapses within a fortnight
    assert [one.employee.name_en for one in later] == ["Ann", "Cy", "Dee", "Bo"]
    nobody = make_employee()
    assert talks.first(Employee.objects.below(nobody), date(2026, 6, 1)) == []


def test_first_tries_are_counted_once_a_day(team, make_employee, sign_in):
    tasks.take_stock()
    stock = Stock.objects.get()
    assert [(one["slug"], one["tried"], one["passed"]) for one in stock.first_tries] == [
        ("first", 1, 1),
        ("second", 1, 1),
    ]
    tasks.take_stock()
    assert Stock.objects.count() == 1
    page = sign_in(make_employee(roles=("Compliance",))).get(FIRM)
    assert "Module first" in page.text


def test_findings_are_counted_by_age_as_the_desk_lists_them(team, make_employee, sign_in):
    now = timezone.now()
    for n, days in enumerate((0, 7, 8, 30, 31, 90, 91, 400)):
        Finding.objects.create(
            kind="off_channel", key=str(n), employee=team["Ann"], facts={}, severity=2, policy_version="1",
            due_on=date(2026, 6, 1) - timedelta(days - 60), opened_at=now - timedelta(days), about_on=date(2026, 1, 1),
        )  # fmt: skip
    client = sign_in(make_employee(roles=("Compliance",)))
    page = BeautifulSoup(client.get(FIRM).text, "html.parser")
    links = [link for link in page.select("a") if "age=" in link.get("href", "")]
    assert [link.text for link in links] == ["2", "0", "2", "0", "2", "1", "2", "2"]
    for link in links:
        desk = BeautifulSoup(client.get(link["href"]).text, "html.parser")
        assert len(desk.select("#finding-rows tbody tr")) == int(link.text), link["href"]


def test_the_page_of_a_team_costs_the_same_for_more_people(team, make_employee, sign_in, count_queries):
    client = sign_in(team["boss"])
    trend.take(date(2026, 6, 1))
    few = count_queries(lambda: client.get(TEAM))
    for _n in range(6):
        studying.assign(make_employee(manager=team["boss"]), due_on=date(2026, 6, 10))
    services.catch_up()
    assert count_queries(lambda: client.get(TEAM)) == few


# --- the past


def test_a_team_s_past_names_only_whom_the_manager_may_still_see(team, sign_in, make_employee):
    with on("2026-06-20"):
        people.set_manager(employee=team["Cy"], manager=None, by="system:test")
        services.catch_up()
        page = sign_in(team["boss"]).get(f"{TEAM}?at=2026-06-10")
    assert ">4<" in page.text.replace("\n", "")  # people on staff
    assert "Ann" in page.text
    assert "Cy" not in page.text
    assert "1 person who belonged here then" in page.text
    with on("2026-06-20"):
        firm = sign_in(make_employee(roles=("Auditor",))).get(f"{FIRM}?at=2026-06-10")
    assert "Cy" in firm.text


def test_a_person_s_past_says_what_was_so_then(team, sign_in):
    url = reverse("standing:person", args=[team["Cy"].uid])
    client = sign_in(team["boss"])
    assert "Might use WeChat for business" in client.get(f"{url}?at=2026-05-10").text
    assert "knew nothing" in client.get(f"{url}?at=2026-02-10").text
    then = client.get(f"{url}?at=2026-05-21").text  # the site looked again on 1 June only
    assert "Might use WeChat for business" in then


@pytest.mark.parametrize("day", ["2026-06-01", "2027-01-01", "x", "1999-01-01", "2026-02-30"])
def test_a_day_that_is_not_past_shows_today(team, sign_in, day):
    assert "Whom to talk to first" in sign_in(team["boss"]).get(f"{TEAM}?at={day}").text


def test_hr_does_not_see_what_the_archive_said(team, sign_in, make_employee):
    hr = sign_in(make_employee(roles=("HR",)))
    assert hr.get(reverse("standing:person", args=[team["Ann"].uid]) + "?at=2026-05-10").status_code == 403


def test_the_last_moment_of_a_day_belongs_to_it(make_employee):
    with on("2026-03-02"):
        who = make_employee()
        services.catch_up()
    from portal.standing import past

    assert past.end_of(date(2026, 3, 2)) == datetime.fromisoformat("2026-03-02T23:59:59.999999+08:00")
    assert past.person_at(who, date(2026, 3, 2))["said"] is not None
    assert past.person_at(who, date(2026, 3, 1))["said"] is None
