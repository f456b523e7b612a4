import csv
import hashlib
import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
import time_machine

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import keys, notes
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from training import drawing, exports, files, services, tasks
from training.exports import Choice
from training.models import Certificate, CertificateExport


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


def bytes_of(export: CertificateExport) -> list[bytes]:
    """The parts of an export, in their order."""
    found = []
    for part in export.parts.order_by("number"):
        with part.file.open() as content:
            found.append(content.read())
    return found


def opened(export: CertificateExport) -> zipfile.ZipFile:
    """An export that came in one part."""
    [whole] = bytes_of(export)
    return zipfile.ZipFile(io.BytesIO(whole))


def without_names_of_the_export(parts: list[bytes]) -> list[dict[str, bytes]]:
    """What lies in the parts, less the manifests: they name the export."""
    archives = [zipfile.ZipFile(io.BytesIO(part)) for part in parts]
    return [{name: one.read(name) for name in one.namelist() if name != "manifest.txt"} for one in archives]


def test_the_zip_holds_each_certificate_under_its_serial_and_a_list(make_certificates, hr):
    made = make_certificates(3)
    export = run(ask(hr))
    archive = opened(export)
    assert archive.testzip() is None
    files_of_each = [f"{certificate.serial}.{kind}" for certificate in made for kind in ("pdf", "jwt")]
    assert archive.namelist() == [*files_of_each, "index.csv", "manifest.txt"]
    for certificate in made:
        certificate.refresh_from_db()
        content = archive.read(f"{certificate.serial}.pdf")
        assert hashlib.sha256(content).hexdigest() == certificate.sha256
        assert archive.read(f"{certificate.serial}.jwt").decode() == certificate.badge
    assert (export.count, export.job.state, export.job.done) == (3, Job.State.DONE, 3)
    [part] = export.parts.all()
    [whole] = bytes_of(export)
    assert (hashlib.sha256(whole).hexdigest(), len(whole), 3) == (part.sha256, part.size, part.count)


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


def test_the_export_is_an_entry_with_choice_count_and_digests(make_certificates, hr):
    make_certificates(2)
    export = run(ask(hr, completed_from=date(2030, 3, 1)))
    entry = Entry.objects.get(verb="training.certificates_exported")
    assert entry.actor == hr.uid
    [part] = export.parts.all()
    assert ledger.body_of(entry) == {
        "export": export.uid,
        "choice": {
            "department": None, "office": None, "course": None, "completed_from": "2030-03-01", "completed_to": None,
            "state": "standing", "as_of": "2030-03-15",
        },
        "count": 2,
        "parts": [{"number": 1, "count": 2, "size": part.size, "sha256": part.sha256}],
        "left_out": {},
    }  # fmt: skip


def test_the_manifest_is_signed_by_the_log_and_names_every_file_with_its_digest(make_certificates, hr):
    ledger.seal()
    make_certificates(2)
    export = run(ask(hr))
    archive = opened(export)
    text, signed_by = notes.opened(archive.read("manifest.txt").decode(), keys.public_keys())
    assert signed_by == keys.public_keys()
    head, lines = text.splitlines()[:5], text.splitlines()[5:]
    assert head == [
        "onchannel certificates/1",
        f"export {export.uid}",
        "asked 2030-03-15T04:00:00Z",
        "part 1",
        f"before {'0' * 64}",
    ]
    named = {name: (digest, int(size)) for digest, size, name in (line.split("  ") for line in lines)}
    found = {name: archive.read(name) for name in archive.namelist() if name != "manifest.txt"}
    assert named == {name: (hashlib.sha256(data).hexdigest(), len(data)) for name, data in found.items()}


def test_what_is_too_large_for_one_zip_comes_in_several_each_whole_and_each_small_enough(
    make_certificates, hr, settings
):
    made = make_certificates(5)
    settings.EXPORT_PART_BYTES = 125_000  # two certificates
    export = run(ask(hr))
    parts = bytes_of(export)
    assert [part.count for part in export.parts.all()] == [2, 2, 1]
    assert all(len(part) <= settings.EXPORT_PART_BYTES for part in parts)
    archives = [zipfile.ZipFile(io.BytesIO(part)) for part in parts]
    serials = [name.removesuffix(".pdf") for one in archives for name in one.namelist() if name.endswith(".pdf")]
    assert serials == [certificate.serial for certificate in made]
    for archive in archives:
        index = csv.DictReader(io.StringIO(archive.read("index.csv").decode("utf-8-sig")))
        assert {row["file"] for row in index} == {name for name in archive.namelist() if name.endswith(".pdf")}
    before = [one.read("manifest.txt").decode().splitlines()[4] for one in archives]
    assert before == [f"before {digest}" for digest in ["0" * 64, *export.parts.values_list("sha256", flat=True)[:2]]]
    assert (export.count, export.job.done) == (5, 5)


