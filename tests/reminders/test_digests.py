"""What is sent, to whom, on which day, in which words: through a real mail server."""

from datetime import timedelta
from email.header import decode_header, make_header

import icalendar
import pytest
import time_machine

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Leave
from portal.reminders import terms as policy
from portal.reminders.models import CalendarEntry, Delivery, Digest
from portal.reminders.rules import Terms
from tests import studying
from tests.reminders.conftest import at, go, monday, text_of
from training import services as training

pytestmark = pytest.mark.django_db


def subject(mail) -> str:
    return str(make_header(decode_header(mail["Subject"])))


def events(mail) -> list:
    files = [part.get_payload(decode=True) for part in mail.walk() if part.get_content_type() == "text/calendar"]
    calendars = [icalendar.Calendar.from_ical(one) for one in files]
    return [(str(one["method"]), event) for one in calendars for event in one.walk("VEVENT")]


def test_a_reminder_goes_out_before_on_and_after_the_due_day_and_on_no_other(postman, owing):
    owing(due_in=14, email="ann@example.com")
    days = [day for day in range(29) if go(day)]
    # 14, 7, 1 days before; the day; then every third working day
    assert days == [0, 7, 11, 14, 17, 22, 25]
    assert len(postman.mails) == len(days)
    assert {tuple(to) for _sender, to in postman.envelopes} == {("ann@example.com",)}


def test_the_mail_says_in_the_persons_language_what_is_due_when_and_where(postman, owing):
    owing(due_in=7, email="ann@example.com", name_en="Ann Li", language="en")
    owing(due_in=-5, email="wei@example.com", name_en="Wei", name_zh="王伟", language="zh-hans")
    go()
    ann, wei = sorted(postman.read, key=lambda mail: mail["To"])
    assert subject(ann) == "Tiny course: due on 16 November 2026, in 7 days"
    plain = text_of(ann)
    assert "Dear Ann Li," in plain
    assert "Tiny course" in plain
    assert "/courses/tiny/" in plain
    assert "王伟" in text_of(wei)
    assert "以下事项已逾期，请于今日完成。" in text_of(wei)
    assert "The following" not in text_of(wei) + text_of(wei, "text/html")
    for mail in (ann, wei):
        page = text_of(mail, "text/html")
        assert "/courses/tiny/" in page
        assert "<script" not in page
        assert "{" not in text_of(mail)
        assert mail["Auto-Submitted"] == "auto-generated"


def test_before_somebody_has_chosen_a_language_it_is_that_of_their_name_and_office(postman, owing, make_office):
    hong_kong = make_office(time_zone="Asia/Hong_Kong", jurisdiction="HK")
    owing(due_in=7, email="a@example.com", name_zh="王伟")
    owing(due_in=7, email="b@example.com", name_zh="陳大文", office=hong_kong)
    owing(due_in=7, email="c@example.com", name_zh="王伟", language="en")
    owing(due_in=7, email="d@example.com")
    go()
    assert dict(Digest.objects.values_list("employee__email", "language")) == {
        "a@example.com": "zh-hans", "b@example.com": "en", "c@example.com": "en", "d@example.com": "en"
    }  # fmt: skip


def test_one_digest_a_day_however_often_the_beat_rings_and_one_entry_with_its_mark(postman, owing):
    who = owing(due_in=7)
    assert [go(), go(), go(hour=15)] == [1, 0, 0]
    assert len(postman.mails) == 1
    [entry] = Entry.objects.filter(verb="reminders.sent", subject=who.uid)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.entry_seq) == ("sent", entry.seq)
    assert ledger.body_of(entry)["digest"] == Digest.objects.get().uid
    assert postman.ids == [f"<reminder.{Digest.objects.get().uid}@localhost>"]


def test_everything_owed_stands_in_one_mail(postman, owing, make_employee):
    who = owing(due_in=7)
    texts = {"title": {"en": "Messaging policy"}, "text": {"en": "Words."}}
    training.publish_policy(slug="messaging", **texts, effective_from=monday() - timedelta(days=20), by="system:test")
    training.publish_policy(
        slug="statement", title={"en": "Statement"}, text={"en": "I did."}, is_quarterly=True,
        effective_from=monday() - timedelta(days=90), by="system:test",
    )  # fmt: skip
    go()
    [mail] = [one for one in postman.read if one["To"] == who.email]
    plain = text_of(mail)
    for words in (
        "Tiny course",
        "To sign: Messaging policy",
        "Statement",
        "/policies/messaging/",
        "/record/statement/",
    ):
        assert words in plain
    assert subject(mail) == "3 things to do, 2 of them overdue"


def test_nobody_is_written_to_out_of_hours_or_where_it_is_night(postman, owing, make_office):
    owing(due_in=7, email="shanghai@example.com")
    york = make_office(time_zone="America/New_York", jurisdiction="US")
    owing(due_in=7, email="york@example.com", office=york)
    assert go(hour=8) == 0
    assert go(hour=9) == 1
    assert postman.envelopes[-1][1] == ["shanghai@example.com"]
    assert go(hour=21) == 0  # eight in the morning there
    assert go(hour=22) == 1
    assert postman.envelopes[-1][1] == ["york@example.com"]
    assert go(day=1, hour=19) == 0


