"""HR's pages: the policy, tomorrow exactly, what went out, and nothing of the archive."""

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from archive.models import Finding
from portal.jobs import services as jobs
from portal.ledger.models import Entry
from portal.reminders import rounds
from portal.reminders import terms as policy
from portal.reminders.models import Digest, Foreseen, Preview, TermsVersion
from portal.reminders.rules import Terms
from portal.standing.models import RemedyTask
from tests import studying
from tests.reminders.conftest import at, go, monday, text_of
from training.models import Lesson

pytestmark = pytest.mark.django_db

FORM = {
    "is_on": "on", "hour": 8, "before_days": "30, 5", "after_every": 2, "days_to_do": 10, "escalate_after": 4,
    "escalate_again": 3, "levels": 1, "seen": 0,
}  # fmt: skip


@pytest.fixture
def hr(make_employee, sign_in):
    return sign_in(make_employee(roles=("HR",)))


@pytest.fixture
def compliance(make_employee, sign_in):
    return sign_in(make_employee(roles=("Compliance",)))


def look_ahead(day: int, by) -> Preview:
    with time_machine.travel(at(day, hour=18), tick=False):
        preview = rounds.ask_preview(by=by)
        jobs.work(preview.job_id, rounds.foresee_some)
    return preview


def remedy_for(who, day: int) -> RemedyTask:
    """A finding has called for a lesson, two weeks before the day."""
    if not Lesson.objects.exists():
        studying.tiny_course()
    assigned_at = at(day - 14)
    finding = Finding.objects.create(
        kind="off_channel", key=f"test:{who.pk}", severity=2, employee=who, about_on=monday(), opened_at=assigned_at,
        due_on=monday(), state="new", facts={}, policy_version="1",
    )  # fmt: skip
    return RemedyTask.objects.create(
        finding=finding, employee=who, lesson=Lesson.objects.first(), assigned_at=assigned_at
    )


def test_the_preview_is_exactly_what_goes_out_the_next_day(postman, owing, make_employee, make_office):
    boss = make_employee(office=make_office())
    york = make_office(time_zone="America/New_York", jurisdiction="US")
    for due_in in (-15, -5, -1, 0, 1, 2, 7, 8, 14, 30):
        owing(due_in=due_in, manager=boss)
    owing(due_in=8, office=york, language="zh-hans")
    for day in range(2):
        go(day)
        preview = look_ahead(day, boss)
        foreseen = {one.employee_id: one for one in Foreseen.objects.filter(preview=preview)}
        go(day + 1)
        go(day + 1, hour=23)  # in New York too
        sent = {one.employee_id: one for one in Digest.objects.filter(on=preview.on)}
        assert sent.keys() == foreseen.keys() != set()
        for pk, one in sent.items():
            told, ahead = one.content, foreseen[pk].content
            for change in (*told["calendar"], *ahead["calendar"]):
                change.pop("uid")
            assert (told, one.language) == (ahead, foreseen[pk].language)
    assert Preview.objects.count() == 1


def test_hr_sees_what_goes_out_word_for_word(postman, owing, hr):
    who = owing(due_in=7, name_en="Ann")
    look_ahead(-1, who)
    with time_machine.travel(at(-1, hour=19), tick=False):
        page = hr.get(reverse("reminders:preview")).text
        words = hr.get(reverse("reminders:foreseen", args=[who.uid])).text
    assert "Tiny course: due on 16 November 2026, in 7 days" in page
    go()
    for line in text_of(postman.read[0]).split("\r\n"):
        assert line.strip() in words.replace("&amp;", "&")
    with time_machine.travel(at(0, hour=12), tick=False):
        assert "Ann" in hr.get(reverse("reminders:sent")).text
        shown = hr.get(reverse("reminders:digest", args=[Digest.objects.get().uid])).text
        overview = hr.get(reverse("reminders:overview")).text
    assert "put in" in shown
    assert who.email in shown
    assert "Asia/Shanghai" in overview


