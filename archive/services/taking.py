"""A delivery small enough for one transaction: what a machine pushes, or lines that were repaired.

It is stored in whole or not at all, and says of each line what became of it. What follows from it (findings, records)
is a Job, for the sender waits for the answer.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import islice

from archive.models import Import, Source, SourceToken
from archive.services import afterwards, feeds, intake
from archive.services.running import how
from archive.services.storing import store
from archive.sources.base import Aside, Captured
from archive.sources.feed import Lines, open_feed
from portal.people.models import Employee

MOST_BYTES = 2 * 2**20  # unpacked; two megabytes of handles are half a million participants, all in one transaction
MOST_LINES = 2000  # as many as one batch of a file


class TooMuch(ValueError):
    """More than one delivery takes. ``what`` is bytes or lines."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class Answer:
    """What became of one line: stored, duplicate, conflict or set_aside, and why where that says more."""

    line: int
    result: str
    reason: str | None = None


def read(source: Source, raw: bytes) -> list[Captured | Aside]:
    """Return what each line holds, in order. Empty lines are numbered and left out. Raises TooMuch."""
    if len(raw) > MOST_BYTES:
        raise TooMuch("bytes")
    is_lines = (
        source.kind == Source.Kind.WECOM
    )  # never packed in there: what was packed has been unpacked, with a limit
    feed = Lines(BytesIO(raw), len(raw)) if is_lines else open_feed(BytesIO(raw), len(raw), how(source, ""))
    items = list(islice(feed.read(), MOST_LINES + 1))
    if len(items) > MOST_LINES:
        raise TooMuch("lines")
    return items


def take(
    source: Source,
    items: list[Captured | Aside],
    *,
    raw: bytes,
    via: str,
    label: str,
    by: str,
    now: datetime,
    token: SourceToken | None = None,
    started_by: Employee | None = None,
) -> tuple[Import, list[Answer]]:
    """Store what ``raw`` holds in the caller's transaction and ring for what follows. Return import and answers.

    ``source`` is locked (feeds.lock_idle).
    """
    run = Import.objects.create(
        source=source,
        via=via,
        label=label,
        digest=hashlib.sha256(raw).hexdigest(),
        size=len(raw),
        state=Import.State.JUDGING,
        passed=len(raw),
        offset=len(raw),
        line_no=items[-1].place.line if items else 0,
        batch_no=1,
        token=token,
        started_by=started_by,
        started_at=now,
    )
    afterwards.ring(source, run)
    pause = feeds.taken(source, via, now)
    sorting = store(run, source, items, by=by, now=now)  # last: it writes the Entry that all other writers wait for
    for name, count in sorting.counts.items():
        setattr(run, name, count)
    run.save()
    source.save()
    intake.add(source, via, now=now, counts=sorting.counts, seqs=sorting.seqs, ended=True, pause=pause)
    return run, _answers(items, sorting.became, sorting.contradictions)


def _answers(
    items: Iterable[Captured | Aside], became: Iterable[str], contradictions: Iterable[tuple[str, Captured, object]]
) -> list[Answer]:
    why = {one.place.line: kind for kind, one, _first in contradictions}
    results = iter(became)
    return [
        Answer(one.place.line, "set_aside", one.reason)
        if isinstance(one, Aside)
        else Answer(one.place.line, next(results), str(why[one.place.line]) if one.place.line in why else None)
        for one in items
    ]