def test_one_certificate_larger_than_a_part_is_a_part_of_its_own(make_certificates, hr, settings):
    make_certificates(2)
    settings.EXPORT_PART_BYTES = 10
    assert [part.count for part in run(ask(hr)).parts.all()] == [1, 1]


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


def test_an_office_chooses_its_people(make_certificates, make_office):
    office = make_office("Shanghai")
    mine, _other = make_certificates(1, office=office), make_certificates(1)
    assert list(exports.chosen(Choice(office=office.pk))) == mine


def test_states_choose_what_is_so_today(make_certificates, hr):
    stays, revoked, replaced, lapsed = make_certificates(4)
    services.revoke(certificate=revoked, reason="Why", by="system:test")
    new = services.reissue(certificate=replaced, reason="Why", by="system:test")
    lapsed.completion.expires_on = date(2030, 3, 14)
    lapsed.completion.save()
    assert list(exports.chosen(Choice())) == [stays, lapsed, new]
    assert list(exports.chosen(Choice(state="valid"))) == [stays, new]
    assert list(exports.chosen(Choice(state="lapsed"))) == [lapsed]
    assert list(exports.chosen(Choice(state="revoked"))) == [revoked]
    assert list(exports.chosen(Choice(state="superseded"))) == [replaced]
    assert exports.chosen(Choice(state="every")).count() == 5


def test_what_was_valid_on_the_day_of_asking_is_packed_though_the_worker_comes_a_day_later(
    make_certificates, hr, clock
):
    [certificate] = make_certificates(1)
    certificate.completion.expires_on = date(2030, 3, 15)
    certificate.completion.save()
    export = ask(hr, state="valid")
    clock.shift(86_400)
    assert run(export).count == 1


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


@pytest.mark.parametrize("at", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("part_bytes", [125_000, 10**9])
def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    make_certificates, hr, monkeypatch, kill, clock, settings, at, part_bytes
):
    settings.EXPORT_PART_BYTES = part_bytes
    monkeypatch.setattr(exports, "STEP", 2)
    make_certificates(5)
    whole = without_names_of_the_export(bytes_of(run(ask(hr))))
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
    assert without_names_of_the_export(bytes_of(export)) == whole
    assert (export.count, export.job.done, export.job.state) == (5, 5, Job.State.DONE)
    assert Entry.objects.filter(verb="training.certificates_exported").count() == 2
    assert list((settings.PRIVATE_DIR / "workshop").iterdir()) == []


@pytest.mark.parametrize("change", [-700, 50_000])
def test_a_file_torn_in_a_member_or_with_rubbish_behind_it_is_mended(
    make_certificates, hr, monkeypatch, kill, clock, change
):
    monkeypatch.setattr(exports, "STEP", 2)
    make_certificates(4)
    whole = without_names_of_the_export(bytes_of(run(ask(hr))))
    export = ask(hr)
    add = exports._add

    def tears(stream, members, export, cursor):
        is_second_step = stream.tell() > 0
        added = add(stream, members, export, cursor)
        if is_second_step:
            end = stream.tell()
            stream.write(b"PK" * max(change, 0))
            stream.truncate(end + change)
            raise Killed
        return added

    kill(export, "_add", tears)
    clock.shift(300)
    assert without_names_of_the_export(bytes_of(run(export))) == whole


def test_another_machine_without_the_half_made_file_begins_again(make_certificates, hr, monkeypatch, kill, clock):
    monkeypatch.setattr(exports, "STEP", 2)
    make_certificates(4)
    whole = without_names_of_the_export(bytes_of(run(ask(hr))))
    export, step = ask(hr), exports.step

    def dies_on_the_second(job):
        if job.cursor:
            raise Killed
        return step(job)

    kill(export, "step", dies_on_the_second)
    (files.workshop() / f"{export.uid}.zip").unlink()
    clock.shift(300)
    export = run(export)
    assert without_names_of_the_export(bytes_of(export)) == whole
    assert export.job.done == 4


