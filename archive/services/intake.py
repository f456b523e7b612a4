"""What each source takes in, day by day: added up as lines are stored, so that no page has to."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from archive.models import Intake, Source


def add(
    source: Source, via: str, *, now: datetime, counts: Mapping[str, int] | None = None, ended: bool = False
) -> None:
    """Add lines (counts as Import names them) and, with ``ended``, one whole delivery to the day of ``now``.

    In the transaction that stores the lines, with the source locked: nobody else writes its rows meanwhile.
    """
    more = {name: (counts or {}).get(name, 0) for name in Intake.COUNTS}
    row, _made = Intake.objects.get_or_create(source=source, day=timezone.localdate(now), via=via)
    sums = {name: F(name) + count for name, count in more.items()}
    Intake.objects.filter(pk=row.pk).update(deliveries=F("deliveries") + int(ended), **sums)
