"""Certificates in bulk: HR chooses them, and a worker, which may be stopped or killed at any time, packs them.

The certificates go into ZIPs of at most EXPORT_PART_BYTES, one after the other (training.zips). The job's cursor says
how far the part in hand is good; what lies beyond is cut off by whoever goes on. So the same certificates give the
same parts, however often the work was cut off.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import keys, notes
from portal.ledger import services as ledger
from portal.people.models import Department, Employee, opaque_id
from training import certificates, files, rules, zips
from training.models import Certificate, CertificateExport, ExportPart

EXPORT = "training.tasks.export_certificates"
MOST = 100_000  # certificates in one export
STEP = 50  # certificates packed in one step: a second's work if they have to be drawn; the lease is 90
COLUMNS = (
    "serial", "employee_no", "name_en", "name_zh", "department", "office", "course", "edition",
    "completed_on", "valid_until", "percent", "state", "file", "sha256",
)  # fmt: skip
STANDING = "standing"  # valid or lapsed, neither revoked nor replaced: what one takes unless one says otherwise
EVERY = "every"
STATES = [
    (STANDING, _("Neither revoked nor replaced")),
    *rules.Validity.choices,
    (EVERY, _("All that were ever issued")),
]


class TooMany(ValueError):
    """More certificates than one export takes. ``count``: how many were chosen."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} certificates, at most {MOST}")
        self.count = count


class NothingChosen(ValueError):
    """No certificate fits the choice."""


@dataclass(frozen=True)
class Choice:
    """Which certificates. None: all. ``department`` includes everything below it; days are inclusive.

    ``state`` is one of STATES, as it was on the day ``as_of``; None: today.
    """

    department: int | None = None
    office: int | None = None
    course: int | None = None
    completed_from: date | None = None
    completed_to: date | None = None
    state: str = STANDING
    as_of: date | None = None

    def as_json(self) -> dict:
        return {k: v.isoformat() if isinstance(v, date) else v for k, v in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict) -> "Choice":
        days = ("completed_from", "completed_to", "as_of")
        return cls(**data | {k: date.fromisoformat(data[k]) for k in days if data.get(k)})


def chosen(choice: Choice) -> QuerySet[Certificate]:
    """Return the certificates of a choice, oldest first."""
    found = Certificate.objects.all()
    if choice.state == STANDING:
        found = found.standing()
    elif choice.state != EVERY:
        found = found.worth(rules.Validity(choice.state), choice.as_of or timezone.localdate())
    if choice.department:
        found = found.filter(completion__employee__department__in=department_and_below(choice.department))
    if choice.office:
        found = found.filter(completion__employee__office=choice.office)
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
    """Ask for ZIPs of the chosen certificates, as far as they are issued by now. Raises TooMany, NothingChosen."""
    choice = Choice(**asdict(choice) | {"as_of": choice.as_of or timezone.localdate()})
    pks = list(chosen(choice).values_list("pk", flat=True)[: MOST + 1])
    if not pks:
        raise NothingChosen
    if len(pks) > MOST:
        raise TooMany(chosen(choice).count())
    uid = opaque_id()
    params = {"export": uid, "upto": pks[-1]}
    job = jobs.start(kind=EXPORT, key=uid, by=by, params=params, total=len(pks), may_stop=True)
    return CertificateExport.objects.create(uid=uid, asked_by=by, choice=choice.as_json(), job=job)


# --- the worker --------------------------------------------------------------------------------------------------


@dataclass
class Cursor:
    """How far the work is. ``part``: the one in hand, from 1; ``size``: bytes of it that are good; ``inside``: how
    many certificates lie in it; ``before``, ``last``: the last certificate of the parts before, and of all so far."""

    part: int = 1
    size: int = 0
    inside: int = 0
    before: int = 0
    last: int = 0


def draw_ahead(job: Job) -> None:
    """Draw what is missing of the next step's files, outside of its transaction. Repeatable."""
    ahead = _members(job).filter(pk__gt=job.cursor.get("last", 0), file="")[:STEP]
    for certificate in ahead:
        certificates.draw(certificate)


def step(job: Job) -> bool:
    """Put the next certificates into the part in hand; close it when it is full or all are in; the last step is the
    Entry. One part is closed in one step."""
    jobs.hold(job)
    export = CertificateExport.objects.select_related("asked_by").get(uid=job.params["export"])
    cursor = Cursor(**job.cursor)
    path = files.workshop() / f"{job.key}.zip"
    if cursor.size and (not path.exists() or path.stat().st_size < cursor.size):
        job.done -= cursor.inside  # another machine, or the file was lost: this part from its beginning
        cursor.size, cursor.inside, cursor.last = 0, 0, cursor.before
    members = list(_members(job).filter(pk__gt=cursor.last)[:STEP])
    if not members and not cursor.inside:
        _end(job, export)
        return True
    with path.open("r+b" if cursor.size else "w+b") as stream:
        stream.truncate(cursor.size)
        stream.seek(cursor.size)
        added = _add(stream, members, cursor)
        if len(added) < len(members) or not members:
            _close(stream, export, cursor)
        cursor.size = stream.tell()
        files.flush_stream(stream)
    job.done += len(added)
    if len(added) < len(members) or not members:
        _keep(export, cursor, path)
        cursor = Cursor(part=cursor.part + 1, before=cursor.last, last=cursor.last)
    job.cursor = asdict(cursor)
    return False


