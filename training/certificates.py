"""Certificates: issued with the completion, drawn and signed by a worker, checked by strangers, revoked by date."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from portal.jobs import services as jobs
from portal.jobs.models import Job
from portal.ledger import services as ledger
from portal.people.models import Employee
from training import badges, drawing, evidence, files, rules, signing
from training.assignments import lock_person
from training.models import Certificate, Completion, SigningKey, StatusList

RENDER = "training.tasks.render_certificate"
SYSTEM = "system:training"
Reason = Certificate.Reason


class AlreadyRevoked(Exception):
    """A revocation stands: its date and reason do not change."""


class NoReason(ValueError):
    """A certificate is revoked or replaced for a reason that can be told."""


class NotOnesOwn(PermissionError):
    """Nobody decides about a certificate of their own."""


@transaction.atomic
def issue(*, completion: Completion, by: str) -> Certificate:
    """Issue the certificate of a completion and ask for its file. Once: a second call returns the one that stands."""
    lock_person(completion.employee_id)
    if standing := completion.certificates.filter(superseded_by=None).order_by("-pk").first():
        return standing
    return _issue(completion, by)


def _issue(completion: Completion, by: str, percent: int | None = None) -> Certificate:
    now, facts = timezone.now(), facts_of(completion, percent)
    certificate = Certificate.objects.create(
        serial=rules.serial_from(secrets.randbits(5 * rules.SERIAL_SIGNS)),
        completion=completion,
        facts=facts,
        evidence=evidence.of(completion, now),
        issued_at=now,
    )
    ask_for_file(certificate)
    digest = evidence.digest(certificate.serial, facts, certificate.evidence)
    body = {"serial": certificate.serial, "facts": facts, "evidence": digest}
    ledger.append(verb="training.certificate_issued", actor=by, subject=completion.employee.uid, body=body)
    return certificate


def facts_of(completion: Completion, percent: int | None = None) -> dict:
    """Return what a certificate of this completion says, as of now. Frozen when it is issued.

    ``percent``: the mark where a recall has made another one of it; None: the completion's.
    """
    employee, edition = completion.employee, completion.edition
    return {
        "name_en": employee.name_en,
        "name_zh": employee.name_zh,
        "employee_no": employee.employee_no or "",
        "department": {
            "en": employee.department.name if employee.department else "",
            "zh-hans": employee.department.name_zh if employee.department else "",
        },
        "office": {
            "en": employee.office.name if employee.office else "",
            "zh-hans": employee.office.name_zh if employee.office else "",
        },
        "firm": settings.FIRM_NAME,
        "course": edition.title,
        "edition": edition.number,
        "modules": edition.modules.count(),
        "percent": completion.percent if percent is None else percent,
        "study_seconds": completion.study_seconds,
        "completed_on": timezone.localdate(completion.completed_at).isoformat(),
        "valid_until": completion.expires_on.isoformat(),
    }


@transaction.atomic
def revoke(*, certificate: Certificate, reason: str, by: str, kind: Reason = Reason.WITHDRAWN) -> Certificate:
    """Take a certificate back from now on. It stays, with the date; what it said does not change.

    ``kind`` is for everybody to read, ``reason`` for the firm. Raises AlreadyRevoked, NoReason, NotOnesOwn.
    """
    certificate = _locked(certificate, reason, by)
    certificate.revoked_at, certificate.revoked_for = timezone.now(), kind
    certificate.revoked_why = reason.strip()
    certificate.save(update_fields=["revoked_at", "revoked_for", "revoked_why"])
    badges.note_change(certificate)
    body = {"serial": certificate.serial, "kind": str(kind), "reason": certificate.revoked_why}
    subject = certificate.completion.employee.uid
    ledger.append(verb="training.certificate_revoked", actor=by, subject=subject, body=body)
    return certificate


@transaction.atomic
def confirm(*, certificate: Certificate, reason: str, by: str) -> Certificate:
    """Say that a certificate was looked at again and stands. Raises AlreadyRevoked, NoReason."""
    certificate = _locked(certificate, reason)
    body = {"serial": certificate.serial, "reason": reason.strip()}
    subject = certificate.completion.employee.uid
    ledger.append(verb="training.certificate_confirmed", actor=by, subject=subject, body=body)
    return certificate


@transaction.atomic
def reissue(
    *, certificate: Certificate, reason: str, by: str, kind: Reason = Reason.CORRECTED, percent: int | None = None
) -> Certificate:
    """Replace a certificate by a new one with today's names, and return the new one. The old serial says so.

    ``kind`` and ``reason`` as for revoke(). ``percent``: the mark that a recall has made of it; None: as it was.
    Replacing one that was replaced already returns its successor. Raises AlreadyRevoked, NoReason, NotOnesOwn.
    """
    old = _locked(certificate, reason, None if kind == Reason.RECALLED else by)
    if old.superseded_by:
        return old.superseded_by
    new = _issue(old.completion, by, old.facts["percent"] if percent is None else percent)
    old.superseded_by, old.superseded_for = new, kind
    old.save(update_fields=["superseded_by", "superseded_for"])
    badges.note_change(old)
    body = {"serial": old.serial, "replaced_by": new.serial, "kind": str(kind), "reason": reason.strip()}
    subject = old.completion.employee.uid
    ledger.append(verb="training.certificate_replaced", actor=by, subject=subject, body=body)
    return new


def _locked(certificate: Certificate, reason: str, by: str | None = None) -> Certificate:
    """Lock a certificate that may be changed for this reason, by this person if one decides about it."""
    if not reason.strip():
        raise NoReason(certificate.serial)
    lock_person(certificate.completion.employee_id)
    rows = Certificate.objects.select_for_update(of=("self",))
    certificate = rows.select_related("completion__employee", "superseded_by").get(pk=certificate.pk)
    if by == certificate.completion.employee.uid:
        raise NotOnesOwn(certificate.serial)
    if certificate.revoked_at:
        raise AlreadyRevoked(certificate.serial)
    return certificate


def validity(certificate: Certificate, today: date) -> rules.Validity:
    return rules.validity(
        valid_until=date.fromisoformat(certificate.facts["valid_until"]),
        is_revoked=certificate.revoked_at is not None,
        is_superseded=certificate.superseded_by_id is not None,
        today=today,
    )


@dataclass(frozen=True)
class Printed:
    """What a certificate says, for a page in the reader's language."""

    name: str
    firm: str
    course: str
    edition: int
    percent: int
    completed_on: date
    valid_until: date


