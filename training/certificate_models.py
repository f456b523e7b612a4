"""Certificates as they are stored: what was issued, the keys that signed, lists of what fell, and exports in bulk."""

from datetime import date
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import Employee, opaque_id
from training.rules import Validity


class SigningKey(models.Model):
    """A key whose signature stands on certificates: its public half, for whoever checks them later."""

    fingerprint = models.CharField(max_length=64, unique=True, help_text="SHA-256 of its certificate")
    pem = models.TextField(help_text="Its certificate, and those of who vouches for it")
    begun_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["begun_at", "pk"]

    def __str__(self) -> str:
        return self.fingerprint[:16]


class CertificateQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "CertificateQuerySet":
        """One's own; those of the people whom one may see for who looks after certificates or audits."""
        if not viewer.is_active:
            return self.none()
        if viewer.has_perm("training.view_certificate"):
            return self.filter(completion__employee__in=Employee.objects.visible_to(viewer))
        return self.filter(completion__employee=viewer)

    def for_list(self) -> "CertificateQuerySet":
        """The newest first, with what a list says of them."""
        return self.select_related("superseded_by", "completion__edition__course").order_by("-issued_at", "-pk")

    def standing(self) -> "CertificateQuerySet":
        """Those that stand for their completion today: neither revoked nor replaced."""
        return self.filter(revoked_at=None, superseded_by=None)

    def worth(self, validity: Validity, today: date) -> "CertificateQuerySet":
        """Those of which rules.validity() says this today."""
        if validity == Validity.REVOKED:
            return self.filter(revoked_at__isnull=False)
        if validity == Validity.SUPERSEDED:
            return self.filter(revoked_at=None, superseded_by__isnull=False)
        if validity == Validity.VALID:
            return self.standing().filter(completion__expires_on__gte=today)
        return self.standing().filter(completion__expires_on__lt=today)


class Certificate(models.Model):
    """What was issued, word for word. A re-issue is a new serial; a revocation adds a date, it changes no fact."""

    class Reason(models.TextChoices):
        """What everybody may read of why a certificate does not stand any more."""

        ERROR = "error", _("It was issued in error")
        UNFAIR = "unfair", _("It was not earned fairly")
        CORRECTED = "corrected", _("What it said was corrected")
        RECALLED = "recalled", _("A quiz question was called back")
        WITHDRAWN = "withdrawn", _("The firm has withdrawn it")

    serial = models.CharField(max_length=32, unique=True)
    completion = models.ForeignKey("training.Completion", models.PROTECT, related_name="certificates")
    facts = models.JSONField(help_text="What is printed: names, number, course, edition, score, dates")
    evidence = models.JSONField(default=dict, help_text="What is attached besides: modules, marks, Entry, newest Seal")
    issued_at = models.DateTimeField()
    file = models.FileField(upload_to="certificates", blank=True, help_text="Empty: not rendered yet")
    sha256 = models.CharField(max_length=64, blank=True)
    badge = models.TextField(blank=True, help_text="The same as an Open Badge, signed; empty: not made yet")
    signed_by = models.ForeignKey(
        SigningKey,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="certificates",
        help_text="Empty: not signed yet, or drawn before certificates were signed",
    )
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not revoked")
    revoked_for = models.CharField(max_length=10, choices=Reason, blank=True, help_text="For everybody to read")
    revoked_why = models.CharField(max_length=500, blank=True, help_text="For the firm to read")
    superseded_by = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="supersedes", help_text="Empty: the latest"
    )
    superseded_for = models.CharField(max_length=10, choices=Reason, blank=True, help_text="For everybody to read")

    objects = CertificateQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("export_certificates", "Can export everybody's certificates"),
            ("manage_certificates", "Can revoke and re-issue everybody's certificates"),
            ("view_course_drafts", "Can read a course before it is published"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_why="", revoked_for="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_why="")),
                name="training_certificate_revoked_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(file="", sha256="", signed_by=None) | (~Q(file="") & ~Q(sha256="")),
                name="training_certificate_file_with_its_hash",
            ),
            models.CheckConstraint(
                condition=Q(superseded_by=None, superseded_for="")
                | (Q(superseded_by__isnull=False) & ~Q(superseded_by=F("id"))),
                name="training_certificate_does_not_replace_itself",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-issued_at", "-id"], name="training_certificate_newest")]

    def __str__(self) -> str:
        return self.serial


class StatusList(models.Model):
    """Which of a range of certificates do not stand any more, as a signed credential that machines ask for."""

    SIZE: ClassVar = 131_072  # certificates in one list: the least that the standard allows

    number = models.PositiveIntegerField(unique=True, help_text="Certificate.id // SIZE")
    credential = models.TextField(help_text="Signed; says until when it may be relied on")
    made_at = models.DateTimeField()
    is_stale = models.BooleanField(default=False, help_text="A certificate was revoked or replaced since")

    def __str__(self) -> str:
        return f"status list {self.number}"


class CertificateExportQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "CertificateExportQuerySet":
        """Those that one asked for oneself, as long as one may export at all."""
        if not viewer.is_active or not viewer.has_perm("training.export_certificates"):
            return self.none()
        return self.filter(asked_by=viewer)


class CertificateExport(models.Model):
    """A ZIP of certificates that HR asked for: the choice, the job that makes it, and what came out."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="certificate_exports")
    asked_at = models.DateTimeField(auto_now_add=True)
    choice = models.JSONField(help_text="department id, course id, from, to: as asked")
    job = models.OneToOneField("jobs.Job", models.PROTECT, related_name="certificate_export")
    count = models.PositiveIntegerField(default=0, help_text="Certificates in all parts, once it is done")
    forgotten_at = models.DateTimeField(null=True, blank=True, help_text="When its files were deleted; empty: not yet")

    objects = CertificateExportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-asked_at"]

    def __str__(self) -> str:
        return self.uid


class ExportPart(models.Model):
    """One ZIP of an export: whole in itself, with its own list and signed manifest."""

    export = models.ForeignKey(CertificateExport, models.PROTECT, related_name="parts")
    number = models.PositiveIntegerField(help_text="From 1")
    file = models.FileField(upload_to="exports")
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes")
    count = models.PositiveIntegerField(help_text="Certificates in it")

    class Meta:
        ordering: ClassVar = ["export", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["export", "number"], name="training_exportpart_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="training_exportpart_counts_from_one"),
            models.CheckConstraint(condition=~Q(file="") & ~Q(sha256=""), name="training_exportpart_is_there"),
        ]

    def __str__(self) -> str:
        return f"{self.export} part {self.number}"


class LeftOut(models.Model):
    """A certificate that an export could not pack, and why; the others went on without it."""

    class Why(models.TextChoices):
        UNDRAWN = "undrawn", _("It could not be drawn.")
        CHANGED = "changed", _("The stored file is not what was written.")
        GONE = "gone", _("The stored file is gone.")

    export = models.ForeignKey(CertificateExport, models.PROTECT, related_name="left_out")
    certificate = models.ForeignKey(Certificate, models.PROTECT, related_name="+")
    why = models.CharField(max_length=8, choices=Why)

    class Meta:
        ordering: ClassVar = ["export", "certificate"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["export", "certificate"], name="training_leftout_once")
        ]

    def __str__(self) -> str:
        return f"{self.export} without {self.certificate}"
