"""Badges, judged by openbadgeslib, which shares no code with what signs them; and by PyJWT alone."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import OB3Verifier

from tests.training.test_signing import chain_for
from training import badges, services, signing, tasks
from training.models import Certificate, StatusList

DID = reverse("training:did_document")


@pytest.fixture(params=["p256", "rsa"])
def key(request, settings, tmp_path):
    """The site's own key, or one of the firm's that is RSA."""
    settings.DATA_DIR = tmp_path
    if request.param == "rsa":
        chain_for(rsa.generate_private_key(65537, 2048), tmp_path)
        settings.CERTIFICATE_KEY_FILE, settings.CERTIFICATE_CERT_FILE = f"{tmp_path}/key.pem", f"{tmp_path}/cert.pem"
    signing.forget()
    yield signing.certificate
    signing.forget()


@pytest.fixture
def certificate(key, make_certificate, make_employee) -> Certificate:
    return services.draw(make_certificate(make_employee(name_en="Lin Yue", name_zh="林悦")))


def fetch(url: str) -> bytes:
    """What a verifier gets when it asks the site, whose own pages answer."""
    response = Client().get(urlsplit(url).path)
    assert response.status_code == 200
    return response.content


def verifier() -> OB3Verifier:
    """Somebody who knows nothing of the issuer but its name, a did:web, and asks its document for the keys."""
    return OB3Verifier.for_issuer_did(badges.issuer_id(), download=fetch)


def test_an_independent_verifier_accepts_it_and_asks_whether_it_stands(certificate):
    found = verifier().verify(certificate.badge, check_status=True, download=fetch)
    assert found.name == found.achievement.name == certificate.facts["course"]["en"]
    assert found.issuer.name == certificate.facts["firm"]
    assert found.expiration_date.date().isoformat() == certificate.facts["valid_until"]
    assert [one.identity_hash for one in found.identifiers] == ["Lin Yue", "林悦"]
    assert [result.value for result in found.results] == ["100"]


@pytest.mark.parametrize("becomes", ["revoked", "replaced"])
def test_what_does_not_stand_any_more_is_refused(certificate, becomes):
    deed = services.revoke if becomes == "revoked" else services.reissue
    deed(certificate=certificate, reason="Why", by="system:test")
    tasks.renew_status_lists()
    verifier().verify(certificate.badge)  # its signature holds still
    with pytest.raises(LibOpenBadgesException, match="revocation"):
        verifier().verify(certificate.badge, check_status=True, download=fetch)


def test_others_in_the_list_stand_on(certificate, make_certificate):
    other = services.draw(make_certificate())
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    tasks.renew_status_lists()
    assert verifier().verify(other.badge, check_status=True, download=fetch)


def test_a_changed_badge_is_refused(certificate):
    head, body, signature = certificate.badge.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims["credentialSubject"]["identifier"][0]["identityHash"] = "Somebody Else"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    with pytest.raises(LibOpenBadgesException, match="signature"):
        verifier().verify(f"{head}.{forged}.{signature}")


def test_the_bare_signature_holds_for_pyjwt(certificate, key):
    public = (
        key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    claims = jwt.decode(certificate.badge, public, algorithms=["ES256", "RS256"])
    assert claims["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    header = jwt.get_unverified_header(certificate.badge)
    assert (header["typ"], header["kid"].split("#")[0]) == ("vc+jwt", badges.issuer_id())


def test_a_badge_says_nothing_that_the_certificate_does_not(certificate):
    body = certificate.badge.split(".")[1]
    text = base64.urlsafe_b64decode(body + "==").decode()
    person = certificate.completion.employee
    for secret in (person.email, person.uid):
        assert secret not in text


def test_the_owner_gets_it_as_a_file(certificate, sign_in):
    response = sign_in(certificate.completion.employee).get(reverse("training:badge_file", args=[certificate.serial]))
    assert response.text == certificate.badge
    assert response.headers["Content-Type"] == "application/vc+jwt"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{certificate.serial}.jwt"'


def test_badges_of_an_old_key_hold_when_another_signs(certificate, settings, tmp_path):
    folder = tmp_path / "new"
    folder.mkdir()
    chain_for(rsa.generate_private_key(65537, 2048), folder)
    settings.CERTIFICATE_KEY_FILE, settings.CERTIFICATE_CERT_FILE = f"{folder}/key.pem", f"{folder}/cert.pem"
    signing.forget()
    signing.current()
    document = json.loads(fetch(DID))
    assert len(document["verificationMethod"]) == 2
    assert verifier().verify(certificate.badge)


# --- status lists ------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.sets(st.integers(0, StatusList.SIZE - 1), max_size=40))
def test_a_list_has_a_bit_for_each_place_and_no_other(places):
    text = badges.encoded(places)
    assert text[0] == "u"
    raw = gzip.decompress(base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)))
    assert len(raw) * 8 == StatusList.SIZE
    found = {8 * at + bit for at, byte in enumerate(raw) if byte for bit in range(8) if byte & 0x80 >> bit}
    assert found == places


def test_a_list_is_made_with_the_first_certificate_in_it_and_signed_anew_when_it_must_be(certificate, make_certificate):
    row = StatusList.objects.get(number=0)
    assert badges.renew_lists() == 0
    services.draw(make_certificate())
    row.refresh_from_db()
    assert not row.is_stale
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    row.refresh_from_db()
    assert row.is_stale
    assert badges.renew_lists() == 1
    assert badges.renew_lists() == 0
    StatusList.objects.update(made_at=datetime.now(UTC) - timedelta(days=2))
    assert badges.renew_lists() == 1


def test_places_are_counted_within_their_list(certificate):
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    assert list(badges.fallen(0)) == [certificate.pk]
    assert list(badges.fallen(1)) == []


def test_a_list_that_is_not_there_is_not_found(db):
    assert Client().get(reverse("training:status_list", args=[7])).status_code == 404


def test_lists_are_rate_limited(certificate):
    visitor = Client(REMOTE_ADDR="203.0.113.77")
    url = reverse("training:status_list", args=[0])
    assert {visitor.get(url).status_code for _ in range(300)} == {200}
    assert visitor.get(url).status_code == 429
