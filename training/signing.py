"""The firm's signature on what the portal issues: PAdES on certificates, raw for badges.

The key lies in a file, or in a device that speaks PKCS#11; where nothing is named, the site makes its own, whose
certificate nobody but the firm vouches for. The public half of every key that was used is kept and published.
"""

import asyncio
import io
import os
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from pyhanko.config.pkcs11 import TokenCriteria
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, pkcs11
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers import Signer
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko_certvalidator.registry import SimpleCertificateStore

from portal.ledger import services as ledger
from training import sealing
from training.models import SigningKey

HASH = "sha256"
YEARS = 10  # for which a key that the site makes for itself is good
KEY_FILE, CERT_FILE = "certificate-key.pem", "certificate-cert.pem"
HOW = "See docs/certificates.md."


class KeyTrouble(RuntimeError):
    """The key for signing certificates cannot be used; the message says why and what to do."""


class FileSigner(Signer):
    """Signs with a private key in memory. pyHanko's own reads and checks the key anew for every signature."""

    def __init__(self, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, chain: list[asn1_x509.Certificate]) -> None:
        store = SimpleCertificateStore()
        store.register_multiple(chain)
        super().__init__(signing_cert=chain[0], cert_registry=store)
        self.key = key

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        if digest_algorithm != HASH:
            raise SigningError(f"{digest_algorithm} is not used here")
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(hashes.SHA256()))
        return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())


class Update(IncrementalPdfFileWriter):
    """Adds a signature and leaves what the file says of itself (title, dates, standards) as it was drawn."""

    def _update_meta(self) -> None:
        """Overrides pyHanko's, which would write the metadata anew."""


# --- signatures --------------------------------------------------------------------------------------------------


def signed(pdf: bytes, *, firm: str, at: datetime) -> bytes:
    """Return the PDF with the firm's seal and signature added behind its bytes, which stay as they are.

    Raises KeyTrouble.
    """
    writer = Update(io.BytesIO(pdf))
    spec = fields.SigFieldSpec(sealing.FIELD, box=sealing.BOX, combine_annotation=True)
    steps = PdfCMSEmbedder(spec).write_cms(sealing.FIELD, writer)
    sealing.put_seal(writer, next(steps), firm)
    placeholder = SignatureObject(
        timestamp=at,
        name=generic.pdf_string(firm),
        subfilter=fields.SigSeedSubFilter.PADES,
        bytes_reserved=_room(),
    )
    steps.send(SigObjSetup(sig_placeholder=placeholder))
    prepared, out = steps.send(SigIOSetup(md_algorithm=HASH, in_place=True))
    steps.send(_cms(prepared.document_digest))
    return out.getvalue()


def raw(data: bytes) -> bytes:
    """Return a bare signature over the data: ECDSA in DER, or RSA PKCS#1 v1.5; SHA-256 either way."""
    return asyncio.run(signer().async_sign_raw(data, HASH))


def _cms(digest: bytes, dry_run: bool = False):
    return asyncio.run(signer().async_sign(digest, HASH, use_pades=True, dry_run=dry_run))


@cache
def _room() -> int:
    """Return how many hex digits a signature may take; those of ECDSA differ by a few bytes."""
    return 2 * (len(_cms(bytes(32), dry_run=True).dump()) + 64)


# --- the key -----------------------------------------------------------------------------------------------------


@cache
def signer() -> Signer:
    """Return who signs, opened once a process. Raises KeyTrouble."""
    if settings.CERTIFICATE_DEVICE_MODULE:
        return _from_device()
    if settings.CERTIFICATE_KEY_FILE:
        return _from_files(Path(settings.CERTIFICATE_KEY_FILE), Path(settings.CERTIFICATE_CERT_FILE))
    folder = Path(settings.DATA_DIR) / "keys"
    key, certificate = folder / KEY_FILE, folder / CERT_FILE
    if not certificate.exists():
        _make(key, certificate)
    return _from_files(key, certificate)


def forget() -> None:
    """Let the next signature open the key anew: for tests, which have several."""
    signer.cache_clear()
    _room.cache_clear()


