"""The policy of reminders that holds: what HR set last, or what ships."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.reminders.models import TermsVersion
from portal.reminders.rules import Terms

SYSTEM = "system:reminders"


class ChangedMeanwhile(RuntimeError):
    """Somebody else has set the policy since the page was opened."""


def current() -> tuple[int, Terms]:
    """Return (number, terms) of the version that holds; number 0: as it ships."""
    newest = TermsVersion.objects.first()
    return (newest.number, Terms.read(newest.terms)) if newest else (0, Terms())


@transaction.atomic
def set_terms(*, terms: Terms, seen: int, by: Employee) -> int:
    """Let these terms hold from the next round on. Return their number. ``seen``: which version was changed.

    Raises ChangedMeanwhile. The same terms again make no version.
    """
    number, before = current()
    if number != seen:
        raise ChangedMeanwhile(_("Somebody else has changed this meanwhile. Look at it again."))
    if terms == before:
        return number
    try:
        with transaction.atomic():
            row = {"terms": terms.as_json(), "made_at": timezone.now(), "made_by": by.uid}
            TermsVersion.objects.create(number=number + 1, **row)
    except IntegrityError:
        raise ChangedMeanwhile(_("Somebody else has changed this meanwhile. Look at it again.")) from None
    body = {"version": number + 1, "before": before.as_json(), "after": terms.as_json()}
    ledger.append(verb="reminders.terms_set", actor=by.uid, subject=SYSTEM, body=body)
    return number + 1
