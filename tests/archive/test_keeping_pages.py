"""The pages of keeping, and what a person's page is told of how long a month is kept."""

from datetime import date
from pathlib import Path

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation

from archive import services, tasks
from archive.models import Disposal, Finding, Hold, Message, Record
from archive.services import Sealed, disposing, integrity
from archive.services.holding import Criteria
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Verification
from portal.people.models import Employee
from tests.archive.conftest import CLIENT, ROOM
from tests.archive.keeping import NOW, TODAY, approve, ask, old

pytestmark = pytest.mark.django_db
KEEPING, NEW = reverse("archive:keeping"), reverse("archive:hold_new")


@pytest.fixture(autouse=True)
def on_that_day():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def talk(offices, run_import, write_feed) -> None:
    lines = [
        old(1, date(2018, 3, 1), to=(CLIENT,)),
        old(2, date(2018, 3, 1), to=("hk.lee",), roomid=ROOM),
        old(3, date(2018, 3, 2), to=("us.smith",)),
        old(4, date(2018, 3, 3), sender="us.smith", to=("sg.tan",)),
        old(5, date(2026, 3, 3), sender="us.smith", to=(CLIENT,)),
    ]
    run_import(write_feed([*lines, '{"seq": 9, ']))


@pytest.fixture
def officer(two_officers, sign_in):
    return sign_in(two_officers[0])


@pytest.fixture
def colleague(two_officers, sign_in):
    return sign_in(two_officers[1])


@pytest.fixture
def auditor(make_employee, sign_in):
    return sign_in(make_employee(roles=("Auditor",), employee_no=None))


def soup(response) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def words(response, within: str = "main") -> str:
    [part] = soup(response).select(within)
    return " ".join(part.get_text(" ", strip=True).split())


def url_of(one: Hold | Disposal, deed: str = "") -> str:
    name = "hold" if isinstance(one, Hold) else "disposal"
    return reverse(f"archive:{name}{deed and f'_{deed}'}", args=[one.uid])


def asked(**told) -> dict:
    return {"name": "Matter 7", "reason": "asked by counsel", **told}


# --- schedules -------------------------------------------------------------------------------------------------------


def test_the_schedules_stand_there_with_rule_and_citation(officer):
    told = words(officer.get(KEEPING), "#schedules")
    for said in ("FCA Handbook, SYSC 10A.1.15", "5 years", "20 years", "Singapore No period is known for sure"):
        assert said in told
    links = {a["href"] for a in soup(officer.get(KEEPING)).select("#schedules a")}
    assert "https://www.handbook.fca.org.uk/handbook/SYSC/10A/" in links


def test_and_in_chinese(two_officers, sign_in):
    two_officers[0].language = "zh-hans"
    two_officers[0].save()
    told = words(sign_in(two_officers[0]).get(KEEPING), "#schedules")
    for said in ("《证券法》第一百三十七条", "20年", "中国香港"):
        assert said in told


def test_schedules_that_cannot_be_used_are_said_and_nothing_breaks(officer, settings, tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text("version: 1", encoding="utf-8")
    settings.ARCHIVE_RETENTION_FILE = own
    told = words(officer.get(KEEPING), "#schedules")
    assert "cannot be used" in told
    assert "schedules: at least one is needed" in told
    answer = officer.post(reverse("archive:disposal_ask"), {"as_of": "2026-10-16", "reason": "yearly"})
    assert "schedules: at least one is needed" in words(answer, "#disposals")
    assert not Disposal.objects.exists()


# --- holds -----------------------------------------------------------------------------------------------------------


def test_a_hold_is_counted_before_it_is_made(talk, officer, offices):
    [form] = soup(officer.get(NEW)).select("main form")
    assert [button["value"] for button in form.select("button")] == ["count"]
    page = officer.post(NEW, asked(person=offices["us.smith"].employee_no, do="count"))
    assert f"it would hold: {offices['us.smith'].name} Messages 3" in words(page)
    assert [button["value"] for button in soup(page).select("main form button")] == ["count", "make"]
    assert not Hold.objects.exists()
    answer = officer.post(NEW, asked(person=offices["us.smith"].email.upper(), do="make"))
    made = Hold.objects.get()
    assert answer.headers["Location"] == url_of(made)
    assert (made.employee, made.name) == (offices["us.smith"], "Matter 7")
    assert "Messages 3" in words(officer.get(url_of(made)))


def test_a_line_of_its_time_is_counted_too(talk, officer):
    assert "of its time 1" in words(officer.post(NEW, asked(room=ROOM, do="count")))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "Say what to hold"),
        ({"person": "nobody@example.com"}, "Nobody has this employee number, e-mail or name: nobody@example.com"),
        ({"first_on": "2026-02-02", "last_on": "2026-02-01"}, "It ends before it begins."),
        ({"first_on": "yesterday"}, "Enter a valid date."),
        ({"room": ROOM, "name": ""}, "This field is required."),
        ({"room": ROOM, "reason": " "}, "This field is required."),
    ],
)
@pytest.mark.parametrize("do", ["count", "make"])
def test_a_wrong_hold_is_refused_in_words(talk, officer, told, said, do):
    assert said in words(officer.post(NEW, asked(**told, do=do)))
    assert not Hold.objects.exists()


