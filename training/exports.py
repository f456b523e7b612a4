"""Certificates in bulk: a ZIP that HR asks for, built member by member by a worker that may be killed at any time.

The members lie in the file one after the other, uncompressed and with a fixed date; the cursor says how far they are
good. The next worker cuts off what lies beyond, goes on from there, and writes the directory at the end. So the same
certificates give the same bytes, however often the work was cut off.
"""

import csv
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Department, Employee, opaque_id
from training import certificates, files, rules
from training.models import Certificate, CertificateExport

EXPORT = "training.tasks.export_certificates"
MOST = 10_000  # certificates in one file: under four gigabytes
STEP = 10  # certificates put into the file in one step: drawing them takes seconds, the lease is 90
MEMBER_DATE = (1980, 1, 1, 0, 0, 0)  # the same for all: a ZIP made again is the same ZIP
COLUMNS = (
    "serial", "employee_no", "name_en", "name_zh", "department", "course", "edition",
    "completed_on", "valid_until", "percent", "file", "sha256",
)  # fmt: skip


class TooMany(ValueError):
    """More certificates than one file takes. ``count``: how many were chosen."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} certificates, at most {MOST}")
        self.count = count


class NothingChosen(ValueError):
    """No certificate fits the choice."""


@dataclass(frozen=True)
class Choice:
    """Which certificates. None: all. ``department`` includes everything below it; days are inclusive."""

    department: int | None = None
    course: int | None = None
    completed_from: date | None = None
    completed_to: date | None = None

    def as_json(self) -> dict:
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict) -> "Choice":
        days = {k: date.fromisoformat(data[k]) if data[k] else None for k in ("completed_from", "completed_to")}
        return cls(department=data["department"], course=data["course"], **days)


def chosen(choice: Choice) -> QuerySet[Certificate]:
    """Return the certificates of a choice that stand today, oldest first: neither revoked nor replaced."""
    found = Certificate.objects.to_export()
    if choice.department:
        found = found.filter(completion__employee__department__in=department_and_below(choice.department))
    if choice.course:
        found = found.filter(completion__edition__course=choice.course)
    if choice.completed_from:
        found = found.filter(completion__completed_at__gte=_begin_of(choice.completed_from))
    if choice.completed_to:
        found = found.filter(completion__completed_at__lt=_begin_of(choice.completed_to + timedelta(days=1)))
    return found.order_by("pk")


def _begin_of(day: date) -> datetime:
    """Return the first moment of a day in the firm's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def department_and_below(department: int) -> set[int]:
    """Return the ids of a department and of all below it, at any depth. One query."""
    children: dict[int | None, list[int]] = {}
    for pk, parent in Department.objects.values_list("pk", "parent"):
        children.setdefault(parent, []).append(pk)
    found, ahead = set(), [department]
    while ahead:
        if (pk := ahead.pop()) not in found:
            found.add(pk)
            ahead += children.get(pk, [])
    return found


@transaction.atomic
def ask(*, choice: Choice, by: Employee) -> CertificateExport:
    """Ask for a ZIP of the chosen certificates, as far as they are issued by now. Raises TooMany, NothingChosen."""
    pks = list(chosen(choice).values_list("pk", flat=True)[: MOST + 1])
    if not pks:
        raise NothingChosen
    if len(pks) > MOST:
        raise TooMany(chosen(choice).count())
    uid = opaque_id()
    job = jobs.start(kind=EXPORT, key=uid, by=by, params={"export": uid, "upto": pks[-1]}, total=len(pks))
    return CertificateExport.objects.create(uid=uid, asked_by=by, choice=choice.as_json(), job=job)


# --- the worker --------------------------------------------------------------------------------------------------


def draw_ahead(job: Job) -> None:
    """Draw what is missing of the next step's files, outside of its transaction. Repeatable."""
    ahead = _members(job).filter(pk__gt=job.cursor.get("last", 0))[:STEP]
    for certificate in ahead:
        certificates.draw(certificate)


