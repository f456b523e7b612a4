"""The signature on a certificate, judged by pyHanko's validator and by poppler; the keys that make it."""

import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader

from tests.training.test_drawing import EVIDENCE, FACTS, SERIAL
from training import drawing, signing
from training.models import SigningKey

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 24, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def drawn() -> bytes:
    return drawing.certificate(SERIAL, FACTS, EVIDENCE)


@pytest.fixture
def own_key(settings, tmp_path):
    """A site that has no key yet."""
    settings.DATA_DIR = tmp_path
    signing.forget()
    yield tmp_path / "keys"
    signing.forget()


def sign(drawn: bytes) -> bytes:
    return signing.signed(drawn, firm="Harbour and Lane", at=AT)


def trusted() -> str:
    return signing.certificate().public_bytes(serialization.Encoding.PEM).decode()


def softhsm() -> str:
    """Where Debian, or Homebrew, keeps the device."""
    places = ["/usr/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"]
    return next(place for place in [*places, "/usr/local/lib/softhsm/libsofthsm2.so"] if Path(place).exists())


def verdict(pdf: bytes, trusted: str):
    """What pyHanko says of the one signature of a file, to somebody who trusts these certificates alone."""
    [signature] = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    roots = list(load_certs_from_pemder_data(trusted.encode()))
    return validate_pdf_signature(signature, ValidationContext(trust_roots=roots, moment=AT))


def holds(pdf: bytes) -> bool:
    try:
        return verdict(pdf, trusted()).bottom_line
    except (ValueError, PdfError, SignatureValidationError):  # so broken that it cannot be read
        return False


def poppler_says(pdf: bytes, folder) -> str:
    path = folder / "signed.pdf"
    path.write_bytes(pdf)
    command = ["pdfsig", "-nocert", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603


def test_pyhanko_and_poppler_judge_it_valid_and_all_of_the_file_covered(drawn, own_key, tmp_path):
    pdf = sign(drawn)
    found = verdict(pdf, trusted())
    assert (found.bottom_line, found.intact, found.trusted) == (True, True, True)
    assert found.coverage.name == "ENTIRE_FILE"
    told = poppler_says(pdf, tmp_path)
    assert "Signature is Valid" in told
    assert "Total document signed" in told
    assert "ETSI.CAdES.detached" in told


def test_whoever_trusts_another_key_does_not_trust_it(drawn, own_key):
    stranger = signing._self_signed(ec.generate_private_key(ec.SECP256R1()))
    pem = stranger.public_bytes(serialization.Encoding.PEM).decode()
    found = verdict(sign(drawn), pem)
    assert (found.bottom_line, found.intact, found.trusted) == (False, True, False)


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9, 0.985])
def test_one_changed_byte_is_told_by_both(drawn, own_key, tmp_path, place):
    pdf = bytearray(sign(drawn))
    at = int(len(pdf) * place)
    begin = pdf.index(b"/Contents <30")
    if begin <= at <= begin + signing._room() + 12:
        at = begin - 40
    pdf[at] ^= 1
    assert "Signature is Valid" not in poppler_says(bytes(pdf), tmp_path)
    assert not holds(bytes(pdf))


def test_something_added_behind_the_signature_is_told(drawn, own_key):
    from pyhanko.pdf_utils import generic
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    writer = IncrementalPdfFileWriter(io.BytesIO(sign(drawn)))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(generic.StreamObject(stream_data=b"BT ET"))
    writer.update_container(page)
    out = io.BytesIO()
    writer.write(out)
    assert not verdict(out.getvalue(), trusted()).bottom_line


def test_the_drawing_lies_unchanged_at_the_beginning_of_the_signed_file(drawn, own_key):
    assert sign(drawn).startswith(drawn)
    assert sign(drawn) != sign(drawn)  # of a curve, each signature is another one


