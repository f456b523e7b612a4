"""The months of a source: what was added up as it delivered, and what is counted anew every hour."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from operator import attrgetter

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from archive import calendars, policy, source_metrics
from archive.models import (
    Hole,
    Identity,
    Import,
    Intake,
    Message,
    Participant,
    Record,
    Seat,
    SeatCopy,
    Source,
    SourceMonth,
    Unmatched,
)
from archive.models.messages import PartyKind
from archive.services.due import YEARS
from archive.source_metrics import Counted, Day, SourceMetrics

MONTHS = 12  # that the page of a source shows
MOST = 24  # months of one source that one look counts


def metrics_of(source: Source, *, now: datetime) -> list[tuple[date, SourceMetrics, datetime | None]]:
    """Return (month, metrics, when the rest was counted) of the last months that had any, newest first."""
    today = timezone.localdate(now)
    since = calendars.months_before(calendars.month_of(today), MONTHS - 1)[-1]
    days: dict[date, list[Day]] = defaultdict(list)
    names = [name for name in Day.__slots__]
    for day, *values in Intake.objects.filter(source=source, day__gte=since).values_list("day", *names):
        days[calendars.month_of(day)].append(Day(*values))
    holes: dict[date, list[tuple[int, int]]] = defaultdict(list)
    begins = calendars.day_begins(since, timezone.get_default_timezone())
    young = Q(after_at__gte=begins) | Q(after_at=None, before_at__gte=begins)
    found = Hole.objects.filter(young, source=source).exclude(state=Hole.State.EXPLAINED)
    for first, last, before, after in found.values_list("first", "last", "before_at", "after_at").iterator():
        holes[calendars.month_of(timezone.localdate(after or before))].append((first, last))
    counted = {one.month: one for one in SourceMonth.objects.filter(source=source, month__gte=since)}
    told = []
    with_counts = {month for month, row in counted.items() if any(_counts(row))}
    for month in sorted({*days, *holes, *with_counts}, reverse=True):
        row = counted.get(month)
        is_now = month == calendars.month_of(today) and source.last_pull_at and not source.is_retired(today)
        metrics = source_metrics.compute(
            days[month],
            holes[month],
            Counted(*_counts(row)) if row else None,
            int((now - source.last_pull_at).total_seconds()) if is_now else None,
        )
        told.append((month, metrics, row.counted_at if row else None))
    return told


_counts = attrgetter(*Counted.__slots__)


def count_due(*, now: datetime) -> None:
    """Count anew what may have changed: this month, the last, those of what was read since, those with strangers."""
    for source in Source.objects.order_by("pk"):
        for month in _due(source, now):
            count(source, month, now=now)


def _due(source: Source, now: datetime) -> list[date]:
    if source.last_sent_at is None and not SeatCopy.objects.filter(source=source).exists():
        return []
    this = calendars.month_of(timezone.localdate(now))
    last = (
        SourceMonth.objects.filter(source=source).order_by("-counted_at").values_list("counted_at", flat=True).first()
    )
    runs = Import.objects.filter(source=source, first_sent_at__isnull=False)
    runs = runs.filter(Q(ended_at=None) | Q(ended_at__gte=last)) if last else runs
    found = {this, calendars.months_on(this, -1)}
    for first, until in runs.values_list("first_sent_at", "last_sent_at"):
        month, end = (calendars.month_of(timezone.localdate(at)) for at in (first, until))
        while month <= min(end, this) and month.year in YEARS:
            found.add(month)
            month = calendars.next_month(month)
    strange = SourceMonth.objects.filter(source=source, unmatched_handles__gt=0).order_by("-month")
    found |= set(strange.values_list("month", flat=True)[:MOST])
    return sorted(found, reverse=True)[:MOST]


@transaction.atomic
def count(source: Source, month: date, *, now: datetime) -> SourceMonth:
    """Count a month of the source. Reads by the indexes of handles, new kinds and seats, never all of its messages."""
    begins, ends = calendars.month_bounds(month, timezone.get_default_timezone())
    strange = Participant.objects.filter(
        handle_folded__in=Unmatched.objects.filter(source=source).values("handle_folded"),
        kind=PartyKind.UNKNOWN,
        sent_at__gte=begins,
        sent_at__lt=ends,
        message__source=source,
        message__category=Message.Category.CONTENT,
    ).aggregate(handles=Count("handle_folded", distinct=True), messages=Count("message", distinct=True))
    kinds = Message.objects.filter(
        source=source, is_known_kind=False, error_code=None, sent_at__gte=begins, sent_at__lt=ends
    )
    seats, silent = _seats(source, month, begins, ends)
    row, _made = SourceMonth.objects.update_or_create(
        source=source,
        month=month,
        defaults={
            "unmatched_handles": strange["handles"],
            "unmatched_messages": strange["messages"],
            "unknown_kinds": kinds.order_by().values("msgtype").distinct().count(),
            "seats": seats,
            "seats_silent": silent,
            "counted_at": now,
        },
    )
    return row


def _seats(source: Source, month: date, begins: datetime, ends: datetime) -> tuple[int | None, int | None]:
    """Return how many seats the last list that speaks for a day of the month has, and how many of them were silent."""
    last_day = calendars.last_day(month)
    reach = timedelta(policy.current().seat_copy_days)
    lists = SeatCopy.objects.filter(source=source, holds_from__lte=last_day, taken_at__date__gte=month - reach)
    copy = lists.order_by("-taken_at").first()
    if copy is None:
        return None, None
    valid = (Q(valid_from=None) | Q(valid_from__lt=ends)) & (Q(valid_to=None) | Q(valid_to__gt=begins))
    owners = Record.objects.filter(month=month, is_silent_seat=True).values("employee")
    theirs = Identity.objects.filter(valid, channel=source.channel, employee__in=owners).values("handle_folded")
    seats = Seat.objects.filter(copy=copy)
    return seats.count(), seats.filter(handle_folded__in=theirs).count()
