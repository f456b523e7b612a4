"""What a look at some rows calls for: findings to open and to close. Many looks are carried out at once."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from archive.models import Finding
from archive.rules import Opening
from archive.services import findings


@dataclass
class Plan:
    """``looked``: what the look cost, in rows. ``after``: where the next one begins, as JSON; None: nothing is left."""

    looked: int = 0
    openings: list[Opening] = field(default_factory=list)
    closings: dict[int, str] = field(default_factory=dict)  # by pk of the open finding: why it is closed
    after: object = None


def carry_out(plans: Collection[Plan], *, by: str, now: datetime) -> None:
    """Open and close what the plans say, in the caller's transaction, which has written no Entry yet.

    What is closed is locked first: after an Entry the transaction must not have to wait for a row any more.
    """
    closings = {pk: why for plan in plans for pk, why in plan.closings.items()}
    if closings:
        findings.lock(Q(pk__in=list(closings)))
    closing = list(Finding.objects.filter(pk__in=list(closings)).order_by("pk"))
    for finding in closing:
        findings.counts_anew(finding, now)  # marks rows that an import into another source may hold
    findings.open_all([opening for plan in plans for opening in plan.openings], by=by, now=now)
    for finding in closing:
        findings.close_on_evidence(finding, why=closings[finding.pk], by=by, now=now)
