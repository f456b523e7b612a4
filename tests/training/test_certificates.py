import hashlib
import json
import re
from datetime import date, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from training import certificates, drawing, evidence, services, tasks
from training.models import Certificate, SigningKey
from training.rules import Validity


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


# --- issued, drawn -----------------------------------------------------------------------------------------------


def test_a_certificate_is_issued_with_frozen_facts_and_its_entry(make_certificate, make_employee, make_department):
    department = make_department("Fixed Income", name_zh="固定收益部")
    employee = make_employee(name_en="Lin Yue", name_zh="林悦", employee_no="100482", department=department)
    certificate = make_certificate(employee)
    employee.name_en = "Lin Yue-Chen"
    employee.save()
    certificate.refresh_from_db()
    facts = certificate.facts
    assert (facts["name_en"], facts["name_zh"], facts["percent"], facts["modules"]) == ("Lin Yue", "林悦", 100, 2)
    assert (facts["completed_on"], facts["valid_until"]) == ("2030-03-15", "2031-03-14")
    entry = Entry.objects.get(verb="training.certificate_issued")
    attached = evidence.attached(certificate.serial, facts, certificate.evidence)
    body = {"serial": certificate.serial, "facts": facts, "evidence": hashlib.sha256(attached).hexdigest()}
    assert (entry.subject, ledger.body_of(entry)) == (employee.uid, body)


def test_a_serial_has_eighty_random_bits(make_certificate):
    one, other = make_certificate().serial, make_certificate().serial
    assert re.fullmatch(r"OC(-[0-9A-HJKMNP-TV-Z]{4}){4}", one)
    assert one != other


def test_issuing_twice_is_one_certificate(make_certificate):
    certificate = make_certificate()
    assert services.issue(completion=certificate.completion, by="system:test") == certificate


def test_the_worker_draws_the_file_and_keeps_its_hash(make_certificate, settings):
    certificate = make_certificate()
    job = Job.objects.get(kind=certificates.RENDER)
    assert (job.key, job.started_by) == (certificate.serial, certificate.completion.employee)
    tasks.render_certificate(job.pk)
    certificate.refresh_from_db()
    job.refresh_from_db()
    with certificate.file.open() as content:
        data = content.read()
    assert data.startswith(b"%PDF-1.7")
    assert hashlib.sha256(data).hexdigest() == certificate.sha256 == job.result["sha256"]
    assert (job.state, job.done) == (Job.State.DONE, 1)
    assert list((settings.PRIVATE_DIR / "workshop").iterdir()) == []


def test_what_is_drawn_is_not_drawn_again(make_certificate, monkeypatch):
    certificate = services.draw(make_certificate())
    before = certificate.sha256
    monkeypatch.setattr("training.drawing.certificate", lambda *args: pytest.fail("drawn again"))
    assert services.draw(certificate).sha256 == before


def test_the_evidence_says_how_the_completion_came_about_and_where_the_log_knows_it(make_certificate):
    seal = ledger.seal()
    certificate = make_certificate()
    shown = certificate.evidence
    completion = certificate.completion
    edition = completion.edition
    assert shown["course"] == {
        "slug": edition.course.slug, "edition": 1, "fingerprint": edition.fingerprint,
    }  # fmt: skip
    assert [module["slug"] for module in shown["modules"]] == ["module-1", "module-2"]
    assert {module["percent"] for module in shown["modules"]} == {100}
    entry = Entry.objects.get(verb="training.completed", subject=completion.employee.uid)
    assert shown["log"]["entry"] == {"seq": entry.seq, "digest": bytes(entry.digest).hex()}
    assert shown["log"]["seal"]["size"] == seal.size
    assert "answer" not in json.dumps(shown)


