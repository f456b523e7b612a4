from django.core.management.base import BaseCommand

from portal.reminders import rounds


class Command(BaseCommand):
    help = "Make the reminders that are due now and send what waits, at once and in this process."

    def handle(self, **options) -> None:
        self.stdout.write(f"sent: {rounds.work_now()}")
