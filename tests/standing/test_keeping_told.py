"""What a person's pages say of keeping: until when, under which hold, sealed and verified, in both languages."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.urls import reverse

from archive import services
from archive.models import Record
from archive.services import Criteria
from portal.ledger import services as ledger
from tests.archive.conftest import CLIENT, line, write_feed  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


@pytest.fixture(autouse=True)
def on_that_day():
    with time_machine.travel(datetime(2026, 10, 16, 10, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def person(make_employee, make_office):
    return make_employee(wecom_userid="li.na", office=make_office(jurisdiction="HK"))


@pytest.fixture
def spoken(person, write_feed) -> None:  # noqa: F811
    call_command("import_archive", str(write_feed([line(1, to=(CLIENT,))])), source="wecom")
    services.recompute_due(by="system:test")


def figures(client, address: str) -> dict[str, str]:
    page = BeautifulSoup(client.get(address).text, "html.parser")
    [group] = [one for one in page.select(".figures table") if one.caption.text in ("Keeping", "保存")]
    return {row.th.contents[0].strip(): row.td.get_text(strip=True) for row in group.select("tr")}


def test_a_month_says_until_when_it_is_kept_and_whether_it_is_sealed(spoken, person, sign_in):
    address = reverse("standing:record_month", args=[OCTOBER])
    assert figures(sign_in(person), address) == {
        "Records that are still here": "1",
        "Kept until": "12 October 2033",
        "Under a hold": "0",
        "Sealed": "not yet",
        "Verified": "not looked at since",
    }
    ledger.seal()
    assert figures(sign_in(person), address)["Sealed"] == "seal 1, 16 Oct 2026, 18:00"


def test_the_names_of_holds_are_for_those_who_may_know_them(spoken, person, make_employee, sign_in):
    officer = make_employee(roles=("Compliance",))
    services.make_hold(name="Matter 7", reason="why", criteria=Criteria(employee=person), by=officer)
    mine = reverse("standing:record_month", args=[OCTOBER])
    assert figures(sign_in(person), mine)["Under a hold"] == "1"
    theirs = reverse("standing:person_month", args=[person.uid, OCTOBER])
    assert figures(sign_in(officer), theirs)["Under a hold"] == "1: Matter 7"


def test_a_month_whose_messages_went_says_so_and_keeps_its_figures(spoken, person, make_employee, sign_in):
    officers = [make_employee(roles=("Compliance",)) for _n in range(2)]
    with time_machine.travel(datetime(2033, 10, 20, tzinfo=UTC)):
        services.refresh_findings()
        from tests.archive.keeping import run

        run(officers, as_of=date(2033, 10, 20))
        address = reverse("standing:record_month", args=[OCTOBER])
        found, page = figures(sign_in(person), address), sign_in(person).get(address).text
    assert "its days can no longer be shown" in page
    assert "days with messages" not in page
    assert (found["Records that are still here"], found["Kept until"]) == ("0", "–")
    record = Record.objects.get(month=OCTOBER)
    assert (record.captured, record.frozen_by_id is not None) == (1, True)


def plain_words(sign_in, person, language: str = "en") -> str:
    person.language = language
    person.save()
    page = BeautifulSoup(sign_in(person).get(reverse("standing:record")).text, "html.parser")
    return " ".join(page.select_one(".plainwords").get_text(" ", strip=True).split())


def test_my_record_says_in_plain_words_for_how_long_and_who_sees_it(person, sign_in):
    english, chinese = (plain_words(sign_in, person, code) for code in ("en", "zh-hans"))
    assert "7 years, by the longest rule for Hong Kong: Securities and Futures (Keeping of Records) Rules" in english
    assert "7 days, or where a finding is open until it is settled" in english
    assert "Text is read by Compliance alone" in english
    assert "保存7年" in chinese
    assert "《证券及期货（备存纪录）规则》" in chinese
    assert "只有合规人员" in chinese


@pytest.mark.parametrize(
    ("keeps", "said"),
    [("none", "No text of any message is kept here."), ("all", "Text goes with its message."), ("flagged", "7 days")],
)
def test_my_record_says_what_the_firm_keeps_of_texts(person, sign_in, settings, keeps, said):
    settings.ARCHIVE_TEXT = keeps
    assert said in plain_words(sign_in, person)


def test_where_no_period_is_known_it_is_said_to_be_for_ever(make_employee, sign_in):
    assert "for ever, for no period is set for where you work" in plain_words(sign_in, make_employee())
