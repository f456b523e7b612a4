"""Real processes, really killed, a real mail server: in the end everybody has one digest, and one mail of it."""

import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from portal.jobs import services as jobs
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from portal.reminders import rounds
from portal.reminders.models import CalendarEntry, Delivery, Digest, Round
from tests import studying
from training.models import Assignment

ROOT = Path(__file__).parents[2]
PEOPLE = 510  # more than a piece
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def firm(postman) -> Round:
    """Everybody owes a course in a week; the round is begun, and nobody has worked on it."""
    course = studying.tiny_course().course
    Employee.objects.bulk_create(
        Employee(email=f"person{n}@example.com", employee_no=f"K{n:05}", name_en=f"Person {n}") for n in range(PEOPLE)
    )
    on = next_monday()
    Assignment.objects.bulk_create(
        Assignment(employee=one, course=course, cycle=1, assigned_on=on - timedelta(60), due_on=on + timedelta(7))
        for one in Employee.objects.all()
    )
    job = jobs.start(kind=rounds.MAKE, key=f"{on} Asia/Shanghai")
    return Round.objects.create(zone="Asia/Shanghai", on=on, since=on - timedelta(1), terms_version=0, job=job)


def next_monday() -> date:
    """A working day, so that the test says the same on every day of the week; its mails go out at once."""
    today = timezone.localdate()
    return today + timedelta(days=7 - today.weekday())


def working(settings) -> subprocess.Popen:
    """The real command, in a process of its own, on the test's database."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{told['NAME']}"
    else:
        url = f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
    told = {"DATABASE_URL": url, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(settings.EMAIL_PORT)}
    return subprocess.Popen(
        [sys.executable, "manage.py", "send_reminders", "--skip-checks"],
        cwd=ROOT,
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def leases_run_out() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(state="leased").update(lease_until=past)
    jobs.Job.objects.filter(state="running").update(lease_until=past)


def ended(run: subprocess.Popen) -> int:
    _out, err = run.communicate(timeout=300)
    assert run.returncode in (0, -signal.SIGKILL), err.decode()
    return run.returncode


def everybody_has_one_of_everything(count: int = PEOPLE) -> None:
    assert Digest.objects.count() == Digest.objects.values("employee", "on").distinct().count() == count
    assert Delivery.objects.filter(state="sent").count() == Delivery.objects.count() == count
    assert Entry.objects.filter(verb="reminders.sent").values("subject").distinct().count() == count
    assert Entry.objects.filter(verb="reminders.sent").count() == count
    assert CalendarEntry.objects.count() == count
    assert ledger.verify()[1] is None


def test_killed_while_making_and_at_three_moments_of_sending_everybody_gets_the_mail_once(firm, postman, settings):
    run = working(settings)
    while not Digest.objects.exists() and run.poll() is None:
        pass  # until the first piece is committed
    run.kill()
    ended(run)
    leases_run_out()
    before = len(postman.mails)

    def dies_at(count: int):
        def after_data() -> None:
            if len(postman.mails) == count:
                os.kill(run.pid, signal.SIGKILL)  # the server has the mail, and the process never hears of it

        return after_data

    killed = 0
    for more in (1, 70, 140):
        postman.after_data = dies_at(before + more)
        run = working(settings)
        killed += ended(run) == -signal.SIGKILL
        leases_run_out()
    assert killed == 3
    postman.after_data = lambda: None
    assert ended(working(settings)) == 0
    everybody_has_one_of_everything()
    ids = Counter(postman.ids)
    assert len(ids) == PEOPLE
    twice = {mail for mail, count in ids.items() if count > 1}
    honest = Delivery.objects.filter(may_be_twice=True).values_list("digest__uid", flat=True)
    assert twice <= {f"<reminder.{uid}@localhost>" for uid in honest}
    assert killed <= len(honest) <= killed + 1
    assert max(ids.values()) == 2
    for again in twice:  # whoever gets it again can tell that it is the same
        one, other = (mail for mail in postman.read if mail["Message-ID"] == again)
        assert (one["Date"], one["Subject"], one["To"]) == (other["Date"], other["Subject"], other["To"])


def test_two_beats_with_two_workers_at_once_send_everybody_one(firm, postman, settings):
    both = [working(settings), working(settings)]
    assert [ended(run) for run in both] == [0, 0]
    assert ended(working(settings)) == 0  # what was left while the other still made
    everybody_has_one_of_everything()
    assert Counter(postman.ids).most_common(1)[0][1] == 1
    assert not Delivery.objects.filter(may_be_twice=True).exists()
