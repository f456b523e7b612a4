import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from portal.ledger import outside, verifying
from portal.ledger.findings import others, told, words


class Command(BaseCommand):
    help = (
        "Read the whole evidence log and say whether every entry is what was written, and every row that people rely "
        "on what the entries say. Changes nothing."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--seal", type=Path, action="append", default=[], help="a seal that had left the machine (may be repeated)"
        )
        parser.add_argument(
            "--from-last-seal", action="store_true", help="only what came after the last seal that was verified before"
        )
        parser.add_argument("--json", action="store_true", help="the result as JSON")

    def handle(self, *, seal: list[Path], from_last_seal: bool, **options) -> None:
        try:
            copies = [outside.Outside.from_file(path) for path in seal]
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}") from error
        begin = verifying.last_verified_seal() if from_last_seal else None
        copies += outside.in_folder(after=begin.number if begin else 0)
        walk = verifying.Walk.since(begin, outside=copies) if begin else verifying.Walk(outside=copies)
        walk.finish()
        if options["json"]:
            self.stdout.write(json.dumps(verifying.told(walk), ensure_ascii=False, indent=1))
        fault, read = walk.fault, walk.seq - walk.after
        if fault:
            found = [told(fault.seq, fault.code, fault.detail), *others(fault.detail)]
            sound = (
                f"the {read} entries that were read are sound" if walk.is_read else f"the {read} before it are sound"
            )
            raise CommandError("\n".join([f"{found[0]} ({sound})", *found[1:]]))
        if not options["json"]:
            self.stdout.write(f"{read} entries, all sound; {walk.seals.seen} seals, {walk.compared} copies outside")
            for note in walk.notes:
                self.stdout.write(f"note: {words(note['code'], note)}")