def test_a_name_that_is_taken_is_said(talk, officer):
    officer.post(NEW, asked(room=ROOM, do="make"))
    assert "Another hold has this name" in words(officer.post(NEW, asked(contact=CLIENT, do="make")))


def test_lifting_takes_a_reason_and_leaves_the_hold_on_the_list(talk, officer, colleague, two_officers):
    officer.post(NEW, asked(room=ROOM, do="make"))
    made = Hold.objects.get()
    assert "Say why it is lifted." in words(colleague.post(url_of(made, "lift"), {"reason": " "}, follow=True))
    told = words(colleague.post(url_of(made, "lift"), {"reason": "settled"}, follow=True))
    assert f"· {two_officers[1].name} Why it was lifted settled" in told
    assert "lifted" in words(officer.get(KEEPING), "#holds")
    assert "Somebody was faster" in words(colleague.post(url_of(made, "lift"), {"reason": "again"}, follow=True))


def test_an_auditor_reads_and_finds_nothing_to_press(talk, two_officers, auditor):
    made = services.make_hold(name="Matter 7", reason="why", criteria=Criteria(room=ROOM), by=two_officers[0])
    disposal = ask(two_officers[0])
    for url in (KEEPING, url_of(made), url_of(disposal)):
        assert soup(auditor.get(url)).select("main form, main .btn") == []
    assert auditor.get(NEW).status_code == 403


# --- disposals -------------------------------------------------------------------------------------------------------


