"""Lines that were set aside, when their time is over: nobody knows whose they are, so the longest period of all counts.

Where the firm keeps words only while it needs them, the bytes of such lines go by themselves: services.judging. Here
are those that it keeps.
"""

from collections.abc import Iterable
from datetime import date

from django.db.models import Count
from django.utils import timezone

from archive.models import Disposal, SetAside
from archive.retention import Schedules
from archive.services import holding, postings
from portal.ledger import services as ledger

SYSTEM = "system:archive"


def over(as_of: date, schedules: Schedules) -> list[tuple[int, str, int]]:
    """Return (pk, uid, lines) of each import with lines of which nothing need be kept on that day. Four queries."""
    places, holds = postings.in_use(), holding.active_holds()
    kept = SetAside.objects.filter(sealed__isnull=False, delete_after=None)
    files = kept.order_by().values_list("run", "run__uid", *holding.TIME_OF_FILE).annotate(lines=Count("pk"))
    found = []
    for pk, uid, *time, lines in files:
        first, last = holding.span(*time)
        verdict = schedules.verdict(timezone.localdate(last), places)
        if verdict.is_over(as_of) and not holds.on_line(first, last):
            found.append((pk, uid, lines))
    return found


def dispose_of_lines(disposal: Disposal, schedules: Schedules) -> int:
    """Delete the bytes of these lines, in the caller's transaction. Where they were and their digests stay."""
    runs = over(disposal.as_of, schedules)
    for pk, _uid, _lines in runs:
        lines = SetAside.objects.filter(run=pk, sealed__isnull=False, delete_after=None)
        lines.update(sealed=None, key_id="")
    if runs:
        body = {"disposal": disposal.uid, "imports": [[uid, lines] for _pk, uid, lines in runs]}
        ledger.append(verb="archive.lines_disposed", actor=SYSTEM, subject=SYSTEM, body=body)
    return count(runs)


def count(runs: Iterable[tuple[int, str, int]]) -> int:
    return sum(lines for _pk, _uid, lines in runs)
