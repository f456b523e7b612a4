import json
import random
import time
from datetime import date, timedelta
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.services import bulk
from portal.demo import measuring, volume
from portal.jobs import services as jobs
from portal.people.models import Employee
from portal.reminders import making, rounds, sending
from portal.reminders.models import Delivery, Round
from portal.reminders.rules import Terms
from training import services as training
from training.models import Assignment, Attestation, Course, Edition, PolicyVersion

LATE_ONE_IN, UNSIGNED_ONE_IN = 20, 50
SENT = 2_000  # mails whose way through the outbox is measured


class Command(BaseCommand):
    help = "Measure a morning's reminders for many people, in a scratch database of its own."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--people", type=int, default=100_000)
        parser.add_argument("--json", type=Path, help="write the figures to this file too")

    def handle(self, *, people: int, **options) -> None:
        with measuring.Scratch():
            on = working_day(timezone.localdate())
            told = {"database": connection.vendor, "people": people, **fill(people, on)}
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
            told["queries a piece"] = queries_of_a_piece(on)
            for name, work in {"round": lambda: make(on), "outbox": send}.items():
                cost = measuring.measured(work)
                told[name] = cost.as_dict()
                self.stdout.write(
                    f"{name}: {cost.seconds:.1f} s, {cost.cpu_seconds:.1f} s CPU, {cost.peak_mb} MB, {cost.told}"
                )
            self.stdout.write(
                ", ".join(f"{name} {value}" for name, value in told.items() if name not in ("round", "outbox"))
            )
        if options["json"]:
            options["json"].write_text(json.dumps(told, indent=1, default=str), encoding="utf-8")


def working_day(day: date) -> date:
    """Return the next Monday: a working day, and not over yet, whatever day it is."""
    return day + timedelta(days=7 - day.weekday())


def fill(people: int, on: date) -> dict[str, int]:
    """Everybody owes a course and has signed a policy, but for a few who are late or have not."""
    chance = random.Random("reminders")  # noqa: S311 - invented, not secret
    volume.hire(people)
    pks = list(Employee.objects.order_by("pk").values_list("pk", flat=True))
    volume.line_up(pks)
    course = Course.objects.create(slug="bench")
    Edition.objects.create(
        course=course, number=1, fingerprint="0" * 64, languages=["en"], title={"en": "Course"}, summary={"en": ""},
        pass_percent=80, renewal_months=12, sources={}, published_at=timezone.now(),
    )  # fmt: skip

    def owed():
        for pk in pks:
            late = chance.randrange(LATE_ONE_IN) == 0
            due_on = on - timedelta(chance.randrange(1, 60)) if late else on + timedelta(chance.randrange(0, 360))
            yield pk, course.pk, 1, on - timedelta(90), due_on, 0, {}, None, ""

    columns = ("employee", "course", "cycle", "assigned_on", "due_on", "grace_days", "because", "ended_on", "ended_why")
    bulk.insert(Assignment, columns, owed())
    texts = {"title": {"en": "Policy"}, "text": {"en": "Words."}}
    policy: PolicyVersion = training.publish_policy(
        slug="policy", **texts, effective_from=on - timedelta(30), by="system:bench"
    )
    now = timezone.now()
    signed = [pk for pk in pks if chance.randrange(UNSIGNED_ONE_IN)]
    columns = ("uid", "employee", "version", "period", "signed_at", "proved_at", "proved_how", "language", "shown")
    columns += ("entry_seq",)
    rows = ((f"{pk:032}", pk, policy.pk, "", now, now, "password", "en", {}, 0) for pk in signed)
    bulk.insert(Attestation, columns, rows)
    return {"late": Assignment.objects.filter(due_on__lt=on).count(), "unsigned": people - len(signed)}


def queries_of_a_piece(on: date) -> int:
    occasion = making.Occasion.of("Asia/Shanghai", on, on - timedelta(1), Terms())
    people = making.next_piece(occasion, 0)
    with CaptureQueriesContext(connection) as captured:
        making.drafts(people, occasion)
    return len(captured)


def make(on: date) -> dict:
    """Make the round of the day, as a worker does."""
    job = jobs.start(kind=rounds.MAKE, key=f"{on} Asia/Shanghai")
    Round.objects.create(zone="Asia/Shanghai", on=on, since=on - timedelta(1), terms_version=0, job=job)
    done = jobs.work(job.pk, rounds.make_some)
    return {"state": done.state, "looked at": done.done, **done.result}


def send() -> measuring.Cost:
    """Empty the outbox of SENT mails, written and marked as always, into a mail server that costs nothing."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    first = Delivery.objects.order_by("pk").values_list("pk", flat=True)[:SENT]
    Delivery.objects.exclude(pk__in=list(first)).update(due_at=timezone.now() + timedelta(days=1))
    began, cpu = time.perf_counter(), time.process_time()
    sent = sending.send_waiting()
    return measuring.Cost(time.perf_counter() - began, time.process_time() - cpu, 0, {"sent": sent})