def test_the_seal_is_seen_named_and_tagged(drawn, own_key):
    found = PdfReader(io.BytesIO(sign(drawn)))
    [seal] = [one.get_object() for one in found.pages[0]["/Annots"]]
    assert (seal["/FT"], seal["/T"], seal["/TU"]) == ("/Sig", "Seal", "Electronic seal of Harbour and Lane")
    assert seal["/F"] & 4  # printed
    assert seal["/AP"]["/N"].get_data().startswith(b"q\n")
    tree = found.trailer["/Root"]["/StructTreeRoot"]
    numbers = tree["/ParentTree"]["/Nums"]
    element = numbers[numbers.index(seal["/StructParent"]) + 1].get_object()
    assert element["/S"] == "/Form"
    assert element["/K"]["/Obj"].get_object()["/T"] == "Seal"
    document = tree["/K"][0].get_object() if isinstance(tree["/K"], list) else tree["/K"]
    assert document["/K"][-1].get_object() == element
    assert tree["/ParentTreeNextKey"] == seal["/StructParent"] + 1


def test_it_still_says_of_itself_what_it_said_before(drawn, own_key):
    def said(pdf: bytes) -> bytes:
        return PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Metadata"].get_data()

    assert said(sign(drawn)) == said(drawn)


def test_a_signed_file_takes_at_most_sixty_kilobytes(drawn, own_key):
    assert len(sign(drawn)) <= 60_000


# --- keys --------------------------------------------------------------------------------------------------------


def chain_for(key, tmp_path, days: int = 400):
    """A key of the firm's with a certificate by an authority: what a firm puts into the two files."""
    authority = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def build(subject: str, public, is_authority: bool) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("Authority"))
        builder = builder.public_key(public).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC)).not_valid_after(now + timedelta(days=days))
        builder = builder.add_extension(x509.BasicConstraints(is_authority, None), critical=True)
        usage = dict.fromkeys(("key_encipherment", "data_encipherment", "key_agreement"), False)
        usage |= dict.fromkeys(("encipher_only", "decipher_only"), False)
        usage |= dict.fromkeys(("digital_signature", "content_commitment"), not is_authority)
        usage |= dict.fromkeys(("key_cert_sign", "crl_sign"), is_authority)
        return builder.add_extension(x509.KeyUsage(**usage), critical=True).sign(authority, hashes.SHA256())

    own, root = build("Firm", key.public_key(), False), build("Authority", authority.public_key(), True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "key.pem").chmod(0o400)
    pem = [one.public_bytes(serialization.Encoding.PEM) for one in (own, root)]
    (tmp_path / "cert.pem").write_bytes(b"".join(pem))
    return pem[1].decode()


@pytest.fixture
def firms_files(settings, tmp_path):
    settings.CERTIFICATE_KEY_FILE, settings.CERTIFICATE_CERT_FILE = f"{tmp_path}/key.pem", f"{tmp_path}/cert.pem"
    signing.forget()
    yield tmp_path
    signing.forget()


@pytest.mark.parametrize("kind", ["rsa", "p256"])
def test_a_firms_own_key_signs_under_its_authority(drawn, firms_files, kind):
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    root = chain_for(key, firms_files)
    pdf = sign(drawn)
    assert verdict(pdf, root).bottom_line
    assert "Signature is Valid" in poppler_says(pdf, firms_files)


def test_a_key_of_ones_own_is_made_once_for_the_owner_alone(own_key):
    first = signing.certificate()
    signing.forget()
    assert signing.certificate() == first
    assert {path.stat().st_mode & 0o777 for path in own_key.iterdir()} == {0o400}


def test_a_key_that_others_can_read_is_refused(firms_files):
    chain_for(ec.generate_private_key(ec.SECP256R1()), firms_files)
    (firms_files / "key.pem").chmod(0o440)
    with pytest.raises(signing.KeyTrouble, match="read by others"):
        signing.signer()


def test_a_certificate_of_another_key_is_refused(firms_files):
    chain_for(ec.generate_private_key(ec.SECP256R1()), firms_files)
    (firms_files / "key.pem").chmod(0o600)
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (firms_files / "key.pem").write_bytes(pem)
    with pytest.raises(signing.KeyTrouble, match="does not begin with the certificate"):
        signing.signer()


