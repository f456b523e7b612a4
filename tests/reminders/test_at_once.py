"""Two beats at the same moment, on both databases."""

import pytest
import time_machine

from portal.jobs.models import Job
from portal.ledger.models import Entry
from portal.reminders import rounds
from portal.reminders.models import Delivery, Round
from tests.quizzes.test_races import at_once
from tests.reminders.conftest import at

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_beats_begin_a_round_once_and_send_a_digest_once(postman, owing):
    for _ in range(5):
        owing(due_in=7)
    with time_machine.travel(at(0), tick=False):
        said = at_once(*[rounds.start_due] * 4)
        assert not [one for one in said if isinstance(one, Exception)]
        assert (Round.objects.count(), Job.objects.filter(kind=rounds.MAKE).count()) == (1, 1)
        said = at_once(*[rounds.work_now] * 3)
        rounds.work_now()
    assert not [one for one in said if isinstance(one, Exception)]
    assert len(postman.ids) == len(set(postman.ids)) == 5
    assert Delivery.objects.filter(state="sent").count() == 5
    assert Entry.objects.filter(verb="reminders.sent").count() == 5
