"""The holes of a source, kept in step with the numbers that are present."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from archive import holes
from archive.models import Finding, Hole, Import, Message, SetAside, Source
from archive.rules import Opening
from archive.services import casework, findings
from portal.ledger import services as ledger
from portal.people.models import Employee

LISTED = 20  # set-aside lines that a finding names


def make_present(source: Source, seqs: Iterable[int]) -> None:
    """Make the numbers present in the locked ``source``; its first and last are set on it but not saved.

    Only holes that the batch can touch are read, so the cost does not grow with the source.
    """
    wanted = set(seqs)
    if not wanted:
        return
    touched = {
        one.first: one for one in Hole.objects.filter(source=source, first__lte=max(wanted), last__gte=min(wanted))
    }
    span = holes.Span(source.first_seq, source.last_seq, [(one.first, one.last) for one in touched.values()])
    span.add(wanted)
    source.first_seq, source.last_seq = span.first, span.last
    now = dict(span.holes)
    gone = [one.pk for first, one in touched.items() if now.get(first) != one.last]
    asked = [(one.first, one.last) for one in touched.values() if one.pk in gone and one.state == Hole.State.ASKED]
    kept = {first for first, one in touched.items() if now.get(first) == one.last}
    Hole.objects.filter(pk__in=gone).delete()
    Hole.objects.bulk_create(
        [
            Hole(source=source, first=first, last=last, state=_state_of(first, last, asked))
            for first, last in span.holes
            if first not in kept
        ],
        batch_size=400,
    )


def _state_of(first: int, last: int, asked: list[tuple[int, int]]) -> str:
    """What is left of a hole that was asked for is asked for still."""
    is_asked = any(begins <= first and last <= ends for begins, ends in asked)
    return Hole.State.ASKED if is_asked else Hole.State.SUSPECTED


def judge_holes(source: Source, *, by: str, now: datetime) -> None:
    """Open a finding for each hole, and close those whose numbers have come. In the caller's transaction."""
    _tell_times(source)
    here = {(one.first, one.last): one for one in Hole.objects.filter(source=source)}
    for finding in findings.open_about(source, "hole"):
        if (finding.facts["first"], finding.facts["last"]) not in here:
            findings.close_on_evidence(finding, why="the numbers came", by=by, now=now)
    if source.is_contiguous:
        new = {_key(source, one): one for one in here.values()}
        for key in findings.known_keys(new):
            del new[key]
        near = _set_aside_near(source, list(new.values()))
        findings.open_all((_opening(source, key, one, near[one.first]) for key, one in new.items()), by=by, now=now)


def _key(source: Source, hole: Hole) -> str:
    return f"hole:{source.pk}:{hole.first}-{hole.last}"


def _set_aside_near(source: Source, missing: list[Hole]) -> dict[int, list[dict]]:
    """Return {first number of a hole: the set-aside lines that may hold one of its numbers}.

    Such a line fills no hole, but it is the first place to look.
    """
    near: dict[int, list[dict]] = defaultdict(list)
    if not missing:
        return near
    ordered = sorted(missing, key=lambda one: one.first)
    firsts = [one.first for one in ordered]
    lines = SetAside.objects.filter(
        run__source=source, maybe_seq__gte=firsts[0], maybe_seq__lte=max(one.last for one in ordered)
    ).order_by("run_id", "line_no")
    for uid, line, seq in lines.values_list("run__uid", "line_no", "maybe_seq").iterator(chunk_size=5000):
        hole = ordered[bisect_right(firsts, seq) - 1]
        if seq <= hole.last and len(near[hole.first]) < LISTED:
            near[hole.first].append({"import": uid, "line": line, "seq": seq})
    return near


def _tell_times(source: Source) -> None:
    """Write beside each hole when its neighbours were sent."""
    untold = list(Hole.objects.filter(source=source, before_at=None, after_at=None)[:5000])
    neighbours = {seq for one in untold for seq in (one.first - 1, one.last + 1)}
    sent = dict(Message.objects.filter(source=source, seq__in=neighbours).values_list("seq", "sent_at"))
    for one in untold:
        one.before_at, one.after_at = sent.get(one.first - 1), sent.get(one.last + 1)
    Hole.objects.bulk_update(untold, ["before_at", "after_at"], batch_size=200)


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
    first = of_month.order_by("sent_at").values_list("seq", flat=True).first()
    if first is None:
        return False
    missing = Hole.objects.filter(source=source, first__gt=first).aggregate(sum=Sum(F("last") - F("first") + 1))["sum"]
    silences = Finding.objects.filter(source=source, kind="source_silent", opened_at__gte=since)
    failed = (
        any("pulls" in facts.get("why", ["pulls"]) for facts in silences.values_list("facts", flat=True))
        or Import.objects.filter(source=source, started_at__gte=since, state=Import.State.FAILED).exists()
    )
    return holes.skips_normally(missing or 0, source.last_seq - first + 1, pulls_failed=failed)
