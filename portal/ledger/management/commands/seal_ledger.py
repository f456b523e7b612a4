from django.core.management.base import BaseCommand, CommandError

from portal.ledger import keys, sealing, sending


class Command(BaseCommand):
    help = "Seal every entry of the evidence log that is written by now, and send the seal off the machine."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--if-due", action="store_true", help="only if anything is new for an hour, or after a day")

    def handle(self, *, if_due: bool, **options) -> None:
        try:
            seal = sealing.seal_if_due() if if_due else sealing.seal()
        except (keys.KeyTrouble, sealing.SealRefused, sealing.Overtaken) as error:
            raise CommandError(str(error)) from error
        sent = sending.deliver_due()
        if seal is None:
            self.stdout.write("No seal is due.")
            return
        self.stdout.write(f"{seal.note}\nSeal {seal.number} over {seal.size} entries; {sent} deliveries.")
        if waiting := seal.deliveries.filter(delivered_at=None).count():
            raise CommandError(f"Sealed, but {waiting} deliveries failed: they are tried again.")
