import csv
import hashlib
import io
import zipfile
from datetime import date

import pytest
import time_machine

from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from training import exports, files, services, tasks
from training.exports import Choice
from training.models import Certificate, CertificateExport

pytestmark = pytest.mark.usefixtures("draw_quickly")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def hr(make_employee):
    return make_employee(roles=("HR",), employee_no=None)


@pytest.fixture
def make_certificates(make_certificate, make_edition, make_employee):
    def make(count: int, **fields) -> list[Certificate]:
        course = make_edition(modules=1, lessons=1).course
        return [make_certificate(make_employee(**fields), course) for _ in range(count)]

    return make


def ask(hr, **choice) -> CertificateExport:
    return exports.ask(choice=Choice(**choice), by=hr)


def run(export: CertificateExport) -> CertificateExport:
    tasks.export_certificates(export.job.pk)
    return CertificateExport.objects.select_related("job").get(pk=export.pk)


def bytes_of(export: CertificateExport) -> bytes:
    with export.file.open() as content:
        return content.read()


def opened(export: CertificateExport) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(bytes_of(export)))


def test_the_zip_holds_each_certificate_under_its_serial_and_a_list(make_certificates, hr):
    made = make_certificates(3)
    export = run(ask(hr))
    archive = opened(export)
    assert archive.testzip() is None
    assert archive.namelist() == [f"{certificate.serial}.pdf" for certificate in made] + ["index.csv"]
    for certificate in made:
        certificate.refresh_from_db()
        content = archive.read(f"{certificate.serial}.pdf")
        assert hashlib.sha256(content).hexdigest() == certificate.sha256
    assert (export.count, export.job.state, export.job.done) == (3, Job.State.DONE, 3)
    assert hashlib.sha256(bytes_of(export)).hexdigest() == export.sha256


def test_no_name_of_a_person_is_a_file_name(make_certificates, hr):
    make_certificates(1, name_en="Zhao Wei")
    assert "Zhao" not in " ".join(opened(run(ask(hr))).namelist())


def test_the_list_opens_in_a_spreadsheet_and_no_cell_is_a_formula(make_certificates, hr):
    [certificate] = make_certificates(1, name_en="=HYPERLINK(1)", name_zh="林悦", employee_no="-7")
    content = opened(run(ask(hr))).read("index.csv")
    assert content.startswith(b"\xef\xbb\xbf")
    [row] = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    assert (row["name_en"], row["name_zh"], row["employee_no"]) == ("'=HYPERLINK(1)", "林悦", "'-7")
    assert (row["serial"], row["completed_on"], row["percent"]) == (certificate.serial, "2030-03-15", "100")
    certificate.refresh_from_db()
    assert row["sha256"] == certificate.sha256


def test_the_export_is_an_entry_with_choice_count_and_digest(make_certificates, hr):
    make_certificates(2)
    export = run(ask(hr, completed_from=date(2030, 3, 1)))
    entry = Entry.objects.get(verb="training.certificates_exported")
    assert entry.actor == hr.uid
    assert ledger.body_of(entry) == {
        "export": export.uid,
        "choice": {"department": None, "course": None, "completed_from": "2030-03-01", "completed_to": None},
        "count": 2,
        "sha256": export.sha256,
    }


def test_a_department_includes_everything_below_it(make_certificates, make_department, hr):
    markets = make_department("Markets")
    bonds = make_department("Bonds", parent=markets)
    desk = make_department("Desk", parent=bonds)
    other = make_department("Other")
    below = [make_certificates(1, department=d)[0] for d in (markets, bonds, desk)]
    make_certificates(1, department=other)
    assert list(exports.chosen(Choice(department=markets.pk))) == below
    assert exports.chosen(Choice(department=desk.pk)).get() == below[2]


def test_a_ring_of_departments_ends(make_department):
    one = make_department("One")
    two = make_department("Two", parent=one)
    one.parent = two
    one.save()
    assert exports.department_and_below(one.pk) == {one.pk, two.pk}


def test_a_course_chooses_its_certificates(make_certificates):
    mine, _other = make_certificates(1), make_certificates(1)
    assert list(exports.chosen(Choice(course=mine[0].completion.edition.course_id))) == mine


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [
        ("2030-03-15", "2030-03-15", True),
        ("2030-03-16", None, False),
        (None, "2030-03-14", False),
        (None, None, True),
    ],
)
def test_days_are_the_firms_days_and_both_count(make_certificates, clock, first, last, fits):
    clock.move_to("2030-03-14T16:30:00Z")  # half past midnight on the 15th in Shanghai
    make_certificates(1)
    choice = Choice(
        completed_from=date.fromisoformat(first) if first else None,
        completed_to=date.fromisoformat(last) if last else None,
    )
    assert exports.chosen(choice).exists() is fits


