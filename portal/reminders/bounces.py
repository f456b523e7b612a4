"""Mail that came back: what a server refused at once, and what a report (RFC 3464) says later."""

import email
import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.reminders.models import Bounce, Delivery
from portal.reminders.terms import SYSTEM

logger = logging.getLogger(__name__)

MOST_BYTES = 1_000_000  # of a report
MOST_HEADER = 64 * 1024
OURS = re.compile(r"<reminder\.([0-9a-f]{32})@[^<>\s]+>")


@dataclass(frozen=True)
class Failure:
    """What a report says of one recipient. ``digest``: the uid in our Message-ID."""

    digest: str
    address: str
    status: str
    said: str


@transaction.atomic
def note(*, delivery: Delivery, how: str, status: str, said: str) -> Bounce | None:
    """Write down that a delivery came back, with its Entry. Return None if that was written before.

    The caller holds the lock on the delivery.
    """
    if Bounce.objects.filter(delivery=delivery).exists():
        return None
    lasting = status.startswith("5.")
    body = {"digest": delivery.digest.uid, "status": status, "how": how, "lasting": lasting}
    entry = ledger.append(verb="reminders.bounced", actor=SYSTEM, subject=delivery.employee.uid, body=body)
    fields = {"address": delivery.address, "how": how, "status": status[:12], "said": said[:500]}
    told = {"delivery": delivery, "employee": delivery.employee, "is_lasting": lasting, "at": timezone.now()}
    return Bounce.objects.create(**told, **fields, entry_seq=entry.seq)


@transaction.atomic
def settle(*, bounce: Bounce, by: Employee) -> None:
    """The address is right, or was put right: write to the person again. Settled before: nothing changes."""
    row = Bounce.objects.select_for_update(of=("self",)).select_related("employee").get(pk=bounce.pk)
    same = Bounce.objects.open().filter(employee=row.employee_id, address=row.address)
    if not same.update(settled_at=timezone.now(), settled_by=by):
        return
    body = {"status": row.status}
    ledger.append(verb="reminders.bounce_settled", actor=by.uid, subject=row.employee.uid, body=body)


# --- reports -----------------------------------------------------------------------------------------------------


def read_mailbox(folder: Path) -> tuple[int, int]:
    """Read what is new in a Maildir and put it among what was read. Return (mails read, addresses that bounced)."""
    read = noted = 0
    for path in sorted((folder / "new").iterdir()):
        with path.open("rb") as file:
            noted += take(file.read(MOST_BYTES + 1))
        path.rename(folder / "cur" / f"{path.name}:2,S")
        read += 1
    return read, noted


def take(raw: bytes) -> int:
    """Note the failures that a report tells of our own digests. Return how many are new."""
    return sum(_noted(failure) for failure in failures_in(raw))


@transaction.atomic
def _noted(failure: Failure) -> bool:
    """Believe a report only about a mail that we sent, to the address to which we sent it."""
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("digest", "employee")
    sent = rows.filter(digest__uid=failure.digest, channel=Delivery.Channel.MAIL, sent_at__isnull=False).first()
    if sent is None or sent.address.lower() != failure.address.lower():
        return False
    if note(delivery=sent, how="report", status=failure.status, said=failure.said) is None:
        return False
    Delivery.objects.filter(pk=sent.pk).update(state=Delivery.State.BOUNCED, error=failure.said[:500])
    return True


def failures_in(raw: bytes) -> list[Failure]:
    """Return what a delivery report says has failed for good; nothing if it is none, or not about our mail."""
    head, _blank, _rest = raw.partition(b"\n\n")
    if len(raw) > MOST_BYTES or len(head) > MOST_HEADER:
        return []
    try:
        report = email.message_from_bytes(raw)
        return list(_failures(report)) if report.get_content_type() == "multipart/report" else []
    except (ValueError, LookupError, RecursionError, AttributeError):
        logger.warning("a delivery report could not be read", exc_info=True)
        return []


def _failures(report: Message) -> Iterator[Failure]:
    digest = _digest_named_in(report)
    if digest is None or not report.is_multipart():
        return
    for part in report.get_payload():
        if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
            continue
        for block in part.get_payload()[1:]:  # the first block is about the whole message
            if _first(block, "Action").lower() == "failed":
                recipient = _first(block, "Original-Recipient") or _first(block, "Final-Recipient")
                said = " ".join(_first(block, "Diagnostic-Code").partition(";")[2].split())
                status = _first(block, "Status").split()[:1]
                yield Failure(digest, recipient.partition(";")[2].strip(), status[0] if status else "5.0.0", said)


def _digest_named_in(report: Message) -> str | None:
    """Return the uid in the Message-ID of the mail that the report returns, whole or its headers alone."""
    for part in report.get_payload()[1:] if report.is_multipart() else []:
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            named: Iterable[str] = [_first(part.get_payload(0), "Message-ID")]
        elif part.get_content_type() == "text/rfc822-headers":
            named = [_first(email.message_from_string(part.get_payload()), "Message-ID")]
        else:
            continue
        for text in named:
            if found := OURS.search(text):
                return found[1]
    return None


def _first(block: Message, name: str) -> str:
    return str(block.get(name, "")).strip()