def test_who_is_away_is_written_to_when_back_and_a_holiday_is_no_working_day(postman, owing):
    away = owing(due_in=14, email="away@example.com")
    Leave.objects.create(employee=away, first_on=monday() - timedelta(3), last_on=monday() + timedelta(3))
    assert [go(day) for day in range(5)] == [0, 0, 0, 0, 1]
    owing(due_in=-39, assigned=80)  # due on 1 October, a holiday
    sent_on = [day for day in range(-45, -25) if go(day)]
    assert -40 in sent_on  # 30 September: the last working day until the 8th
    assert not [day for day in sent_on if -39 <= day <= -33]


def test_leavers_exempt_people_and_who_has_finished_are_left_alone(postman, owing, make_employee):
    owing(due_in=7, left_on=monday() - timedelta(1))
    owing(due_in=7, is_active=False)
    exempt = owing(due_in=7)
    training.exempt(
        employee=exempt, course=studying.Course.objects.get(), reason="secondment", starts_on=monday() - timedelta(9),
        ends_on=monday() + timedelta(99), approved_by=make_employee(), by="system:test",
    )  # fmt: skip
    with time_machine.travel(at(-10), tick=False):
        studying.complete(owing(due_in=7).assignments.get())
    assert go() == 0


def test_an_exemption_that_ends_is_told_before_it_does(postman, owing, make_employee):
    exempt = owing(due_in=7, email="ann@example.com")
    training.exempt(
        employee=exempt, course=studying.Course.objects.get(), reason="secondment", starts_on=monday() - timedelta(9),
        ends_on=monday() + timedelta(7), approved_by=make_employee(), by="system:test",
    )  # fmt: skip
    assert go() == 1
    assert "Exemption from “Tiny course”" in text_of(postman.read[0])
    assert "ends on 16 November 2026" in text_of(postman.read[0])


def test_a_day_on_which_nothing_could_be_made_is_caught_up(postman, owing):
    owing(due_in=15)  # fourteen days before is Tuesday
    assert go(0) == 0
    assert go(2) == 1


def test_a_mail_server_that_is_away_is_tried_again_the_same_day_and_not_the_next(postman, owing):
    owing(due_in=7, email="ann@example.com")
    postman.answers["ann@example.com"] = "451 4.3.2 come back later"
    assert go() == 0
    assert Delivery.objects.get().state == "waiting"
    postman.answers.clear()
    assert go(hour=9, minute=31) == 0  # it waits a little
    assert go(hour=11) == 1
    owing(due_in=8, email="bob@example.com")
    postman.answers["bob@example.com"] = "451 4.3.2 come back later"
    assert go(1) == 0
    postman.answers.clear()
    assert go(2) == 0
    assert Delivery.objects.get(address="bob@example.com").state == "late"


def test_what_is_due_stands_in_the_calendar_moves_with_the_date_and_goes_when_it_is_done(postman, owing):
    who = owing(due_in=14)
    go(0)
    [(method, event)] = events(postman.read[-1])
    uid = str(event["uid"])
    assert (method, event["sequence"], event["dtstart"].dt) == ("REQUEST", 0, monday() + timedelta(14))
    assert str(event["class"]) == "PRIVATE"
    go(7)
    assert events(postman.read[-1]) == []  # it is there already
    who.assignments.update(due_on=monday() + timedelta(15))
    go(8)
    [(method, event)] = events(postman.read[-1])
    assert (method, event["sequence"], str(event["uid"])) == ("REQUEST", 1, uid)
    assert event["dtstart"].dt == monday() + timedelta(15)
    with time_machine.travel(at(8, hour=12), tick=False):
        studying.complete(who.assignments.get())
    assert go(9) == 1
    [(method, event)] = events(postman.read[-1])
    assert (method, event["sequence"], str(event["uid"])) == ("CANCEL", 2, uid)
    assert str(event["status"]) == "CANCELLED"
    assert subject(postman.read[-1]) == "Nothing more is due for “Tiny course”"
    assert CalendarEntry.objects.get().closed_on == monday() + timedelta(9)
    assert go(10) == 0


def test_nothing_goes_out_when_reminders_are_switched_off(postman, owing, make_employee):
    owing(due_in=7)
    policy.set_terms(terms=Terms(is_on=False), seen=0, by=make_employee())
    assert go() == 0
    policy.set_terms(terms=Terms(before_days=(6,)), seen=1, by=make_employee())
    assert [go(0), go(1)] == [0, 1]
    assert Digest.objects.get().terms_version == 2


def test_a_piece_costs_the_same_for_one_person_and_for_many(postman, owing, count_queries, make_employee):
    from portal.reminders import making

    def cost() -> int:
        occasion = making.Occasion.of("Asia/Shanghai", monday(), monday() - timedelta(1), Terms())
        people = making.next_piece(occasion, 0)
        return count_queries(lambda: making.drafts(people, occasion))

    boss = make_employee()
    owing(due_in=-20, manager=boss)
    one = cost()
    for _ in range(7):
        owing(due_in=-20, manager=boss)
    assert cost() == one
