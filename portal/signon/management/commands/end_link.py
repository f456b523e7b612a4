from django.core.management.base import BaseCommand, CommandError

from portal.people.models import Employee
from portal.signon import services


class Command(BaseCommand):
    help = "End the link of a person with their account at an identity provider: the next sign-in makes a new one."

    def add_arguments(self, parser) -> None:
        parser.add_argument("email")
        parser.add_argument("way", help="as SIGNON_OIDC or SIGNON_SAML names it")
        parser.add_argument("--reason", required=True)

    def handle(self, *, email: str, way: str, reason: str, **options) -> None:
        employee = Employee.objects.filter(email__iexact=email).first()
        if employee is None:
            raise CommandError(f"Nobody here has the address {email}.")
        if not services.end_link(employee=employee, way=way, by="system:end_link", reason=reason):
            raise CommandError(f"{email} is not linked with an account of {way}.")
        self.stdout.write(f"{email}: no longer linked with an account of {way}")
