from django.core.management.base import BaseCommand, CommandError, CommandParser

from training import certificates, rules
from training.models import Certificate


class Command(BaseCommand):
    help = "Take a certificate back. /verify/ says so from now on; the certificate and its file stay."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("serial")
        parser.add_argument("--reason", required=True, help="Why; kept with the certificate and in the evidence log")

    def handle(self, *, serial: str, reason: str, **options) -> None:
        certificate = Certificate.objects.filter(serial=rules.normal_serial(serial)).first()
        if certificate is None:
            raise CommandError(f"No certificate has the serial {serial}.")
        try:
            certificates.revoke(certificate=certificate, reason=reason, by="system:revoke_certificate")
        except certificates.NoReason:
            raise CommandError("The reason is empty.") from None
        except certificates.AlreadyRevoked:
            raise CommandError(f"{certificate.serial} was revoked already.") from None
        self.stdout.write(f"{certificate.serial} is revoked.")
