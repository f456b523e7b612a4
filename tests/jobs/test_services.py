from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from portal.jobs import models, services
from portal.jobs.models import Job

pytestmark = pytest.mark.django_db(transaction=True)


def start(**fields) -> Job:
    return services.start(**{"kind": "tests.count", "key": "one", "total": 3, **fields})


def one_more(job: Job) -> bool:
    job.done += 1
    job.cursor = {"at": job.done}
    return job.done == 3


def test_the_same_kind_and_key_is_the_same_job_and_rings_once(bells):
    assert start() == start()
    assert bells == [("tests.count", [Job.objects.get().pk])]


def test_a_job_goes_step_by_step_to_the_end():
    job = services.work(start().pk, one_more)
    assert (job.state, job.done, job.cursor, job.percent) == ("done", 3, {"at": 3}, 100)
    assert job.ended_at is not None


def test_a_job_that_has_ended_is_not_worked_on_again():
    job = start()
    services.work(job.pk, one_more)
    assert services.work(job.pk, one_more) is None


def test_a_leased_job_is_left_alone_until_the_lease_runs_out():
    job = start()
    Job.objects.update(state="running", lease_until=timezone.now() + timedelta(seconds=5), lease_token="other")
    assert services.work(job.pk, one_more) is None
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.work(job.pk, one_more).state == "done"


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=1)])
def test_what_a_machine_with_a_clock_ahead_started_or_leased_does_not_lie_until_then(ahead):
    job = start()
    Job.objects.update(due_at=timezone.now() + ahead)
    assert services.sweep() == 1
    Job.objects.update(
        state="running", lease_until=timezone.now() + ahead + services.LEASE, lease_token="ahead", due_at=timezone.now()
    )
    assert services.sweep() == 1
    assert services.work(job.pk, one_more).state == "done"


def test_no_pause_of_ours_is_taken_for_a_clock_that_is_ahead():
    longest = max(services.LEASE, services.PAUSE * 2 ** (services.MOST_ATTEMPTS - 1))
    assert longest < models.LONGEST


def test_a_worker_killed_half_way_loses_one_step_and_the_next_goes_on():
    job = start()

    def killed(job: Job) -> bool:
        one_more(job)
        if job.done == 2:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        services.work(job.pk, killed)
    job.refresh_from_db()
    assert (job.state, job.done) == ("running", 1)
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert services.work(job.pk, one_more).done == 3


def test_a_step_done_after_the_lease_was_lost_is_rolled_back():
    job = start()

    def overtaken(job: Job) -> bool:
        Job.objects.filter(pk=job.pk).update(lease_token="another worker", lease_until=timezone.now())
        return one_more(job)

    assert services.work(job.pk, overtaken) is None
    job.refresh_from_db()
    assert job.done == 0


def test_a_failing_job_waits_longer_each_time_and_is_given_up_where_a_person_sees_it():
    job = start()

    def broken(job: Job) -> bool:
        raise OSError("disk full")

    pauses = []
    for _ in range(services.MOST_ATTEMPTS):
        Job.objects.update(due_at=timezone.now())
        job = services.work(job.pk, broken)
        pauses.append(job.due_at - timezone.now())
    assert pauses[1] > pauses[0]
    assert (job.state, job.error, job.attempts) == ("failed", "OSError", services.MOST_ATTEMPTS)


def test_the_sweeper_rings_for_what_waits_and_for_what_was_abandoned_only(bells):
    waiting = start(key="waiting")
    abandoned = start(key="abandoned")
    held = start(key="held")
    later = start(key="later")
    now = timezone.now()
    Job.objects.filter(pk=abandoned.pk).update(state="running", lease_until=now - timedelta(seconds=1))
    Job.objects.filter(pk=held.pk).update(state="running", lease_until=now + timedelta(seconds=60))
    Job.objects.filter(pk=later.pk).update(due_at=now + timedelta(minutes=10))
    bells.clear()
    assert services.sweep() == 2
    assert {args[0] for _, args in bells} == {waiting.pk, abandoned.pk}


def test_a_broker_that_is_away_loses_nothing(monkeypatch, bells):
    def away(*args, **kwargs):
        raise ConnectionError

    monkeypatch.setattr("portal.jobs.services.current_app.send_task", away)
    assert start().state == "waiting"
    monkeypatch.undo()
    assert services.sweep() == 1


def test_a_job_that_was_given_up_goes_on_when_it_is_started_again(bells):
    job = start()
    services.work(job.pk, one_more)
    Job.objects.update(state="failed", ended_at=timezone.now(), lease_until=None, attempts=5, error="OSError")
    bells.clear()
    again = start()
    assert (again.pk, again.state, again.attempts, again.done) == (job.pk, "waiting", 0, 3)  # from where it stood
    assert bells == [("tests.count", [job.pk])]
    assert services.retry(job=again) is False


def test_a_postponed_job_waits_without_counting_an_attempt():
    job = start()

    def busy(job: Job) -> bool:
        raise services.Postponed("somebody else is at it", timedelta(minutes=5))

    for _ in range(services.MOST_ATTEMPTS + 1):
        Job.objects.update(due_at=timezone.now())
        job = services.work(job.pk, busy)
    assert (job.state, job.attempts, job.lease_until) == ("waiting", 0, None)
    assert job.due_at > timezone.now() + timedelta(minutes=4)


def test_preparing_happens_under_the_lease_and_outside_of_the_steps_transaction():
    from django.db import connection

    seen = []

    def prepare(job: Job) -> None:
        seen.append((Job.objects.get(pk=job.pk).state, connection.in_atomic_block))

    services.work(start().pk, one_more, prepare=prepare)
    assert seen == [("running", False)] * 3


def test_only_a_job_that_may_be_stopped_is_stopped():
    firm, loose = (
        services.start(kind="tests.count", key="firm"),
        services.start(kind="tests.count", key="loose", may_stop=True),
    )
    assert [services.stop(job=firm), services.stop(job=loose)] == [False, True]
    for job, state in ((firm, Job.State.WAITING), (loose, Job.State.STOPPED)):
        job.refresh_from_db()
        assert job.state == state
    assert not Job.objects.due(timezone.now()).filter(pk=loose.pk).exists()


def test_a_job_that_has_ended_is_not_stopped():
    job = start(may_stop=True)
    services.work(job.pk, lambda job: True)
    assert services.stop(job=job) is False


def test_who_holds_a_job_that_was_stopped_or_taken_over_is_told():
    job = start(may_stop=True)
    services._claim(job.pk)
    job.refresh_from_db()
    with transaction.atomic():
        services.hold(job)
    services.stop(job=job)
    with pytest.raises(services.LeaseLost), transaction.atomic():
        services.hold(job)
