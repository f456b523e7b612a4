"""Who had an archive seat on which day, from the dated copies of the permit list."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
from django.utils import timezone

from archive import calendars
from archive.models import Identity, Seat, SeatCopy
from archive.services import bulk  # noqa: F401 - brings the lookup among


@dataclass(frozen=True)
class Seats:
    """For each day that any list speaks for, the copies that do; and which of some handles are on which copy."""

    copies_on: dict[date, list[int]]
    copies_of: dict[str, set[int]]

    @classmethod
    def between(cls, first: date, last: date, copy_days: int, *, handles: Iterable[str]) -> "Seats":
        """Return the seats of these handles, folded, on the days from ``first`` to ``last``."""
        copies_on = copies_between(first, last, copy_days)
        copies_of: dict[str, set[int]] = defaultdict(set)
        rows = Seat.objects.filter(copy_id__in=_used(copies_on), handle_folded__among=list(handles))
        for folded, pk in rows.values_list("handle_folded", "copy_id"):
            copies_of[folded].add(pk)
        return cls(copies_on, dict(copies_of))

    def of(self, handles: Iterable[str]) -> dict[date, bool]:
        """Return {day: had a seat} for the owner of the handles. Days for which no list speaks are not in it."""
        mine = set().union(*(self.copies_of.get(handle, ()) for handle in handles))
        return {day: not mine.isdisjoint(copies) for day, copies in self.copies_on.items()}


def copies_between(first: date, last: date, copy_days: int) -> dict[date, list[int]]:
    """Return for each of the days the copies that speak for it, one of each source; days without any are not in it.

    A day is spoken for by the newest copy that reaches it: from its ``holds_from`` to ``copy_days`` days after the day
    on which it was taken. Every source has its own list.
    """
    reaching = SeatCopy.objects.filter(holds_from__lte=last, taken_at__date__gte=first - timedelta(copy_days))
    copies = list(reaching.order_by("source_id", "taken_at"))
    copies_on: dict[date, dict[int, int]] = defaultdict(dict)
    for copy in copies:  # a later copy of the same source speaks instead of an earlier one
        taken_on = timezone.localdate(copy.taken_at)
        day = max(first, min(copy.holds_from, taken_on))
        while day <= min(last, taken_on + timedelta(copy_days)):
            older = copies_on[day].get(copy.source_id)
            if older is None or taken_on <= day:
                copies_on[day][copy.source_id] = copy.pk
            day += timedelta(1)
    return {day: list(by_source.values()) for day, by_source in copies_on.items()}


def _used(copies_on: dict[date, list[int]]) -> set[int]:
    return {pk for copies in copies_on.values() for pk in copies}


def seated_people(first: date, last: date, copy_days: int) -> set[int]:
    """Return the employees whom the seats of any of the days meant."""
    copies_on = copies_between(first, last, copy_days)
    if not copies_on:
        return set()
    zone = timezone.get_default_timezone()
    begins, ends = (calendars.day_begins(day, zone) for day in (min(copies_on), max(copies_on) + timedelta(1)))
    valid = (Q(valid_from=None) | Q(valid_from__lt=ends)) & (Q(valid_to=None) | Q(valid_to__gt=begins))
    seated = Seat.objects.filter(copy_id__in=_used(copies_on)).values("handle_folded")
    rows = Identity.objects.filter(valid, handle_folded__in=seated)
    return set(rows.values_list("employee_id", flat=True).distinct())
