from django.core.management.base import BaseCommand, CommandError, CommandParser

from training import certificates, rules
from training.models import Certificate


class Command(BaseCommand):
    help = "Replace a certificate by a new one, with the names as they are now. The old serial says it was replaced."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("serial")
        parser.add_argument("--reason", required=True, help="Why; kept in the evidence log")

    def handle(self, *, serial: str, reason: str, **options) -> None:
        certificate = Certificate.objects.filter(serial=rules.normal_serial(serial)).first()
        if certificate is None:
            raise CommandError(f"No certificate has the serial {serial}.")
        try:
            new = certificates.reissue(certificate=certificate, reason=reason, by="system:reissue_certificate")
        except certificates.NoReason:
            raise CommandError("The reason is empty.") from None
        except certificates.AlreadyRevoked:
            raise CommandError(f"{certificate.serial} was revoked: it is not replaced.") from None
        self.stdout.write(f"{certificate.serial} is replaced by {new.serial}.")
