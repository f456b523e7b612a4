"""Who comes in by sign-on, and who is refused: plain values in, plain values out."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

TRUE = (True, "true", "True", "1", 1)


class Refusal(models.TextChoices):
    """Why somebody does not come in, as it is said to them."""

    UNPROVEN = "unproven", _("What the identity provider sent could not be trusted. Try again from the sign-in page.")
    CANCELLED = "cancelled", _("You ended the sign-in at your identity provider.")
    AWAY = "away", _("The identity provider does not answer, or not as it should. Try again in a few minutes.")
    UNVERIFIED = "unverified", _("Your identity provider does not say that your e-mail address is verified. Ask IT.")
    UNNAMED = "unnamed", _("Your identity provider does not tell who you are to this portal. Ask IT.")
    UNKNOWN = "unknown", _("You are not on the list of people that HR keeps for this portal. Ask HR to add you.")
    LEFT = "left", _("According to HR’s list you have left, so your access has ended. Ask HR if that is wrong.")
    ENDED = "ended", _("Your access to this portal has been ended. Ask HR or Compliance if that is wrong.")
    OTHER = (
        "other",
        _("Another account of your identity provider is linked with you here. Ask an administrator to end that link."),
    )


class Refused(Exception):
    """Somebody does not come in."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True)
class Shown:
    """What a proof shows of somebody.

    ``subject``: SHA-256 of the provider and of the account's id there. ``name``: what the person is to be found by,
    such as an address; empty if ``flaw`` says why it cannot be used.
    """

    subject: str
    name: str
    flaw: Refusal | None = None


def subject_of(issuer: str, account: str) -> str:
    """Return what the account is known by here: the same account id at another provider is somebody else."""
    return hashlib.sha256(f"{issuer}\n{account}".encode()).hexdigest()


def shown(*, issuer: str, account: str, claims: Mapping, claim: str, trusts_addresses: bool) -> Shown:
    """Return what verified ``claims`` show. ``claim``: which of them names the person; "email" must be verified."""
    subject, value = subject_of(issuer, account), claims.get(claim)
    name = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if not name:
        return Shown(subject, "", Refusal.UNNAMED)
    is_verified = trusts_addresses or claims.get("email_verified") in TRUE
    if claim == "email" and not is_verified:
        return Shown(subject, "", Refusal.UNVERIFIED)
    return Shown(subject, name)


def refusal(*, is_listed: bool, is_active: bool, left_on: date | None, today: date) -> Refusal | None:
    """Return why this person does not come in, or None. The last day is still a day."""
    if left_on is not None and left_on < today:
        return Refusal.LEFT
    if not is_active:
        return Refusal.ENDED
    return None if is_listed else Refusal.UNKNOWN