def printed(certificate: Certificate) -> Printed:
    facts = certificate.facts
    return Printed(
        name=f"{facts['name_en']} {facts['name_zh']}".strip(),
        firm=facts["firm"],
        course=rules.told(facts["course"], get_language() or ""),
        edition=facts["edition"],
        percent=facts["percent"],
        completed_on=date.fromisoformat(facts["completed_on"]),
        valid_until=date.fromisoformat(facts["valid_until"]),
    )


@dataclass(frozen=True)
class Told:
    """What may be said of a certificate to whoever has its serial.

    ``reason`` and ``changed_on``: why and when it ceased to stand; empty and None while it does, or where the day on
    which it lapsed says it. ``was_error``: what it says was never true, so it is not repeated.
    """

    serial: str
    printed: Printed
    validity: rules.Validity
    reason: str
    changed_on: date | None
    was_error: bool
    sha256: str


def told(certificate: Certificate, today: date) -> Told:
    worth, kind, moment = validity(certificate, today), "", None
    if worth == rules.Validity.REVOKED:
        kind, moment = certificate.revoked_for, certificate.revoked_at
    elif worth == rules.Validity.SUPERSEDED:
        kind, moment = certificate.superseded_for, certificate.superseded_by.issued_at
    return Told(
        serial=certificate.serial,
        printed=printed(certificate),
        validity=worth,
        reason=Reason(kind).label if kind else "",
        changed_on=timezone.localdate(moment) if moment else None,
        was_error=kind == Reason.ERROR,
        sha256=certificate.sha256,
    )


@dataclass(frozen=True)
class Row:
    """One of a person's certificates. ``job``: what draws its file; None when the file is there."""

    serial: str
    printed: Printed
    validity: rules.Validity
    is_ready: bool
    has_badge: bool
    job: Job | None
    replaced_by: str


