"""Sends Seals off the machine. Every place knows a Seal by its number, so that sending twice leaves one."""

import logging
import os
import secrets
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session
from cryptography import x509
from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response

from portal.ledger import keys, rules
from portal.ledger.delivery import file_name
from portal.ledger.models import Delivery, Seal

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)  # doubled with every attempt that failed
SECONDS = 20  # how long a place may take to answer
MOST_STAMP_BYTES = 100_000


class NotDelivered(RuntimeError):
    """The place did not take the Seal; the message says why."""


@dataclass(frozen=True)
class Receipt:
    where: str
    stamp: bytes | None = None


def deliver_due() -> int:
    """Send what is due, oldest first; a place that fails is left alone until its next time. Return how many went."""
    delivered, failed = 0, set()
    for pk, place in Delivery.objects.due(timezone.now()).order_by("seal_id", "pk").values_list("pk", "place"):
        if place in failed:
            continue
        if deliver(pk):
            delivered += 1
        else:
            failed.add(place)
    return delivered


def deliver(pk: int) -> bool:
    """Send one Seal to one place, unless another worker is at it. Return whether it went just now.

    The lease is committed before anything is sent, and no transaction is open meanwhile.
    """
    token, now = uuid.uuid4().hex, timezone.now()
    mine = Delivery.objects.filter(pk=pk).due(now)
    if not mine.update(lease_until=now + LEASE, lease_token=token, attempts=F("attempts") + 1):
        return False
    delivery = Delivery.objects.select_related("seal").get(pk=pk)
    held = Delivery.objects.filter(pk=pk, lease_token=token, delivered_at=None)
    try:
        receipt = _SEND[delivery.place](delivery.seal)
    except Exception as error:  # whatever a network, a library or a disk can raise: noted, and tried again
        logger.warning("seal %s was not delivered to the %s", delivery.seal_id, delivery.place, exc_info=True)
        pause = min(PAUSE * 2 ** min(delivery.attempts - 1, 10), LONGEST_PAUSE)
        said = f"{type(error).__name__}: {error}"[:500]
        held.update(lease_until=None, lease_token="", due_at=timezone.now() + pause, error=said)
        return False
    done = {"delivered_at": timezone.now(), "receipt": receipt.where[:500], "stamp": receipt.stamp}
    return bool(held.update(lease_until=None, lease_token="", error="", **done))


def _to_folder(seal: Seal) -> Receipt:
    """Put the Seal, and the public key it was signed with, into files that are never written again."""
    folder = Path(settings.SEALS_OUT_DIR)
    key = next(key for key in keys.public_keys() if key.id.hex() == seal.key_id)
    _put(folder / f"key-{seal.key_id}.txt", f"{key}\n".encode())
    path = folder / file_name(seal)
    _put(path, seal.note.encode())
    return Receipt(str(path))


def _put(path: Path, content: bytes) -> None:
    if path.exists():
        if path.read_bytes() != content:
            raise NotDelivered(f"{path.name} is there already and says something else")
        return
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    with suppress(OSError):  # some network folders cannot be synchronised
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def _to_mail(seal: Seal) -> Receipt:
    """Send the Seal by mail. A repeat after a crash has the same Message-ID, so a mailbox can tell."""
    key = next(key for key in keys.public_keys() if key.id.hex() == seal.key_id)
    message_id = f"<seal-{seal.number}.{bytes(seal.digest).hex()[:32]}@{key.name.split('/')[0].split(':')[0]}>"
    subject = _("Seal %(number)d of %(origin)s") % {"number": seal.number, "origin": key.name}
    text = _(
        "Keep this message. The attached seal proves what the evidence log held when it was made: %(size)d entries. "
        "Whoever changes one of them afterwards cannot make the log agree with it again."
    ) % {"size": seal.size}
    signed_with = _("Public key of the seal:")
    message = EmailMessage(
        subject, f"{text}\n\n{seal.note}\n{signed_with}\n{key}\n", to=settings.SEALS_MAIL_TO,
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )  # fmt: skip
    message.attach(file_name(seal), seal.note.encode(), "application/octet-stream")
    if message.send() != 1:
        raise NotDelivered("the mail server took nothing")
    return Receipt(f"{', '.join(settings.SEALS_MAIL_TO)} {message_id}")


def _to_s3(seal: Seal) -> Receipt:
    """Put the Seal into a bucket under object lock: nobody can overwrite or delete it before its time."""
    client, bucket = _s3_client(), settings.SEALS_BUCKET
    key, content = file_name(seal), seal.note.encode()
    until = seal.at + timedelta(days=366 * settings.SEALS_BUCKET_YEARS)
    try:
        answer = client.put_object(
            Bucket=bucket, Key=key, Body=content, ContentType="text/plain; charset=utf-8", IfNoneMatch="*",
            ChecksumAlgorithm="SHA256", ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=until,
        )  # fmt: skip
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 412:
            raise
        answer = client.get_object(Bucket=bucket, Key=key)  # an earlier attempt got through
        if answer["Body"].read() != content:
            raise NotDelivered(f"{key} is there already and says something else") from error
    version = answer.get("VersionId")
    return Receipt(f"s3://{bucket}/{key}" + (f" version {version}" if version else ""))


def _s3_client() -> BaseClient:
    secret = Path(settings.SEALS_BUCKET_SECRET_FILE).read_text(encoding="utf-8").strip()
    return Session().create_client(
        "s3",
        region_name=settings.SEALS_BUCKET_REGION,
        endpoint_url=settings.SEALS_BUCKET_ENDPOINT or None,
        aws_access_key_id=settings.SEALS_BUCKET_KEY_ID,
        aws_secret_access_key=secret,
        config=Config(
            connect_timeout=SECONDS,
            read_timeout=SECONDS,
            retries={"total_max_attempts": 1},  # the row is what tries again
            s3={"addressing_style": "path" if settings.SEALS_BUCKET_ENDPOINT else "auto"},
        ),
    )


def _to_timestamp(seal: Seal) -> Receipt:
    """Let a time stamping authority confirm that the Seal existed, and check its answer against the roots we trust."""
    content = seal.note.encode()
    asked = TimestampRequestBuilder().data(content).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True).build()
    raw = _posted(settings.SEALS_TIMESTAMP_URL, asked.as_bytes())
    answer = decode_timestamp_response(raw)
    verifier = VerifierBuilder.from_request(asked)
    for root in x509.load_pem_x509_certificates(Path(settings.SEALS_TIMESTAMP_ROOTS).read_bytes()):
        verifier = verifier.add_root_certificate(root)
    verifier.build().verify_message(answer, content)
    stamped_at = rules.timestamp(answer.tst_info.gen_time.replace(tzinfo=UTC))
    return Receipt(f"{settings.SEALS_TIMESTAMP_URL} {stamped_at} serial {answer.tst_info.serial_number}", raw)


def _posted(url: str, query: bytes) -> bytes:
    """Return what the authority answers. The settings allow http and https only."""
    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    request = Request(url, query, headers, method="POST")  # noqa: S310
    try:
        with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            raw = answer.read(MOST_STAMP_BYTES + 1)
    except URLError as error:
        raise NotDelivered(f"the time stamping authority did not answer: {error.reason}") from error
    if len(raw) > MOST_STAMP_BYTES:
        raise NotDelivered("the time stamping authority answered more than any time stamp")
    return raw


_SEND: dict[str, Callable[[Seal], Receipt]] = {
    Delivery.Place.FOLDER: _to_folder,
    Delivery.Place.MAIL: _to_mail,
    Delivery.Place.S3: _to_s3,
    Delivery.Place.TIMESTAMP: _to_timestamp,
}
