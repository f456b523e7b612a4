"""When records of a source were sent, hour by hour: its rhythm. Kept as lines are stored, copies of what others brought
included, so that to listen to a source costs the same however much it has delivered.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from archive.models import Heard, Source

HOUR = timedelta(hours=1)


def hear(source: Source, moments: Iterable[datetime]) -> None:
    """Note when records were sent, in the transaction that stores them, with the source locked."""
    hours: dict[datetime, tuple[datetime, datetime]] = {}
    first = hour = None
    for at in sorted(moments):  # what follows each other is mostly of one hour
        if hour is None or at >= hour + HOUR:
            at = at.astimezone(UTC)
            hour, first = at.replace(minute=0, second=0, microsecond=0), at
        hours[hour] = first, at
    grown = []
    for row in Heard.objects.filter(source=source, hour__in=list(hours)):
        first, last = hours.pop(row.hour)
        if first < row.first_at or last > row.last_at:
            row.first_at, row.last_at = min(first, row.first_at), max(last, row.last_at)
            grown.append(row)
    Heard.objects.bulk_update(grown, ["first_at", "last_at"], batch_size=200)
    new = [Heard(source=source, hour=hour, first_at=first, last_at=last) for hour, (first, last) in hours.items()]
    Heard.objects.bulk_create(new, batch_size=400)


def last_before(source: Source, now: datetime, *, since: datetime) -> datetime | None:
    """Return when the last record up to now was sent, if it was in an hour from ``since`` on."""
    rows = Heard.objects.filter(source=source, hour__gte=since, hour__lte=now, first_at__lte=now).order_by("-hour")
    first, last = rows.values_list("first_at", "last_at").first() or (None, None)
    return last if last and last <= now else first


def ends_of_hours(source: Source, begins: datetime, ends: datetime) -> Iterable[tuple[datetime, datetime]]:
    """Return the first and the last moment of a record in each hour that had any, in order of time."""
    rows = Heard.objects.filter(source=source, hour__gte=begins, hour__lte=ends).order_by("hour")
    return rows.values_list("first_at", "last_at")


def has_heard(source: Source, begins: datetime, ends: datetime) -> bool:
    """Return whether records of the time between were delivered."""
    around = Heard.objects.filter(source=source, hour__gt=begins - HOUR, hour__lt=ends)
    return around.filter(last_at__gt=begins, first_at__lt=ends).exists()
