from django.core.management.base import BaseCommand, CommandError

from portal.ledger import keys, sealing


class Command(BaseCommand):
    help = "Make a new key for the seals. The old one seals once more, signs for the new one, and is destroyed."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--by", required=True, help="opaque id of who does it, or system:<name>")
        parser.add_argument("--reason", required=True, help="goes into the evidence log")
        parser.add_argument("--lost", action="store_true", help="the old key is gone: every verification will say so")

    def handle(self, *, by: str, reason: str, lost: bool, **options) -> None:
        try:
            if not lost:
                sealing.seal()
            key = keys.replace_lost(by=by, reason=reason) if lost else keys.rotate(by=by, reason=reason)
            seal = sealing.seal()
        except (keys.KeyTrouble, sealing.SealRefused, sealing.Overtaken) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{keys.public_key(key)}\nsigns from entry {key.begun_by_id} on; seal {seal.number} is its first."
        )
