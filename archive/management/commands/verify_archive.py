import time

from django.core.management.base import BaseCommand, CommandError

from archive import services


class Command(BaseCommand):
    help = (
        "Compare every batch with its Merkle root and with the evidence log. Repairs nothing; what is wrong becomes a "
        "finding, once for each batch, and the exit status is 1."
    )

    def handle(self, **options) -> None:
        look = services.verify(by="system:verify_archive", progress=self.progress)
        counts = f"{look.batches} batches, {look.leaves} records, {look.tombstones} of them disposed of"
        if look.faults:
            raise CommandError(f"faults in {counts}: {look.faults}")
        self.stdout.write(f"{counts}, all as they were stored")

    def progress(self, look, faults) -> None:
        """Each fault on stderr, and how far it is at most once a second."""
        for fault in faults:
            self.stderr.write(f"{fault.key}: {fault.what}")
        if time.monotonic() - getattr(self, "told_at", 0) >= 1:
            self.told_at = time.monotonic()
            self.stderr.write(f"{look.stage}: {look.batches} batches, {look.leaves} records")
