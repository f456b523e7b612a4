import hashlib
import io
import re
from datetime import date, timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from pypdf import PdfReader
from weasyprint.urls import FatalURLFetchingError

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from training import certificates, pdf, services, tasks
from training.models import Certificate
from training.rules import Validity

FACTS = {
    "name_en": "Lin Yue",
    "name_zh": "林悦",
    "employee_no": "100482",
    "department": {"en": "Fixed Income", "zh-hans": "固定收益部"},
    "office": {"en": "Shanghai", "zh-hans": "上海"},
    "firm": "Harbour and Lane",
    "course": {"en": "WeChat archiving compliance"},
    "edition": 3,
    "modules": 6,
    "percent": 92,
    "study_seconds": 5640,
    "completed_on": "2026-11-23",
    "valid_until": "2027-11-22",
}
SERIAL = "OC-7F3K-92QD-0ZXM-4TWB"


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture(scope="module")
def drawn() -> PdfReader:
    return PdfReader(io.BytesIO(pdf.certificate(SERIAL, FACTS)))


# --- what is printed ---------------------------------------------------------------------------------------------


def test_a_certificate_prints_both_names_and_every_fact(drawn):
    [page] = drawn.pages
    text = page.extract_text()
    wanted = [
        "Lin Yue", "林悦", "100482", "Fixed Income", "固定收益部", "上海", "WeChat archiving compliance",
        "23 November 2026", "2027年11月22日", "92%", "1 h 34 min", SERIAL, "Harbour and Lane",
    ]  # fmt: skip
    assert [fact for fact in wanted if fact not in text] == []


def test_every_sign_has_a_glyph(drawn):
    """Glyph 0 is the box that stands for a sign which no font has."""
    content = drawn.pages[0].get_contents().get_data().decode("latin-1")
    shown = re.findall(r"<([0-9a-f]+)>", content)
    glyphs = [code[i : i + 4] for code in shown for i in range(0, len(code), 4)]
    assert len(glyphs) > 200
    assert "0000" not in glyphs


def test_a_certificate_is_one_landscape_page_tagged_for_readers(drawn):
    box = drawn.pages[0].mediabox
    assert (round(box.width), round(box.height)) == (842, 595)
    assert drawn.metadata.title == f"Certificate of completion {SERIAL}"
    assert drawn.metadata.author == "Harbour and Lane"
    assert drawn.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert drawn.trailer["/Root"]["/Lang"] == "en"
    assert b"pdfuaid" in drawn.trailer["/Root"]["/Metadata"].get_data()


def test_the_same_facts_give_the_same_bytes():
    assert pdf.certificate(SERIAL, FACTS) == pdf.certificate(SERIAL, FACTS)


def test_markup_in_a_name_is_printed_and_not_obeyed():
    facts = FACTS | {"name_en": '<img src="file:///etc/passwd"><b>Bo'}
    text = PdfReader(io.BytesIO(pdf.certificate(SERIAL, facts))).pages[0].extract_text()
    assert '<img src="file' in text.replace("\n", "")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "http://localhost/",
        "http:certificate.css",
        "data:text/css,",
        "asset:../pdf.py",
        "asset:/etc/passwd",
        "FILE:x",
    ],
)
def test_nothing_outside_the_print_folder_is_fetched(url):
    with pytest.raises((ValueError, OSError)):
        pdf.AssetFetcher({}).fetch(url)


def test_what_cannot_be_fetched_is_an_ordinary_error(monkeypatch):
    monkeypatch.setattr(pdf, "render_to_string", lambda *args: '<link rel=stylesheet href="file:///etc/passwd">')
    with pytest.raises(pdf.CouldNotDraw) as caught:
        pdf.certificate(SERIAL, FACTS)
    assert isinstance(caught.value.__cause__, FatalURLFetchingError)


@pytest.mark.parametrize(
    ("name_en", "name_zh", "size"),
    [("Lin Yue", "林悦", "short"), ("Muhammad Abdurrahman bin Ali", "", "long"), ("x" * 53, "", "longest")],
)
def test_a_long_name_is_set_smaller(name_en, name_zh, size):
    assert pdf.name_size(name_en, name_zh) == size


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
    assert (entry.subject, ledger.body_of(entry)) == (employee.uid, {"serial": certificate.serial, "facts": facts})


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


@pytest.mark.usefixtures("draw_quickly")
def test_what_is_drawn_is_not_drawn_again(make_certificate, monkeypatch):
    certificate = services.draw(make_certificate())
    before = certificate.sha256
    monkeypatch.setattr("training.pdf.certificate", lambda serial, facts: pytest.fail("drawn again"))
    assert services.draw(certificate).sha256 == before


def test_of_two_workers_that_draw_at_once_the_first_file_stays(make_certificate, monkeypatch, settings):
    certificate, drawings = make_certificate(), []

    def draw_while_another_draws(serial, facts) -> bytes:
        drawings.append(serial)
        if len(drawings) == 1:
            services.draw(Certificate.objects.get(pk=certificate.pk))
            return b"the slower one"
        return b"the faster one"

    monkeypatch.setattr("training.pdf.certificate", draw_while_another_draws)
    assert services.draw(certificate).sha256 == hashlib.sha256(b"the faster one").hexdigest()
    with certificate.file.open() as content:
        assert content.read() == b"the faster one"
    assert list((settings.PRIVATE_DIR / "workshop").iterdir()) == []


def test_what_could_not_be_drawn_leaves_no_file_and_is_tried_again(make_certificate, monkeypatch, settings):
    certificate = make_certificate()
    job = Job.objects.get(kind=certificates.RENDER)

    def fail(serial, facts):
        raise pdf.CouldNotDraw("no font")

    with monkeypatch.context() as patch:
        patch.setattr("training.pdf.certificate", fail)
        tasks.render_certificate(job.pk)
    job.refresh_from_db()
    certificate.refresh_from_db()
    assert (job.state, job.error, bool(certificate.file)) == (Job.State.WAITING, "CouldNotDraw", False)
    assert list((settings.PRIVATE_DIR / "workshop").iterdir()) == []
    monkeypatch.setattr("training.pdf.certificate", lambda serial, facts: b"%PDF")
    with time_machine.travel("2030-03-15T05:00:00Z", tick=False):
        tasks.render_certificate(job.pk)
    certificate.refresh_from_db()
    assert certificate.file.name == f"certificates/{certificate.serial}.pdf"


@pytest.mark.usefixtures("draw_quickly")
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
    assert body == {"serial": certificate.serial, "reason": "Taken by somebody else"}


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
