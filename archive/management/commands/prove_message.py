import json

from django.core.management.base import BaseCommand, CommandError

from archive import services
from portal.ledger import services as ledger


class Command(BaseCommand):
    help = "Print the proof of one message, or of what was disposed of, as JSON: from its fingerprint to the ledger."

    def add_arguments(self, parser) -> None:
        parser.add_argument("msgid")
        parser.add_argument("--channel", default="wecom")

    def handle(self, *, msgid: str, channel: str, **options) -> None:
        try:
            proof = services.proof_of(channel=channel, msgid=msgid)
        except services.NotHere as error:
            raise CommandError(f"No message {msgid} of {channel} is here, nor was one disposed of.") from error
        except ledger.NotSealed as error:
            raise CommandError("It is too new: no seal covers it yet. Run seal_ledger, or wait ten minutes.") from error
        self.stdout.write(json.dumps(proof, ensure_ascii=False, indent=2))
