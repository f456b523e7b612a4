from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.models.messages import Message
from archive.models.outcome import Finding
from portal.people.models import Employee, opaque_id


class FindingStep(models.Model):
    """One thing that was done about a finding. Only ever added; each has its Entry."""

    class What(models.TextChoices):
        CLAIMED = "claimed", _("taken on")
        RELEASED = "released", _("let go")
        NOTED = "noted", _("note")
        ASKED = "asked", _("asked the person")
        ANSWERED = "answered", _("the person answered")
        READ = "read", _("words read")
        CONFIRMED = "confirmed", _("confirmed")
        SECONDED = "seconded", _("confirmed by a second reviewer")
        RETURNED = "returned", _("sent back, to be reviewed again")
        DISMISSED = "dismissed", _("dismissed as a false alarm")
        CLOSED = "closed", _("closed")
        TAKEN_OVER = "taken_over", _("taken over")
        ADDED = "added", _("the person added")

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="steps", db_index=False)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: the system"
    )
    what = models.CharField(max_length=10, choices=What)
    text = models.CharField(max_length=2000, blank=True)
    entry_seq = models.PositiveBigIntegerField(unique=True, help_text="The ledger Entry of this step")

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [models.Index(fields=["finding", "at"], name="archive_step_of_finding")]

    def __str__(self) -> str:
        return f"{self.finding_id}: {self.what}"


class SelfReportQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "SelfReportQuerySet":
        """One's own; everybody's for who sees every record."""
        if not viewer.is_active:
            return self.none()
        return self if viewer.has_perm("archive.view_every_record") else self.filter(employee=viewer)


class SelfReport(models.Model):
    """An employee tells of a slip of their own before anybody finds it. It weighs in their favour."""

    class Where(models.TextChoices):
        WECHAT = "wechat", _("personal WeChat")
        PHONE = "phone", _("text message or private phone")
        OTHER_APP = "other_app", _("another app")
        MAIL = "mail", _("private e-mail")

    class Began(models.TextChoices):
        CLIENT = "client", _("The client wrote to me there")
        ME = "me", _("I wrote there")

    class About(models.TextChoices):
        BUSINESS = "business", _("Business: an order, advice, a price, a document")
        ARRANGING = "arranging", _("Only when and where to meet")
        UNSURE = "unsure", _("I am not sure")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="self_reports")
    happened_on = models.DateField()
    where = models.CharField(max_length=10, choices=Where)
    began = models.CharField(max_length=6, choices=Began)
    about = models.CharField(max_length=10, choices=About)
    has_moved = models.BooleanField(help_text="The chat has been moved to the firm's channel")
    has_kept = models.BooleanField(help_text="The messages are still there and were handed in")
    note = models.CharField(max_length=500, blank=True)
    told_at = models.DateTimeField()
    finding = models.OneToOneField(Finding, models.PROTECT, related_name="self_report")

    objects = SelfReportQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["employee", "happened_on"], name="archive_self_report_by_day")]

    def __str__(self) -> str:
        return f"{self.employee_id} of {self.happened_on}"


class Sample(models.Model):
    """A month's random sample of captured messages for supervisory review.

    Reproducible: the messages whose SHA-256 of seed and fingerprint is smallest, of all content messages of the month
    in which an employee takes part. Who knows seed and fingerprints finds the same ones.
    """

    month = models.DateField(unique=True)
    seed = models.CharField(max_length=64, help_text="Hex")
    size = models.PositiveIntegerField(help_text="What the policy asked for")
    population = models.PositiveBigIntegerField(help_text="Messages it was drawn from")
    policy_version = models.CharField(max_length=20)
    drawn_at = models.DateTimeField()
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry of the drawing")

    class Meta:
        ordering: ClassVar = ["-month"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(month__day=1), name="archive_sample_month_is_its_first_day")
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class SampleItem(models.Model):
    """One message to look at, and who looked, when, and what was done: FINRA Rule 3110.07 asks for just that."""

    class Result(models.TextChoices):
        FINE = "fine", _("nothing to object to")
        CONCERN = "concern", _("a concern: finding opened or raised")
        NOT_READABLE = "not_readable", _("could not be reviewed")

    sample = models.ForeignKey(Sample, models.CASCADE, related_name="items", db_index=False)
    number = models.PositiveIntegerField(help_text="From 1, in the order of the drawing")
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, related_name="+", help_text="NULL: disposed of since"
    )
    fingerprint = models.BinaryField(max_length=32)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: not reviewed"
    )
    reviewed_at = models.DateTimeField(null=True, help_text="NULL: not reviewed")
    result = models.CharField(max_length=12, choices=Result, blank=True)
    action = models.CharField(max_length=500, blank=True, help_text="What was done")
    entry_seq = models.PositiveBigIntegerField(null=True, help_text="The ledger Entry of the review; NULL: none")

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sample", "number"], name="archive_sample_number_once"),
            models.CheckConstraint(
                condition=Q(reviewer=None, reviewed_at=None, result="")
                | (Q(reviewer__isnull=False, reviewed_at__isnull=False) & ~Q(result="")),
                name="archive_sample_reviewed_by_at_and_how",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sample_id}: {self.number}"
