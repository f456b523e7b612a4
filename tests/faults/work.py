"""Long work of every kind that is to end, in effect once, whoever is killed meanwhile."""

import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path

from celery import current_app
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone

from archive import services as archive
from archive.models import Import, Message
from portal.demo import bulk_feed
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger.models import Entry, Seal
from portal.people.calendars import is_working_day
from portal.people.models import Employee
from portal.reminders import rounds
from portal.reminders.models import Delivery, Digest, Round
from tests import studying
from tests.faults.firm import Firm, bodies, check_ledger, people
from training import certificates, exports
from training.models import Assignment, Completion, Course

REMINDED, CERTIFIED, LINES = 800, 160, 8_000


@dataclass
class Work:
    """What was asked for, and the jobs behind it."""

    run: Import
    export: exports.CertificateExport
    reminders: Round
    reminded: list[Employee]
    lines: int
    messages_before: int
    serials: list[str] = field(default_factory=list)

    @property
    def jobs(self) -> list[Job]:
        return list(Job.objects.filter(pk__in=[self.run.job_id, self.export.job_id, self.reminders.job_id]))

    @property
    def progress(self) -> int:
        return sum(job.done for job in self.jobs) + Delivery.objects.exclude(sent_at=None).count()

    @property
    def is_over(self) -> bool:
        unsent = Delivery.objects.filter(sent_at=None).exists()
        return all(job.is_ended for job in self.jobs) and not unsent and Seal.objects.exists()

    def check(self) -> None:
        """Each job is done; what it does was done once."""
        assert {job.kind: (job.state, job.error) for job in self.jobs} == {job.kind: ("done", "") for job in self.jobs}
        self._check_import()
        self._check_export()
        self._check_reminders()
        check_ledger()

    def _check_import(self) -> None:
        run = Import.objects.get(pk=self.run.pk)
        assert run.lines == self.lines
        assert run.stored + run.duplicates + run.set_aside + run.conflicts == self.lines, run.counts
        assert Message.objects.count() - self.messages_before == run.stored
        assert sum(body["import"] == run.uid for body in bodies("archive.imported")) == 1

    def _check_export(self) -> None:
        packed: Counter[str] = Counter()
        for part in self.export.parts.all():
            with part.file.open("rb") as file, zipfile.ZipFile(file) as archive_:
                assert archive_.testzip() is None
                packed.update(name.rsplit("/", 1)[-1] for name in archive_.namelist() if name.endswith(".pdf"))
        assert len(packed) == len(self.serials)
        assert set(packed.values()) == {1}
        told = [body for body in bodies("training.certificates_exported") if body["export"] == self.export.uid]
        assert len(told) == 1

    def _check_reminders(self) -> None:
        digests = Counter(Digest.objects.filter(on=self.reminders.on).values_list("employee", flat=True))
        assert digests.keys() >= {one.pk for one in self.reminded}  # others of the firm may be told something too
        assert set(digests.values()) == {1}
        deliveries = Delivery.objects.filter(on=self.reminders.on)
        assert set(deliveries.values_list("state", flat=True)) == {"sent"}
        told = Entry.objects.filter(verb="reminders.sent").values_list("subject", flat=True)
        wanted = {one.uid for one in self.reminded}
        assert Counter(uid for uid in told if uid in wanted) == Counter(wanted)
        addresses = Counter(address for address, _id in mails())
        assert {addresses[one.email] for one in self.reminded} == {1}, "a copy has the Message-ID of its first"


def mails() -> set[tuple[str, str]]:
    """Return (whom it went to, Message-ID) of every mail that went out: a copy of one is no other mail."""
    found = set()
    for path in Path(settings.EMAIL_FILE_PATH).glob("*.log"):
        for text in path.read_bytes().split(b"-" * 79 + b"\n"):
            mail = message_from_bytes(text.lstrip())
            if mail["Message-ID"]:
                found.add((parseaddr(mail["To"])[1], mail["Message-ID"]))
    return found


def ask_for_all(firm: Firm, *, lines: int = LINES) -> Work:
    """Ask for an import, certificates in bulk, a round of reminders and a seal."""
    export = ask_for_certificates(firm)
    serials = [one.serial for one in exports.chosen(exports.Choice.from_json(export.choice))]
    reminded, reminders = ask_for_reminders()
    before = Message.objects.count()
    run = ask_for_import(firm, lines=lines)
    current_app.send_task("portal.ledger.tasks.seal")
    return Work(run, export, reminders, reminded, lines, before, serials)


def feed_of(lines: int, seed: int) -> bytes:
    return b"".join(bulk_feed.lines(lines, seed=seed))


def ask_for_import(firm: Firm, *, lines: int, seed: int = 1) -> Import:
    source = archive.get_source(f"feed-{Import.objects.count()}", by="system:test")
    file = ContentFile(feed_of(lines, seed), name="feed.jsonl")
    return archive.start_upload(source=source, file=file, by=firm.officer)


def ask_for_certificates(firm: Firm) -> exports.CertificateExport:
    course, today = Course.objects.get(slug=studying.SLUG), timezone.localdate()
    for person in people(CERTIFIED):
        assignment = Assignment.objects.create(
            employee=person, course=course, cycle=1, edition=course.current, assigned_on=today, due_on=today
        )
        completion = Completion.objects.create(
            assignment=assignment, employee=person, edition=course.current, completed_at=timezone.now(),
            expires_on=today + timedelta(days=365), percent=90, study_seconds=3600,
        )  # fmt: skip
        certificates.issue(completion=completion, by="system:test")
    return exports.ask(choice=exports.Choice(), by=firm.hr)


def ask_for_reminders() -> tuple[list[Employee], Round]:
    """Let there be a round of a working day that is not over, on which people are to be told of what is due soon."""
    on = next_working_day(timezone.localdate())
    course, reminded = Course.objects.get(slug=studying.SLUG), people(REMINDED)
    due = {"course": course, "cycle": 1, "assigned_on": on - timedelta(days=30), "due_on": on + timedelta(days=7)}
    Assignment.objects.bulk_create(Assignment(employee=one, **due) for one in reminded)
    with transaction.atomic():
        job = jobs.start(kind=rounds.MAKE, key=f"{on} {settings.TIME_ZONE}")
        row = Round.objects.create(
            zone=settings.TIME_ZONE, on=on, since=on - timedelta(days=1), terms_version=0, job=job
        )
    return reminded, row


def next_working_day(day: date) -> date:
    while not is_working_day(day, "CN"):
        day += timedelta(days=1)
    return day


def let_leases_run_out() -> None:
    """Two minutes go by for whoever holds a lease, and the clock rings."""
    over = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(state=Job.State.RUNNING).update(lease_until=over)
    Job.objects.filter(state=Job.State.WAITING).update(due_at=over)
    Delivery.objects.filter(state=Delivery.State.LEASED).update(lease_until=over)
    ring("portal.jobs.tasks.sweep", "portal.reminders.tasks.send", "portal.ledger.tasks.seal")


def ring(*tasks: str) -> None:
    for task in tasks:
        current_app.send_task(task)