def step(job: Job) -> bool:
    """Put the next STEP certificates into the ZIP; after the last, close it, put it in place and write the Entry."""
    path = files.workshop() / f"{job.key}.zip"
    size, last = job.cursor.get("size", 0), job.cursor.get("last", 0)
    if size and (not path.exists() or path.stat().st_size < size):
        size = last = job.done = 0  # another machine, or the file was lost: from the beginning
    members = list(_members(job).filter(pk__gt=last)[:STEP])
    with path.open("r+b" if size else "w+b") as stream:
        stream.truncate(size)
        stream.seek(size)
        if not members:
            _close(job, stream)
        else:
            _add(stream, members)
            job.cursor = {"size": stream.tell(), "last": members[-1].pk}
        stream.flush()
        os.fsync(stream.fileno())
    job.done += len(members)
    if members:
        return False
    _deliver(job, path)
    return True


def _members(job: Job) -> QuerySet[Certificate]:
    """Return what goes into the file, in its order: as asked, and nothing that was issued since."""
    export = CertificateExport.objects.get(uid=job.params["export"])
    return chosen(Choice.from_json(export.choice)).filter(pk__lte=job.params["upto"])


def _add(stream: BinaryIO, members: Iterable[Certificate]) -> None:
    """Append the certificates' files where the stream stands. Raises files.Changed for one that was tampered with."""
    for certificate in members:
        drawn = certificates.draw(certificate)
        with files.open_checked(drawn.file.name, drawn.sha256) as content:
            data = content.read()
        member = _member(_file_name(certificate.serial))
        member.CRC, member.compress_size, member.file_size = zlib.crc32(data), len(data), len(data)
        stream.write(member.FileHeader())
        stream.write(data)


def _file_name(serial: str) -> str:
    """Return the name in the ZIP: the serial alone, which says nothing about the person."""
    return f"{serial}.pdf"


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, MEMBER_DATE)
    member.external_attr = 0o600 << 16
    member.create_system = 3  # told to be Unix everywhere, or the bytes would differ between machines
    return member


def _close(job: Job, stream: BinaryIO) -> None:
    """Append the index, then the directory of all members."""
    start = stream.tell()
    earlier = _members_in(stream, start)
    stream.seek(start)
    with zipfile.ZipFile(stream, "w") as archive:
        archive.filelist[:0] = earlier
        archive.writestr(_member("index.csv"), index_of([member.filename.removesuffix(".pdf") for member in earlier]))
    job.result = {"count": len(earlier)}


LOCAL_HEADER = struct.Struct("<4s5HLLL2H")


def _members_in(stream: BinaryIO, end: int) -> list[zipfile.ZipInfo]:
    """Read back what the steps before have written: one local header after the other, up to ``end``."""
    found = []
    offset = 0
    while offset < end:
        stream.seek(offset)
        header = LOCAL_HEADER.unpack(stream.read(LOCAL_HEADER.size))
        _sign, _version, _flags, _method, _time, _date, crc, size, _full, name_length, extra = header
        member = _member(stream.read(name_length).decode("ascii"))
        member.CRC, member.compress_size, member.file_size, member.header_offset = crc, size, size, offset
        found.append(member)
        offset += LOCAL_HEADER.size + name_length + extra + size
    return found


def index_of(serials: Sequence[str]) -> bytes:
    """Return the list of these certificates as CSV for a spreadsheet: UTF-8 with its mark, no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for start in range(0, len(serials), 500):
        found = Certificate.objects.filter(serial__in=serials[start : start + 500]).order_by("pk")
        writer.writerows([rules.csv_cell(cell) for cell in _row(certificate)] for certificate in found)
    return out.getvalue().encode("utf-8-sig")


def _row(certificate: Certificate) -> list:
    facts = certificate.facts
    return [
        certificate.serial,
        facts["employee_no"],
        facts["name_en"],
        facts["name_zh"],
        facts["department"]["en"],
        rules.told(facts["course"], "en"),
        facts["edition"],
        facts["completed_on"],
        facts["valid_until"],
        facts["percent"],
        _file_name(certificate.serial),
        certificate.sha256,
    ]


def _deliver(job: Job, path: Path) -> None:
    export = CertificateExport.objects.select_related("asked_by").get(uid=job.params["export"])
    name = f"exports/{export.uid}.zip"
    export.sha256 = files.put_in_place(path, name)
    export.file, export.count = name, job.result["count"]
    export.save(update_fields=["file", "sha256", "count"])
    job.result |= {"sha256": export.sha256}
    body = {"export": export.uid, "choice": export.choice, "count": export.count, "sha256": export.sha256}
    actor = export.asked_by.uid
    ledger.append(verb="training.certificates_exported", actor=actor, subject=actor, body=body)
