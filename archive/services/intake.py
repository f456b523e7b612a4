"""What each source takes in, day by day: added up as lines are stored, so that no page has to."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from archive.models import Intake, Source


def add(
    source: Source,
    via: str,
    *,
    now: datetime,
    counts: Mapping[str, int] | None = None,
    seqs: Collection[int] = (),
    ended: bool = False,
    pause: int | None = None,
) -> None:
    """Add lines (counts as Import names them) and, with ``ended``, one whole delivery to the day of ``now``.

    ``seqs`` are the numbers that the lines made present; ``pause`` is how many seconds after the last delivery this one
    came. In the transaction that stores the lines, with the source locked: nobody else writes its rows meanwhile.
    """
    more = {name: (counts or {}).get(name, 0) for name in (*Intake.COUNTS, *Intake.KINDS)}
    row, _made = Intake.objects.get_or_create(
        source=source, day=timezone.localdate(now), via=via, defaults=dict.fromkeys(Intake.KINDS, 0)
    )
    sums = {name: F(name) + count for name, count in more.items()}
    reach = {}
    if seqs:
        reach["first_seq"] = min(one for one in (row.first_seq, min(seqs)) if one is not None)
        reach["last_seq"] = max(one for one in (row.last_seq, max(seqs)) if one is not None)
    if pause is not None:
        reach["longest_pause"] = max(pause, row.longest_pause or 0)
    Intake.objects.filter(pk=row.pk).update(deliveries=F("deliveries") + int(ended), **sums, **reach)
