"""Certificates in bulk: HR chooses them, and a worker, which may be stopped or killed at any time, packs them.

The certificates go into ZIPs of at most EXPORT_PART_BYTES, one after the other (training.zips). The job's cursor says
how far the part in hand is good; what lies beyond is cut off by whoever goes on. So the same certificates give the
same parts, however often the work was cut off.
"""

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import keys, notes
from portal.ledger import services as ledger
from portal.people.models import Department, Employee, opaque_id
from training import certificates, drawing, files, rules, zips
from training.models import Certificate, CertificateExport, ExportPart, LeftOut

logger = logging.getLogger(__name__)

EXPORT = "training.tasks.export_certificates"
MOST = 100_000  # certificates in one export
KEPT = timedelta(days=30)  # the ZIPs of an export; the certificates in them stay, and can be asked for again
STEP = 50  # certificates packed in one step: a second's work if they have to be drawn; the lease is 90
COLUMNS = (
    "serial", "employee_no", "name_en", "name_zh", "department", "office", "course", "edition",
    "completed_on", "valid_until", "percent", "state", "file", "sha256", "left_out",
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
    many certificates lie in it; ``left``: how many were left out since it was begun; ``before``, ``last``: the last
    certificate of the parts before, and of all so far."""

    part: int = 1
    size: int = 0
    inside: int = 0
    left: int = 0
    before: int = 0
    last: int = 0

    @property
    def gone_through(self) -> int:
        return self.inside + self.left


def draw_ahead(job: Job) -> None:
    """Draw what is missing of the next step's files, outside of its transaction. Repeatable."""
    ahead = _members(job).filter(pk__gt=job.cursor.get("last", 0), file="")[:STEP]
    for certificate in ahead:
        with suppress(drawing.CouldNotDraw):  # the step leaves it out
            certificates.draw(certificate)


def step(job: Job) -> bool:
    """Put the next certificates into the part in hand; close it when it is full or all are in; the last step is the
    Entry. One part is closed in one step."""
    jobs.hold(job)
    export = CertificateExport.objects.select_related("asked_by").get(uid=job.params["export"])
    cursor = Cursor(**job.cursor)
    path = files.workshop() / f"{job.key}.zip"
    if cursor.size and (not path.exists() or path.stat().st_size < cursor.size):
        job.done -= cursor.gone_through  # another machine, or the file was lost: this part from its beginning
        cursor.size, cursor.inside, cursor.left, cursor.last = 0, 0, 0, cursor.before
    members = list(_members(job).filter(pk__gt=cursor.last)[:STEP])
    if not members and not cursor.inside:
        _end(job, export)
        return True
    before = cursor.gone_through
    with path.open("r+b" if cursor.size else "w+b") as stream:
        stream.truncate(cursor.size)
        stream.seek(cursor.size)
        is_full = _add(stream, members, export, cursor) or not members
        if is_full:
            _close(stream, export, cursor)
        cursor.size = stream.tell()
        files.flush_stream(stream)
    job.done += cursor.gone_through - before
    if is_full:
        _keep(export, cursor, path)
        cursor = Cursor(part=cursor.part + 1, before=cursor.last, last=cursor.last)
    job.cursor = asdict(cursor)
    return False


def _members(job: Job) -> QuerySet[Certificate]:
    """Return what is to be packed, in its order: as asked, and nothing that was issued since."""
    export = CertificateExport.objects.get(uid=job.params["export"])
    rows = chosen(Choice.from_json(export.choice)).filter(pk__lte=job.params["upto"])
    return rows.select_related("completion__edition__course")


def _add(stream: BinaryIO, members: Sequence[Certificate], export: CertificateExport, cursor: Cursor) -> bool:
    """Append certificates and return whether the part is full before all are in. At least one is in each part."""
    left_out = set(export.left_out.filter(certificate__in=members).values_list("certificate_id", flat=True))
    for certificate in members:
        # What was left out once stays out: a part that is made again must be the same.
        contents = None if certificate.pk in left_out else _contents(certificate, export)
        if contents is None:
            cursor.last, cursor.left = certificate.pk, cursor.left + 1
            continue
        more = sum(zips.room(name, data) for name, data in contents) + ROOM_IN_LISTS
        if cursor.inside and stream.tell() + cursor.gone_through * ROOM_IN_LISTS + more > settings.EXPORT_PART_BYTES:
            return True
        for name, data in contents:
            zips.add(stream, name, data)
        cursor.last, cursor.inside = certificate.pk, cursor.inside + 1
    return False


def _contents(certificate: Certificate, export: CertificateExport) -> list[tuple[str, bytes]] | None:
    """Return (name, bytes) of what is packed of a certificate; None for one that cannot be, after noting why."""
    try:
        drawn = certificates.draw(certificate)
        with files.open_checked(drawn.file.name, drawn.sha256) as content:
            contents = [(f"{drawn.serial}.pdf", content.read())]
    except (drawing.CouldNotDraw, files.Changed, FileNotFoundError) as error:
        logger.error("certificate %s is left out of export %s", certificate.serial, export.uid, exc_info=True)
        LeftOut.objects.create(export=export, certificate=certificate, why=_why(error))
        return None
    if drawn.badge:
        contents.append((f"{drawn.serial}.jwt", drawn.badge.encode()))
    return contents


def _why(error: Exception) -> LeftOut.Why:
    if isinstance(error, files.Changed):
        return LeftOut.Why.CHANGED
    return LeftOut.Why.GONE if isinstance(error, FileNotFoundError) else LeftOut.Why.UNDRAWN


ROOM_IN_LISTS = 1_500  # bytes that one certificate takes at most in index, manifest and directory of a part


def _close(stream: BinaryIO, export: CertificateExport, cursor: Cursor) -> None:
    """Append the index, the manifest and the directory of a part."""
    earlier = zips.members_in(stream, stream.tell())
    serials = [member.filename.removesuffix(".pdf") for member in earlier if member.filename.endswith(".pdf")]
    zips.add(stream, "index.csv", index_of(serials, _left_out_of(export, cursor)))
    listed = zips.members_in(stream, stream.tell())
    zips.add(stream, "manifest.txt", manifest_of(stream, listed, export, cursor.part).encode())
    zips.close(stream, zips.members_in(stream, stream.tell()))


def _left_out_of(export: CertificateExport, cursor: Cursor) -> dict[str, str]:
    """Return {serial: why} of what was left out while the part in hand was filled."""
    rows = LeftOut.objects.filter(export=export, certificate__gt=cursor.before, certificate__lte=cursor.last)
    return dict(rows.values_list("certificate__serial", "why"))


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
    left_out = {one.certificate.serial: one.why for one in export.left_out.select_related("certificate")}
    export.count = sum(part["count"] for part in parts)
    export.save(update_fields=["count"])
    job.result = {"count": export.count, "parts": len(parts), "left_out": len(left_out)}
    body = {"export": export.uid, "choice": export.choice, "count": export.count, "parts": parts, "left_out": left_out}
    actor = export.asked_by.uid
    ledger.append(verb="training.certificates_exported", actor=actor, subject=actor, body=body)


@transaction.atomic
def note_fetched(*, part: ExportPart, by: Employee) -> None:
    """Write down that a part is being fetched, before a byte of it goes out."""
    body = {"export": part.export.uid, "part": part.number, "sha256": part.sha256}
    ledger.append(verb="training.export_fetched", actor=by.uid, subject="system:training", body=body)


def forget_old(*, now: datetime | None = None) -> int:
    """Delete the ZIPs of exports that ended long ago; the rows stay, and so do the certificates. Return how many."""
    now = now or timezone.now()
    ended = CertificateExport.objects.filter(forgotten_at=None, job__ended_at__lt=now - KEPT)
    return sum(_forget(pk, now) for pk in list(ended.values_list("pk", flat=True)[:500]))


@transaction.atomic
def _forget(pk: int, now: datetime) -> bool:
    export = CertificateExport.objects.select_for_update(of=("self",)).get(pk=pk)
    if export.forgotten_at:
        return False
    names = [part.file.name for part in export.parts.all()]
    export.forgotten_at = now
    export.save(update_fields=["forgotten_at"])
    body = {"export": export.uid, "parts": len(names)}
    ledger.append(verb="training.export_forgotten", actor="system:training", subject="system:training", body=body)
    for name in names:
        default_storage.delete(name)  # safe to repeat: what is gone already is no error
    return True


def index_of(serials: Sequence[str], left_out: Mapping[str, str]) -> bytes:
    """Return the list of these certificates as CSV for a spreadsheet: UTF-8 with its mark, no cell is a formula.

    ``left_out``: {serial: why} of those that could not be packed; they are listed without a file.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    today = timezone.localdate()
    listed = [*serials, *left_out]
    for start in range(0, len(listed), 500):
        found = Certificate.objects.filter(serial__in=listed[start : start + 500]).order_by("pk")
        rows = (_row(certificate, today, left_out.get(certificate.serial, "")) for certificate in found)
        writer.writerows([rules.csv_cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _row(certificate: Certificate, today: date, left_out: str) -> list:
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
        "" if left_out else f"{certificate.serial}.pdf",
        "" if left_out else certificate.sha256,
        left_out,
    ]
