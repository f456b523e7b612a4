"""How the demo firm's feeds come in: files at first, then pushed by the puller; and a mailbox that fell silent."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from pathlib import Path

from django.db.models import Q
from django.utils import timezone

from archive import services as archive
from archive.models import Import, SetAside, Source, SourceToken
from portal.demo.people import SEED, Person
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.people.models import Employee

WECOM, MAIL = "wecom", "mail-journal"
PUSHED_WEEKS = 2  # of the latest: since then the puller pushes
PORTION = 500  # lines of one push
MAIL_PROMISE = timedelta(days=8)
MAIL_ENDS = timedelta(days=11)  # before today: the last delivery of the mailbox
STEPS = {"archive.tasks.judge_deliveries": archive.judge_some, "archive.tasks.rematch": archive.rematch_some}


class Puller:
    """The machine that pulls from WeCom. It had a token before the one it has now."""

    def __init__(self, officer: Employee, by: str) -> None:
        self.officer, self.by = officer, by
        self.token: SourceToken | None = None

    def leave_file(self, path: Path, lines: Sequence[bytes]) -> Import:
        """Read a week from a file, and mend what was cut off in it: the whole line came right after."""
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        run = archive.import_feed(source=archive.get_source(name=WECOM, by=self.by), path=path, by=self.by)
        self._mend(run, lines)
        return run

    def push(self, lines: Sequence[bytes]) -> None:
        source = archive.get_source(name=WECOM, by=self.by)
        self.token = self.token or self._token(source)
        for at in range(0, len(lines), PORTION):
            archive.push(token=self.token, raw=b"".join(line + b"\n" for line in lines[at : at + PORTION]))
        work()

    def _token(self, source: Source) -> SourceToken:
        """Return the token that counts: the first one went into a chat by mistake, and was ended at once."""
        first, _text = archive.make_token(source=source, label="puller sh-01", expires_on=None, by=self.officer)
        archive.end_token(token=first, by=self.officer)
        last_day = timezone.localdate() + timedelta(days=365)
        return archive.make_token(source=source, label="puller sh-01", expires_on=last_day, by=self.officer)[0]

    def _mend(self, run: Import, lines: Sequence[bytes]) -> None:
        for aside in SetAside.objects.filter(run=run, repaired_by=None).select_related("run__source"):
            cut = archive.read_aside(aside=aside, reason="To see what was cut off.", by=self.officer.uid)
            if whole := next((line for line in lines if line.startswith(cut) and line != cut), None):
                archive.repair(aside=aside, raw=whole, by=self.officer)
        work()


def work() -> None:
    """Do what a worker does with the jobs that deliveries and matches leave."""
    for job in Job.objects.filter(Q(kind__in=STEPS), state=Job.State.WAITING):
        jobs.work(job.pk, STEPS[job.kind])


@dataclass(frozen=True)
class Mailbox:
    """A journal of a few people's mail, delivered on Fridays as an mbox, until it stopped."""

    writers: Sequence[Person]
    officer: Employee
    by: str

    @classmethod
    def of(cls, people: Sequence[Person], officer: Employee, by: str, *, since: date) -> "Mailbox":
        quiet = [one for one in people if not one.talks_to_clients and not one.key and one.joined_on < since]
        return cls(quiet[:4], officer, by)

    def fridays(self, first_monday: date, today: date) -> Iterator[date]:
        friday = first_monday + timedelta(days=4)
        while friday <= today - MAIL_ENDS:
            yield friday
            friday += timedelta(days=7)

    def deliver(self, friday: date, folder: Path) -> Import:
        path = folder / f"journal-{friday}.mbox"
        path.write_bytes(b"".join(self._mails(friday)))
        return archive.import_feed(source=self._source(), path=path, by=self.by)

    def _source(self) -> Source:
        source = Source.objects.filter(name=MAIL).first()
        return source or archive.add_source(
            name=MAIL,
            kind=Source.Kind.MAIL,
            channel="mail",
            time_zone="Asia/Hong_Kong",
            expected_latency_seconds=int(MAIL_PROMISE.total_seconds()),
            by=self.officer,
        )

    def _mails(self, friday: date) -> Iterator[bytes]:
        """Yield two mails of each day up to the Friday, one of colleagues to another."""
        chance = random.Random(f"mail/{SEED}/{friday}")  # noqa: S311 - invented, not secret
        zone = timezone.get_default_timezone()
        for day in (friday - timedelta(days=n) for n in range(4, -1, -1)):
            for hour in (10, 15):
                sender, recipient = chance.sample(list(self.writers), 2)
                at = datetime.combine(day, time(hour, chance.randrange(60), chance.randrange(60)), zone)
                yield _mail(sender, recipient, at, chance)


def _mail(sender: Person, recipient: Person, at: datetime, chance: random.Random) -> bytes:
    mail = EmailMessage()
    mail["Received"] = f"by journal.example.com; {format_datetime(at + timedelta(seconds=chance.randrange(2, 40)))}"
    mail["From"], mail["To"] = f"{sender.name_en} <{sender.email}>", f"{recipient.name_en} <{recipient.email}>"
    mail["Date"], mail["Message-ID"] = format_datetime(at), f"<{chance.getrandbits(64):016x}@example.com>"
    mail["Subject"] = chance.choice(SUBJECTS)
    mail.set_content(chance.choice(WORDS))
    return f"From journal@example.com {at:%a %b %d %H:%M:%S %Y}\n".encode() + bytes(mail) + b"\n"


SUBJECTS = ("Room on Thursday", "Minutes", "Holiday cover", "Desk move", "Invoices of the month")
WORDS = (
    "Could you look over the minutes before they go out?\n",
    "I am away on Thursday; Wing covers.\n",
    "The list is on the shared drive.\n",
    "Thanks, that is fine with me.\n",
)


def events(mailbox: Mailbox, folder: Path, first_monday: date, today: date) -> Iterator[tuple[datetime, partial]]:
    """Yield (moment, deed) of each delivery of the mailbox."""
    zone = timezone.get_default_timezone()
    for friday in mailbox.fridays(first_monday, today):
        yield datetime.combine(friday, time(18, 30), zone), partial(mailbox.deliver, friday, folder)
