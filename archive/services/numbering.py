"""Whether the numbers of a file can belong to its source: another corporation's archive has a numbering of its own."""

from collections.abc import Iterable
from datetime import datetime

from archive import holes
from archive.models import Import, Message, Source
from archive.sources.base import CONTENT, Aside, Captured


def asks(run: Import, source: Source, items: Iterable[Captured | Aside]) -> bool:
    """Return whether a person must say first that these records are the source's, and note on the import why.

    In the transaction that would store them, with the source locked. Whoever has said so is not asked again.
    """
    if source.first_seq is None or "fits" in run.judging.get("numbering", {}):
        return False
    first, last = source.first_seq - holes.FAR, source.last_seq + holes.FAR
    came = [
        (one.seq, one.sent_at)
        for one in items
        if isinstance(one, Captured)
        and one.seq is not None
        and one.category == CONTENT
        and one.sent_at
        and one.sent_at_is_known
        and not first <= one.seq <= last
    ]
    if not came:
        return False
    first, last = _place(source, "seq"), _place(source, "-seq")
    if first is None or not (strange := holes.against_time(first, last, came)):
        return False
    run.judging = {**run.judging, "numbering": _told(strange, first, last)}
    return True


def _place(source: Source, order: str) -> tuple[int, datetime] | None:
    """Return number and time of the first or the last message of the source that has both."""
    rows = Message.objects.filter(source=source, seq__isnull=False, sent_at__isnull=False, sent_at_is_known=True)
    return rows.order_by(order).values_list("seq", "sent_at").first()


def _told(strange: list[tuple[int, datetime]], first: tuple[int, datetime], last: tuple[int, datetime]) -> dict:
    numbers, moments = zip(*strange, strict=True)
    here = last if min(numbers) > last[0] else first
    return {
        "first": min(numbers),
        "last": max(numbers),
        "from": min(moments).isoformat(),
        "until": max(moments).isoformat(),
        "here": here[0],
        "here_at": here[1].isoformat(),
    }
