"""What the page of dated copies tells: every copy, who had a seat on a day, and what contacts had said by then."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from archive import calendars, policy, rules
from archive.models import AnswerCopy, RobotName, Room, Seat, SeatCopy, Source
from archive.services import consents
from portal.ledger import services as ledger
from portal.people.models import Employee

LISTED = 20


@dataclass(frozen=True)
class CopiesTold:
    """``seats`` is None, and so ``seat_list``, where no permit list speaks for the day."""

    seat_list: SeatCopy | None
    seats: Page | None
    words: Page  # of contacts: object_list are consents.Standing
    lists: Page
    answers: Page
    rooms: Page
    robots: Page


def copies_told(source: Source, *, on: date, whom: str, asked: str, errors: bool, pages: dict) -> CopiesTold:
    """Return what the copies of the source tell as at the end of a day. The number of queries is always the same.

    ``whom`` narrows seats and words to one handle; ``asked`` and ``errors`` narrow the answers; ``pages`` says
    which page of each.
    """
    spoke = list_on(source, on)
    seats = Seat.objects.filter(copy=spoke).order_by("handle_folded") if spoke else None
    if seats is not None and whom:
        seats = seats.filter(handle_folded=rules.fold(whom))
    answers = AnswerCopy.objects.filter(source=source).defer("answer").order_by("-taken_at", "asked", "about", "number")
    answers = answers.filter(asked=asked) if asked else answers
    answers = answers.exclude(error_code=0) if errors else answers
    lists = SeatCopy.objects.filter(source=source).annotate(count=Count("seats")).order_by("-taken_at")
    members = Count("members", filter=Q(members__gone_at=None))
    rooms = Room.objects.filter(channel=source.channel).annotate(members_now=members).order_by("name", "room")
    robots = RobotName.objects.filter(channel=source.channel).order_by("handle")

    def page(rows, name: str) -> Page:
        return Paginator(rows, LISTED).get_page(pages.get(name))

    return CopiesTold(
        seat_list=spoke,
        seats=page(seats, "seats") if seats is not None else None,
        words=consents.as_at(source, on, whom=whom, page=pages.get("words")),
        lists=page(lists, "lists"),
        answers=page(answers, "answers"),
        rooms=page(rooms, "rooms"),
        robots=page(robots, "robots"),
    )


@transaction.atomic
def note_answer_fetched(*, copy: AnswerCopy, by: Employee) -> None:
    """Write down that the copy of an answer, which names people, is being fetched."""
    body = {"source": copy.source.name, "asked": copy.asked, "taken_at": copy.taken_at, "sha256": copy.digest}
    ledger.append(verb="archive.answer_fetched", actor=by.uid, subject="system:archive", body=body)


def list_on(source: Source, day: date) -> SeatCopy | None:
    """Return the permit list that speaks for the day, as services.seats chooses it; None where none does."""
    zone = timezone.get_default_timezone()
    begins, ends = calendars.day_begins(day, zone), calendars.day_begins(day + timedelta(1), zone)
    reach = timedelta(policy.current().seat_copy_days)
    mine = SeatCopy.objects.filter(source=source, holds_from__lte=day)
    earlier = mine.filter(taken_at__lt=ends, taken_at__gte=begins - reach).order_by("-taken_at").first()
    return earlier or mine.filter(taken_at__gte=ends).order_by("taken_at").first()


def newest_list(source: Source) -> datetime | None:
    """Return when the newest permit list was taken, None if there is none."""
    return SeatCopy.objects.filter(source=source).order_by("-taken_at").values_list("taken_at", flat=True).first()
