"""The holes of a source, kept in step with the numbers that are present."""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import holes
from archive.models import FilledHole, Finding, Hole, Import, Message, SetAside, Source
from archive.rules import Opening
from archive.services import bulk, casework, findings
from archive.services.plans import Plan
from portal.ledger import services as ledger
from portal.people.models import Employee

LISTED = 20  # set-aside lines that a finding names


def make_present(source: Source, seqs: Iterable[int]) -> None:
    """Make the numbers present in the locked ``source``; its first and last are set on it but not saved.

    Only the holes in which a number lies are read, so the cost does not grow with the source.
    """
    wanted = sorted(set(seqs))
    if not wanted:
        return
    touched = {one.first: one for one in _holes_with(source, wanted)}
    span = holes.Span(source.first_seq, source.last_seq, [(one.first, one.last) for one in touched.values()])
    span.add(wanted)
    source.first_seq, source.last_seq = span.first, span.last
    gone = list(touched.values())
    asked = [(one.first, one.last) for one in gone if one.state == Hole.State.ASKED]
    FilledHole.objects.bulk_create(
        [FilledHole(source=source, first=one.first, last=one.last) for one in gone if one.is_told], batch_size=400
    )
    Hole.objects.filter(pk__among=[one.pk for one in gone]).delete()
    rows = ((source.pk, first, last, _state_of(first, last, asked), False) for first, last in span.holes)
    bulk.insert(Hole, ("source", "first", "last", "state", "is_told"), rows)


def _holes_with(source: Source, numbers: list[int]) -> list[Hole]:
    """Return the holes in which one of the numbers lies, each looked for by the index of where holes begin."""
    if source.first_seq is None:
        return []
    inside = [one for one in numbers if source.first_seq < one < source.last_seq]
    if not inside:
        return []
    is_postgres = connection.vendor == "postgresql"
    told = "unnest(%s::bigint[]) AS told(value)" if is_postgres else "json_each(%s) AS told"
    with connection.cursor() as cursor:
        cursor.execute(_LAST_TO_BEGIN.format(told=told), [inside if is_postgres else json.dumps(inside), source.pk])
        pks = {pk for (pk,) in cursor.fetchall()}
    return list(Hole.objects.filter(pk__among=pks))


# The last hole to begin at or before a number is the only one in which it can lie.
_LAST_TO_BEGIN = """
    SELECT hole.id FROM {told} JOIN "archive_hole" AS hole ON hole.id = (
        SELECT one.id FROM "archive_hole" AS one WHERE one.source_id = %s AND one."first" <= told.value
        ORDER BY one."first" DESC LIMIT 1
    ) WHERE hole."last" >= told.value
"""


def _state_of(first: int, last: int, asked: list[tuple[int, int]]) -> str:
    """What is left of a hole that was asked for is asked for still."""
    is_asked = any(begins <= first and last <= ends for begins, ends in asked)
    return (Hole.State.ASKED if is_asked else Hole.State.SUSPECTED).value


def filled(source: Source, most: int) -> Plan:
    """Close the findings of holes whose numbers have come, be it some of them: what is left has findings of its own."""
    rows = list(FilledHole.objects.filter(source=source).order_by("pk")[:most])
    told = Finding.objects.open().filter(key__in=[_key(source, one) for one in rows])
    closings = {pk: "the numbers came" for pk in told.values_list("pk", flat=True)}
    FilledHole.objects.filter(pk__in=[one.pk for one in rows]).delete()
    return Plan(looked=len(rows), closings=closings, after=rows[-1].pk if len(rows) == most else None)


def untold(source: Source, most: int) -> Plan:
    """Open a finding for each hole that has none.

    Where the numbers of the source skip normally none is opened, and those that are open are closed.
    """
    new = list(Hole.objects.filter(source=source, is_told=False).order_by("first")[:most])
    _tell_times(source, new)
    after = new[-1].first if len(new) == most else None
    if not source.is_contiguous:
        skipping = of_skipping(source, most)
        return replace(skipping, looked=skipping.looked + len(new), after=skipping.after or after)
    near = _set_aside_near(source, new)
    openings = [_opening(source, _key(source, one), one, near[one.first]) for one in new]
    return Plan(looked=len(new), openings=openings, after=after)


def of_skipping(source: Source, most: int) -> Plan:
    """Close the open findings about holes of a source whose numbers skip normally."""
    pks = list(findings.open_about(source, "hole").order_by("pk").values_list("pk", flat=True)[:most])
    closings = dict.fromkeys(pks, "the numbers of this source skip normally")
    return Plan(looked=len(pks), closings=closings, after=pks[-1] if len(pks) == most else None)


def _key(source: Source, hole: Hole | FilledHole) -> str:
    return f"hole:{source.pk}:{hole.first}-{hole.last}"


