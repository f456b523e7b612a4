"""Real processes, really killed: a batch ends with exactly one good file for each certificate, whatever happened."""

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from portal.jobs.models import Job
from portal.ledger import keys, notes
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from training import certificates, exports
from training.models import Assignment, Certificate, CertificateExport, Completion

ROOT = Path(__file__).parents[2]
COUNT, KILLS = 90, 5
pytestmark = pytest.mark.django_db(transaction=True)

WORK = """
import sys
from pathlib import Path
from django.conf import settings
from training import exports, tasks
settings.EXPORT_PART_BYTES, exports.STEP = 1_500_000, 4
settings.PRIVATE_DIR = settings.STORAGES["default"]["OPTIONS"]["location"] = Path(sys.argv[-1])
tasks.export_certificates(int(sys.argv[-2]))
"""


@pytest.fixture
def issued(make_edition) -> list[Certificate]:
    edition = make_edition(modules=1, lessons=1)
    today, made = timezone.localdate(), []
    for n in range(COUNT):
        person = Employee.objects.create(email=f"p{n}@example.com", employee_no=f"{n:05}", name_en=f"Person {n}")
        assignment = Assignment.objects.create(
            employee=person, course=edition.course, cycle=1, edition=edition, assigned_on=today, due_on=today
        )
        completion = Completion.objects.create(
            assignment=assignment, employee=person, edition=edition, completed_at=timezone.now(),
            expires_on=today.replace(year=today.year + 1, day=1), percent=90, study_seconds=3600,
        )  # fmt: skip
        made.append(certificates.issue(completion=completion, by="system:test"))
    return made


def wait_for(run: subprocess.Popen, reached: Callable[[], bool]) -> None:
    while not reached():
        with suppress(subprocess.TimeoutExpired):
            run.wait(timeout=0.02)
            raise AssertionError(run.communicate()[1].decode())


def working(job: Job, settings) -> subprocess.Popen:
    """A worker in a process of its own, on the test's database and in the test's folder of files."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{told['NAME']}"
    else:
        url = f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
    script = f"import sys; sys.argv = ['', '{job.pk}', '{settings.PRIVATE_DIR}']\n{WORK}"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", script]
    env = {**os.environ, "DATABASE_URL": url, "LEDGER_KEY_FILE": settings.LEDGER_KEY_FILE}
    return subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603


def test_killed_five_times_it_ends_with_exactly_one_good_file_for_each_certificate(issued, make_employee, settings):
    ledger.seal()
    export = exports.ask(choice=exports.Choice(), by=make_employee(roles=("HR",), employee_no=None))
    chance, stood = random.Random(5), []
    for _ in range(KILLS):
        run = working(export.job, settings)
        wait_for(run, lambda: Job.objects.get(pk=export.job_id).done > max(stood, default=0))
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(timeout=chance.uniform(0, 0.3))  # somewhere in the steps after
        run.send_signal(signal.SIGKILL)
        run.communicate()
        Job.objects.filter(pk=export.job_id, state="running").update(lease_until=timezone.now() - timedelta(hours=1))
        stood.append(Job.objects.get(pk=export.job_id).done)
    run = working(export.job, settings)
    _out, err = run.communicate()
    assert run.returncode == 0, err.decode()

    export = CertificateExport.objects.select_related("job").get(pk=export.pk)
    assert (export.job.state, export.count, export.job.done) == ("done", COUNT, COUNT), stood
    assert max(stood) < COUNT  # it was killed while at work
    assert_one_good_file_each(export)
    assert list((settings.PRIVATE_DIR / "workshop").glob("*.zip")) == []
    settings.LEDGER_TABLES = ["training.checks.CERTIFICATES"]  # completions are written without a course being studied
    assert ledger.verify()[1] is None


def assert_one_good_file_each(export: CertificateExport) -> None:
    packed, before = [], "0" * 64
    for part in export.parts.order_by("number"):
        data = Path(part.file.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == part.sha256
        archive = zipfile.ZipFile(io.BytesIO(data))
        assert archive.testzip() is None
        text, _signers = notes.opened(archive.read("manifest.txt").decode(), keys.public_keys())
        assert f"before {before}" in text
        before = part.sha256
        packed += [name for name in archive.namelist() if name.endswith(".pdf")]
    assert export.parts.count() > 1
    rows = Certificate.objects.order_by("pk")
    assert packed == [f"{row.serial}.pdf" for row in rows]
    for row in rows:
        assert hashlib.sha256(Path(row.file.path).read_bytes()).hexdigest() == row.sha256
    folder = Path(rows[0].file.path).parent
    assert sorted(path.name for path in folder.iterdir()) == sorted(packed)
    assert Entry.objects.filter(verb="training.certificate_signed").count() == COUNT
    assert Entry.objects.filter(verb="training.certificates_exported").count() == 1
