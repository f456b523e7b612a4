"""The findings desk: who sees it, filters that live in the address, deciding, words, many at once, samples."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse
from django.utils.text import capfirst

from archive import services as archive
from archive.models import Finding, MessageText, Sample
from archive.rules import Opening
from archive.services import findings
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from tests.archive.conftest import CLIENT, line, run_import, write_feed  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 10, 16, 4, tzinfo=UTC)
LIST = reverse("standing:finding_list")


@pytest.fixture
def officer(make_employee):
    return make_employee(roles=("Compliance",), name_en="Officer")


@pytest.fixture
def client(officer, sign_in):
    return sign_in(officer)


@pytest.fixture
def words(make_employee, run_import, write_feed) -> Finding:  # noqa: F811
    person = make_employee(wecom_userid="li.na", name_en="Li Na")
    with time_machine.travel(FRIDAY):
        run_import(write_feed([line(1, "周五见。加我个人微信聊，价格好说", to=(CLIENT,))]))
    return Finding.objects.get(employee=person, kind="off_channel")


def find(person, kind: str, n: int = 1, at: datetime = FRIDAY) -> Finding:
    opening = Opening(kind, f"{kind}:{person.uid}:{n}", person.pk, facts={"count": n}, on=at.date())
    [found] = findings.open_all([opening], by="system:test", now=at)
    return found


def soup(response) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser")


def kinds(response) -> list[str]:
    return [row.text for row in soup(response).select("[data-row] th a")]


def do(client, finding: Finding, act: str, text: str = "looked", **more):
    told = {"act": act, "text": text, **more}
    return client.post(reverse("standing:finding_do", args=[finding.uid]), told, follow=True)


def said(response) -> str:
    return " ".join(note.get_text(" ", strip=True) for note in soup(response).select("main > .note"))


def test_filters_live_in_the_address_and_the_soonest_due_comes_first(sign_in, make_employee, officer):
    person = make_employee()
    late = find(person, "recall_pattern", at=FRIDAY - timedelta(days=60))
    soon, heavy = find(person, "silent_seat"), find(person, "after_refusal")
    archive.claim_finding(finding=soon, reviewer=officer)
    with time_machine.travel(FRIDAY + timedelta(days=1)):
        client = sign_in(officer)
        every = [late, heavy, soon]
        assert kinds(client.get(LIST)) == [capfirst(one.get_kind_display()) for one in every]
        for query, found in {
            "due=overdue": [late],
            "kind=silent_seat": [soon],
            "whose=mine": [soon],
            "whose=nobody": [late, heavy],
            "sort=weight": [heavy, late, soon],
            "state=closed": [],
            "about=feeds": [],
            "state=nonsense&kind=x&page=99&department=x": every,
        }.items():
            assert kinds(client.get(f"{LIST}?{query}")) == [capfirst(one.get_kind_display()) for one in found], query


def test_the_fragment_is_the_part_of_the_page_it_replaces(client, make_employee):
    find(make_employee(), "silent_seat")
    [in_page] = soup(client.get(LIST)).select("#finding-rows")
    [alone] = soup(client.get(LIST, headers={"HX-Request": "true"})).select("#finding-rows")
    for page in (in_page, alone):
        for field in page.select("[name=csrfmiddlewaretoken]"):
            field.decompose()
    assert alone == in_page


def test_a_page_of_many_costs_as_many_queries_as_one_of_few(client, make_employee, count_queries):
    find(make_employee(), "silent_seat")
    few = count_queries(lambda: client.get(LIST))
    for n in range(20):
        find(make_employee(), "after_refusal", n)
    assert count_queries(lambda: client.get(LIST)) == few


def test_one_finding_is_decided_on_its_page_and_each_step_is_there(client, words):
    do(client, words, "claim")
    page = do(client, words, "confirm", "Business was moved away.")
    assert "It is confirmed." in said(page)
    words.refresh_from_db()
    assert words.state == "confirmed"
    steps = [item.strong.text for item in soup(page).select(".done-steps li")]
    assert steps == ["Opened", "Taken on", "Confirmed"]
    assert "a second reviewer must confirm it" in soup(page).get_text(" ", strip=True)
    assert "It cannot close yet" in said(do(client, words, "close", how="remedied"))


def test_the_second_reviewer_is_offered_to_confirm_and_the_first_is_not(client, words, officer, make_employee, sign_in):
    do(client, words, "confirm")
    address = reverse("standing:finding", args=[words.uid])
    assert not soup(client.get(address)).select("button[value=second]")
    other = sign_in(make_employee(roles=("Compliance",)))
    assert soup(other.get(address)).select("button[value=second]")
    do(other, words, "second", "read it too")
    words.refresh_from_db()
    assert words.seconded_by not in (None, officer)


def test_what_somebody_else_has_is_read_but_not_decided(client, words, make_employee):
    archive.claim_finding(finding=words, reviewer=make_employee(name_en="Somebody Else"))
    page = soup(client.get(reverse("standing:finding", args=[words.uid])))
    assert "Somebody Else is working on it" in page.get_text(" ", strip=True)
    assert not page.select("button[value=confirm]")
    assert "Somebody Else is working on it" in said(do(client, words, "confirm"))
    assert "The note is written down" in said(do(client, words, "note", "seen"))


def test_a_decision_without_a_reason_changes_nothing(client, words):
    assert "a decision without a reason" in said(do(client, words, "dismiss", " "))
    words.refresh_from_db()
    assert (words.state, words.claimed_by) == ("new", None)


def test_a_way_of_closing_that_the_kind_does_not_have_is_refused(client, words):
    assert "Choose how it closes" in said(do(client, words, "close", how="lost"))
    assert "Choose how it closes" in said(do(client, words, "close"))


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (
            {"level": "attention", "why": ["records", "pulls"], "since": FRIDAY, "last_record": None},
            ["no new record, no delivery", "Silent since"],
        ),
        (
            {"level": "loss", "from": FRIDAY, "until": FRIDAY, "goes_on": True},
            ["Lost: what was sent", "It still goes on yes"],
        ),
    ],
)
def test_a_feed_that_is_silent_is_told_in_words(client, facts, told):
    source = archive.get_source("wecom")
    moments = {name: at.isoformat() if at is FRIDAY else at for name, at in facts.items()}
    facts = {"last_pull": FRIDAY.isoformat(), **moments}
    opening = Opening("source_silent", "one", None, source.pk, facts=facts, on=FRIDAY.date())
    [finding] = findings.open_all([opening], by="system:test", now=FRIDAY)
    page = soup(client.get(reverse("standing:finding", args=[finding.uid])))
    text = " ".join(page.select_one("dl.facts").get_text(" ", strip=True).split())
    assert all(one in text for one in told)
    assert page.select_one(f"a[href='{reverse('archive:source', args=['wecom'])}']")


def test_the_next_in_the_queue_follows_the_filters(client, make_employee):
    person = make_employee()
    one, two = find(person, "silent_seat", 1), find(person, "silent_seat", 2)
    find(person, "after_refusal", 3)
    address = f"{reverse('standing:finding', args=[one.uid])}?kind=silent_seat"
    [link] = soup(client.get(address)).select("a[rel=next]")
    assert two.uid in link["href"]
    assert "kind=silent_seat" in link["href"]


# --- the words


def test_the_words_are_shown_to_who_says_why_and_only_then(client, words):
    address = reverse("standing:finding", args=[words.uid])
    read = reverse("standing:finding_words", args=[words.uid])
    assert "价格好说" not in client.get(address).text
    assert "价格好说" not in client.post(read, {"text": " "}, follow=True).text
    assert not Entry.objects.filter(verb="archive.finding_read").exists()
    [quote] = soup(client.post(read, {"text": "to decide"})).select("blockquote.words")
    assert quote.mark.text == "加我个人微信"
    assert Entry.objects.filter(verb="archive.finding_read").count() == 1
    whole = client.post(read, {"text": "to decide", "whole": 1})
    assert "周五见。加我个人微信聊，价格好说" in whole.text
    assert "价格好说" not in client.get(address).text


def test_words_under_a_lost_key_are_a_sentence_and_not_an_error(client, words):
    MessageText.objects.update(key_id="gone")
    read = reverse("standing:finding_words", args=[words.uid])
    assert "the key that opens them is not" in said(client.post(read, {"text": "to decide"}, follow=True))


def test_an_auditor_sees_the_case_but_neither_words_nor_buttons(words, make_employee, sign_in):
    auditor = sign_in(make_employee(roles=("Auditor",)))
    page = soup(auditor.get(reverse("standing:finding", args=[words.uid])))
    assert not page.select("main form")
    assert auditor.post(reverse("standing:finding_words", args=[words.uid]), {"text": "x"}).status_code == 403
    note = {"act": "note", "text": "x"}
    assert auditor.post(reverse("standing:finding_do", args=[words.uid]), note).status_code == 403


# --- many at once


def test_many_are_dismissed_at_once_and_one_that_is_held_stops_no_other(client, make_employee):
    person = make_employee()
    mine, held = find(person, "silent_seat", 1), find(person, "silent_seat", 2)
    archive.claim_finding(finding=held, reviewer=make_employee(name_en="Other"))
    told = {"act": "dismiss", "text": "on leave", "finding": [mine.uid, held.uid, "unknown"]}
    answer = client.post(reverse("standing:finding_bulk"), told, follow=True)
    assert "1 finding dismissed as a false alarm." in said(answer)
    assert "Other is working on it" in said(answer)
    assert {one.pk: one.state for one in Finding.objects.all()} == {mine.pk: "dismissed", held.pk: "new"}


def test_nothing_chosen_is_said(client):
    answer = client.post(reverse("standing:finding_bulk"), {"act": "claim"}, follow=True)
    assert "Choose some findings first" in said(answer)


# --- samples


def test_a_month_that_becomes_final_is_sampled_and_reviewed_on_its_page(words, officer, make_employee, sign_in):
    with time_machine.travel(datetime(2026, 11, 6, 4, tzinfo=UTC)):
        archive.refresh_findings()
        archive.refresh_findings()
    sample = Sample.objects.get()
    assert (sample.month, sample.population, sample.items.count()) == (date(2026, 10, 1), 1, 1)
    client, address = sign_in(officer), reverse("standing:sample", args=[sample.month])
    assert "1 of 1 messages" in client.get(address).text
    item = reverse("standing:sample_item", args=[sample.month, 1])
    assert sign_in(make_employee(roles=("Auditor",))).post(item, {"result": "fine"}).status_code == 403
    assert "Say what was done" in said(client.post(item, {"result": "concern"}, follow=True))
    client.post(item, {"result": "concern", "action": "told the manager"})
    assert "told the manager" in client.get(address).text
    assert soup(client.get(reverse("standing:sample_list"))).select_one("td .tag.good")


# --- finding one, and one that somebody else has


def test_a_search_finds_by_name_number_handle_and_id_and_stands_in_no_address(client, make_employee):
    na, wei = make_employee(name_en="Li Na", employee_no="N1"), make_employee(name_en="Wei", name_zh="李伟")
    of_na, of_wei = find(na, "silent_seat"), find(wei, "after_refusal")
    Finding.objects.filter(pk=of_wei.pk).update(facts={"contact": "wmOne"})
    wanted = {
        "li na": of_na,
        "n1": of_na,
        "李伟": of_wei,
        "wmOne": of_wei,
        of_wei.uid: of_wei,
    }
    for text, one in wanted.items():
        page = soup(client.post(LIST, {"q": text}))
        assert [row["value"] for row in page.select("[data-row] input")] == [one.uid], text
    page = soup(client.post(LIST, {"q": "li na"}))
    assert not [
        link for link in page.select("a[href*='li'], form[action*='li%20na']") if "li na" in link.get("href", "")
    ]
    assert page.select_one(".files input[name=q]")["value"] == "li na"
    assert soup(client.post(LIST, {"q": "nobody"})).select("[data-row]") == []


def test_what_was_searched_for_is_what_the_file_holds(client, make_employee):
    find(make_employee(name_en="Li Na"), "silent_seat")
    find(make_employee(name_en="Wei"), "silent_seat")
    for name, person in (("standing:finding_file", "Li Na"), ("standing:people_file", "Li Na")):
        answer = client.post(reverse(name, args=["csv"]), {"q": "li na"})
        rows = b"".join(answer).decode("utf-8-sig").splitlines()
        assert len(rows) == 2
        assert person in rows[1]
    assert Entry.objects.filter(verb="standing.exported").count() == 2


def test_a_finding_that_somebody_has_who_is_away_is_taken_over_with_a_reason(client, officer, make_employee):
    finding, away = find(make_employee(), "silent_seat"), make_employee(name_en="Grace")
    archive.claim_finding(finding=finding, reviewer=away)
    page = soup(client.get(reverse("standing:finding", args=[finding.uid])))
    assert page.select("button[value=take_over]")
    assert not page.select("[data-act]")
    assert "Say why you take it over." in said(do(client, finding, "take_over", " "))
    assert "You have taken it over." in said(do(client, finding, "take_over", "away until Monday"))
    finding.refresh_from_db()
    assert finding.claimed_by == officer
    [entry] = Entry.objects.filter(verb="archive.finding_taken_over", actor=officer.uid)
    body = ledger.body_of(entry)
    assert (body["before"], body["text"]) == (away.uid, "away until Monday")
    assert "It is dismissed" in said(do(client, finding, "dismiss"))


def test_what_a_person_told_of_themselves_is_settled_with_thanks(client, make_employee):
    told = {"happened_on": FRIDAY.date(), "where": "wechat", "began": "client", "about": "business"}
    finding = archive.report_slip(employee=make_employee(), **told, has_moved=True, has_kept=True).finding
    page = soup(client.get(reverse("standing:finding", args=[finding.uid])))
    assert [button["value"] for button in page.select("[data-act]")] == ["close"]
    assert [one["value"] for one in page.select("input[name=how]")] == ["remedied", "thanked"]
    assert "It is closed." in said(do(client, finding, "close", how="thanked"))


def test_a_file_of_findings_names_each_and_where_it_is(client, make_employee, settings):
    settings.SITE_URL = "https://portal.example"
    finding = find(make_employee(), "after_refusal")
    Finding.objects.filter(pk=finding.pk).update(facts={"contact": "wmOne"})
    rows = b"".join(client.get(reverse("standing:finding_file", args=["csv"]))).decode("utf-8-sig").splitlines()
    heading, row = (line.split(",") for line in rows)
    told = dict(zip(heading, row, strict=True))
    assert told["Finding"] == finding.uid
    assert told["Handle or contact"] == "wmOne"
    assert told["Address"] == f"https://portal.example{reverse('standing:finding', args=[finding.uid])}"
