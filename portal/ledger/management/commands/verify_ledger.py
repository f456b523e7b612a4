from django.core.management.base import BaseCommand, CommandError

from portal.ledger import services


class Command(BaseCommand):
    help = "Read the whole evidence log and say whether every Entry is what was written. Changes nothing."

    def handle(self, **options) -> None:
        count, fault = services.verify()
        if fault:
            raise CommandError(f"Entry {fault.seq}: {fault.what} (the {count} before it are sound)")
        self.stdout.write(f"{count} entries, all sound")