def test_revoked_and_replaced_certificates_are_left_out(make_certificates, hr):
    stays, revoked, replaced = make_certificates(3)
    services.revoke(certificate=revoked, reason="Why", by="system:test")
    new = services.reissue(certificate=replaced, reason="Why", by="system:test")
    assert list(exports.chosen(Choice())) == [stays, new]


def test_what_is_issued_after_the_asking_is_not_in_the_file(make_certificates, hr):
    make_certificates(1)
    export = ask(hr)
    make_certificates(1)
    assert run(export).count == 1


def test_nothing_chosen_and_too_many_are_refused(make_certificates, hr, monkeypatch):
    with pytest.raises(exports.NothingChosen):
        ask(hr)
    make_certificates(2)
    monkeypatch.setattr(exports, "MOST", 1)
    with pytest.raises(exports.TooMany) as caught:
        ask(hr)
    assert caught.value.count == 2
    assert CertificateExport.objects.count() == 0


class Killed(BaseException):
    """What a worker that is killed looks like from inside: no handler gets to run."""


@pytest.fixture
def kill(monkeypatch):
    """Let a worker take the export up with one function replaced by one that kills it."""

    def go(export: CertificateExport, name: str, deadly) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(exports, name, deadly)
            with pytest.raises(Killed):
                tasks.export_certificates(export.job.pk)

    return go


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    make_certificates, hr, monkeypatch, kill, clock, settings, at
):
    monkeypatch.setattr(exports, "STEP", 2)
    make_certificates(5)
    whole = bytes_of(run(ask(hr)))
    export, calls, step = ask(hr), [], exports.step

    def dies(job):
        """Do the work of the step number ``at``, then die before it is committed."""
        calls.append(job.pk)
        finished = step(job)
        if len(calls) == at:
            raise Killed
        return finished

    kill(export, "step", dies)
    clock.shift(300)  # the lease runs out
    export = run(export)
    assert bytes_of(export) == whole
    assert (export.count, export.job.done, export.job.state) == (5, 5, Job.State.DONE)
    assert Entry.objects.filter(verb="training.certificates_exported").count() == 2
    assert list((settings.PRIVATE_DIR / "workshop").iterdir()) == []


@pytest.mark.parametrize("change", [-700, 50_000])
def test_a_file_torn_in_a_member_or_with_rubbish_behind_it_is_mended(
    make_certificates, hr, monkeypatch, kill, clock, change
):
    monkeypatch.setattr(exports, "STEP", 2)
    make_certificates(4)
    whole = bytes_of(run(ask(hr)))
    export = ask(hr)
    add = exports._add

    def tears(stream, members):
        is_second_step = stream.tell() > 0
        add(stream, members)
        if is_second_step:
            end = stream.tell()
            stream.write(b"PK" * max(change, 0))
            stream.truncate(end + change)
            raise Killed

    kill(export, "_add", tears)
    clock.shift(300)
    assert bytes_of(run(export)) == whole


def test_another_machine_without_the_half_made_file_begins_again(make_certificates, hr, monkeypatch, kill, clock):
    monkeypatch.setattr(exports, "STEP", 2)
    make_certificates(4)
    whole = bytes_of(run(ask(hr)))
    export, step = ask(hr), exports.step

    def dies_on_the_second(job):
        if job.cursor:
            raise Killed
        return step(job)

    kill(export, "step", dies_on_the_second)
    (files.workshop() / f"{export.uid}.zip").unlink()
    clock.shift(300)
    export = run(export)
    assert bytes_of(export) == whole
    assert export.job.done == 4


def test_a_certificate_that_was_tampered_with_stops_the_export(make_certificates, hr):
    [certificate] = make_certificates(1)
    services.draw(certificate)
    with open(certificate.file.path, "ab") as stream:
        stream.write(b"!")
    export = run(ask(hr))
    assert (export.job.error, bool(export.file)) == ("Changed", False)


def test_ringing_again_for_a_finished_export_changes_nothing(make_certificates, hr):
    make_certificates(1)
    export = run(ask(hr))
    again = run(export)
    assert again.sha256 == export.sha256
    assert Entry.objects.filter(verb="training.certificates_exported").count() == 1


def test_a_list_of_ten_costs_as_many_queries_as_a_list_of_one(make_certificates, count_queries):
    serials = [certificate.serial for certificate in make_certificates(10)]
    assert count_queries(lambda: exports.index_of(serials)) == count_queries(lambda: exports.index_of(serials[:1]))
