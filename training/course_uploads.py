"""A course folder that an author sends is looked at first; then another author publishes exactly that."""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from portal.ledger import services as ledger
from portal.people.models import Employee
from training import course_zips, publishing
from training.course_zips import BadZip
from training.models import CourseUpload, Edition
from training.previews import Draft

KEPT = timedelta(days=14)


class HasMistakes(ValueError):
    """A course with a mistake in its files is not published."""


class OwnUpload(PermissionError):
    """What one author sends another one publishes: its questions count as read by others."""


@transaction.atomic
def keep(*, data: bytes, name: str, by: Employee) -> CourseUpload:
    """Keep a ZIP to look at, mistakes and all; it takes the place of one that its author sent of the same course.

    Raises BadZip.
    """
    draft = _read(data)
    if draft.course is None or not draft.course.slug:
        raise BadZip(draft.faults[0] if draft.faults else name)
    CourseUpload.objects.filter(at__lt=timezone.now() - KEPT).delete()
    CourseUpload.objects.filter(by=by, course=draft.course.slug).delete()
    sha256 = hashlib.sha256(data).hexdigest()
    row = CourseUpload.objects.create(
        by=by, at=timezone.now(), name=name[:200], course=draft.course.slug[:50], sha256=sha256, data=data
    )
    body = {"course": row.course, "file": row.name, "sha256": sha256, "mistakes": len(draft.faults)}
    ledger.append(verb="training.course_uploaded", actor=by.uid, subject="system:training", body=body)
    return row


def look(upload: CourseUpload) -> Draft:
    """Return the course that is in it, read and checked anew. Raises BadZip."""
    return _read(bytes(upload.data))


def _read(data: bytes) -> Draft:
    return Draft(*course_zips.read(data, [code for code, _name in settings.LANGUAGES]))


@transaction.atomic
def publish(*, upload: CourseUpload, change: str, by: Employee) -> tuple[Edition, bool]:
    """Publish what was shown and forget the file. Return the edition, and whether it is a new one.

    Raises OwnUpload, HasMistakes, BadZip, and what publishing.publish raises.
    """
    if by == upload.by:
        raise OwnUpload(upload.uid)
    draft = look(upload)
    if draft.faults or draft.course is None:
        raise HasMistakes(upload.uid)
    edition, is_new = publishing.publish(course=draft.course, by=by.uid, change=change)
    upload.delete()
    return edition, is_new