def test_hr_learns_nothing_of_what_the_archive_calls_for_and_the_person_all_of_it(
    postman, owing, make_employee, make_office, hr, compliance
):
    both = owing(due_in=0, name_en="Both", email="both@example.com")
    alone = make_employee(name_en="Alone", email="alone@example.com", office=make_office())
    for who in (both, alone):
        remedy_for(who, 0)
    look_ahead(-1, both)
    with time_machine.travel(at(-1, hour=19), tick=False):
        pages = {name: one.get(reverse("reminders:preview")).text for name, one in (("hr", hr), ("all", compliance))}
        assert hr.get(reverse("reminders:foreseen", args=[alone.uid])).status_code == 404
        of_both = hr.get(reverse("reminders:foreseen", args=[both.uid])).text
    assert "Both" in pages["hr"]
    assert "Alone" not in pages["hr"]
    assert "Alone" in pages["all"]
    assert "Tiny course" in of_both
    assert "Lesson to read again" not in of_both
    assert go() == 2
    mails = {mail["To"]: mail for mail in postman.read}
    assert all("Lesson to read again" in text_of(mail) for mail in mails.values())
    assert "text/calendar" not in mails["alone@example.com"].as_string()  # colleagues may read a calendar
    with time_machine.travel(at(0, hour=12), tick=False):
        for client, sees in ((hr, False), (compliance, True)):
            assert ("Alone" in client.get(reverse("reminders:sent")).text) is sees
            one = Digest.objects.get(employee=alone)
            assert (client.get(reverse("reminders:digest", args=[one.uid])).status_code == 200) is sees
            history = client.get(reverse("evidence:person_history", args=[alone.uid])).text
            assert ("A reminder was sent by e-mail." in history) is sees


def test_hr_sets_the_policy_and_each_change_is_a_version_with_its_entry(hr, compliance):
    page = hr.get(reverse("reminders:terms")).text
    assert 'value="14, 7, 1"' in page
    hr.post(reverse("reminders:terms"), FORM)
    number, held = policy.current()
    assert (number, held) == (1, Terms(True, 8, (30, 5), False, False, 2, 10, 1, 4, 3))
    assert Entry.objects.filter(verb="reminders.terms_set").count() == 1
    late = hr.post(reverse("reminders:terms"), {**FORM, "hour": 9}, follow=True)
    assert "Somebody else has changed this meanwhile" in late.text
    hr.post(reverse("reminders:terms"), {**FORM, "seen": 1})
    assert TermsVersion.objects.count() == 1  # the same again is no change
    assert compliance.get(reverse("reminders:terms")).status_code == 200
    assert compliance.post(reverse("reminders:terms"), {**FORM, "seen": 1}).status_code == 403


@pytest.mark.parametrize("wrong", ["x", "0", "14;7", "200", ",".join(map(str, range(1, 13)))])
def test_days_that_are_none_are_refused_with_a_reason(hr, wrong):
    page = hr.post(reverse("reminders:terms"), {**FORM, "before_days": wrong}).text
    assert "At most 10 whole numbers from 1 to 180." in page
    assert not TermsVersion.objects.exists()


def test_who_may_only_look_cannot_ask_for_a_preview(compliance, hr):
    assert compliance.post(reverse("reminders:preview")).status_code == 403
    assert hr.post(reverse("reminders:preview")).status_code == 302
    assert Preview.objects.get().on == timezone.localdate() + rounds.DAY


def test_any_day_of_the_next_two_weeks_can_be_looked_ahead_to_and_no_other(hr):
    today = timezone.localdate()
    assert hr.post(reverse("reminders:preview"), {"on": today + 14 * rounds.DAY}).status_code == 302
    assert Preview.objects.get().on == today + 14 * rounds.DAY
    for wrong in (today, today + 15 * rounds.DAY, "never"):
        page = hr.post(reverse("reminders:preview"), {"on": wrong})
        assert page.status_code == 200
        assert "is not one of the available choices" in page.text
    assert Preview.objects.count() == 1


@pytest.mark.parametrize("name", ["overview", "sent", "preview", "bounce_list"])
def test_pages_cost_the_same_for_one_and_for_many(postman, owing, hr, count_queries, make_employee, name):
    def cost() -> int:
        with time_machine.travel(at(0, hour=12), tick=False):
            return count_queries(lambda: hr.get(reverse(f"reminders:{name}")))

    by = make_employee()
    postman.answers["gone@example.com"] = "550 5.1.1 no"
    owing(due_in=7, email="gone@example.com")
    owing(due_in=7)
    go()
    look_ahead(0, by)
    cost()
    one = cost()
    for n in range(6):
        postman.answers[f"gone{n}@example.com"] = "550 5.1.1 no"
        owing(due_in=7, email=f"gone{n}@example.com")
        owing(due_in=7)
    rounds.Round.objects.all().delete()
    jobs.Job.objects.filter(kind=rounds.MAKE).delete()
    go()
    look_ahead(0, by)
    assert Digest.objects.count() > 10
    assert cost() == one
