from django.core.management.base import BaseCommand, CommandError

from portal.people import services
from portal.people.models import Employee


class Command(BaseCommand):
    help = "Keep a person out from their next request on, or let them in again with --readmit."

    def add_arguments(self, parser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--readmit", action="store_true")

    def handle(self, *, email: str, reason: str, readmit: bool, **options) -> None:
        employee = Employee.objects.filter(email__iexact=email).first()
        if employee is None:
            raise CommandError(f"Nobody here has the address {email}.")
        services.set_active(employee=employee, active=readmit, by="system:suspend", reason=reason)
        self.stdout.write(f"{email}: {'let in again' if readmit else 'suspended'}")
