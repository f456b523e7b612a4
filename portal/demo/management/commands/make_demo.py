from argparse import ArgumentParser
from datetime import date

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portal.demo import firm
from portal.demo.people import ACCOUNTS, FEWEST, FULL, PASSWORD
from portal.ledger.services import seal


class Command(BaseCommand):
    help = "Build the demo firm, once: invented people, their training and six months of their archived messages."

    requires_system_checks = ()  # they load every page of the site; a second run should be over in a moment

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--today", type=date.fromisoformat, help="the day it stands on; default: this one")
        parser.add_argument("--people", type=int, default=FULL)
        parser.add_argument("--weeks", type=int, default=26, help="of archived messages")

    def handle(self, *, today: date | None, people: int, weeks: int, **options) -> None:
        if firm.is_built():
            self.stdout.write("The demo firm is there already.")
        elif people < FEWEST or not 1 <= weeks <= 52:
            raise CommandError(f"Give at least {FEWEST} --people, and 1 to 52 --weeks.")
        else:
            self._build(today or timezone.localdate(), people, weeks)
        self._sign_ins()

    def _build(self, today: date, people: int, weeks: int) -> None:
        from portal.demo import build  # brings in the whole site, which a second run does not need

        try:
            build.build(today=today, size=people, weeks=weeks, say=self._say)
        except build.NotHere as error:
            raise CommandError(str(error)) from error
        seal()

    def _say(self, words: str) -> None:
        self.stderr.write(words)

    def _sign_ins(self) -> None:
        self.stdout.write(f"\nSign-ins, all with the password {PASSWORD}")
        widest = max(len(account.role) for account in ACCOUNTS)
        for account in ACCOUNTS:
            self.stdout.write(f"  {account.role:<{widest}}  {account.email}")