def test_what_was_signed_is_an_entry_with_its_digest_and_its_key(make_certificate):
    certificate = services.draw(make_certificate())
    entry = Entry.objects.get(verb="training.certificate_signed")
    assert entry.subject == certificate.completion.employee.uid
    key = SigningKey.objects.get()
    assert ledger.body_of(entry) == {
        "serial": certificate.serial, "sha256": certificate.sha256, "key": key.fingerprint,
    }  # fmt: skip
    assert Entry.objects.filter(verb="training.signing_key_begun").count() == 1
    services.draw(make_certificate())
    assert Entry.objects.filter(verb="training.signing_key_begun").count() == 1


def test_of_two_workers_that_draw_at_once_the_first_file_stays(make_certificate, monkeypatch, settings):
    certificate, drawings = make_certificate(), []

    def sign_while_another_signs(pdf, *, firm, at) -> bytes:
        drawings.append(pdf)
        if len(drawings) == 1:
            services.draw(Certificate.objects.get(pk=certificate.pk))
            return b"the slower one"
        return b"the faster one"

    monkeypatch.setattr("training.signing.signed", sign_while_another_signs)
    assert services.draw(certificate).sha256 == hashlib.sha256(b"the faster one").hexdigest()
    with certificate.file.open() as content:
        assert content.read() == b"the faster one"
    assert list((settings.PRIVATE_DIR / "workshop").iterdir()) == []


def test_what_could_not_be_drawn_leaves_no_file_and_is_tried_again(make_certificate, monkeypatch, settings):
    certificate = make_certificate()
    job = Job.objects.get(kind=certificates.RENDER)

    def fail(serial, facts, evidence):
        raise drawing.CouldNotDraw("no font")

    with monkeypatch.context() as patch:
        patch.setattr("training.drawing.certificate", fail)
        tasks.render_certificate(job.pk)
    job.refresh_from_db()
    certificate.refresh_from_db()
    assert (job.state, job.error, bool(certificate.file)) == (Job.State.WAITING, "CouldNotDraw", False)
    assert list(settings.PRIVATE_DIR.glob("workshop/*")) == []
    with time_machine.travel("2030-03-15T05:00:00Z", tick=False):
        tasks.render_certificate(job.pk)
    certificate.refresh_from_db()
    assert certificate.file.name == f"certificates/{certificate.serial}.pdf"


def test_a_job_whose_worker_drew_but_died_before_its_step_ends_well(make_certificate):
    certificate = make_certificate()
    job = Job.objects.get(kind=certificates.RENDER)
    certificates.draw_ahead(job)
    jobs.work(job.pk, certificates.draw_step)
    job.refresh_from_db()
    certificate.refresh_from_db()
    assert job.result["sha256"] == certificate.sha256


# --- validity ----------------------------------------------------------------------------------------------------


def test_a_certificate_is_valid_to_the_end_of_its_last_day(make_certificate):
    certificate = make_certificate()
    last_day = date(2031, 3, 14)
    assert certificates.validity(certificate, last_day) == Validity.VALID
    assert certificates.validity(certificate, last_day + timedelta(days=1)) == Validity.LAPSED


def test_a_revocation_adds_a_date_and_a_reason_and_changes_no_fact(make_certificate):
    certificate = make_certificate()
    facts = certificate.facts
    revoked = services.revoke(certificate=certificate, reason="Taken by somebody else", by="system:test")
    revoked.refresh_from_db()
    assert certificates.validity(revoked, date(2030, 3, 15)) == Validity.REVOKED
    assert (revoked.facts, revoked.revoked_why) == (facts, "Taken by somebody else")
    body = ledger.body_of(Entry.objects.get(verb="training.certificate_revoked"))
    assert body == {"serial": certificate.serial, "kind": "withdrawn", "reason": "Taken by somebody else"}


def test_a_revocation_needs_a_reason_and_happens_once(make_certificate):
    certificate = make_certificate()
    with pytest.raises(services.NoReason):
        services.revoke(certificate=certificate, reason="  ", by="system:test")
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    with pytest.raises(services.AlreadyRevoked):
        services.revoke(certificate=certificate, reason="Another", by="system:test")
    assert Entry.objects.filter(verb="training.certificate_revoked").count() == 1