def test_from_asking_to_the_end(talk, officer, colleague, two_officers):
    services.make_hold(name="Matter 7", reason="why", criteria=Criteria(room=ROOM), by=two_officers[0])
    answer = officer.post(reverse("archive:disposal_ask"), {"as_of": "2026-10-16", "reason": "yearly run"})
    disposal = Disposal.objects.get()
    assert answer.headers["Location"] == url_of(disposal)
    page = soup(officer.get(url_of(disposal)))
    [progress] = page.select("#disposal-progress")
    assert progress["hx-get"] == url_of(disposal)
    assert "being counted" in progress.get_text()

    tasks.count_disposal(disposal.count_job_id)
    answer = officer.get(url_of(disposal), headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    told = words(officer.get(url_of(disposal)))
    for said in (
        "4 messages are old enough",
        "FCA Handbook, SYSC 10A.1.15 United Kingdom 1 month 2018-03: 1 1",
        "Together 2",
        "a hold keeps them 1",
        "of whose jurisdiction no period is known 1",
        "Matter 7 1",
        "a colleague must decide",
    ):
        assert said in told, told

    assert officer.post(url_of(disposal, "decide"), {"decision": "approve"}).status_code == 403
    colleague.post(url_of(disposal, "decide"), {"decision": "approve"})
    disposal.refresh_from_db()
    page = soup(officer.get(url_of(disposal)))
    assert page.select("#disposal-progress[hx-get]")
    assert page.select("form[action$='/stop/']")
    job = Job.objects.get(kind=disposing.DISPOSE)
    while not services.dispose_some(job):
        job.cursor = {"sweep": []} if job.cursor.get("sweep") else job.cursor
        job.save()
    Job.objects.filter(pk=job.pk).update(state="done", ended_at=timezone.now())
    told = words(officer.get(url_of(disposal)))
    assert "done" in told
    assert "Disposed of 2 Kept by holds 1" in told
    assert f"· {two_officers[1].name} Ended" in told
    assert sorted(Message.objects.values_list("seq", flat=True)) == [2, 4, 5]
    assert "2 1" in words(officer.get(KEEPING), "#disposals")


def test_refusing_and_stopping_from_the_page(talk, officer, colleague, two_officers):
    disposal = ask(two_officers[0])
    assert "Say why it is refused." in words(
        colleague.post(url_of(disposal, "decide"), {"decision": "refuse"}, follow=True)
    )
    told = words(colleague.post(url_of(disposal, "decide"), {"decision": "refuse", "reason": "a claim"}, follow=True))
    assert "Refused" in told
    assert "a claim" in told
    disposal = approve(ask(two_officers[0]), two_officers[1])
    assert "Say why it is stopped." in words(colleague.post(url_of(disposal, "stop"), {"reason": ""}, follow=True))
    told = words(officer.post(url_of(disposal, "stop"), {"reason": "counsel called"}, follow=True))
    assert "stopped" in told
    assert "counsel called" in told
    assert "Somebody was faster" in words(officer.post(url_of(disposal, "stop"), {"reason": "again"}, follow=True))


def test_a_day_to_come_is_a_preview_on_the_page(officer):
    answer = officer.post(reverse("archive:disposal_ask"), {"as_of": "2026-10-17", "reason": "yearly"}, follow=True)
    assert answer.redirect_chain
    assert Disposal.objects.get().state == "preview"


def test_who_asked_withdraws_on_the_page(talk, officer, colleague, two_officers):
    disposal = ask(two_officers[0])
    withdraw = reverse("archive:disposal_withdraw", args=[disposal.uid])
    assert withdraw in officer.get(url_of(disposal)).text
    assert withdraw not in colleague.get(url_of(disposal)).text
    colleague.post(withdraw)
    disposal.refresh_from_db()
    assert disposal.state == "asked"
    assert "withdrawn" in officer.post(withdraw, follow=True).text


def test_a_hold_finds_a_person_by_name_and_asks_which_of_two(officer, make_employee):
    make_employee(name_en="Li Haoran", name_zh="李浩然", employee_no="E1")
    url = reverse("archive:hold_new")
    told = {"name": "A matter", "reason": "asked", "do": "count"}
    for name in ("Li Haoran", "li  haoran", "李浩然", "Li Haoran 李浩然"):
        assert "it would hold" in officer.post(url, {**told, "person": name}).text
    make_employee(name_en="Li Haoran", employee_no="E2")
    both = officer.post(url, {**told, "person": "Li Haoran"}).text
    assert "Several people have this name" in both
    assert "(E1)" in both
    assert "Nobody has this" in officer.post(url, {**told, "person": "Haoran"}).text


def test_a_hold_is_made_for_each_of_several_people_or_for_none(officer, make_employee):
    for n in (1, 2):
        make_employee(name_en=f"Person {n}", employee_no=f"E{n}")
    told = {"name": "A matter", "reason": "asked"}
    counted = words(officer.post(NEW, {**told, "person": "E1; Person 2；E1", "do": "count"}), "[role=status]")
    assert counted.count("Messages") == 2
    officer.post(NEW, {**told, "person": "E1; nobody", "do": "make"})
    assert not Hold.objects.exists()
    officer.post(NEW, {**told, "person": "E1; Person 2", "do": "make"})
    assert list(Hold.objects.order_by("name").values_list("name", "employee__employee_no")) == [
        ("A matter · E1", "E1"),
        ("A matter · E2", "E2"),
    ]
    page = officer.post(NEW, {**told, "person": "E2; E1", "do": "make"}).text
    assert "Another hold has this name" in page
    assert Hold.objects.count() == 2


def test_a_link_says_whether_it_leads_to_the_text_or_to_where_to_look(officer):
    page = words(officer.get(reverse("archive:keeping")), "#schedules")
    assert "look for this title on flk.npc.gov.cn" in page


def test_a_job_that_was_given_up_is_said_and_started_again_by_who_started_it(talk, officer, colleague, two_officers):
    disposal = approve(ask(two_officers[0]), two_officers[1])
    Job.objects.filter(pk=disposal.job_id).update(
        state="failed", error="OperationalError", ended_at=timezone.now(), lease_until=None
    )
    page = soup(colleague.get(url_of(disposal)))
    assert "stopped with OperationalError" in page.get_text()
    [form] = page.select("#disposal-progress form")
    assert form["action"] == reverse("jobs:retry", args=[disposal.job.uid])
    assert soup(officer.get(url_of(disposal))).select("#disposal-progress form") == []


def test_the_fragment_is_the_part_of_the_page_that_it_replaces(talk, officer, two_officers):
    disposal = services.ask_disposal(as_of=TODAY, reason="yearly", by=two_officers[0])
    [in_page] = soup(officer.get(url_of(disposal))).select("#disposal-progress")
    [alone] = soup(officer.get(url_of(disposal), headers={"HX-Request": "true"})).select("section")
    assert str(alone) == str(in_page)


def test_the_lists_cost_the_same_for_one_row_and_for_ten(talk, officer, two_officers, count_queries):
    def one_more(number: int) -> None:
        criteria = Criteria(contact=CLIENT, first_on=date(2018, 1, 1 + number))
        services.make_hold(name=f"Matter {number}", reason="why", criteria=criteria, by=two_officers[0])
        disposal = ask(two_officers[0])
        services.decide_disposal(disposal=disposal, approve=False, reason="not yet", by=two_officers[1])

    one_more(0)
    page = url_of(Disposal.objects.get())
    officer.get(KEEPING)
    before = count_queries(lambda: officer.get(KEEPING)), count_queries(lambda: officer.get(page))
    for number in range(1, 10):
        one_more(number)
    newest = url_of(Disposal.objects.order_by("-pk").first())
    assert (count_queries(lambda: officer.get(KEEPING)), count_queries(lambda: officer.get(newest))) == before


def test_what_the_night_found_is_on_the_page(talk, officer):
    assert "the first night is still to come" in words(officer.get(KEEPING), "#integrity")
    tasks.verify_tonight()
    tasks.verify_archive(Job.objects.get(kind=integrity.VERIFY).pk)
    assert "All as it was stored" in words(officer.get(KEEPING), "#integrity")
    Message.objects.filter(seq=1).update(fingerprint=b"\1" * 32)
    services.verify(by="system:test")
    assert "1 finding is open" in words(officer.get(KEEPING), "#integrity")


# --- a person's month ------------------------------------------------------------------------------------------------


def facts(employee: Employee, month: date = date(2018, 3, 1), viewer: Employee | None = None):
    return services.keeping_facts(employee, month, viewer)


def test_a_month_is_kept_until_the_last_of_its_messages_may_go(talk, offices):
    jones, lee = facts(offices["uk.jones"]), facts(offices["hk.lee"])
    assert (jones.messages, jones.retention_until, jones.for_ever) == (3, date(2025, 3, 1), False)  # with Hong Kong
    assert (lee.messages, lee.retention_until) == (1, date(2025, 3, 1))
    smith = facts(offices["us.smith"])
    assert (smith.messages, smith.retention_until, smith.for_ever) == (2, None, True)  # with Singapore
    recent = facts(offices["us.smith"], date(2026, 3, 31))
    assert (recent.messages, recent.retention_until) == (1, date(2031, 12, 31))
    nothing = facts(offices["hk.lee"], date(2020, 1, 1))
    assert (nothing.messages, nothing.retention_until, nothing.for_ever, nothing.held) == (0, None, False, 0)


def test_a_month_is_kept_while_the_schedules_cannot_be_used(talk, offices, settings):
    settings.ARCHIVE_RETENTION_FILE = Path("/nowhere")
    jones, nothing = facts(offices["uk.jones"]), facts(offices["uk.jones"], date(2020, 1, 1))
    assert (jones.retention_until, jones.for_ever, nothing.for_ever) == (None, True, False)


def test_where_people_worked_then_counts_for_the_month_too(talk, offices, make_office):
    services.refresh_findings()
    offices["hk.lee"].office = make_office(jurisdiction="CN")
    offices["hk.lee"].save()
    services.refresh_findings()
    assert facts(offices["hk.lee"]).retention_until == date(2025, 3, 1)


def test_what_is_held_is_counted_and_named_to_those_who_may_know(talk, offices, two_officers, make_employee):
    for name, criteria in {"Matter 7": Criteria(room=ROOM), "Matter 8": Criteria(last_on=date(2018, 3, 1))}.items():
        services.make_hold(name=name, reason="why", criteria=criteria, by=two_officers[0])
    services.make_hold(name="Elsewhere", reason="why", criteria=Criteria(contact="wmOther"), by=two_officers[0])
    jones = offices["uk.jones"]
    assert (facts(jones).held, facts(jones).holds) == (2, None)
    assert facts(jones, viewer=jones).holds is None
    assert facts(jones, viewer=two_officers[0]).holds == ("Matter 7", "Matter 8")
    assert facts(jones, viewer=make_employee(roles=("Auditor",))).holds == ("Matter 7", "Matter 8")
    assert facts(jones, viewer=make_employee(roles=("HR",))).holds is None


def test_a_month_costs_the_same_however_much_was_said_and_held(
    talk, offices, run_import, write_feed, two_officers, count_queries
):
    jones = offices["uk.jones"]
    services.make_hold(name="Matter", reason="why", criteria=Criteria(jones, contact=CLIENT), by=two_officers[0])
    before = count_queries(lambda: facts(jones, viewer=two_officers[0]))
    assert before <= 16
    run_import(write_feed([old(20 + n, date(2018, 3, 1 + n % 28), to=("hk.lee", CLIENT)) for n in range(60)]))
    for n in range(10):
        criteria = Criteria(contact=CLIENT, first_on=date(2018, 3, 1 + n))
        services.make_hold(name=f"Matter {n}", reason="why", criteria=criteria, by=two_officers[0])
    officer = Employee.objects.get(pk=two_officers[0].pk)
    officer.has_perm("archive.view_keeping")
    assert count_queries(lambda: facts(jones, viewer=officer)) <= before
    assert facts(jones).messages == 63


def test_a_month_is_sealed_once_a_seal_covers_the_last_of_its_rows(talk, offices):
    services.recompute_due(by="system:test")
    jones = offices["uk.jones"]
    assert facts(jones).sealed == Sealed(None, None, None, None)
    first = ledger.seal()
    assert (facts(jones).sealed.seal, facts(jones).sealed.sealed_at) == (first.number, first.at)
    later = Record.objects.get(employee=jones, month=date(2018, 3, 1))
    with transaction.atomic():
        later.entry_seq = ledger.append(verb="test.done", actor="system:a", subject="system:a", body={}).seq
        later.save()
    assert facts(jones).sealed.seal is None
    assert facts(jones, date(2020, 1, 1)).sealed == Sealed(None, None, None, None)  # nothing was ever said


def test_a_month_is_verified_when_the_archive_and_the_log_have_been_looked_at_since(talk, offices):
    services.recompute_due(by="system:test")
    jones, smith = offices["uk.jones"], offices["us.smith"]
    services.verify(by="system:test")
    assert facts(jones).sealed.is_sound is None  # nobody has looked at the log
    elder = log_verified()
    services.verify(by="system:test")
    assert (facts(jones).sealed.is_sound, facts(jones).sealed.looked_at) == (True, elder.ended_at)
    Message.objects.filter(seq=1).update(fingerprint=b"1" * 32)
    services.verify(by="system:test")
    assert facts(jones).sealed.is_sound is False
    assert facts(smith).sealed.is_sound is False  # of the same batch
    log_verified(fault_seq=1, fault_code="digest")
    assert facts(jones).sealed.is_sound is False


def test_what_came_after_the_last_look_is_not_said_to_be_verified(talk, offices, run_import, write_feed):
    services.recompute_due(by="system:test")
    log_verified()
    services.verify(by="system:test")
    run_import(write_feed([old(30, date(2018, 3, 4), to=("hk.lee",))], "late.jsonl"))
    assert facts(offices["uk.jones"]).sealed.is_sound is None
    assert facts(offices["us.smith"], date(2026, 3, 1)).sealed.is_sound is True


def test_the_month_of_another_batch_is_not_blamed(talk, offices, run_import, write_feed):
    run_import(write_feed([old(30, date(2019, 3, 4), to=("hk.lee",))], "another.jsonl"))
    services.recompute_due(by="system:test")
    Message.objects.filter(seq=30).update(fingerprint=b"1" * 32)
    log_verified()
    services.verify(by="system:test")
    jones = offices["uk.jones"]
    assert facts(jones).sealed.is_sound is True
    assert facts(jones, date(2019, 3, 1)).sealed.is_sound is False


def log_verified(**fault) -> Verification:
    """Write down that the evidence log was read to its end."""
    now = timezone.now()
    told = {"is_full": True, "began_at": now, "ended_at": now, "after": 0, "seals": 0, "outside": 0}
    return Verification.objects.create(**told, upto=ledger.head_seq(), **fault)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("UK", ("FCA Handbook, SYSC 10A.1.15", 5, False)),
        ("US", ("SEC Rule 204-2(e)", 5, True)),
        ("CN", ("Securities Law, article 137", 20, False)),
        ("SG", ("", 0, False)),
    ],
)
def test_a_person_is_told_the_longest_period_of_where_they_work(make_employee, make_office, place, told):
    who = make_employee(office=make_office(jurisdiction=place))
    period = services.period_told(who, TODAY)
    assert (period.rule, period.years, period.from_fiscal_year, period.text_days) == (*told, 7)


def test_without_an_office_or_usable_schedules_no_period_is_told(make_employee, make_office, settings):
    assert services.period_told(make_employee(), TODAY).years == 0
    settings.ARCHIVE_RETENTION_FILE = Path("/nowhere")
    assert services.period_told(make_employee(office=make_office(jurisdiction="UK")), TODAY).years == 0


def test_words_of_the_pages_are_translated():
    with translation.override("zh-hans"):
        assert str(Finding.Kind.INTEGRITY.label) != "a fingerprint or seal that does not verify"
        assert str(Disposal.State.STOPPED.label) == "已停止"
