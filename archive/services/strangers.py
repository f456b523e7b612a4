"""Findings about handles that look internal and match nobody: opened once, closed when the handle is matched."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, Max, Min, Q
from django.utils import timezone

from archive.models import Finding, Message, Participant, Source, Unmatched
from archive.models.messages import PartyKind
from archive.rules import Opening
from archive.services.plans import Plan, carry_out

LISTED = 20  # people that a finding names
NEWEST = 1000  # messages of a handle by which it is told with whom it talks
AT_ONCE = 100  # handles whose messages are counted in one query


def judge_handle(source: Source, folded: str, *, by: str, now: datetime) -> None:
    """Open the finding about one handle of the source, or close it, in the caller's transaction."""
    about = _about_strangers().filter(source=source, facts__folded=folded)
    plan = _matched(list(about))
    untold = Unmatched.objects.filter(source=source, handle_folded=folded, is_told=False)
    carry_out([plan, Plan(openings=_told(list(untold)))], by=by, now=now)


def matched(after: int, most: int) -> Plan:
    """Close the findings about handles that are matched by now, of all sources: a better copy may name nobody new."""
    rows = list(_about_strangers().filter(pk__gt=after).order_by("pk")[:most])
    plan = _matched(rows)
    plan.looked, plan.after = len(rows), rows[-1].pk if len(rows) == most else None
    return plan


def unmatched(sources: Collection[int], most: int) -> Plan:
    """Open a finding for each handle of the sources that has none. Comes after ``matched``."""
    rows = list(Unmatched.objects.filter(source__in=sources, is_told=False).order_by("source_id", "pk")[:most])
    return Plan(looked=10 * len(rows), openings=_told(rows), after=rows[-1].pk if len(rows) == most else None)


def _about_strangers():
    """Findings about handles that are open, or of which somebody said that they need none."""
    of_kind = Finding.objects.filter(kind=Finding.Kind.UNMATCHED_IDENTITY, employee=None)
    return of_kind.exclude(state=Finding.State.CLOSED)


def _matched(about: list[Finding]) -> Plan:
    """Close those whose handle is matched. A handle that came back before it was looked at is told of by them."""
    folded = {one.facts["folded"] for one in about}
    still = Unmatched.objects.filter(handle_folded__among=folded)
    here = {(source, name): (pk, is_told) for source, name, pk, is_told in still.values_list(*_COLUMNS)}
    names = {one.pk: (one.source_id, one.facts["folded"]) for one in about}
    again = [here[name][0] for name in names.values() if name in here and not here[name][1]]
    Unmatched.objects.filter(pk__among=again).update(is_told=True)
    gone = [one.pk for one in about if one.is_open and names[one.pk] not in here]
    return Plan(closings=dict.fromkeys(gone, "the handle was matched"))


_COLUMNS = ("source_id", "handle_folded", "pk", "is_told")


def _told(rows: list[Unmatched]) -> list[Opening]:
    openings = []
    for at in range(0, len(rows), AT_ONCE):
        chunk = rows[at : at + AT_ONCE]
        seen = _seen(chunk)
        openings += [_opening(one, *seen.get((one.source_id, one.handle_folded), (None, None, 0))) for one in chunk]
    Unmatched.objects.filter(pk__among=[one.pk for one in rows]).update(is_told=True)
    return openings


def _seen(rows: list[Unmatched]) -> dict[tuple[int, str], tuple[datetime | None, datetime | None, int]]:
    """Return {(source, handle): (first, last, how many)} of the content messages in which it took part."""
    by_source: dict[int, list[str]] = defaultdict(list)
    for one in rows:
        by_source[one.source_id].append(one.handle_folded)
    found = {}
    for source, folded in by_source.items():
        counted = (
            _theirs(source, Q(handle_folded__in=folded))
            .order_by()
            .values_list("handle_folded")
            .annotate(Min("sent_at"), Max("sent_at"), Count("message", distinct=True))
        )
        found |= {(source, name): (first, last, count) for name, first, last, count in counted}
    return found


def _theirs(source: int, handles: Q):
    return Participant.objects.filter(
        handles, kind=PartyKind.UNKNOWN, message__source=source, message__category=Message.Category.CONTENT
    )


def _opening(row: Unmatched, first: datetime | None, last: datetime | None, messages: int) -> Opening:
    newest = _theirs(row.source_id, Q(handle_folded=row.handle_folded)).order_by("-sent_at")[:NEWEST]
    partners = (
        Participant.objects.filter(message__in=list(newest.values_list("message", flat=True)), employee__isnull=False)
        .order_by("employee__uid")
        .values_list("employee__uid", flat=True)
        .distinct()
    )
    facts = {
        "handle": row.handle,
        "folded": row.handle_folded,
        "first": first.isoformat() if first else None,
        "last": last.isoformat() if last else None,
        "messages": messages,
        "talked_with": list(partners[:LISTED]),
    }
    on = timezone.localdate(first) if first else None
    # With the day in the key a handle that was matched and means nobody again, as a leaver's, is a new fact.
    key = f"unmatched_identity:{row.source_id}:{row.handle_folded}:{on}"
    return Opening("unmatched_identity", key, None, row.source_id, None, facts, on)
