"""Weekly questions on two devices, and two workers with one mail, at the same moment."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail import get_connection
from django.utils import timezone

from portal.ledger.models import Entry
from tests.quizzes.test_races import at_once
from training.fresh import asking, mailing, schedule
from training.models import Completion, FreshAsk, FreshCard, FreshMail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def learner(make_assignment, complete_course):
    """Somebody who completed a course ten days ago."""
    completion = complete_course(make_assignment())
    Completion.objects.update(completed_at=completion.completed_at - timedelta(days=10))
    return completion.employee


def answered(ask: FreshAsk) -> str:
    try:
        asking.answer(ask=ask, token=next(iter(ask.tokens)), sure=2, language="en")
    except asking.AnsweredAlready:
        return "already"
    return "now"


def test_a_page_opened_three_times_at_once_asks_two_questions(learner):
    today = timezone.localdate()
    said = at_once(*[lambda: asking.ask(employee=learner, day=today)] * 3)
    assert {tuple(ask.pk for ask in asks) for asks in said} == {tuple(ask.pk for ask in FreshAsk.objects.all())}
    assert (FreshAsk.objects.count(), FreshCard.objects.count()) == (2, 2)


def test_an_answer_sent_three_times_at_once_counts_once(learner):
    ask = asking.ask(employee=learner, day=timezone.localdate())[0]
    said = at_once(*[lambda: answered(ask)] * 3)
    assert sorted(said) == ["already", "already", "now"]
    assert Entry.objects.filter(verb="training.fresh_answered").count() == 1


def test_three_workers_send_one_mail(learner):
    week, now = schedule.week_of(timezone.localdate()), timezone.now()
    said = at_once(*[lambda: mailing._tell(learner, week, 2, now, get_connection())] * 3)
    assert sorted(said) == [False, False, True]
    assert (len(mail.outbox), FreshMail.objects.count()) == (1, 1)
