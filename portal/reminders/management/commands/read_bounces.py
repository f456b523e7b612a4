import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from portal.reminders import bounces


class Command(BaseCommand):
    help = "Read delivery reports (RFC 3464) about reminders: a Maildir, a file that holds one, or standard input (-)."

    def add_arguments(self, parser) -> None:
        parser.add_argument("where", help="a Maildir, a file, or -")

    def handle(self, *, where: str, **options) -> None:
        if where == "-":
            noted = bounces.take(sys.stdin.buffer.read(bounces.MOST_BYTES + 1))
            self.stdout.write(f"read: 1, bounced: {noted}")
            return
        path = Path(where)
        if (path / "new").is_dir() and (path / "cur").is_dir():
            read, noted = bounces.read_mailbox(path)
        elif path.is_file():
            with path.open("rb") as file:
                read, noted = 1, bounces.take(file.read(bounces.MOST_BYTES + 1))
        else:
            raise CommandError(f"{where} is neither a Maildir nor a file.")
        self.stdout.write(f"read: {read}, bounced: {noted}")
