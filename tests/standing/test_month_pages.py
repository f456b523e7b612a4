"""One month of a person: the calendar of captured days and gaps, every figure, and what it said before."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from archive import rules, services
from archive.metrics import Metrics
from archive.models import Record
from portal.standing import months
from tests.archive.conftest import FEED, FRIDAY_EVENING, STATE, line, staff, write_feed  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def week(staff) -> None:  # noqa: F811
    """The sample week, the permit list taken to hold for all of it."""
    with time_machine.travel(FRIDAY_EVENING):
        call_command("import_archive", str(FEED), source="wecom")
        call_command("import_archive_state", str(STATE), source="wecom", holds_from=date(2026, 10, 12))


def soup(response) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser")


def test_the_calendar_tells_captured_days_gaps_and_days_without_a_seat(week, staff, make_employee):  # noqa: F811
    def kinds(userid: str) -> dict[int, str]:
        return {one.on.day: one.kind for one in services.days_of(staff[userid], OCTOBER)}

    staff["new"] = make_employee(wecom_userid="new.one")
    speaker, silent, unseated = kinds("zhangwei"), kinds("0000318"), kinds("new")
    assert [speaker[day] for day in range(12, 19)] == ["captured"] * 5 + ["beyond"] * 2
    assert [silent[day] for day in range(12, 17)] == ["gap"] * 5
    assert [unseated[day] for day in range(12, 17)] == ["unseated"] * 5
    assert speaker[1] == "off"  # National Day
    assert speaker[9] == "unknown"  # a working day for which no list speaks


def test_each_message_is_counted_once_on_its_day(week, staff):  # noqa: F811
    record = Record.objects.get(employee=staff["zhangwei"], month=OCTOBER)
    days = services.days_of(staff["zhangwei"], OCTOBER)
    assert sum(one.captured for one in days) == record.captured == 29
    assert sum(one.sent for one in days) == record.sent == 12
    assert sum(one.with_clients for one in days) == record.client_captured == 15


def test_a_day_barred_as_a_whole_is_marked_in_words_too(week, staff, sign_in):  # noqa: F811
    moment = datetime(2026, 10, 12, 16, tzinfo=UTC)  # midnight in Shanghai
    services.set_bars(barred={staff["zhangwei"].pk: True}, at=moment)
    barred = [one.on.day for one in services.days_of(staff["zhangwei"], OCTOBER) if one.is_barred]
    assert barred == list(range(13, 32))
    page = soup(sign_in(staff["zhangwei"]).get(reverse("standing:record_month", args=[OCTOBER])))
    assert page.select_one(".legend .is-barred").text == "19 days on which messaging clients was not permitted"
    assert len(page.select("td.is-barred .sr")) == 19


def test_my_month_shows_calendar_figures_and_the_feeds_hole(week, staff, sign_in):  # noqa: F811
    page = soup(sign_in(staff["zhangwei"]).get(reverse("standing:record_month", args=[OCTOBER])))
    assert len(page.select("table.calendar td.is-captured")) == 5
    assert "29" in page.get_text(" ", strip=True)
    figures = {row.th.contents[0].strip(): row.td.get_text(strip=True) for row in page.select(".figures tr")}
    assert figures["With clients"] == "15 of 29 (52 %)"
    assert figures["Agreed"] == "2 of 2"  # a share of two would mislead
    assert page.select_one(".note.warn").get_text().startswith("1 stretch of numbers is missing")


def test_a_version_is_shown_with_its_reason(week, staff, sign_in, write_feed):  # noqa: F811
    with time_machine.travel(datetime(2026, 11, 9, 4, tzinfo=UTC)):
        services.refresh_findings()
        late = line(2000, sender="zhangwei", to=("li.na",))
        call_command("import_archive", str(write_feed([late], "late.jsonl")), source="wecom")
    page = soup(sign_in(staff["zhangwei"]).get(reverse("standing:record_month", args=[OCTOBER])))
    assert "messages of the month came later" in page.get_text(" ", strip=True)


def test_a_month_without_a_record_is_not_found(week, staff, sign_in):  # noqa: F811
    client = sign_in(staff["zhangwei"])
    assert client.get(reverse("standing:record_month", args=[date(2026, 1, 1)])).status_code == 404
    assert client.get("/record/2026-13/").status_code == 404


def test_a_colleague_and_hr_get_nothing_and_the_manager_everything(week, staff, make_employee, sign_in):  # noqa: F811
    address = reverse("standing:person_month", args=[staff["zhangwei"].uid, OCTOBER])
    assert sign_in(staff["li.na"]).get(address).status_code == 404
    assert sign_in(make_employee(roles=("HR",))).get(address).status_code == 404
    assert sign_in(make_employee(roles=("Auditor",))).get(address).status_code == 200


def test_the_page_costs_the_same_for_many_messages(week, staff, sign_in, count_queries):  # noqa: F811
    client = sign_in(staff["zhangwei"])
    busy = count_queries(lambda: client.get(reverse("standing:record_month", args=[OCTOBER])))
    client = sign_in(staff["0000318"])
    assert count_queries(lambda: client.get(reverse("standing:record_month", args=[OCTOBER]))) == busy
    assert busy <= 26


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ((1, False, False, None), "captured"),
        ((0, False, True, True), "beyond"),
        ((0, True, False, True), "off"),
        ((0, True, True, True), "gap"),
        ((0, True, True, False), "unseated"),
        ((0, True, True, None), "unknown"),
    ],
)
def test_what_a_day_is(facts, kind):
    captured, is_covered, is_working, has_seat = facts
    found = rules.day_kind(captured=captured, is_covered=is_covered, is_working=is_working, has_seat=has_seat)
    assert found == kind
    assert kind in rules.DAY_KINDS


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_is_rounded_and_never_of_a_few(part, whole):
    found = rules.share(part, whole)
    assert (found is None) == (whole < 20)
    if found is not None:
        assert abs(found - 100 * part / whole) <= 0.5


@given(st.integers(0, 11))
def test_a_month_is_padded_to_whole_weeks(number):
    first = date(2026, number + 1, 1)
    days = [services.Day(first.replace(day=n), "off") for n in range(1, 29)]
    found = months.weeks(days)
    assert {len(week) for week in found} == {7}
    assert [day for week in found for day in week if day] == days


def test_every_figure_of_an_empty_record_can_be_said():
    assert all(figure.value for group in months.groups(Metrics()) for figure in group.figures)