def test_what_cannot_be_packed_is_left_out_with_its_reason_and_the_others_go_on(make_certificates, hr, monkeypatch):
    changed, gone, undrawn, *good = made = make_certificates(5)
    for one in (changed, gone, *good):
        services.draw(one)
    with open(changed.file.path, "ab") as stream:
        stream.write(b"!")
    Path(gone.file.path).unlink()
    monkeypatch.setattr(drawing, "certificate", cannot)
    export = run(ask(hr))
    assert (export.job.state, export.job.done, export.count) == (Job.State.DONE, 5, 2)
    why = {changed.serial: "changed", gone.serial: "gone", undrawn.serial: "undrawn"}
    assert ledger.body_of(Entry.objects.get(verb="training.certificates_exported"))["left_out"] == why
    archive = opened(export)
    pdfs = [name for name in archive.namelist() if name.endswith(".pdf")]
    assert pdfs == [f"{one.serial}.pdf" for one in good]
    index = {row["serial"]: row for row in csv.DictReader(io.StringIO(archive.read("index.csv").decode("utf-8-sig")))}
    assert index.keys() == {one.serial for one in made}
    assert {serial: row["left_out"] for serial, row in index.items() if row["left_out"]} == why
    assert all((row["file"] == "") is (serial in why) for serial, row in index.items())


def cannot(*_told):
    raise drawing.CouldNotDraw("no such font")


def test_where_nothing_can_be_packed_the_export_ends_without_a_zip(make_certificates, hr, monkeypatch):
    make_certificates(2)
    monkeypatch.setattr(drawing, "certificate", cannot)
    export = run(ask(hr))
    assert (export.job.state, export.parts.count(), export.left_out.count()) == (Job.State.DONE, 0, 2)


def test_after_thirty_days_the_zips_are_deleted_once_and_the_certificates_stay(make_certificates, hr, clock):
    [certificate] = make_certificates(1)
    export = run(ask(hr))
    path = Path(export.parts.get().file.path)
    clock.shift(exports.KEPT)
    tasks.forget_old_exports()
    assert path.exists()  # to the end of the thirtieth day
    clock.shift(1)
    tasks.forget_old_exports()
    tasks.forget_old_exports()
    assert not path.exists()
    entry = Entry.objects.get(verb="training.export_forgotten")
    assert ledger.body_of(entry) == {"export": export.uid, "parts": 1}
    certificate.refresh_from_db()
    assert Path(certificate.file.path).exists()
    assert without_names_of_the_export(bytes_of(run(ask(hr))))[0].keys() >= {f"{certificate.serial}.pdf"}


def test_ringing_again_for_a_finished_export_changes_nothing(make_certificates, hr):
    make_certificates(1)
    export = run(ask(hr))
    before = list(export.parts.values())
    assert list(run(export).parts.values()) == before
    assert Entry.objects.filter(verb="training.certificates_exported").count() == 1


def test_an_export_that_was_stopped_goes_on_where_it_stood(make_certificates, hr, monkeypatch):
    monkeypatch.setattr(exports, "STEP", 2)
    make_certificates(5)
    whole = without_names_of_the_export(bytes_of(run(ask(hr))))
    export, draw_ahead = ask(hr), exports.draw_ahead

    def stopped_before_the_third(job):
        draw_ahead(job)
        if job.done == 4:
            jobs.stop(job=job)

    with monkeypatch.context() as patch:
        patch.setattr(exports, "draw_ahead", stopped_before_the_third)
        export = run(export)
    assert (export.job.state, export.job.done) == (Job.State.STOPPED, 4)
    assert run(export).job.state == Job.State.STOPPED  # a bell that rings late wakes nobody
    jobs.retry(job=export.job)
    export = run(export)
    assert (export.job.state, export.job.done) == (Job.State.DONE, 5)
    assert without_names_of_the_export(bytes_of(export)) == whole


def test_a_list_of_ten_costs_as_many_queries_as_a_list_of_one(make_certificates, count_queries):
    serials = [certificate.serial for certificate in make_certificates(10)]
    assert count_queries(lambda: exports.index_of(serials, {})) == count_queries(
        lambda: exports.index_of(serials[:1], {})
    )