def row(certificate: Certificate, job: Job | None, today: date) -> Row:
    return Row(
        serial=certificate.serial,
        printed=printed(certificate),
        validity=validity(certificate, today),
        is_ready=bool(certificate.file),
        has_badge=bool(certificate.badge),
        job=job,
        replaced_by=certificate.superseded_by.serial if certificate.superseded_by else "",
    )


@transaction.atomic
def note_fetched(*, certificate: Certificate, what: str, by: Employee) -> None:
    """Write down that somebody fetches another's certificate, before a byte of it goes out. One's own is one's own.

    ``what``: pdf or badge.
    """
    owner = certificate.completion.employee
    if owner.pk == by.pk:
        return
    body = {"serial": certificate.serial, "what": what, "sha256": certificate.sha256}
    ledger.append(verb="training.certificate_fetched", actor=by.uid, subject=owner.uid, body=body)


# --- the file ----------------------------------------------------------------------------------------------------


def ask_for_file(certificate: Certificate) -> Job:
    """Return the job that draws the certificate, started if there is none. Its owner may follow it."""
    owner = certificate.completion.employee
    return jobs.start(kind=RENDER, key=certificate.serial, by=owner, params={"certificate": certificate.pk}, total=1)


def draw(certificate: Certificate) -> Certificate:
    """Make the certificate's file and badge if there are none, and return the certificate with them.

    Safe to call at any time. Drawing and signing happen before the row is touched: whoever is second throws its work
    away, and what was once kept is never made again. Raises drawing.CouldNotDraw, signing.KeyTrouble.
    """
    certificate.refresh_from_db()
    if certificate.file:
        return certificate
    key = signing.current()
    if not StatusList.objects.filter(number=badges.number_of(certificate)).exists():
        badges.renew(badges.number_of(certificate))
    drawn = drawing.certificate(certificate.serial, certificate.facts, certificate.evidence)
    sealed = signing.signed(drawn, firm=certificate.facts["firm"], at=timezone.now())
    certificate.badge = badges.badge(certificate, key)
    descriptor, path = tempfile.mkstemp(dir=files.workshop(), suffix=".pdf")
    made = Path(path)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(sealed)
        _keep(certificate, made, key)
    finally:
        made.unlink(missing_ok=True)
    return certificate


@transaction.atomic
def _keep(certificate: Certificate, made: Path, key: SigningKey) -> None:
    """Put the file in place, under the lock of the row, unless another one is there already."""
    rows = Certificate.objects.select_for_update(of=("self",)).select_related("completion__employee")
    locked = rows.get(pk=certificate.pk)
    if not locked.file:
        name = f"certificates/{locked.serial}.pdf"
        locked.sha256 = files.put_in_place(made, name)
        locked.file, locked.badge, locked.signed_by = name, certificate.badge, key
        locked.save(update_fields=["file", "sha256", "badge", "signed_by"])
        body = {"serial": locked.serial, "sha256": locked.sha256, "key": key.fingerprint}
        subject = locked.completion.employee.uid
        ledger.append(verb="training.certificate_signed", actor=SYSTEM, subject=subject, body=body)
    for field in ("file", "sha256", "badge", "signed_by"):
        setattr(certificate, field, getattr(locked, field))


def draw_ahead(job: Job) -> None:
    """Draw a job's certificate outside of any transaction: SQLite has one writer, and a page may wait for it."""
    draw(Certificate.objects.get(pk=job.params["certificate"]))


def draw_step(job: Job) -> bool:
    """The one step of a job: the file is there. Draws it only if draw_ahead() could not."""
    certificate = draw(Certificate.objects.get(pk=job.params["certificate"]))
    job.done = job.total = 1
    job.result = {"serial": certificate.serial, "sha256": certificate.sha256}
    return True


def jobs_of(certificates: list[Certificate]) -> dict[str, Job]:
    """Return {serial: job} for those whose file is not there yet. One query."""
    waiting = [certificate.serial for certificate in certificates if not certificate.file]
    return {job.key: job for job in Job.objects.filter(kind=RENDER, key__in=waiting)} if waiting else {}
