"""A worker's children, and the worker itself, die by kill -9 in imports, bulk certificates, sealing and reminders."""

import random

from tests.faults import work
from tests.faults.waiting import wait_until

CHILDREN, PARENTS = 5, 3


def test_worker_children_and_parents_killed_and_each_job_ends_in_effect_once(firm, house):
    """When the parent dies, the rings that it held are lost with it: what waits is found by the sweeper."""
    chance, worker = random.Random(4), house.worker()
    asked = work.ask_for_all(firm)
    for deed in [worker.kill_child] * CHILDREN:
        _some_progress(asked, worker)
        deed(chance.randrange(2))
        wait_until(lambda: len(worker.children) == 2, "the parent has a new child", who=worker)
        work.let_leases_run_out()
    for _ in range(PARENTS):
        _some_progress(asked, worker)
        worker.kill()
        work.let_leases_run_out()
        worker = house.worker()
    wait_until(lambda: _over(asked), "all is done", seconds=240, who=worker, pause=0.5)
    asked.check()


def _some_progress(asked: work.Work, worker) -> None:
    before = asked.progress
    wait_until(lambda: asked.progress > before or _over(asked), "something was done", who=worker, pause=0.2)


def _over(asked: work.Work) -> bool:
    """Whether all is over; if nobody works, a moment goes by and the clock rings: the last ring may have died too."""
    if not asked.is_over and not any(job.state == "running" for job in asked.jobs):
        work.let_leases_run_out()
    return asked.is_over