def certificate() -> x509.Certificate:
    """Return the certificate under which is signed."""
    return x509.load_der_x509_certificate(signer().signing_cert.dump())


@transaction.atomic
def current() -> SigningKey:
    """Return the row of the key that signs; made, with its Entry, when the key is first used."""
    used = certificate()
    fingerprint = used.fingerprint(hashes.SHA256()).hex()
    pem = "".join(_pem(one.dump()) for one in [signer().signing_cert, *_others()])
    row, made = SigningKey.objects.get_or_create(
        fingerprint=fingerprint, defaults={"pem": pem, "begun_at": timezone.now()}
    )
    if made:
        body = {"fingerprint": fingerprint, "pem": pem}
        ledger.append(verb="training.signing_key_begun", actor="system:training", subject="system:training", body=body)
    return row


def _others() -> list[asn1_x509.Certificate]:
    first = signer().signing_cert.dump()
    return [one for one in signer().cert_registry if one.dump() != first]


def _pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode()


def _from_files(key_file: Path, cert_file: Path) -> FileSigner:
    try:
        if key_file.stat().st_mode & 0o077:
            raise KeyTrouble(f"{key_file} can be read by others: chmod 0400 {key_file}")
        key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
        chain = _chain(cert_file)
    except OSError as error:
        raise KeyTrouble(f"{error.filename} cannot be read: {error.strerror}. {HOW}") from error
    except (ValueError, TypeError) as error:
        raise KeyTrouble(f"{key_file} or {cert_file} is not PEM without a password. {HOW}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise KeyTrouble(f"{key_file} holds neither an elliptic curve nor an RSA key. {HOW}")
    if key.public_key() != x509.load_der_x509_certificate(chain[0].dump()).public_key():
        raise KeyTrouble(f"{cert_file} does not begin with the certificate of the key in {key_file}. {HOW}")
    return FileSigner(key, chain)


def _chain(cert_file: Path) -> list[asn1_x509.Certificate]:
    found = x509.load_pem_x509_certificates(cert_file.read_bytes())
    return [asn1_x509.Certificate.load(one.public_bytes(serialization.Encoding.DER)) for one in found]


def _from_device() -> Signer:
    """Open the device for as long as the process lives."""
    try:
        pin = Path(settings.CERTIFICATE_DEVICE_PIN_FILE).read_text(encoding="utf-8").strip()
        session = pkcs11.open_pkcs11_session(
            settings.CERTIFICATE_DEVICE_MODULE,
            token_criteria=TokenCriteria(label=settings.CERTIFICATE_DEVICE_TOKEN),
            user_pin=pin,
        )
        label = settings.CERTIFICATE_DEVICE_KEY
        if settings.CERTIFICATE_CERT_FILE:
            first, *others = _chain(Path(settings.CERTIFICATE_CERT_FILE))
            found = pkcs11.PKCS11Signer(session, signing_cert=first, ca_chain=others, key_label=label)
        else:
            found = pkcs11.PKCS11Signer(session, cert_label=label, key_label=label, other_certs_to_pull=None)
        asyncio.run(found.async_sign_raw(b"", HASH))  # so that a device which cannot sign says so now
    except OSError as error:
        raise KeyTrouble(f"{error.filename} cannot be read: {error.strerror}. {HOW}") from error
    except Exception as error:  # each maker's library has its own
        raise KeyTrouble(f"the PKCS#11 device does not answer as it should ({error!r}). {HOW}") from error
    return found


def _make(key_file: Path, cert_file: Path) -> None:
    """Make the site's own key and its certificate. Of two processes at once the first one's pair stays."""
    key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(key_file, pem)
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    _write(cert_file, _self_signed(key).public_bytes(serialization.Encoding.PEM))


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{settings.FIRM_NAME} certificates"[:64])])
    now = timezone.now()
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign"), False
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, content_commitment=True, encipher_only=False, decipher_only=False, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _write(path: Path, data: bytes) -> None:
    """Put a file in place whole, for the owner's eyes; one that is there already stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