def test_the_database_refuses_a_revocation_without_a_reason(make_certificate):
    certificate = make_certificate()
    with pytest.raises(IntegrityError):
        Certificate.objects.filter(pk=certificate.pk).update(revoked_at="2030-03-15T00:00Z")


def test_a_replacement_has_the_names_of_today_and_the_old_serial_says_so(make_certificate):
    old = make_certificate()
    employee = old.completion.employee
    employee.name_en = "Corrected Name"
    employee.save()
    new = services.reissue(certificate=old, reason="The name was misspelt", by="system:test")
    old.refresh_from_db()
    assert new.serial != old.serial
    assert new.facts["name_en"] == "Corrected Name"
    assert old.facts["name_en"] != "Corrected Name"
    assert certificates.validity(old, date(2030, 3, 15)) == Validity.SUPERSEDED
    assert services.reissue(certificate=old, reason="Again", by="system:test") == new
    assert services.issue(completion=old.completion, by="system:test") == new
    body = ledger.body_of(Entry.objects.get(verb="training.certificate_replaced"))
    assert (body["serial"], body["replaced_by"]) == (old.serial, new.serial)


def test_nobody_decides_about_a_certificate_of_their_own(make_certificate):
    certificate = make_certificate()
    own = certificate.completion.employee.uid
    for deed in (services.revoke, services.reissue):
        with pytest.raises(services.NotOnesOwn):
            deed(certificate=certificate, reason="It suits me", by=own)
    certificate.refresh_from_db()
    assert (certificate.revoked_at, certificate.superseded_by) == (None, None)


def test_what_was_issued_is_not_rewritten_by_what_becomes_of_it(make_certificate):
    old = services.draw(make_certificate())
    with old.file.open() as content:
        issued = content.read()
    new = services.draw(services.reissue(certificate=old, reason="New name", by="system:test"))
    services.revoke(certificate=new, reason="Why", by="system:test")
    old.refresh_from_db()
    with old.file.open() as content:
        assert content.read() == issued
    assert hashlib.sha256(issued).hexdigest() == old.sha256
    assert new.file.name != old.file.name


@pytest.mark.parametrize("validity", Validity)
def test_what_the_database_calls_valid_is_what_the_rules_call_valid(make_certificate, validity):
    today = date(2030, 6, 1)
    rows = [make_certificate() for _ in range(4)]
    services.revoke(certificate=rows[0], reason="Why", by="system:test")
    services.reissue(certificate=rows[1], reason="Why", by="system:test")
    completion = rows[2].completion
    completion.expires_on = date(2030, 5, 31)
    completion.save()
    rows[2].facts |= {"valid_until": "2030-05-31"}
    rows[2].save()
    found = set(Certificate.objects.worth(validity, today))
    assert found == {row for row in Certificate.objects.all() if certificates.validity(row, today) == validity}
    assert found


def test_the_command_revokes_whatever_way_the_serial_is_typed(make_certificate, capsys):
    certificate = make_certificate()
    call_command("revoke_certificate", certificate.serial.lower().replace("-", " "), reason="Left out a quiz")
    certificate.refresh_from_db()
    assert certificate.revoked_why == "Left out a quiz"
    assert "is revoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "says"), [("revoke_certificate", "revoked"), ("reissue_certificate", "not replaced")]
)
def test_a_command_says_what_is_wrong(make_certificate, command, says):
    certificate = make_certificate()
    with pytest.raises(CommandError, match="No certificate has the serial"):
        call_command(command, "OC-0000-0000-0000-0000", reason="Why")
    with pytest.raises(CommandError, match="empty"):
        call_command(command, certificate.serial, reason=" ")
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    with pytest.raises(CommandError, match=says):
        call_command(command, certificate.serial, reason="Why")


def test_the_command_replaces(make_certificate, capsys):
    old = make_certificate()
    call_command("reissue_certificate", old.serial, reason="New department")
    old.refresh_from_db()
    assert old.superseded_by.serial in capsys.readouterr().out
