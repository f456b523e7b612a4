"""A manager says that they look after somebody who is late."""

from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.reminders.models import Handled


@transaction.atomic
def handle(*, employee: Employee, by: Employee) -> bool:
    """Note that ``by`` looks after the person from today on: nobody above is told. False: that was noted today."""
    Employee.objects.select_for_update(of=("self",)).get(pk=employee.pk)
    today, now = timezone.localdate(), timezone.now()
    if Handled.objects.filter(employee=employee, by=by, on=today).exists():
        return False
    entry = ledger.append(verb="reminders.handled", actor=by.uid, subject=employee.uid, body={"on": today.isoformat()})
    Handled.objects.create(employee=employee, by=by, on=today, at=now, entry_seq=entry.seq)
    return True
