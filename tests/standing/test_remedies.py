"""What follows from a finding: its lesson, within a look; questions; telling of oneself."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse

from archive import services as archive
from archive.models import Finding, SelfReport
from archive.rules import Opening
from archive.services import findings
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.standing import case, remedies, services
from portal.standing.models import Remedy, RemedyTask, Standing
from tests import studying

pytestmark = pytest.mark.django_db
CALLED = remedies.Called("tiny", "first", "first-lesson")
NOON = datetime(2026, 10, 16, 4, tzinfo=UTC)


@pytest.fixture
def course(db, monkeypatch):
    monkeypatch.setattr(remedies, "shipped", lambda: {"off_channel": CALLED, "silent_seat": CALLED})
    return studying.tiny_course()


@pytest.fixture
def person(make_employee):
    return make_employee()


def find(person, kind: str = "off_channel", n: int = 1) -> Finding:
    facts = {"hits": [], "direction": "own"}
    opening = Opening(kind, f"{kind}:{person.uid}:{n}", person.pk, facts=facts, on=NOON.date())
    [found] = findings.open_all([opening], by="system:test", now=NOON)
    return found


@pytest.fixture
def task(course, person) -> RemedyTask:
    find(person)
    services.catch_up()
    return RemedyTask.objects.get()


def test_a_finding_assigns_its_lesson_once(course, person):
    find(person)
    services.catch_up()
    services.catch_up()
    task = RemedyTask.objects.get()
    assert (task.employee, task.lesson.slug, task.finding.kind) == (person, "first-lesson", "off_channel")
    assert Entry.objects.filter(verb="standing.remedy_assigned", subject=person.uid).count() == 1


def test_a_look_assigns_a_piece_of_many_the_newest_first_and_the_next_one_goes_on(course, person, monkeypatch):
    findings_of_all = [find(person, n=n) for n in range(5)]
    monkeypatch.setattr(remedies, "PIECE", 3)
    monkeypatch.setattr(remedies, "BATCH", 2)
    assert remedies.catch_up() == 3
    assert set(RemedyTask.objects.values_list("finding", flat=True)) == {one.pk for one in findings_of_all[2:]}
    assert [remedies.catch_up() for _ in range(2)] == [2, 0]


def test_fifty_lessons_cost_as_many_queries_as_five_to_assign_and_to_withdraw(course, person, count_queries):
    costs = []
    for n, many in ((100, 5), (200, 50)):
        made = [find(person, n=n + step) for step in range(many)]
        assigned = count_queries(remedies.catch_up)
        Finding.objects.filter(pk__in=[one.pk for one in made]).update(state="dismissed", closed_at=NOON)
        costs.append((assigned, count_queries(remedies.catch_up)))
    assert costs[0] == costs[1]
    assert RemedyTask.objects.filter(withdrawn_at__isnull=False).count() == 55
    assert ledger.verify()[1] is None


def test_a_kind_that_calls_for_nothing_assigns_nothing_and_counts_as_remedied(course, person):
    finding = find(person, "after_refusal")
    services.catch_up()
    assert not RemedyTask.objects.exists()
    assert remedies.is_remedied(finding)


def test_a_lesson_that_no_edition_has_is_not_called_for(course, person, monkeypatch):
    monkeypatch.setattr(remedies, "shipped", lambda: {"off_channel": remedies.Called("tiny", "first", "gone")})
    finding = find(person)
    services.catch_up()
    assert not RemedyTask.objects.exists()
    assert remedies.is_remedied(finding)


def test_the_lesson_is_of_the_newest_edition(course, person):
    newer = studying.tiny_course(fingerprint="2" * 64)
    find(person)
    services.catch_up()
    assert RemedyTask.objects.get().lesson.module.edition == newer


def test_a_finding_that_is_settled_withdraws_it(task, make_employee):
    archive.review_finding(finding=task.finding, decision="dismissed", reason="x", reviewer=make_employee())
    services.catch_up()
    task.refresh_from_db()
    assert task.withdrawn_at
    assert not RemedyTask.objects.open().exists()
    assert remedies.finish_task(task=task, by=task.employee).done_at is None


def test_it_can_be_finished_when_half_of_its_minutes_have_passed(task):
    with time_machine.travel(NOON, tick=False):
        task = remedies.open_task(task=task)
    with time_machine.travel(NOON + timedelta(seconds=59), tick=False), pytest.raises(remedies.TooSoon) as early:
        remedies.finish_task(task=task, by=task.employee)
    assert early.value.seconds == 1
    assert not remedies.is_remedied(task.finding)
    with time_machine.travel(NOON + timedelta(seconds=60), tick=False):
        remedies.open_task(task=task)  # again: the clock does not begin anew
        remedies.finish_task(task=task, by=task.employee)
        remedies.finish_task(task=task, by=task.employee)
    assert remedies.is_remedied(task.finding)
    [entry] = Entry.objects.filter(verb="standing.remedy_done")
    assert ledger.body_of(entry)["seconds_since_opened"] == 60


def test_what_was_never_opened_cannot_be_finished(task):
    with pytest.raises(remedies.TooSoon):
        remedies.finish_task(task=task, by=task.employee)


def test_a_breach_closes_on_the_lesson_and_two_reviewers(task, make_employee):
    one, two = make_employee(roles=("Compliance",)), make_employee(roles=("Compliance",))
    archive.review_finding(finding=task.finding, decision="confirmed", reason="x", reviewer=one)
    archive.second_finding(finding=task.finding, reviewer=two, reason="x")
    finding = Finding.objects.get()
    [way] = case.ways_to_close(finding, case.evidence_for(finding))
    assert way.missing == ("the person must take the lesson that it calls for",)
    with time_machine.travel(NOON, tick=False):
        remedies.open_task(task=task)
    remedies.finish_task(task=RemedyTask.objects.get(), by=task.employee)
    [way] = case.ways_to_close(finding, case.evidence_for(finding))
    assert way.missing == ()


# --- the table


def test_compliance_chooses_another_lesson_or_none(course, person, make_employee, sign_in):
    officer = make_employee(roles=("Compliance",))
    client, page = sign_in(officer), reverse("standing:remedy_table")
    client.post(page, {"off_channel": "tiny/second/second-lesson"})
    find(person)
    services.catch_up()
    assert RemedyTask.objects.get().lesson.slug == "second-lesson"
    client.post(page, {"off_channel": ""})
    find(person, n=2)
    services.catch_up()
    assert RemedyTask.objects.count() == 1
    assert Entry.objects.filter(verb="standing.remedy_chosen", actor=officer.uid).count() == 2
    assert client.post(page, {"off_channel": "no/such/lesson"}).status_code == 404
    client.post(page, {"weather": "", "off_channel": ""})  # what there is not is not looked at, what is so not written
    assert Remedy.objects.count() == 1


def test_several_kinds_are_chosen_with_one_save_and_the_page_says_how_many(course, make_employee, sign_in):
    client, page = sign_in(make_employee(roles=("Compliance",))), reverse("standing:remedy_table")
    lesson = "tiny/second/second-lesson"
    form = BeautifulSoup(client.get(page).text, "html.parser").select("form select")
    assert {select["name"] for select in form} == remedies.ABOUT_PEOPLE
    as_it_is = {s["name"]: next((o["value"] for o in s.select("option[selected]")), "") for s in form}
    answer = client.post(page, as_it_is, follow=True)
    assert "Nothing was changed" in answer.text
    answer = client.post(page, {**as_it_is, "silent_seat": lesson, "media_missing": lesson}, follow=True)
    assert "2 kinds of findings changed" in answer.text
    assert set(Remedy.objects.values_list("kind", flat=True)) == {"silent_seat", "media_missing"}


def test_an_auditor_reads_the_table_and_changes_nothing(course, make_employee, sign_in):
    client, page = sign_in(make_employee(roles=("Auditor",))), reverse("standing:remedy_table")
    assert client.get(page).status_code == 200
    assert client.post(page, {"off_channel": ""}).status_code == 403
    assert not Remedy.objects.exists()


def test_every_lesson_that_ships_as_a_remedy_is_in_the_course_that_ships(db):
    from django.core.management import call_command

    call_command("load_courses", verbosity=0)
    names = set(remedies.shipped().values())
    assert set(remedies.lessons_of(names)) == names
    assert set(remedies.shipped()) <= remedies.ABOUT_PEOPLE


# --- the pages


def text(response) -> str:
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser").select_one("main").get_text(" ", strip=True)


def test_the_lesson_is_on_the_first_page_and_opens_with_the_facts(task, sign_in):
    client, address = sign_in(task.employee), reverse("standing:remedy", args=[task.uid])
    assert address in client.get(reverse("standing:today")).text
    page = text(client.get(address))
    assert "Lesson of first" in page
    assert "Off-channel communication" in page
    task.refresh_from_db()
    assert task.opened_at
    assert "Take your time" in text(client.post(address, {"finish": 1}, follow=True))
    RemedyTask.objects.update(opened_at=NOON - timedelta(days=400))
    client.post(address, {"finish": 1})
    task.refresh_from_db()
    assert task.done_at


def test_nobody_else_opens_it_not_even_compliance(task, make_employee, sign_in):
    for viewer in (make_employee(), make_employee(roles=("Compliance",))):
        assert sign_in(viewer).get(reverse("standing:remedy", args=[task.uid])).status_code == 404


def test_a_slip_is_told_in_one_form(person, sign_in):
    client, page = sign_in(person), reverse("standing:report")
    told = {"happened_on": "2026-10-12", "where": "wechat", "began": "client", "about": "business", "has_moved": "on"}
    with time_machine.travel(NOON):
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        assert client.post(page, {**told, "happened_on": "2026-10-17"}).status_code == 200
        assert client.post(page, {**told, "where": "fax"}).status_code == 200
        assert not SelfReport.objects.exists()
        assert client.post(page, told).status_code == 302
        assert "Self-report" in text(client.get(reverse("standing:record")))
    report = SelfReport.objects.get()
    assert (report.employee, report.happened_on) == (person, date(2026, 10, 12))
    assert (report.has_moved, report.has_kept) == (True, False)


def tell(person) -> SelfReport:
    told = {"happened_on": NOON.date(), "where": "wechat", "began": "client", "about": "business"}
    return archive.report_slip(employee=person, **told, has_moved=False, has_kept=False)


def test_a_slip_has_a_receipt_that_says_what_is_next_and_takes_what_was_done_since(person, make_employee, sign_in):
    report = tell(person)
    client, page = sign_in(person), reverse("standing:slip", args=[report.uid])
    assert report.uid[:8] in text(client.get(page))
    assert "Move the chat" in text(client.get(page))
    assert "Say what there is to add." in text(client.post(page, {}, follow=True))
    client.post(page, {"has_moved": "on", "note": "moved this morning"})
    report.refresh_from_db()
    assert (report.has_moved, report.has_kept, report.finding.facts["has_moved"]) == (True, False, True)
    client.post(page, {"has_kept": "on"})  # what is not told again is not taken back
    report.refresh_from_db()
    assert (report.has_moved, report.has_kept) == (True, True)
    shown = text(client.get(page))
    assert "moved this morning" in shown
    assert "Move the chat" not in shown
    client.post(page, {"note": "one more thing"})
    assert "one more thing" in text(client.get(page))
    assert Entry.objects.filter(verb="archive.finding_added", actor=person.uid, subject=person.uid).count() == 3
    assert sign_in(make_employee(roles=("Compliance",))).get(page).status_code == 404


def test_nothing_is_added_to_a_slip_that_is_settled(person, make_employee, sign_in):
    report = tell(person)
    settled = {"decision": "closed", "how": "thanked", "reason": "nothing further"}
    archive.review_finding(finding=report.finding, reviewer=make_employee(), **settled)
    page = reverse("standing:slip", args=[report.uid])
    client = sign_in(person)
    assert "Thank you for telling" in text(client.get(page))
    client.post(page, {"has_kept": "on"})
    report.refresh_from_db()
    assert report.has_kept is False


@pytest.mark.parametrize("decision", ["confirmed", "dismissed"])
def test_what_one_tells_of_oneself_is_neither_confirmed_nor_called_a_false_alarm(person, make_employee, decision):
    report = tell(person)
    with pytest.raises(archive.WrongWay):
        archive.review_finding(finding=report.finding, decision=decision, reason="x", reviewer=make_employee())
    report.finding.refresh_from_db()
    assert report.finding.state == "new"


def test_telling_of_a_slip_never_worsens_the_archives_state(person):
    services.catch_up()
    before = Standing.objects.get(employee=person)
    tell(person)
    services.catch_up()
    after = Standing.objects.get(employee=person)
    assert (after.archive_state, after.may_message) == (before.archive_state, before.may_message)
    Finding.objects.update(due_on=date(2020, 1, 1), severity=3)
    services.bring_up_to_date(employee_ids=[person.pk], today=NOON.date())
    assert Standing.objects.get(employee=person).archive_state == before.archive_state


def test_a_question_stands_on_the_record_until_it_is_answered(person, make_employee, sign_in):
    finding = find(person)
    archive.ask_person(finding=finding, question="What was it about?", reviewer=make_employee())
    client = sign_in(person)
    assert "What was it about?" in text(client.get(reverse("standing:record")))
    answer = reverse("standing:answer", args=[finding.uid])
    assert sign_in(make_employee()).post(answer, {"text": "x"}).status_code == 404
    assert "Write your answer" in text(client.post(answer, {"text": " "}, follow=True))
    client.post(answer, {"text": "A dinner."})
    assert "What was it about?" not in text(client.get(reverse("standing:record")))
    assert finding.steps.get(what="answered").text == "A dinner."
