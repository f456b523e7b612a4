"""What the tests of holds, disposals and integrity are furnished with: people under several laws, and old messages."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from archive import services, tasks
from archive.models import Disposal, Hold, Message
from archive.services import Criteria
from portal.jobs.models import Job
from portal.people.models import Employee
from tests.archive.conftest import line

TODAY = date(2026, 10, 16)
NOW = datetime(2026, 10, 16, 10, tzinfo=UTC)  # 18:00 in Shanghai
UK_OVER, HK_OVER = date(2021, 10, 15), date(2019, 10, 15)  # last days that are over on TODAY
HANDLES = {"hk.lee": "HK", "us.smith": "US", "uk.jones": "UK", "cn.wang": "CN", "sg.tan": "SG"}


def ms(day: date, hour: int = 10) -> int:
    """A moment of the day in Shanghai, in milliseconds."""
    return int(datetime(day.year, day.month, day.day, hour - 8, tzinfo=UTC).timestamp() * 1000)


def old(
    seq: int, day: date, text: str = "hello", *, sender: str = "uk.jones", to: tuple = ("hk.lee",), **fields
) -> dict:
    """A feed line of a day long ago."""
    return line(seq, text, sender=sender, to=to, sent=ms(day) + seq * 1000, **fields)


def ask(by: Employee, as_of: date = TODAY, reason: str = "yearly run") -> Disposal:
    """Ask for a disposal and let the worker count it."""
    disposal = services.ask_disposal(as_of=as_of, reason=reason, by=by)
    tasks.count_disposal(disposal.count_job_id)
    disposal.refresh_from_db()
    return disposal


def approve(disposal: Disposal, by: Employee) -> Disposal:
    return services.decide_disposal(disposal=disposal, approve=True, by=by)


def step_by_step(disposal: Disposal, before: Callable[[int], None] = lambda number: None) -> int:
    """Run a disposal's job in the test's own transaction, without the sweep on disk. Return how many steps it took.

    ``before`` is called with the number of each step that is to come, from 0.
    """
    job, number = Job.objects.get(pk=disposal.job_id), 0
    before(number)
    while not services.dispose_some(job):
        if job.cursor.get("sweep"):
            job.cursor = {"sweep": []}
        job.save()
        number += 1
        assert number < 100
        before(number)
    job.save()
    disposal.refresh_from_db()
    return number + 1


def run(officers: tuple[Employee, Employee], as_of: date = TODAY, **more) -> Disposal:
    """Ask, approve and run; where nothing is over, who asked withdraws it."""
    disposal = ask(officers[0], as_of)
    disposal.refresh_from_db()
    if disposal.finds_nothing:
        return services.withdraw_disposal(disposal=disposal, by=officers[0])
    disposal = approve(disposal, officers[1])
    step_by_step(disposal, **more)
    return disposal


def hold(by: Employee, name: str = "Matter 7", reason: str = "asked by counsel", **criteria) -> Hold:
    return services.make_hold(name=name, reason=reason, criteria=Criteria(**criteria), by=by)


def left() -> list[int]:
    """The numbers of the messages that are here."""
    return sorted(Message.objects.values_list("seq", flat=True))
