"""Handles that mean nobody, matched by a person: to an employee, or declared to be none. And both undone.

What was matched by hand is never undone by HR's list. The messages concerned are matched again and the months
concerned computed again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import calendars, rules
from archive.models import Finding, Identity, Message, Participant, Robot, Source, Unmatched
from archive.models.messages import PartyKind
from archive.services import casework, findings, records, strangers
from archive.services.identities import rematch
from archive.services.running import ring_the_roof
from archive.services.turns import take_turn
from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee

TASK = "archive.tasks.rematch"
AT_ONCE = 5000  # messages that are matched while the person waits; more are left to the job
LISTED = 20


class AlreadyMatched(RuntimeError):
    """The handle means somebody by now."""


class BadSpan(ValueError):
    """The days are in the wrong order, or the handle means somebody else on some of them."""


class NotByHand(ValueError):
    """What HR's list says is changed in HR's list."""


@dataclass(frozen=True)
class Stranger:
    """What is known of a handle that means nobody: when it was seen and with whom it talked."""

    handle: str
    first_at: datetime | None
    last_at: datetime | None
    messages: int
    talked_with: list[Employee]


def stranger(row: Unmatched, viewer: Employee) -> Stranger:
    """Return what the messages of the handle say. Reads them by the index of their handle."""
    _folded, first, last, messages = next(iter(strange_messages([row.handle_folded])), (None, None, None, 0))
    theirs = Participant.objects.filter(handle_folded=row.handle_folded, kind=PartyKind.UNKNOWN)
    newest = theirs.order_by("-sent_at").values("message")[:1000]
    partners = Participant.objects.filter(message__in=list(newest.values_list("message", flat=True)))
    people = Employee.objects.visible_to(viewer).filter(pk__in=partners.exclude(employee=None).values("employee"))
    return Stranger(row.handle, first, last, messages, list(people.for_list()[:LISTED]))


def strange_messages(folded: Iterable[str]) -> QuerySet:
    """Yield (handle, first moment, last moment, messages) of what was said by or to handles while they meant nobody."""
    theirs = Participant.objects.filter(
        handle_folded__in=list(folded), kind=PartyKind.UNKNOWN, message__category=Message.Category.CONTENT
    )
    return (
        theirs.order_by("handle_folded")
        .values_list("handle_folded")
        .annotate(Min("sent_at"), Max("sent_at"), Count("message", distinct=True))
    )


@transaction.atomic
def match_handle(
    *, row: Unmatched, employee: Employee, first_on: date | None, last_on: date | None, by: Employee
) -> Identity:
    """Let the handle mean the employee from ``first_on`` to ``last_on``; None: as far as it means nobody else.

    It does so in the channel in which it was seen. Raises AlreadyMatched, BadSpan.
    """
    take_turn()
    row = _locked(row)
    channel = channel_of(row)
    begins, ends = _span(channel, row.handle_folded, first_on, last_on)
    identity = Identity.objects.create(
        channel=channel,
        handle=row.handle,
        handle_folded=row.handle_folded,
        employee=employee,
        valid_from=begins,
        valid_to=ends,
        origin=Identity.Origin.ADMIN,
    )
    _rematched(identity, "archive.handle_matched", employee.uid, _told(identity), by)
    return identity


@transaction.atomic
def declare_robot(*, row: Unmatched, first_on: date | None, last_on: date | None, reason: str, by: Employee) -> Robot:
    """Declare that the handle is no person in that time, in the channel in which it was seen.

    Raises AlreadyMatched, BadSpan, casework.ReasonMissing, casework.SomebodyElses.
    """
    if not reason.strip():
        raise casework.ReasonMissing(_("Say what it is: an app, a shared account, a test."))
    take_turn()
    row = _locked(row)
    channel = channel_of(row)
    begins, ends = _moments(first_on, last_on)
    others = Robot.objects.filter(_touching(begins, ends), channel=channel, handle_folded=row.handle_folded)
    if others.exists():
        raise BadSpan(_("It was declared to be no person for some of these days before."))
    robot = Robot.objects.create(
        channel=channel,
        handle=row.handle,
        handle_folded=row.handle_folded,
        valid_from=begins,
        valid_to=ends,
        reason=reason.strip()[:500],
        declared_by=by,
        declared_at=timezone.now(),
    )
    body = {**_told(robot), "reason": robot.reason}
    _rematched(robot, "archive.handle_declared", "system:archive", body, by)
    return robot


@transaction.atomic
def undo(*, match: Identity | Robot, ends_on: date | None, reason: str, by: Employee) -> None:
    """End what was matched or declared by hand before ``ends_on``; None: it never held, and its row goes.

    Raises casework.ReasonMissing, NotByHand, BadSpan, or DoesNotExist for one that is gone.
    """
    if not reason.strip():
        raise casework.ReasonMissing(_("Say why it was wrong."))
    take_turn()
    match = type(match).objects.select_for_update(of=("self",)).get(pk=match.pk)
    is_person = isinstance(match, Identity)
    if is_person and match.origin == Identity.Origin.HR:
        raise NotByHand(_("This comes from HR's list, and is changed there."))
    body = {**_told(match), "reason": reason.strip()[:500], "holds_until": None}
    if ends_on is None:
        match.delete()
    else:
        match.valid_to = _before(match, ends_on)
        match.save(update_fields=["valid_to"])
        body["holds_until"] = match.valid_to.isoformat()
    subject = match.employee.uid if is_person else "system:archive"
    _rematched(match, "archive.handle_undone", subject, body, by)


def _before(match: Identity | Robot, day: date) -> datetime:
    moment = calendars.day_begins(day, timezone.get_default_timezone())
    if (match.valid_from and moment <= match.valid_from) or (match.valid_to and moment >= match.valid_to):
        raise BadSpan(_("That day lies outside of the time for which it holds."))
    return moment


def rematch_some(job: Job) -> bool:
    """Do one step of the job behind a match: the messages that were left to it, then the months concerned."""
    entry = Entry.objects.get(seq=job.params["entry"])
    if not job.cursor.get("is_matched"):
        take_turn()
        if told := ledger.body_of(entry):
            _match_messages(rules.fold(told["handle"]), entry.actor)
        job.cursor = {"is_matched": True}
        return False
    if records.recompute_some(by=entry.actor):
        return False
    transaction.on_commit(ring_the_roof)
    return True


def by_hand(channel: str) -> tuple[QuerySet[Identity], QuerySet[Robot]]:
    """Return what people have matched and declared in the channel, newest first."""
    matched = Identity.objects.filter(channel=channel).exclude(origin=Identity.Origin.HR).select_related("employee")
    robots = Robot.objects.filter(channel=channel).select_related("declared_by")
    return matched.order_by("-pk"), robots.order_by("-pk")


def channel_of(row: Unmatched) -> str:
    """Return the channel in which the handle was seen by its source, of several the one with most of its messages."""
    theirs = Participant.objects.filter(handle_folded=row.handle_folded, kind=PartyKind.UNKNOWN)
    seen = theirs.filter(message__source=row.source_id).values_list("message__channel").annotate(n=Count("pk"))
    found = seen.order_by("-n", "message__channel").first()
    return found[0] if found else row.source.channel


def _locked(row: Unmatched) -> Unmatched:
    found = Unmatched.objects.select_for_update(of=("self",)).filter(pk=row.pk).first()
    if found is None:
        raise AlreadyMatched(_("This handle has been matched meanwhile."))
    return found


def _moments(first_on: date | None, last_on: date | None) -> tuple[datetime | None, datetime | None]:
    zone = timezone.get_default_timezone()
    begins = calendars.day_begins(first_on, zone) if first_on else None
    ends = calendars.day_begins(last_on + timedelta(days=1), zone) if last_on else None
    if begins and ends and ends <= begins:
        raise BadSpan(_("The last day comes before the first."))
    return begins, ends


def _span(
    channel: str, folded: str, first_on: date | None, last_on: date | None
) -> tuple[datetime | None, datetime | None]:
    """Return the time asked for; where none was, as far as the handle means nobody else around its strange messages."""
    begins, ends = _moments(first_on, last_on)
    others = Identity.objects.filter(channel=channel, handle_folded=folded)
    strange = Participant.objects.filter(handle_folded=folded, kind=PartyKind.UNKNOWN, message__channel=channel)
    seen = strange.aggregate(first=Min("sent_at"))
    if (first := begins or seen["first"]) is not None:
        if begins is None:
            begins = others.filter(valid_to__lte=first).aggregate(last=Max("valid_to"))["last"]
        if ends is None:
            ends = others.filter(valid_from__gt=first).aggregate(next=Min("valid_from"))["next"]
    if (begins and ends and ends <= begins) or others.filter(_touching(begins, ends)).exists():
        raise BadSpan(_("The handle means somebody else on some of these days. Say from which day to which it is new."))
    return begins, ends


def _touching(begins: datetime | None, ends: datetime | None) -> Q:
    after = Q() if begins is None else Q(valid_to=None) | Q(valid_to__gt=begins)
    before = Q() if ends is None else Q(valid_from=None) | Q(valid_from__lt=ends)
    return after & before


def _told(match: Identity | Robot) -> dict:
    told = {
        "channel": match.channel,
        "handle": match.handle,
        "from": match.valid_from.isoformat() if match.valid_from else None,
        "to": match.valid_to.isoformat() if match.valid_to else None,
    }
    return {**told, "employee": match.employee.uid} if isinstance(match, Identity) else told


def _rematched(match: Identity | Robot, verb: str, subject: str, body: dict, by: Employee) -> None:
    """Match the messages again, write the Entry, and leave the months to a job. All in the caller's transaction.

    The rows come first: after an Entry the transaction must not wait for any. Open findings about a handle that is
    declared to be no person are closed by that.
    """
    folded = match.handle_folded
    settled = _settled(match) if verb == "archive.handle_declared" else Finding.objects.none()
    findings.lock(Q(pk__in=list(settled.values_list("pk", flat=True))))
    few = Participant.objects.filter(handle_folded=folded)[: AT_ONCE + 1].count() <= AT_ONCE
    touched = rematch([folded]) if few else set()
    entry = ledger.append(verb=verb, actor=by.uid, subject=subject, body=body)
    still = set(Unmatched.objects.filter(handle_folded=folded).values_list("source_id", flat=True)) if few else set()
    for finding in settled.exclude(source__in=still):
        casework.review_finding(
            finding=finding,
            decision=Finding.State.CLOSED,
            how=Finding.How.NOT_A_PERSON,
            reason=match.reason,
            reviewer=by,
        )
    if few:
        _conclude(folded, touched, by.uid)
    jobs.start(kind=TASK, key=str(entry.seq), by=by, params={"entry": entry.seq})


def _settled(robot: Robot) -> QuerySet[Finding]:
    """Open findings about the handle in feeds of the channel."""
    return _findings(robot.handle_folded).filter(state__in=Finding.OPEN, source__channel=robot.channel)


def _match_messages(folded: str, by: str) -> None:
    _conclude(folded, rematch([folded]), by)


def _conclude(folded: str, touched: set[int], by: str) -> None:
    """Open what the messages call for now that they are somebody's, and keep the findings about the handle in step."""
    now = timezone.now()
    findings.open_for_signals(touched, by=by, now=now)
    still = set(Unmatched.objects.filter(handle_folded=folded).values_list("source_id", flat=True))
    told = set(_findings(folded).values_list("source_id", flat=True))
    for source in Source.objects.filter(pk__in=still | told).order_by("pk"):
        strangers.judge_handle(source, folded, by=by, now=now)
        if source.pk in still:
            newest = _findings(folded).filter(source=source).order_by("-pk").first()
            if newest and not newest.is_open:
                findings.reopen(newest, reason="what it was matched with was undone", by=by)


def _findings(folded: str) -> QuerySet[Finding]:
    about_sources = Finding.objects.filter(employee=None, kind=Finding.Kind.UNMATCHED_IDENTITY)
    return about_sources.filter(facts__folded=folded)
