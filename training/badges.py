"""The same certificate for machines: an Open Badge 3.0, which is a verifiable credential (VC 2.0) secured as a JWT.

Who issues is a did:web, whose document at /.well-known/did.json holds every key that was used. Whether a badge still
stands is asked of a status list (W3C Bitstring Status List), which a worker signs anew when something has changed.
"""

import base64
import gzip
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from portal.ledger.rules import canonical
from training import rules, signing
from training.models import Certificate, SigningKey, StatusList

logger = logging.getLogger(__name__)

VC, OB = "https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
LIST_DAYS = 7  # for which a status list may be relied on
RENEWED_AFTER = timedelta(days=1)
MEDIA_TYPE = "application/vc+jwt"


# --- who issues --------------------------------------------------------------------------------------------------


def issuer_id() -> str:
    """Return the did:web of this site: its host, a port percent-encoded."""
    return f"did:web:{urlsplit(settings.SITE_URL).netloc.replace(':', '%3A')}"


def key_id(key: SigningKey) -> str:
    return f"{issuer_id()}#{key.fingerprint[:16]}"


def did_document() -> dict[str, Any]:
    """Return who issues, with the public half of every key that was used, the newest first."""
    methods = [
        {
            "id": key_id(key),
            "type": "JsonWebKey",
            "controller": issuer_id(),
            "publicKeyJwk": jwk_of(x509.load_pem_x509_certificates(key.pem.encode())[0]),
        }
        for key in SigningKey.objects.order_by("-begun_at", "-pk")
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": issuer_id(),
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def jwk_of(certificate: x509.Certificate) -> dict[str, str]:
    """Return a public key as JSON. Raises signing.KeyTrouble for a kind that badges cannot be signed with."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        return {"kty": "RSA", "alg": "RS256", "n": _number(numbers.n), "e": _number(numbers.e)}
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        point = key.public_numbers()
        return {"kty": "EC", "crv": "P-256", "alg": "ES256", "x": _number(point.x, 32), "y": _number(point.y, 32)}
    raise signing.KeyTrouble("Badges are signed with RSA, or on the curve P-256. See docs/certificates.md.")


def _number(value: int, size: int | None = None) -> str:
    return _b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


# --- credentials -------------------------------------------------------------------------------------------------


def badge(certificate: Certificate, key: SigningKey) -> str:
    """Return a certificate as a signed badge. Says what is printed, nothing else. Raises signing.KeyTrouble."""
    return _signed(credential(certificate), key)


def credential(certificate: Certificate) -> dict[str, Any]:
    facts, address = certificate.facts, _url("training:verify", certificate.serial)
    course = certificate.completion.edition.course.slug
    achievement = _url("training:course", course)
    title = rules.told(facts["course"], "en")
    return {
        "@context": [VC, OB],
        "id": f"urn:onchannel:certificate:{certificate.serial}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": title,
        "issuer": {"id": issuer_id(), "type": ["Profile"], "name": facts["firm"], "url": settings.SITE_URL},
        "validFrom": _stamp(certificate.issued_at),
        "validUntil": _stamp(_end_of(date.fromisoformat(facts["valid_until"]))),
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [_named(name) for name in (facts["name_en"], facts["name_zh"]) if name],
            "achievement": _achievement(achievement, title, facts),
            "result": [
                {"type": ["Result"], "resultDescription": f"{achievement}#score", "value": str(facts["percent"])}
            ],
        },
        "evidence": [{"id": address, "type": ["Evidence"], "name": "What the issuer says of this certificate today"}],
        "credentialStatus": _status_entry(certificate.pk),
    }


def _achievement(address: str, title: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": address,
        "type": ["Achievement"],
        "achievementType": "Certificate",
        "name": title,
        "description": f"Edition {facts['edition']}, studied lesson by lesson.",
        "criteria": {"narrative": f"All {facts['modules']} modules of the course completed and their quizzes passed."},
        "resultDescription": [
            {"id": f"{address}#score", "type": ["ResultDescription"], "name": "Score", "resultType": "Percent"}
        ],
    }


def _named(name: str) -> dict[str, Any]:
    return {"type": "IdentityObject", "hashed": False, "identityHash": name, "identityType": "name"}


def _status_entry(pk: int) -> dict[str, str]:
    number, index = divmod(pk, StatusList.SIZE)
    address = _url("training:status_list", number)
    return {
        "id": f"{address}#{index}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": str(index),
        "statusListCredential": address,
    }


def _signed(claims: dict[str, Any], key: SigningKey) -> str:
    """Return the credential as a compact JWT, as Open Badges 3.0 section 8.2 and VC-JOSE-COSE ask for."""
    issuer = claims["issuer"]
    registered = {
        "iss": issuer["id"] if isinstance(issuer, dict) else issuer,
        "jti": claims["id"],
        "nbf": _seconds(claims["validFrom"]),
        "exp": _seconds(claims["validUntil"]),
    }
    used = signing.certificate()
    header = {"alg": jwk_of(used)["alg"], "kid": key_id(key), "typ": "vc+jwt", "cty": "vc"}
    text = f"{_b64(canonical(header))}.{_b64(canonical(claims | registered))}"
    return f"{text}.{_b64(_as_jose(signing.raw(text.encode()), used))}"


def _as_jose(signature: bytes, certificate: x509.Certificate) -> bytes:
    """Return a signature as JOSE has it: of ECDSA the two numbers side by side, not in DER."""
    if isinstance(certificate.public_key(), rsa.RSAPublicKey):
        return signature
    r, s = decode_dss_signature(signature)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _url(name: str, *args: object) -> str:
    return f"{settings.SITE_URL}{reverse(name, args=args)}"


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).timestamp())


def _end_of(day: date) -> datetime:
    """Return the last second of a day in the firm's zone."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min)) - timedelta(seconds=1)


# --- status lists ------------------------------------------------------------------------------------------------


def number_of(certificate: Certificate) -> int:
    return certificate.pk // StatusList.SIZE


@transaction.atomic
def note_change(certificate: Certificate) -> None:
    """Let the list in which a certificate stands be made anew, since it was revoked or replaced."""
    StatusList.objects.filter(number=number_of(certificate)).update(is_stale=True)
    transaction.on_commit(partial(_ring, "training.tasks.renew_status_lists"))


def _ring(task: str) -> None:
    try:
        current_app.send_task(task)
    except Exception:
        logger.warning("could not ring for %s", task, exc_info=True)  # the beat does it within the hour


def renew_lists() -> int:
    """Sign anew what is stale or a day old. Return how many were."""
    old = Q(is_stale=True) | Q(made_at__lt=timezone.now() - RENEWED_AFTER)
    due = list(StatusList.objects.filter(old).order_by("number").values_list("number", flat=True))
    for number in due:
        renew(number)
    return len(due)


@transaction.atomic
def renew(number: int) -> StatusList:
    """Make a status list as of now. Raises signing.KeyTrouble."""
    now, key = timezone.now(), signing.current()
    row, _made = StatusList.objects.get_or_create(number=number, defaults={"credential": "", "made_at": now})
    row = StatusList.objects.select_for_update().get(pk=row.pk)
    row.credential, row.made_at, row.is_stale = _signed(_list(number, now), key), now, False
    row.save()
    return row


def _list(number: int, now: datetime) -> dict[str, Any]:
    address = _url("training:status_list", number)
    return {
        "@context": [VC],
        "id": address,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer_id(),
        "validFrom": _stamp(now),
        "validUntil": _stamp(now + timedelta(days=LIST_DAYS)),
        "credentialSubject": {
            "id": f"{address}#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": encoded(fallen(number)),
        },
    }


def fallen(number: int) -> Iterable[int]:
    """Return the places in a list of the certificates that do not stand any more. One query."""
    first = number * StatusList.SIZE
    rows = Certificate.objects.filter(pk__gte=first, pk__lt=first + StatusList.SIZE)
    rows = rows.filter(Q(revoked_at__isnull=False) | Q(superseded_by__isnull=False))
    return [pk - first for pk in rows.values_list("pk", flat=True)]


def encoded(places: Iterable[int]) -> str:
    """Return a bit for each place of a list, the first one leftmost, as the standard packs it."""
    bits = bytearray(StatusList.SIZE // 8)
    for place in places:
        bits[place // 8] |= 0x80 >> place % 8
    return "u" + _b64(gzip.compress(bytes(bits), mtime=0))
