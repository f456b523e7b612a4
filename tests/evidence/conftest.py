import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from archive import services as archive
from portal.evidence import check_pack, making, services
from portal.evidence.models import Pack
from portal.jobs import services as jobs
from portal.ledger import services as ledger
from portal.people.models import Employee
from portal.standing import services as standing
from tests import studying
from tests.archive.conftest import line as one_message

CHECKER = Path(check_pack.__file__)


@pytest.fixture
def drawn_quickly(monkeypatch) -> None:
    """Drawing takes seconds, and most tests are not about it."""
    monkeypatch.setattr("portal.evidence.summary.pdf", lambda *about: b"%PDF-1.7 in " + about[-1].encode())


def told_by_hr(employee: Employee) -> None:
    """What an import of HR's list would have written."""
    names = {"employee_no": employee.employee_no, "name_en": employee.name_en, "name_zh": employee.name_zh}
    with transaction.atomic():
        ledger.append(verb="people.added", actor="system:hr", subject=employee.uid, body={"before": {}, "after": names})


@pytest.fixture
def firm(make_employee, make_department, drawn_quickly, tmp_path) -> dict:
    """A firm of four with a past: Ann has studied, told of a slip and has messages; Bea has failed a quiz."""
    desk = make_department("Desk", name_zh="交易台")
    team = make_department("Team", parent=desk)
    head = make_employee(name_en="Head", department=desk)
    ann = make_employee(name_en="=Ann", name_zh="安", department=team, manager=head, wecom_userid="ann")
    bea = make_employee(name_en="Bea", department=team, manager=head, wecom_userid="bea")
    other = make_employee(name_en="Other")
    for one in (head, ann, bea, other):
        told_by_hr(one)
    certificate = studying.complete(studying.assign(ann))
    attempt = studying.read_and_try(studying.assign(bea), 1, right=False)
    ledger.seal()
    feed = tmp_path / "feed.jsonl"
    feed.write_text(
        "".join(json.dumps(one_message(n, sender=who, to=())) + "\n" for n, who in ((1, "ann"), (2, "bea")))
    )
    archive.import_feed(source=archive.get_source("wecom"), path=feed, by="system:test")
    finding = archive.report_slip(
        employee=ann, happened_on=timezone.localdate(), where="wechat", began="client", about="business",
        has_moved=True, has_kept=True, note="@told",
    ).finding  # fmt: skip
    standing.catch_up()
    ledger.seal()
    return {
        "desk": desk, "team": team, "head": head, "ann": ann, "bea": bea, "other": other, "certificate": certificate,
        "attempt": attempt, "finding": finding,
        "compliance": make_employee(name_en="Grace", roles=("Compliance",), employee_no=None),
        "auditor": make_employee(name_en="Audrey", roles=("Auditor",), employee_no=None),
    }  # fmt: skip


@pytest.fixture
def make_pack(firm) -> Callable[..., Pack]:
    """Ask for a pack as compliance, have it approved where it must be, and make it."""

    def make(scope: str = "person", *, day=None, **about) -> Pack:
        if scope == "person":
            about.setdefault("person", firm["ann"])
        day = day or timezone.localdate()
        pack = services.ask(scope=scope, day=day, reason="inspection", by=firm["compliance"], **about)
        if pack.state == Pack.State.ASKED:
            pack = services.decide(pack=pack, approve=True, reason="", by=firm["auditor"])
        return made(pack)

    return make


def made(pack: Pack) -> Pack:
    job = jobs.work(pack.job_id, making.step, prepare=making.ahead)
    assert job.state == "done", job.error
    pack.refresh_from_db()
    return pack


def bytes_of(pack: Pack) -> bytes:
    with pack.file.open() as content:
        return content.read()


def files_of(pack: Pack) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bytes_of(pack))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def unpacked(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def checked(folder: Path, *arguments: str, checker: Path = CHECKER) -> tuple[int, str]:
    """Run the checker as a stranger would: Python alone, an empty folder, no environment, none of this project."""
    empty = folder.parent / f"{folder.name}-empty"
    empty.mkdir(exist_ok=True)
    command = [os.path.realpath(sys.executable), "-I", "-S", str(checker), str(folder), *arguments]
    answer = subprocess.run(command, cwd=empty, env={}, capture_output=True, encoding="utf-8")  # noqa: S603
    assert list(empty.iterdir()) == []  # it writes nothing
    return answer.returncode, answer.stdout + answer.stderr
