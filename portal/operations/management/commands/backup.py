from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.operations import backups, databases


class Command(BaseCommand):
    help = "Make a backup of database and files while the site runs, in a new folder below the one named."

    def add_arguments(self, parser) -> None:
        parser.add_argument("into", type=Path, help="the folder that holds the backups, best on another machine")

    def handle(self, *, into: Path, **options) -> None:
        try:
            backup = backups.make(into)
        except databases.CannotCopy as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or into}: {error.strerror}. No backup was made.") from error
        self.stdout.write(str(backup.folder))
        self.stderr.write(f"{backup.size:,} bytes in {len(backup.manifest['files']):,} files.")
        if settings.FILES_BUCKET:
            self.stderr.write(f"The files in the bucket {settings.FILES_BUCKET} are not in it: keep its versions.")
        self.stderr.write("Keys and SECRET_KEY are not in it: keep them elsewhere (docs/backups.md).")