@pytest.mark.parametrize("missing", ["key.pem", "cert.pem"])
def test_a_file_that_is_not_there_is_named(firms_files, missing):
    chain_for(ec.generate_private_key(ec.SECP256R1()), firms_files)
    (firms_files / missing).unlink()
    with pytest.raises(signing.KeyTrouble, match=missing):
        signing.signer()


def test_every_key_that_signed_is_kept_for_those_who_check_later(db, own_key, firms_files, settings):
    settings.CERTIFICATE_KEY_FILE = ""
    old = signing.current()
    settings.CERTIFICATE_KEY_FILE = f"{firms_files}/key.pem"
    root = chain_for(ec.generate_private_key(ec.SECP256R1()), firms_files)
    signing.forget()
    new = signing.current()
    assert [key.fingerprint for key in SigningKey.objects.all()] == [old.fingerprint, new.fingerprint]
    assert root.strip() in new.pem


# --- a device ----------------------------------------------------------------------------------------------------

SIGN = """
import sys
from datetime import UTC, datetime
from training import signing
pdf = sys.stdin.buffer.read()
try:
    out = signing.signed(pdf, firm="Harbour and Lane", at=datetime(2026, 11, 24, 4, tzinfo=UTC))
except signing.KeyTrouble as trouble:
    sys.exit(str(trouble))
sys.stdout.buffer.write(out)
"""


@pytest.fixture
def device(tmp_path) -> dict[str, str]:
    """The environment of a site whose key lies in a device: SoftHSM, which speaks PKCS#11 as the real ones do."""
    config = tmp_path / "softhsm2.conf"
    (tmp_path / "tokens").mkdir()
    config.write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    env = os.environ | {"SOFTHSM2_CONF": str(config)}
    chain_for(rsa.generate_private_key(65537, 2048), tmp_path)
    made = ["--init-token", "--free", "--label", "firm", "--so-pin", "5678"]
    filled = ["--import", f"{tmp_path}/key.pem", "--token", "firm", "--label", "seal", "--id", "01"]
    for deed in (made, filled):
        run = ["softhsm2-util", *deed, "--pin", "1234"]
        subprocess.run(run, env=env, check=True, capture_output=True)  # noqa: S603
    (tmp_path / "key.pem").unlink()
    (tmp_path / "pin").write_text("1234\n")
    return env | {
        "CERTIFICATE_DEVICE_MODULE": softhsm(),
        "CERTIFICATE_DEVICE_TOKEN": "firm",
        "CERTIFICATE_DEVICE_KEY": "seal",
        "CERTIFICATE_DEVICE_PIN_FILE": f"{tmp_path}/pin",
        "CERTIFICATE_CERT_FILE": f"{tmp_path}/cert.pem",
    }


def sign_elsewhere(drawn: bytes, env: dict[str, str]) -> subprocess.CompletedProcess:
    """In a process of its own: the library of a device is loaded once a process."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", SIGN]
    return subprocess.run(command, input=drawn, env=env, cwd=ROOT, capture_output=True, check=False)  # noqa: S603


def test_a_key_in_a_device_signs_and_need_not_lie_in_a_file(drawn, device, tmp_path):
    done = sign_elsewhere(drawn, device)
    assert done.returncode == 0, done.stderr.decode()
    root = x509.load_pem_x509_certificates((tmp_path / "cert.pem").read_bytes())[1]
    assert verdict(done.stdout, root.public_bytes(serialization.Encoding.PEM).decode()).bottom_line
    assert "Signature is Valid" in poppler_says(done.stdout, tmp_path)


@pytest.mark.parametrize("wrong", ["TOKEN", "KEY", "MODULE"])
def test_a_device_that_does_not_answer_is_told_as_trouble_with_the_key(drawn, device, wrong):
    done = sign_elsewhere(drawn, device | {f"CERTIFICATE_DEVICE_{wrong}": "/nowhere"})
    assert done.returncode == 1
    assert b"does not answer as it should" in done.stderr
