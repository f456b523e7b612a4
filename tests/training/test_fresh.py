"""Questions of the week: who is asked what, what an answer does, the page, the mail, the beliefs."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Leave
from quizzes import services as quizzes
from quizzes.models import Question
from quizzes.services import ForgedAnswer
from training import services
from training.fresh import asking, beliefs, mailing, waiting
from training.models import Completion, FreshAsk, FreshCard, FreshMail
from training.results import sources_of

DONE = "2030-03-13T04:00:00Z"  # a Wednesday, noon in Shanghai
MONDAY = date(2030, 3, 18)
URL = "/fresh/"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(DONE, tick=False) as traveller:
        yield traveller


@pytest.fixture
def learner(make_assignment, complete_course, make_employee):
    """Somebody who completed a course in the week before MONDAY."""
    me = make_employee(language="en")
    complete_course(make_assignment(me))
    return me


@pytest.fixture
def go(clock):
    def to(day: date, hour: int = 10) -> date:
        """Go to an hour of a day in Shanghai."""
        clock.move_to(datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - 8))
        return day

    return to


def answer(ask: FreshAsk, *, right: bool = True, sure: int | None = None) -> FreshAsk:
    wanted = "a" if right else "b"
    token = next(token for token, name in ask.tokens.items() if name == wanted)
    return asking.answer(ask=ask, token=token, sure=sure, language="en")


def test_two_questions_are_asked_from_the_week_after_completion_on(learner, go):
    assert waiting.fresh_due(learner, date(2030, 3, 17)) == 0
    assert asking.ask(employee=learner, day=date(2030, 3, 17)) == []
    go(MONDAY)
    assert waiting.fresh_due(learner, MONDAY) == 2
    asks = asking.ask(employee=learner, day=MONDAY)
    assert [ask.place for ask in asks] == [1, 2]
    assert len({ask.card.module for ask in asks}) == 2
    assert asking.ask(employee=learner, day=MONDAY) == asks
    assert services.fresh_due(learner, MONDAY) == 2


def test_looking_at_what_is_due_writes_nothing(learner, go):
    go(MONDAY)
    waiting.fresh_due(learner, MONDAY)
    assert not FreshCard.objects.exists()


def test_an_answer_moves_the_card_and_writes_its_entry(learner, go):
    go(MONDAY)
    first, second = asking.ask(employee=learner, day=MONDAY)
    answer(first, right=True, sure=3)
    answer(second, right=False)
    assert waiting.fresh_due(learner, MONDAY) == 0
    cards = {card.slug: card for card in FreshCard.objects.all()}
    assert cards[first.card.slug].due_on == MONDAY + timedelta(days=16)
    assert cards[second.card.slug].due_on == MONDAY + timedelta(days=8)
    told = [ledger.body_of(entry) for entry in Entry.objects.filter(verb="training.fresh_answered").order_by("seq")]
    assert [(one["is_right"], one["sure"], one["chosen"]) for one in told] == [(True, 3, "a"), (False, None, "b")]
    assert told[0]["question"] == str(first.question)


def test_what_was_wrong_comes_before_new_questions(learner, go):
    go(MONDAY)
    wrong = [answer(ask, right=False).card.slug for ask in asking.ask(employee=learner, day=MONDAY)]
    day = go(MONDAY + timedelta(days=7))
    between = [answer(ask).card.slug for ask in asking.ask(employee=learner, day=day)]
    assert not set(between) & set(wrong), "after 8 days, not after 7"
    day = go(MONDAY + timedelta(days=14))
    assert {ask.card.slug for ask in asking.ask(employee=learner, day=day)} == set(wrong)


def test_right_twice_in_a_row_is_retired(learner, go):
    go(MONDAY)
    card = answer(asking.ask(employee=learner, day=MONDAY)[0]).card
    day = go(MONDAY + timedelta(days=21))
    again = next(ask for ask in asking.ask(employee=learner, day=day) if ask.card_id == card.pk)
    answer(again)
    card.refresh_from_db()
    assert (card.right_in_a_row, card.due_on) == (2, None)
    day = go(MONDAY + timedelta(days=70))
    assert card.pk not in {ask.card_id for ask in asking.ask(employee=learner, day=day)}


def test_what_was_not_answered_lapses_and_comes_first_next_week(learner, go):
    go(MONDAY)
    lapsed = asking.ask(employee=learner, day=MONDAY)
    day = go(MONDAY + timedelta(days=7))
    again = asking.ask(employee=learner, day=day)
    assert {ask.card_id for ask in again} == {ask.card_id for ask in lapsed}
    with pytest.raises(asking.WeekOver):
        answer(lapsed[0])


def test_an_answer_is_given_once(learner, go):
    go(MONDAY)
    ask = asking.ask(employee=learner, day=MONDAY)[0]
    answer(ask, right=False)
    with pytest.raises(asking.AnsweredAlready):
        answer(ask, right=True)
    assert Entry.objects.filter(verb="training.fresh_answered").count() == 1


def test_forged_answers_change_nothing(learner, go):
    go(MONDAY)
    one, other = asking.ask(employee=learner, day=MONDAY)
    with pytest.raises(ForgedAnswer):
        asking.answer(ask=one, token=next(iter(other.tokens)), sure=None, language="en")
    with pytest.raises(ForgedAnswer):
        asking.answer(ask=one, token=next(iter(one.tokens)), sure=4, language="en")
    assert not FreshAsk.objects.exclude(answered_at=None).exists()


def test_the_database_holds_the_rules(learner, go):
    go(MONDAY)
    ask = asking.ask(employee=learner, day=MONDAY)[0]
    rows = FreshAsk.objects.filter(pk=ask.pk)
    for wrong in ({"place": 3}, {"sure": 1}, {"is_right": True}, {"place": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
    cards = FreshCard.objects.filter(pk=ask.card_id)
    for wrong in ({"due_on": None}, {"right_in_a_row": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            cards.update(**wrong)


def test_withdrawn_questions_and_lapsed_or_imported_completions_ask_nothing(learner, go, make_employee):
    go(MONDAY)
    kept = Question.objects.first()
    boss = make_employee()
    for question in Question.objects.exclude(pk=kept.pk):
        quizzes.withdraw_question(question=question, reason="two are right", by=boss)
    assert waiting.fresh_due(learner, MONDAY) == 1
    Completion.objects.update(origin="imported", origin_file="f" * 64)
    assert waiting.fresh_due(learner, MONDAY) == 0
    Completion.objects.update(origin="studied", origin_file="", expires_on=MONDAY - timedelta(days=1))
    assert waiting.fresh_due(learner, MONDAY) == 0


def test_a_minor_edition_is_asked_from_and_a_material_one_not_before_it_is_completed(learner, go, make_edition):
    go(MONDAY)
    course = Completion.objects.get().edition.course
    minor = make_edition(course)
    known = set(waiting.of([learner], MONDAY)[learner.pk].known)
    assert known == {(q.bank_id, q.slug) for q in Question.objects.filter(quizzes__modules__edition=minor)}
    material = make_edition(course)
    services.material_change(edition=material, since=MONDAY, by="system:test")
    assert set(waiting.of([learner], MONDAY)[learner.pk].known) == known


def test_ten_people_cost_as_many_queries_as_one(learner, go, make_employee, make_assignment, complete_course,
                                                count_queries):  # fmt: skip
    course = Completion.objects.get().edition.course
    people = [learner]
    for _ in range(3):
        people.append(make_employee())
        complete_course(make_assignment(people[-1], course))
    go(MONDAY)
    one = count_queries(lambda: waiting.of([learner], MONDAY))
    assert count_queries(lambda: waiting.of(people, MONDAY)) == one


# --- the page ----------------------------------------------------------------------------------------------------


@pytest.fixture
def page(learner, go) -> Client:
    go(MONDAY)
    client = Client()
    client.force_login(learner)
    return client


def test_the_page_tells_nothing_before_the_answer_and_everything_after(page):
    text = page.get(URL).content.decode()
    ask = FreshAsk.objects.order_by("place").first()
    assert ask.question.stem["en"] in text
    assert "explanation" not in text
    assert "why a" not in text
    token = next(token for token, name in ask.tokens.items() if name == "b")
    answered = page.post(URL, {"ask": ask.uid, "q1": token, "sure": "3"})
    assert answered["Location"] == "/fresh/#q1"
    text = page.get(URL).content.decode()
    assert ask.question.explanation["en"] in text
    assert FreshAsk.objects.get(pk=ask.pk).sure == 3
    sources = sources_of(ask.question.cites, asking.edition_of(ask), "en")
    assert sources
    assert all(source["short"] in text for source in sources)


def test_without_an_answer_the_page_asks_for_one(page):
    page.get(URL)
    ask = FreshAsk.objects.first()
    text = page.post(URL, {"ask": ask.uid}, follow=True).content.decode()
    assert "Choose an answer first." in text


def test_somebody_elses_question_is_not_there(page, make_employee):
    page.get(URL)
    other = Client()
    other.force_login(make_employee())
    ask = FreshAsk.objects.first()
    assert other.post(URL, {"ask": ask.uid, "q1": next(iter(ask.tokens))}).status_code == 404
    assert "Nothing is asked this week" in other.get(URL).content.decode()


def test_today_names_the_questions_of_the_week(page):
    assert "2 short questions this week" in page.get(reverse("standing:today")).content.decode()


# --- the mail ----------------------------------------------------------------------------------------------------


def test_one_mail_a_week_in_working_hours(learner, go):
    go(MONDAY, hour=8)
    assert mailing.send_waiting() == 0
    go(MONDAY, hour=9)
    assert mailing.send_waiting() == 1
    assert mailing.send_waiting() == 0
    go(MONDAY + timedelta(days=4))
    assert mailing.send_waiting() == 0
    go(MONDAY + timedelta(days=5))
    assert mailing.send_waiting() == 0
    go(MONDAY + timedelta(days=7))
    assert mailing.send_waiting() == 1
    assert len(mail.outbox) == 2
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 2


def test_the_mails_link_leads_to_ones_own_questions_after_signing_in(learner, go, make_employee):
    go(MONDAY)
    mailing.send_waiting()
    [message] = mail.outbox
    assert message.to == [learner.email]
    path = next(line for line in message.body.splitlines() if "/fresh/" in line).partition("/fresh/")[2]
    visitor = Client()
    assert visitor.get(f"/fresh/{path}")["Location"].startswith("/accounts/login/?next=/fresh/")
    for person, said in ((learner, ""), (make_employee(), "for somebody else")):
        visitor.force_login(person)
        assert said in visitor.get(f"/fresh/{path}", follow=True).content.decode()
    assert "older mail" in visitor.get("/fresh/from-mail/nonsense/", follow=True).content.decode()


def test_who_has_nothing_to_answer_or_is_away_gets_no_mail(learner, go):
    go(MONDAY)
    Leave.objects.create(employee=learner, first_on=MONDAY, last_on=MONDAY)
    assert mailing.send_waiting() == 0
    assert not FreshMail.objects.exists()
    go(MONDAY + timedelta(days=1))
    for ask in asking.ask(employee=learner, day=MONDAY + timedelta(days=1)):
        answer(ask)
    assert mailing.send_waiting() == 0
    assert FreshMail.objects.get().sent_at is None


def test_a_mail_that_was_not_taken_is_tried_again(learner, go, monkeypatch):
    go(MONDAY)

    def refuse(self, messages):
        raise OSError("no mail server")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert mailing.send_waiting() == 0
    assert not FreshMail.objects.exists()
    assert mailing.send_waiting() == 1


def test_a_firm_may_send_none(learner, go, settings):
    settings.FRESH_MAILS = False
    go(MONDAY)
    assert mailing.send_waiting() == 0


# --- beliefs -----------------------------------------------------------------------------------------------------


def believed(learner, make_employee, *, certain: int, others: int) -> None:
    """So many say a wrong answer and are certain, so many are unsure, all about one question."""
    pattern = asking.ask(employee=learner, day=MONDAY)[0]
    for number in range(certain + others):
        me = make_employee()
        card = pattern.card
        mine = FreshCard.objects.create(
            employee=me, bank=card.bank, slug=card.slug, course=card.course, module=card.module, due_on=MONDAY
        )
        about = {"question": pattern.question, "order": pattern.order, "tokens": pattern.tokens}
        ask = FreshAsk.objects.create(employee=me, card=mine, week=MONDAY, place=1, asked_at=timezone.now(), **about)
        answer(ask, right=False, sure=3 if number < certain else 1)


def test_what_is_firmly_held_is_shown_with_its_share(learner, go, make_employee):
    go(MONDAY)
    believed(learner, make_employee, certain=6, others=14)
    held = [belief for module in beliefs.beliefs(timezone.now()) for belief in module.beliefs]
    [belief] = held
    assert (belief.held, belief.asked, belief.share) == (6, 20, 30)
    assert belief.answer.endswith("text of b")
    assert belief.right.endswith("text of a")


@pytest.mark.parametrize(("certain", "others"), [(4, 16), (6, 13)])
def test_small_numbers_are_hidden(learner, go, make_employee, certain, others):
    go(MONDAY)
    believed(learner, make_employee, certain=certain, others=others)
    found = beliefs.beliefs(timezone.now())
    assert [belief for module in found for belief in module.beliefs] == []
    assert sum(module.hidden for module in found) == 1


def test_the_page_of_beliefs_names_nobody(learner, go, make_employee):
    go(MONDAY)
    believed(learner, make_employee, certain=6, others=14)
    client = Client()
    client.force_login(make_employee(roles=("Compliance",)))
    page = BeautifulSoup(client.get("/fresh/beliefs/").content, "html.parser")
    text = page.main.get_text(" ", strip=True)  # its reader's own name stands beside it
    assert "30%: 6 of 20 people" in text
    assert not any(ask.employee.name_en in text for ask in FreshAsk.objects.select_related("employee"))
