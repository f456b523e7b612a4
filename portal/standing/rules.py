"""May this person use WeChat for business? A pure function of training, the archive and the firm's policy."""

from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

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


@dataclass(frozen=True)
class Policy:
    """What a firm may decide for itself.

    ``until_due``: a person who has been assigned the course may message until the day it is due, trained or not.
    """

    until_due: bool = True


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


def verdict(
    training: str,
    archive: str,
    *,
    training_on: date | None = None,
    archive_points: int = 0,
    policy: Policy = Policy(),
) -> Verdict:
    """Return whether the person may message, with one reason for training and one for the archive.

    ``training_on`` is the date that the training state turns on: valid until, due on, was due on, expired on.
    ``archive_points`` is how many things the archive's state rests on.
    Barred are: training overdue, expired or not assigned; an open breach; and, if the policy says so, everybody
    who has not completed the course yet. "No data" is not "clean", but it bars nobody: silence is not proof.
    """
    waiting = {TrainingState.ASSIGNED, TrainingState.IN_PROGRESS, TrainingState.DUE_SOON}
    lapsed = {TrainingState.OVERDUE, TrainingState.EXPIRED, TrainingState.NOT_ASSIGNED}
    trained_bar = training in lapsed or (training in waiting and not policy.until_due)
    reasons = (
        Reason(f"training_{training}", on=training_on, is_bar=trained_bar),
        Reason(f"archive_{archive}", count=archive_points or None, is_bar=archive == ArchiveState.BREACH),
    )
    return Verdict(not any(reason.is_bar for reason in reasons), reasons)