def _set_aside_near(source: Source, missing: list[Hole]) -> dict[int, list[dict]]:
    """Return {first number of a hole: the set-aside lines that may hold one of its numbers}. Holes in order.

    Such a line fills no hole, but it is the first place to look.
    """
    near: dict[int, list[dict]] = defaultdict(list)
    if not missing:
        return near
    firsts = [one.first for one in missing]
    lines = SetAside.objects.filter(
        run__source=source, maybe_seq__gte=firsts[0], maybe_seq__lte=missing[-1].last
    ).order_by("run_id", "line_no")
    for uid, line, seq in lines.values_list("run__uid", "line_no", "maybe_seq").iterator(chunk_size=5000):
        hole = missing[bisect_right(firsts, seq) - 1]
        if seq <= hole.last and len(near[hole.first]) < LISTED:
            near[hole.first].append({"import": uid, "line": line, "seq": seq})
    return near


def _tell_times(source: Source, missing: list[Hole]) -> None:
    """Write beside each hole when its neighbours were sent, and that it was told."""
    neighbours = {seq for one in missing for seq in (one.first - 1, one.last + 1)}
    sent = dict(Message.objects.filter(source=source, seq__among=neighbours).values_list("seq", "sent_at"))
    for one in missing:
        one.before_at, one.after_at = sent.get(one.first - 1), sent.get(one.last + 1)
    rows = ((one.before_at, one.after_at, True, one.pk) for one in missing)
    bulk.update(Hole, ("before_at", "after_at", "is_told"), rows)


def _opening(source: Source, key: str, hole: Hole, near: list[dict]) -> Opening:
    facts = {
        "first": hole.first,
        "last": hole.last,
        "length": hole.length,
        "before_at": hole.before_at.isoformat() if hole.before_at else None,
        "after_at": hole.after_at.isoformat() if hole.after_at else None,
        "set_aside": near,
    }
    on = timezone.localdate(hole.after_at or hole.before_at) if hole.after_at or hole.before_at else None
    return Opening("hole", key, None, source.pk, None, facts, on)


class AlreadySettled(RuntimeError):
    """A person has said before what became of the hole."""


@transaction.atomic
def settle_hole(*, source: Source, first: int, decision: str, reason: str, by: Employee) -> Hole:
    """Write down that a hole is asked for again, or is confirmed as lost or explained, which closes its finding.

    Raises Hole.DoesNotExist (the numbers may have come), AlreadySettled, ValueError, casework.ReasonMissing and
    casework.SomebodyElses.
    """
    if decision not in (Hole.State.ASKED, Hole.State.CONFIRMED, Hole.State.EXPLAINED):
        raise ValueError(decision)
    if decision != Hole.State.ASKED and not reason.strip():
        raise casework.ReasonMissing(_("Say how you know: without a reason nobody can check it."))
    source = Source.objects.select_for_update(no_key=True).get(pk=source.pk)
    hole = Hole.objects.select_for_update().get(source=source, first=first)
    if hole.state in (Hole.State.CONFIRMED, Hole.State.EXPLAINED):
        raise AlreadySettled(hole.state)
    before, hole.state = hole.state, decision
    hole.save(update_fields=["state"])
    body = {
        "source": source.name,
        "numbers": [hole.first, hole.last],
        "before": before,
        "after": decision,
        "reason": reason.strip()[:500],
    }
    finding = Finding.objects.open().filter(key=_key(source, hole)).first()
    if finding and decision != Hole.State.ASKED:
        how = Finding.How.LOST if decision == Hole.State.CONFIRMED else Finding.How.EXPLAINED
        casework.review_finding(finding=finding, decision=Finding.State.CLOSED, reason=reason, reviewer=by, how=how)
    ledger.append(verb="archive.hole_settled", actor=by.uid, subject="system:archive", body=body)
    return hole


MONTH = timedelta(days=30)


def seems_to_skip(source: Source, *, now: datetime) -> bool:
    """Return whether the source's numbers seem to skip normally, so that its holes tell little."""
    since = now - MONTH
    if not source.is_contiguous or source.first_sent_at is None or source.first_sent_at > since:
        return False
    of_month = Message.objects.filter(source=source, sent_at__gte=since, sent_at__lte=now, seq__isnull=False)
    first = of_month.order_by("sent_at", "seq").values_list("seq", flat=True).first()
    if first is None:
        return False
    missing = Hole.objects.filter(source=source, first__gt=first).aggregate(sum=Sum(F("last") - F("first") + 1))["sum"]
    silences = Finding.objects.filter(source=source, kind="source_silent", opened_at__gte=since)
    failed = (
        any("pulls" in facts.get("why", ["pulls"]) for facts in silences.values_list("facts", flat=True))
        or Import.objects.filter(source=source, started_at__gte=since, state=Import.State.FAILED).exists()
    )
    return holes.skips_normally(missing or 0, source.last_seq - first + 1, pulls_failed=failed)
