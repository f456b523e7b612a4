"""Rounds and previews as long work: a job makes the digests piece by piece, whoever is killed meanwhile."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.people.models import Employee, opaque_id
from portal.reminders import making, sending
from portal.reminders import terms as policy
from portal.reminders.making import Draft, Occasion
from portal.reminders.models import CalendarEntry, Delivery, Digest, Foreseen, Preview, Round, TermsVersion
from portal.reminders.rules import Terms

MAKE, FORESEE = "portal.reminders.tasks.make", "portal.reminders.tasks.foresee"
FURTHEST_BACK = timedelta(days=7)  # what fell due for a reminder while the site was down longer is not caught up
DAY = timedelta(days=1)
AHEAD = 14  # days that can be looked ahead to


def start_due(now: datetime | None = None) -> list[Round]:
    """Start the round of every zone in which it is time and that has none today. Safe to call at any time, twice."""
    now, (number, terms) = now or timezone.now(), policy.current()
    due = {zone: on for zone in making.zones() if (on := making.is_time(zone, terms, now))}
    there = set(Round.objects.filter(on__in=set(due.values())).values_list("zone", "on"))
    return [_start(zone, on, number) for zone, on in due.items() if (zone, on) not in there]


@transaction.atomic
def _start(zone: str, on: date, number: int) -> Round:
    job = jobs.start(kind=MAKE, key=f"{on} {zone}")
    last = Round.objects.filter(zone=zone, on__lt=on).order_by("-on").values_list("on", flat=True).first()
    since = max(last or on - DAY, on - FURTHEST_BACK)
    fresh = {"since": since, "terms_version": number, "job": job}
    row, _made = Round.objects.get_or_create(zone=zone, on=on, defaults=fresh)
    return row


def occasion_of(row: Round) -> Occasion:
    """Return the occasion by the terms that held when the round began."""
    version = TermsVersion.objects.filter(number=row.terms_version).first()
    return Occasion.of(row.zone, row.on, row.since, Terms.read(version.terms) if version else Terms())


def make_some(job: Job) -> bool:
    """Make the digests of the next piece, in the step's transaction. Return whether that was the last one."""
    row = Round.objects.get(job=job)
    occasion = occasion_of(row)
    people = making.next_piece(occasion, job.cursor.get("after", 0))
    if not people:
        return True
    made = keep(making.drafts(people, occasion), on=row.on, due_at=timezone.now(), terms_version=row.terms_version)
    job.cursor = {"after": people[-1].pk}
    job.done += len(people)
    job.result = {"digests": job.result.get("digests", 0) + made}
    if made:
        transaction.on_commit(sending.ring)
    return False


def keep(drafts: list[Draft], *, on: date, due_at: datetime, terms_version: int) -> int:
    """Write the digests of who can be reached, with what the mails put into calendars. Return how many are new.

    Who has one of that day already keeps it.
    """
    reached = [one for one in drafts if one.channels]
    have = Digest.objects.filter(employee__in=[one.employee for one in reached], on=on)
    have = set(have.values_list("employee", flat=True))
    new = [one for one in reached if one.employee.pk not in have]
    _keep_entries(new)
    now = timezone.now()
    digests = Digest.objects.bulk_create(
        [
            Digest(
                employee=one.employee, on=on, made_at=now, terms_version=terms_version, language=one.language,
                content=one.content, is_of_archive=one.is_of_archive,
            )
            for one in new
        ]
    )  # fmt: skip
    Delivery.objects.bulk_create(
        [
            Delivery(digest=digest, employee=one.employee, on=on, channel=channel, address=address, due_at=due_at)
            for one, digest in zip(new, digests, strict=True)
            for channel, address in one.channels
        ]
    )
    _tell_entries(new, digests)
    return len(new)


def _keep_entries(drafts: list[Draft]) -> None:
    """Write what the drafts put into calendars, and into the drafts the UIDs of what is new there."""
    fresh = []
    for one in drafts:
        if Delivery.Channel.MAIL not in dict(one.channels):
            one.calendar.clear()  # only a mail has an attachment
        for change in one.calendar:
            if not change["uid"]:
                entry = CalendarEntry(
                    employee=one.employee, kind=change["kind"], key=change["key"], title=change["title"],
                    due_on=change["on"],
                )  # fmt: skip
                change["uid"] = entry.uid
                fresh.append(entry)
    CalendarEntry.objects.bulk_create(fresh)


def _tell_entries(drafts: list[Draft], digests: list[Digest]) -> None:
    """Note in the entries what they have become, and by which digest. Three queries."""
    told = {
        change["uid"]: (change, digest)
        for one, digest in zip(drafts, digests, strict=True)
        for change in one.calendar
    }  # fmt: skip
    rows = list(CalendarEntry.objects.filter(uid__in=told, closed_on=None))
    for entry in rows:
        change, digest = told[entry.uid]
        entry.sequence, entry.digest = change["sequence"], digest
        entry.title, entry.due_on = change["title"], change["on"]
        entry.closed_on = digest.on if change["do"] == "cancel" else None
    CalendarEntry.objects.bulk_update(rows, ["sequence", "digest", "title", "due_on", "closed_on"], batch_size=200)


# --- the preview -------------------------------------------------------------------------------------------------


def days_ahead() -> list[date]:
    """Return the days that can be looked ahead to, tomorrow first."""
    return [timezone.localdate() + DAY * number for number in range(1, AHEAD + 1)]


@transaction.atomic
def ask_preview(*, by: Employee, on: date | None = None) -> Preview:
    """Let it be worked out what goes out on a day of ``days_ahead()``, tomorrow by itself, as things stand now."""
    ahead = days_ahead()
    on = on or ahead[0]
    if on not in ahead:
        raise ValueError(f"{on} is not one of the next {AHEAD} days")
    job = jobs.start(kind=FORESEE, key=f"{on} {opaque_id()}", by=by)
    return Preview.objects.create(on=on, asked_at=timezone.now(), asked_by=by, job=job)


def foresee_some(job: Job) -> bool:
    """Work out the next piece of a preview. Return whether that was the last one."""
    preview, zones = Preview.objects.get(job=job), making.zones()
    number = job.cursor.get("zone", 0)
    if number >= len(zones):
        Preview.objects.filter(pk__lt=preview.pk).delete()
        return True
    _number, terms = policy.current()
    occasion = Occasion.of(zones[number], preview.on, preview.on - DAY, terms)
    people = making.next_piece(occasion, job.cursor.get("after", 0)) if terms.is_on else []
    if not people:
        job.cursor = {"zone": number + 1, "after": 0}
        return False
    Foreseen.objects.bulk_create(
        [
            Foreseen(
                preview=preview, employee=one.employee, language=one.language, content=one.content,
                is_of_archive=one.is_of_archive, channels=[channel for channel, _address in one.channels],
            )
            for one in making.drafts(people, occasion)
        ]
    )  # fmt: skip
    job.cursor = {"zone": number, "after": people[-1].pk}
    job.done += len(people)
    return False


def work_now() -> int:
    """Do at once what the beat and its workers would: make what is due, and send it. Return how many were sent."""
    start_due()
    for pk in Job.objects.due(timezone.now()).filter(kind=MAKE).order_by("pk").values_list("pk", flat=True):
        jobs.work(pk, make_some)
    return sending.send_waiting()
