"""What the desk says of what comes next: sending back, waiting for a second look or an answer, a reviewer's piles."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from archive import services as archive
from archive.models import Finding
from archive.rules import Opening
from archive.services import findings
from portal.ledger.models import Entry
from portal.standing import desk, services
from portal.standing.models import RemedyTask, Standing
from tests import studying

pytestmark = pytest.mark.django_db
FRIDAY = datetime(2026, 10, 16, 4, tzinfo=UTC)


@pytest.fixture
def one(make_employee):
    return make_employee(roles=("Compliance",), name_en="One", employee_no=None)


@pytest.fixture
def two(make_employee):
    return make_employee(roles=("Compliance",), name_en="Two", employee_no=None)


@pytest.fixture
def breach(make_employee) -> Finding:
    person = make_employee(name_en="Li Na")
    studying.complete(studying.assign(person))
    return find(person, "off_channel")


def find(person, kind: str, n: int = 1, at: datetime = FRIDAY) -> Finding:
    opening = Opening(kind, f"{kind}:{person.uid}:{n}", person.pk, facts={"count": n}, on=at.date())
    [found] = findings.open_all([opening], by="system:test", now=at)
    return found


def soup(response) -> BeautifulSoup:
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser")


def do(client, finding: Finding, act: str, text: str = "looked", **more) -> BeautifulSoup:
    told = {"act": act, "text": text, **more}
    return soup(client.post(reverse("standing:finding_do", args=[finding.uid]), told, follow=True))


def test_a_slip_of_the_hand_is_sent_back_and_lifts_the_bar(breach, one, sign_in):
    client = sign_in(one)
    page = soup(client.get(reverse("standing:finding", args=[breach.uid])))
    assert "Confirming bars the person" in page.get_text(" ", strip=True)
    with time_machine.travel(FRIDAY):
        do(client, breach, "confirm")
        services.catch_up()
        assert not Standing.objects.get(employee=breach.employee).may_message
        page = do(client, breach, "send_back", "The wrong row.")
        services.catch_up()
    assert Standing.objects.get(employee=breach.employee).may_message
    breach.refresh_from_db()
    assert (breach.state, breach.decided_by, breach.claimed_by) == ("new", None, None)
    done = [item.strong.text for item in page.select(".done-steps li")]
    assert done == ["Opened", "Taken on", "Confirmed", "Sent back, to be reviewed again"]
    assert Entry.objects.filter(verb="archive.finding_returned").count() == 1


def test_the_second_pair_of_eyes_can_see_it_otherwise(breach, one, two, sign_in):
    do(sign_in(one), breach, "confirm")
    client = sign_in(two)
    page = soup(client.get(reverse("standing:finding", args=[breach.uid])))
    assert [button["value"] for button in page.select("button[value=second], button[value=send_back]")] == [
        "second", "send_back",
    ]  # fmt: skip
    do(client, breach, "send_back", "The client's words, not hers.")
    breach.refresh_from_db()
    assert breach.state == "new"
    assert "Dismissed" in do(client, breach, "dismiss").get_text(" ", strip=True)


def test_only_what_is_confirmed_is_sent_back_and_with_a_reason(breach, one, sign_in):
    with pytest.raises(archive.AlreadyDecided):
        archive.send_back_finding(finding=breach, reviewer=one, reason="x")
    do(sign_in(one), breach, "confirm")
    with pytest.raises(archive.ReasonMissing):
        archive.send_back_finding(finding=breach, reviewer=one, reason=" ")


def test_who_confirmed_reads_that_it_waits_and_has_no_form_that_leads_nowhere(breach, one, sign_in):
    page = do(sign_in(one), breach, "confirm")
    assert "waits for a second pair of eyes" in page.get_text(" ", strip=True)
    assert not page.select("#reason")
    assert "How it can close" in page.get_text(" ", strip=True)


def test_an_unanswered_question_is_told_before_anybody_decides(breach, one, sign_in):
    client = sign_in(one)
    page = do(client, breach, "ask", "Was it about business?")
    assert "has not answered yet" in page.get_text(" ", strip=True)
    archive.answer_question(finding=breach, text="About lunch.", by=breach.employee)
    page = soup(client.get(reverse("standing:finding", args=[breach.uid])))
    assert "has not answered yet" not in page.get_text(" ", strip=True)


def test_what_was_done_stands_in_the_order_of_time(breach, one, sign_in):
    lesson = breach.employee.assignments.get().edition.modules.first().lessons.first()
    RemedyTask.objects.create(
        finding=breach, employee=breach.employee, lesson=lesson, assigned_at=FRIDAY + timedelta(minutes=1)
    )
    page = do(sign_in(one), breach, "note", "rang the desk")
    assert [item.strong.text for item in page.select(".done-steps li")] == ["Opened", "Lesson assigned", "Note"]
    assert lesson.slug not in page.get_text()


def test_the_piles_of_a_reviewer_hold_what_their_lists_show(breach, one, two, make_employee, sign_in):
    archive.review_finding(finding=breach, decision="confirmed", reason="so", reviewer=two)
    archive.claim_finding(finding=find(make_employee(), "silent_seat"), reviewer=one)
    find(make_employee(), "recall_pattern", at=FRIDAY - timedelta(days=60))
    with time_machine.travel(FRIDAY + timedelta(days=1)):
        piles = desk.work_of(one, (FRIDAY + timedelta(days=1)).date())
        assert [(pile.key, pile.findings) for pile in piles] == [
            ("mine", 1),
            ("second", 1),
            ("overdue", 1),
            ("open", 3),
        ]
        client = sign_in(one)
        links = soup(client.get(reverse("standing:today"))).select(".desk-work li")
        for item, pile in zip(links, piles, strict=True):
            assert item.strong.text == str(pile.findings)
            assert len(soup(client.get(item.a["href"])).select("[data-row]")) == pile.findings
    assert not soup(sign_in(breach.employee).get(reverse("standing:today"))).select(".desk-work")


def test_the_next_of_the_queue_is_the_next_in_its_own_order(one, make_employee, sign_in):
    person, client = make_employee(), sign_in(one)
    for n, kind in enumerate(("silent_seat", "after_refusal", "recall_pattern", "media_missing", "barred_talk")):
        find(person, kind, n, at=FRIDAY - timedelta(days=n % 3))
    for sort in desk.SORTS:
        rows = soup(client.get(f"{reverse('standing:finding_list')}?sort={sort}")).select("[data-row] th a")
        listed = [row["href"].split("?")[0] for row in rows]
        walked = [listed[0]]
        while len(walked) < len(listed):
            page = soup(client.get(f"{walked[-1]}?sort={sort}"))
            walked.append(page.select_one("a[rel=next]")["href"].split("?")[0])
        assert walked == listed, sort


def test_a_reminder_from_the_page_of_the_team_passes_the_check_against_forgery(make_employee):
    boss = make_employee()
    late = make_employee(manager=boss)
    with time_machine.travel("2026-03-01T10:00:00+08:00"):
        studying.assign(late, due_on=datetime(2026, 3, 20).date())  # noqa: DTZ001 - a date
    services.catch_up()
    client = Client(enforce_csrf_checks=True)
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    form = soup(client.get(reverse("standing:team"))).select_one(".talks form")
    told = {field["name"]: field["value"] for field in form.select("input")}
    answer = client.post(form["action"], told, follow=True)
    assert answer.status_code == 200
    assert "gets a reminder by mail" in answer.text
