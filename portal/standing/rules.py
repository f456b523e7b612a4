"""May this person use WeChat for business? A pure function of training, the archive and the firm's policy."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from archive.rules import OpenFinding
from portal.standing.policy import CONFIRMED, NEVER, OPEN, OVERDUE, Policy
from training.rules import State as TrainingState


class ArchiveState(models.TextChoices):
    NO_DATA = "no_data", _("No data")
    CLEAN = "clean", _("Clean")
    ATTENTION = "attention", _("Attention")
    BREACH = "breach", _("Breach")


# The rows of the matrix: how eight states read at a glance.
ROWS: dict[str, tuple[str, ...]] = {
    "current": (TrainingState.CURRENT, TrainingState.EXEMPT),
    "due": (TrainingState.DUE_SOON, TrainingState.IN_PROGRESS, TrainingState.ASSIGNED),
    "lapsed": (TrainingState.OVERDUE, TrainingState.EXPIRED, TrainingState.NOT_ASSIGNED),
}
COLUMNS: tuple[str, ...] = (ArchiveState.CLEAN, ArchiveState.ATTENTION, ArchiveState.BREACH, ArchiveState.NO_DATA)


GRACE = "training_grace"
NOT_ON_STAFF, OUT_OF_SCOPE = "not_on_staff", "office_out_of_scope"


@dataclass(frozen=True)
class Reason:
    """Why, as a code and the facts it speaks of; words.py says it to a person."""

    code: str
    on: date | None = None
    count: int | None = None
    is_bar: bool = False

    def as_json(self) -> dict:
        facts = {"on": self.on.isoformat() if self.on else None, "count": self.count}
        return {"code": self.code, "is_bar": self.is_bar, **{k: v for k, v in facts.items() if v is not None}}


@dataclass(frozen=True)
class Verdict:
    may_message: bool
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Facts:
    """All that decides about one person on one day.

    ``training_on``: the date that the training state turns on: valid until, due on, was due on, expired on.
    ``archive_points``: how many things the archive's state rests on. ``office``: its code, None: in no office.
    """

    training: str
    archive: str
    training_on: date | None = None
    archive_points: int = 0
    findings: tuple[OpenFinding, ...] = ()
    office: str | None = None
    is_on_staff: bool = True


WAITING = frozenset({TrainingState.ASSIGNED, TrainingState.IN_PROGRESS, TrainingState.DUE_SOON})
LATE = frozenset({TrainingState.OVERDUE, TrainingState.EXPIRED})


def verdict(facts: Facts, today: date, policy: Policy) -> Verdict:
    """Return whether the person may message clients, with every reason: for training, for each kind of finding that
    bars, or else one for the archive as a whole.

    Barred are: who is not on staff; training overdue or expired beyond the firm's days of grace, or not assigned; who
    has not completed the course yet, if the firm wants that; and open findings that the firm's policy names. An office
    out of scope bars nobody but who has left. "No data" is not "clean", but it bars nobody: silence is not proof.
    """
    if not facts.is_on_staff:
        return Verdict(False, (Reason(NOT_ON_STAFF, is_bar=True),))
    in_scope = policy.covers(facts.office)
    reasons = [_training(facts, today, policy, in_scope), *_archive(facts, today, policy, in_scope)]
    if not in_scope:
        reasons.insert(0, Reason(OUT_OF_SCOPE))
    return Verdict(not any(reason.is_bar for reason in reasons), tuple(reasons))


def _training(facts: Facts, today: date, policy: Policy, in_scope: bool) -> Reason:
    if (ends := grace_ends(facts, policy)) is not None and today <= ends:
        return Reason(GRACE, on=ends)
    bars = facts.training in LATE or facts.training == TrainingState.NOT_ASSIGNED
    bars = bars or (facts.training in WAITING and not policy.until_due)
    return Reason(f"training_{facts.training}", on=facts.training_on, is_bar=bars and in_scope)


def grace_ends(facts: Facts, policy: Policy) -> date | None:
    """Return the last day of grace of training that is overdue or expired; None where there is none."""
    if facts.training not in LATE or facts.training_on is None or not policy.grace_days:
        return None
    return facts.training_on + timedelta(days=policy.grace_days)


def _archive(facts: Facts, today: date, policy: Policy, in_scope: bool) -> list[Reason]:
    kinds = [one.kind for one in facts.findings if blocks(one, today, policy)]
    if kinds and in_scope:
        return [Reason(f"finding_{kind}", count=kinds.count(kind), is_bar=True) for kind in sorted(set(kinds))]
    return [Reason(f"archive_{facts.archive}", count=facts.archive_points or None)]


def blocks(finding: OpenFinding, today: date, policy: Policy) -> bool:
    """Return whether an open finding bars its person under the policy.

    Of what the person had told of themselves a confirmation alone does not bar.
    """
    when, is_overdue = policy.blocks.get(finding.kind, NEVER), finding.due_on < today
    if finding.is_self_reported and when == CONFIRMED:
        when = OVERDUE
    return (
        when == OPEN or (when == CONFIRMED and (finding.is_confirmed or is_overdue)) or (when == OVERDUE and is_overdue)
    )


def next_change_on(facts: Facts, today: date, policy: Policy) -> date | None:
    """Return the next day, after today, on which the verdict may be another by the policy alone; None: never."""
    days = {one.due_on + timedelta(1) for one in facts.findings if policy.blocks.get(one.kind, NEVER) != NEVER}
    if ends := grace_ends(facts, policy):
        days.add(ends + timedelta(1))
    return min((day for day in days if day > today), default=None)
