"""Coming in by sign-on: who is let in, linked or refused, each with its Entry."""

from datetime import date

from django.db import transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.scim.models import Account
from portal.signon import rules
from portal.signon.models import Link
from portal.signon.rules import Refusal, Shown

SYSTEM = "system:signon"


@transaction.atomic
def enter(*, way: str, match: str, shown: Shown, today: date) -> Employee | Refusal:
    """Return the person who comes in by this way, linked with the account from now on, or why nobody does.

    A refusal is no exception: its Entry is to stay. Who is linked is found by the account alone, whatever the provider
    now says of names. ``match``: the field of a person that ``shown.name`` is compared with.
    """
    link = Link.objects.filter(way=way, subject=shown.subject).first()
    if link is None and shown.flaw:
        return _stranger(way, shown.flaw, shown)
    found = Q(pk=link.employee_id) if link else named(match, shown.name)
    person = _listed().select_for_update(of=("self",), no_key=True).filter(found).first()
    if person is None:
        return _stranger(way, Refusal.UNKNOWN, shown)
    why = rules.refusal(is_listed=person.is_listed, is_active=person.is_active, left_on=person.left_on, today=today)
    mine = Link.objects.filter(way=way, employee=person).first()
    if why is None and mine and mine.subject != shown.subject:
        why = Refusal.OTHER
    if why:
        ledger.append(verb="signon.refused", actor=SYSTEM, subject=person.uid, body={"way": way, "reason": why.value})
        return why
    Link.objects.update_or_create(
        way=way, employee=person, defaults={"subject": shown.subject, "used_at": timezone.now()}
    )
    if mine is None:
        ledger.append(verb="signon.linked", actor=person.uid, subject=person.uid, body={"way": way, "by": match})
    return person


def named(match: str, name: str) -> Q:
    """Return the condition that finds the person: numbers as they are written, addresses and userids in any case."""
    return Q(employee_no=name) if match == "employee_no" else Q(**{f"{match}__iexact": name})


def _listed() -> QuerySet[Employee]:
    """Everybody, told apart by whether HR or the directory brought them; who runs the portal comes by password."""
    in_directory = Exists(Account.objects.filter(employee=OuterRef("pk"), ended_at=None))
    is_listed = Q(Q(employee_no__isnull=False) | Q(in_directory), is_superuser=False)
    return Employee.objects.annotate(is_listed=ExpressionWrapper(is_listed, output_field=BooleanField()))


def _stranger(way: str, why: Refusal, shown: Shown) -> Refusal:
    """Record that somebody came who is nobody here; the provider vouches for them, so who it was may matter."""
    body = {"way": way, "reason": why.value, "named": shown.name, "account": shown.subject}
    ledger.append(verb="signon.stranger_refused", actor=SYSTEM, subject=SYSTEM, body=body)
    return why


@transaction.atomic
def refuse_proof(*, way: str, reason: str) -> None:
    """Record that what was shown proves nothing: forged, for somebody else, too late, or shown twice."""
    ledger.append(verb="signon.proof_refused", actor=SYSTEM, subject=SYSTEM, body={"way": way, "reason": reason})


@transaction.atomic
def end_link(*, employee: Employee, way: str, by: str, reason: str) -> bool:
    """End the link with the account at this way, so that the next sign-in makes a new one. Return whether it was."""
    gone, _rows = Link.objects.filter(employee=employee, way=way).delete()
    if gone:
        ledger.append(verb="signon.link_ended", actor=by, subject=employee.uid, body={"way": way, "reason": reason})
    return bool(gone)
