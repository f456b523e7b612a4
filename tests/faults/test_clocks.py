"""One machine's clock is an hour or a day off: nothing is lost, doubled or left lying."""

from datetime import timedelta

import pytest
from django.db.models import Max, Min

from archive.models import Import
from portal.ledger import services as ledger
from portal.ledger.models import Entry, Seal
from tests.faults import work
from tests.faults.firm import Browser, Paper
from tests.faults.house import clock_off, free_port
from tests.faults.waiting import wait_until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize("off", [HOUR, -HOUR, DAY, -DAY], ids=["+1h", "-1h", "+1d", "-1d"])
def test_a_machine_whose_clock_is_off_beside_one_whose_is_right(firm, house, off):
    wrong, there = clock_off(off), f"http://127.0.0.1:{free_port()}"
    house.web(workers=1)
    house.web(workers=1, address=there, **wrong)
    head = ledger.head_seq()
    asked_there = _asked_there(firm, there)
    workers = [house.worker(concurrency=1), house.worker(concurrency=1, **wrong)]
    browser = Browser(firm.learners[5], house.address)
    for address in (house.address, there) * 3:
        firm.sit(browser, address=address)
    for begun, ended in ((house.address, there), (there, house.address)):
        _begun_here_and_ended_there(firm, browser, begun, ended)
    asked_here = work.ask_for_import(firm, lines=3_000, seed=61)

    def all_done() -> bool:
        """The clock rings on both machines again and again."""
        work.ring("portal.jobs.tasks.sweep", "portal.ledger.tasks.seal")
        runs = Import.objects.filter(pk__in=[asked_here.pk, asked_there.pk])
        return set(runs.values_list("state", flat=True)) == {"done"}

    wait_until(all_done, "both imports are done", seconds=150, who=workers[0], pause=2)
    assert all(worker.is_running for worker in workers)
    moments = Entry.objects.filter(seq__gt=head).aggregate(first=Min("at"), last=Max("at"))
    span = moments["last"] - moments["first"]
    assert abs(off) <= span < abs(off) + timedelta(minutes=10), "the clock was off indeed"
    wait_until(lambda: Seal.objects.exists(), "sealed")
    firm.check()


def _asked_there(firm, address: str) -> Import:
    """Upload a feed to the machine whose clock is off."""
    files = {"file": ("feed.jsonl", work.feed_of(3_000, seed=Import.objects.count() + 70))}
    Browser(firm.officer, address).post("/imports/", {"source": f"off-{Import.objects.count()}"}, files=files)
    return Import.objects.latest("pk")


def _begun_here_and_ended_there(firm, browser: Browser, here: str, there: str) -> None:
    paper = Paper.fill(browser.begin(address=here))
    browser.submit(paper, address=there)
    firm.note(paper)