def _members(job: Job) -> QuerySet[Certificate]:
    """Return what is to be packed, in its order: as asked, and nothing that was issued since."""
    export = CertificateExport.objects.get(uid=job.params["export"])
    rows = chosen(Choice.from_json(export.choice)).filter(pk__lte=job.params["upto"])
    return rows.select_related("completion__edition__course")


def _add(stream: BinaryIO, members: Sequence[Certificate], cursor: Cursor) -> list[Certificate]:
    """Append certificates until the part would become too large, and return those that are in.

    At least one is in each part. Raises files.Changed for one that was tampered with.
    """
    added = []
    for certificate in members:
        drawn = certificates.draw(certificate)
        with files.open_checked(drawn.file.name, drawn.sha256) as content:
            contents = [(f"{drawn.serial}.pdf", content.read())]
        if drawn.badge:
            contents.append((f"{drawn.serial}.jwt", drawn.badge.encode()))
        more = sum(zips.room(name, data) for name, data in contents) + ROOM_IN_LISTS
        if cursor.inside and stream.tell() + cursor.inside * ROOM_IN_LISTS + more > settings.EXPORT_PART_BYTES:
            break
        for name, data in contents:
            zips.add(stream, name, data)
        cursor.last, cursor.inside = drawn.pk, cursor.inside + 1
        added.append(drawn)
    return added


ROOM_IN_LISTS = 1_500  # bytes that one certificate takes at most in index, manifest and directory of a part


def _close(stream: BinaryIO, export: CertificateExport, cursor: Cursor) -> None:
    """Append the index, the manifest and the directory of a part."""
    earlier = zips.members_in(stream, stream.tell())
    serials = [member.filename.removesuffix(".pdf") for member in earlier if member.filename.endswith(".pdf")]
    zips.add(stream, "index.csv", index_of(serials))
    listed = zips.members_in(stream, stream.tell())
    zips.add(stream, "manifest.txt", manifest_of(stream, listed, export, cursor.part).encode())
    zips.close(stream, zips.members_in(stream, stream.tell()))


def manifest_of(stream: BinaryIO, members: Sequence[zips.Member], export: CertificateExport, part: int) -> str:
    """Return the digest of every file of a part, as a note signed with the key of the evidence log.

    A part names the digest of the one before it, so none can be left out unseen. Raises keys.KeyTrouble.
    """
    before = ExportPart.objects.filter(export=export, number=part - 1).values_list("sha256", flat=True).first()
    lines = [
        "onchannel certificates/1",
        f"export {export.uid}",
        f"asked {export.asked_at:%Y-%m-%dT%H:%M:%SZ}",
        f"part {part}",
        f"before {before or '0' * 64}",
        *(f"{zips.digest(stream, member)}  {member.file_size}  {member.filename}" for member in members),
    ]
    return notes.sign("".join(f"{line}\n" for line in lines), keys.signer())


def _keep(export: CertificateExport, cursor: Cursor, path: Path) -> None:
    """Put a closed part in place. Made again after a kill, it is the same."""
    name, size = f"exports/{export.uid}-{cursor.part}.zip", path.stat().st_size
    digest = files.put_in_place(path, name)
    fields = {"file": name, "sha256": digest, "size": size, "count": cursor.inside}
    ExportPart.objects.create(export=export, number=cursor.part, **fields)


def _end(job: Job, export: CertificateExport) -> None:
    parts = list(export.parts.values("number", "count", "size", "sha256"))
    export.count = sum(part["count"] for part in parts)
    export.save(update_fields=["count"])
    job.result = {"count": export.count, "parts": len(parts)}
    body = {"export": export.uid, "choice": export.choice, "count": export.count, "parts": parts}
    actor = export.asked_by.uid
    ledger.append(verb="training.certificates_exported", actor=actor, subject=actor, body=body)


def index_of(serials: Sequence[str]) -> bytes:
    """Return the list of these certificates as CSV for a spreadsheet: UTF-8 with its mark, no cell is a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    today = timezone.localdate()
    for start in range(0, len(serials), 500):
        found = Certificate.objects.filter(serial__in=serials[start : start + 500]).order_by("pk")
        writer.writerows([rules.csv_cell(cell) for cell in _row(certificate, today)] for certificate in found)
    return out.getvalue().encode("utf-8-sig")


def _row(certificate: Certificate, today: date) -> list:
    facts = certificate.facts
    return [
        certificate.serial,
        facts["employee_no"],
        facts["name_en"],
        facts["name_zh"],
        facts["department"]["en"],
        facts["office"]["en"],
        rules.told(facts["course"], "en"),
        facts["edition"],
        facts["completed_on"],
        facts["valid_until"],
        facts["percent"],
        str(certificates.validity(certificate, today)),
        f"{certificate.serial}.pdf",
        certificate.sha256,
    ]
