"""What is stored about duties beside rules and assignments. Models of training.models: they are imported there."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portal.people.models import Employee, opaque_id
from training.rules import told


class RuleVersion(models.Model):
    """What a rule said from one change to the next. Never changed: cycles name the version they came from."""

    rule = models.ForeignKey("training.Rule", models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    terms = models.JSONField(help_text="Every field of the rule, as it was")
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=64, help_text="uid, or system:<name>")

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "number"], name="training_rule_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} version {self.number}"


class MaterialChange(models.Model):
    """An edition that asks more than those before it: who holds an older one owes the course again."""

    edition = models.OneToOneField("training.Edition", models.PROTECT, related_name="material_change")
    since = models.DateField(help_text="Counted from here")
    declared_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.edition_id} since {self.since}"


class ImportedFile(models.Model):
    """A file of past completions that was read in. Its fingerprint stands in each completion that came from it."""

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    read_at = models.DateTimeField()
    read_by = models.CharField(max_length=64, help_text="uid, or system:<name>")
    count = models.PositiveIntegerField(help_text="Completions that came from it")
    aside = models.JSONField(default=list, help_text="[line, reason] of the lines that were not read")

    class Meta:
        ordering: ClassVar = ["-read_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class ExemptionAskQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "ExemptionAskQuerySet":
        """Those about people whom the viewer may see."""
        return self.filter(employee__in=Employee.objects.visible_to(viewer))

    def waiting(self) -> "ExemptionAskQuerySet":
        return self.filter(decided_at=None)


class ExemptionAsk(models.Model):
    """Somebody asks that a person be exempt; somebody else decides."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="exemption_asks")
    course = models.ForeignKey("training.Course", models.PROTECT, related_name="exemption_asks")
    reason = models.CharField(max_length=500)
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day of it")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, help_text="Empty: waiting")
    refused_why = models.CharField(max_length=500, blank=True, help_text="Empty: not refused")
    exemption = models.OneToOneField(
        "training.Exemption", models.PROTECT, null=True, related_name="ask", help_text="Empty: not approved"
    )

    objects = ExemptionAskQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="training_ask_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(decided_by=None) | (~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("employee"))),
                name="training_ask_is_decided_by_somebody_else",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["asked_at"], condition=Q(decided_at=None), name="training_ask_waiting"),
        ]

    def __str__(self) -> str:
        return self.uid


class Policy(models.Model):
    """A text of the firm that people sign: each version of it anew."""

    slug = models.SlugField(unique=True)
    is_quarterly = models.BooleanField(default=False, help_text="Signed anew for each quarter, beside one's record")

    class Meta:
        verbose_name_plural = "policies"
        permissions: ClassVar = [
            ("publish_policies", "Can publish policies to sign"),
            ("view_signatures", "Can see who has signed what"),
        ]

    def __str__(self) -> str:
        return self.slug


class PolicyVersion(models.Model):
    """A text as it was put before people. Never changed; the fingerprint is over title and text in all languages."""

    policy = models.ForeignKey(Policy, models.PROTECT, related_name="versions")
    number = models.PositiveSmallIntegerField()
    title = models.JSONField(help_text="Text per language")
    text = models.JSONField(help_text="Plain text per language, paragraphs apart by an empty line")
    fingerprint = models.CharField(max_length=64)
    effective_from = models.DateField(help_text="To be signed from this day on")
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=64, help_text="uid, or system:<name>")

    class Meta:
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["policy", "number"], name="training_policy_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.policy} version {self.number}"

    @property
    def shown_title(self) -> str:
        return told(self.title, get_language() or "")


class Attestation(models.Model):
    """Somebody signed a version. Only ever added. ``shown``: what was before them when they did."""

    class How(models.TextChoices):
        PASSWORD = "password", _("password")
        CODE = "mfa", _("second factor")
        SOCIAL = "socialaccount", _("single sign-on")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="attestations")
    version = models.ForeignKey(PolicyVersion, models.PROTECT, related_name="attestations")
    period = models.CharField(max_length=7, blank=True, help_text="2026-Q3 of a quarterly statement; empty: once")
    signed_at = models.DateTimeField()
    proved_at = models.DateTimeField(help_text="When the person proved to be there again")
    proved_how = models.CharField(max_length=20, choices=How)
    language = models.CharField(max_length=10, help_text="In which the text was read")
    shown = models.JSONField(default=dict, help_text="What stood beside the text: gaps, own reports")
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry that says so")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["employee", "version", "period"], name="training_attestation_once_a_period"
            ),
            models.CheckConstraint(
                condition=Q(signed_at__gte=F("proved_at")), name="training_attestation_proved_before_signed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} signed {self.version_id}"
