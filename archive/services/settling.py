"""A reviewer's decision about a finding, and what follows from it for what the finding is about.

A hole that is lost, and a handle that is no person, are so wherever it is said: on the finding or on the feed's page.
"""

from collections.abc import Collection

from archive.models import Finding, Hole, Unmatched
from archive.services import casework, holes, matching
from portal.people.models import Employee

OF_HOLES = {Finding.How.LOST: Hole.State.CONFIRMED, Finding.How.EXPLAINED: Hole.State.EXPLAINED}


def review_finding(
    *, finding: Finding, decision: str, reason: str, reviewer: Employee, how: str = "", evidence: Collection[str] = ()
) -> Finding:
    """Write down what a reviewer decides, as casework.review_finding does, and settle the hole or the handle with it.

    Raises what that does.
    """
    if decision == Finding.State.CLOSED and reason.strip() and _settled(finding, how, reason, reviewer):
        finding.refresh_from_db()
        return finding
    return casework.review_finding(
        finding=finding, decision=decision, reason=reason, reviewer=reviewer, how=how, evidence=evidence
    )


def _settled(finding: Finding, how: str, reason: str, by: Employee) -> bool:
    """Settle what the finding is about, which closes it. Return whether there was anything to settle."""
    if finding.source is None or not finding.is_open:
        return False
    if finding.kind == Finding.Kind.HOLE and how in OF_HOLES:
        return _settled_hole(finding, how, reason, by)
    if finding.kind == Finding.Kind.UNMATCHED_IDENTITY and how == Finding.How.NOT_A_PERSON:
        return _declared(finding, reason, by)
    return False


def _settled_hole(finding: Finding, how: str, reason: str, by: Employee) -> bool:
    hole = Hole.objects.filter(source=finding.source, first=finding.facts["first"], last=finding.facts["last"]).first()
    if hole is None:
        return False
    try:
        holes.settle_hole(source=finding.source, first=hole.first, decision=OF_HOLES[how], reason=reason, by=by)
    except (Hole.DoesNotExist, holes.AlreadySettled):  # meanwhile; what is left to do is said of the finding
        return False
    return True


def _declared(finding: Finding, reason: str, by: Employee) -> bool:
    row = Unmatched.objects.filter(source=finding.source, handle_folded=finding.facts["folded"]).first()
    if row is None:
        return False
    try:
        matching.declare_robot(row=row, first_on=None, last_on=None, reason=reason, by=by)
    except (matching.AlreadyMatched, matching.BadSpan):
        return False
    return True
