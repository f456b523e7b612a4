from django.core.management.base import BaseCommand, CommandError

from portal.people import services
from portal.people.models import Employee
from portal.people.roles import PERMISSIONS


class Command(BaseCommand):
    help = f"Make these a person's roles, and no others: {', '.join(PERMISSIONS)}; none at all takes every role away."

    def add_arguments(self, parser) -> None:
        parser.add_argument("email")
        parser.add_argument("role", nargs="*")
        parser.add_argument("--reason", required=True)

    def handle(self, *, email: str, role: list[str], reason: str, **options) -> None:
        employee = Employee.objects.filter(email__iexact=email).first()
        if employee is None:
            raise CommandError(f"Nobody here has the address {email}.")
        try:
            services.give_roles(employee=employee, roles=role, by="system:give_roles", reason=reason)
        except services.UnknownRole as error:
            raise CommandError(f"No such role: {error}. Roles are {', '.join(PERMISSIONS)}.") from error
        self.stdout.write(f"{email}: {', '.join(sorted(role)) or 'no role'}")
