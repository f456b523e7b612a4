from pathlib import Path

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from portal.operations import backups, databases


class Command(BaseCommand):
    help = "Put a backup into this empty site, and have its evidence log verified against seals that left the machine."

    requires_system_checks = ()  # there is no database yet

    def add_arguments(self, parser) -> None:
        parser.add_argument("folder", type=Path, help="one backup: the folder with its manifest.json")
        parser.add_argument(
            "--seal", action="append", default=[], help="a seal that had left the machine (may be repeated)"
        )

    def handle(self, *, folder: Path, seal: list[str], **options) -> None:
        try:
            backup = backups.read(folder)
            self.stderr.write(f"The backup of {backup.manifest['made_at']} is whole.")
            backups.restore(backup)
        except (backups.BadBackup, backups.NotEmpty, databases.CannotCopy) as error:
            raise CommandError(f"{error} Nothing of the database was changed.") from error
        except OSError as error:
            raise CommandError(f"{error.filename or folder}: {error.strerror}. Do it again once mended.") from error
        call_command("migrate", verbosity=0)  # the backup may be of an older version
        call_command("verify_ledger", seal=[Path(one) for one in seal], stdout=self.stdout)
        backups.record_restored(backup)
        if not seal:
            self.stderr.write("No seal was named: the log is sound in itself, and not compared with one outside.")
