from django.core.management.base import BaseCommand, CommandError

from archive import sealing, services


class Command(BaseCommand):
    help = "Seal what older keys sealed with the newest of ARCHIVE_TEXT_KEYS. Cut off, it goes on when started again."

    def handle(self, **options) -> None:
        done = services.rotate_keys(by="system:rotate_archive_keys", progress=self.progress)
        counts = f"{done.texts} texts and {done.lines} set-aside lines sealed anew with key {sealing.newest()}"
        if done.lost:
            lost = ", ".join(f"{count} with {name}" for name, count in sorted(done.lost.items()))
            raise CommandError(
                f"{counts}. Some could not be opened: {lost}. Put these keys back into ARCHIVE_TEXT_KEYS and start "
                "this again."
            )
        self.stdout.write(f"{counts}. No older key is needed any more.")

    def progress(self, done) -> None:
        self.stderr.write(f"{done.texts} texts, {done.lines} lines")
