"""Web workers and their master die by kill -9 while people hand in."""

import threading
from functools import partial

from django.db import connection

from portal.ledger.models import Entry
from quizzes.models import Attempt
from tests.faults.firm import LEARNERS, Browser, all_at_once
from tests.faults.waiting import wait_until

SUBMISSIONS = 4_000


def test_quick_web_worker_and_master_killed_with_submissions_on_the_way(firm, house):
    _killed_on_the_way(firm, house, 200, at_once=8)


def test_web_worker_and_master_killed_during_4000_acknowledged_submissions(firm, house):
    _killed_on_the_way(firm, house, SUBMISSIONS, at_once=16)


def _killed_on_the_way(firm, house, submissions: int, *, at_once: int) -> None:
    web, before = house.web(workers=2), len(firm.acknowledged)
    begun, entries = Attempt.objects.count(), Entry.objects.count()
    browsers = [Browser(learner, house.address) for learner in firm.learners]
    sit = [partial(firm.sit, browser, submissions // LEARNERS) for browser in browsers]
    done: list[list] = []
    crowd = threading.Thread(target=lambda: done.append(all_at_once(sit, most=at_once)))
    crowd.start()

    def reached(part: float) -> None:
        wanted = before + int(submissions * part)
        wait_until(lambda: len(firm.acknowledged) >= wanted or done, f"{wanted} acknowledged", seconds=400, who=web)
        assert not done, "they had ended before everybody was killed"

    for part in (0.1, 0.3, 0.5):
        reached(part)
        web.kill_child()
    for part in (0.6, 0.8):
        reached(part)
        web.kill()  # its workers notice, and go
        web = house.web(workers=2)
    crowd.join()
    connection.close()
    assert [one for one in done[0] if isinstance(one, Exception)] == []
    assert len(firm.acknowledged) == before + submissions
    assert Attempt.objects.count() == begun + submissions
    assert Entry.objects.count() == entries + 2 * submissions
    firm.check()
