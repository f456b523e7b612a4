"""Whoever changes a certificate in the database is told by the verification of the evidence log."""

import pytest

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from training import services
from training.models import Certificate


@pytest.fixture
def certificate(make_certificate) -> Certificate:
    return services.draw(make_certificate())


def fault() -> str | None:
    found = ledger.verify()[1]
    return found and str(found)


def test_whatever_became_of_certificates_is_no_false_alarm(certificate, make_certificate):
    services.reissue(certificate=certificate, reason="Why", by="system:test")
    services.revoke(certificate=make_certificate(), reason="Why", by="system:test")
    assert fault() is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda row: {"facts": row.facts | {"percent": 99}}, "something else than was issued"),
        (lambda row: {"facts": row.facts | {"name_en": "Somebody"}}, "something else than was issued"),
        (lambda row: {"evidence": row.evidence | {"modules": []}}, "evidence is another"),
        (lambda row: {"sha256": "0" * 64}, "file is another than was signed"),
        (lambda row: {"serial": "OC-0000-0000-0000-0000"}, "is not there"),
    ],
)
def test_a_certificate_that_was_changed_is_told(certificate, change, says):
    Certificate.objects.filter(pk=certificate.pk).update(**change(certificate))
    assert says in fault()


def test_a_revocation_that_was_undone_is_told(certificate):
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    Certificate.objects.update(revoked_at=None, revoked_for="", revoked_why="")
    assert "is not revoked" in fault()


def test_a_replacement_that_was_undone_is_told(certificate):
    services.reissue(certificate=certificate, reason="Why", by="system:test")
    Certificate.objects.filter(pk=certificate.pk).update(superseded_by=None, superseded_for="")
    assert "is not replaced" in fault()


def test_the_first_entry_that_does_not_agree_is_named(certificate, make_certificate):
    make_certificate()
    Certificate.objects.filter(pk=certificate.pk).update(sha256="0" * 64)
    signed = Entry.objects.get(verb="training.certificate_signed")
    assert ledger.verify()[1].seq == signed.seq
