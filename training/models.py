from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import Employee, opaque_id
from quizzes.models import Quiz
from training.duties import DueKind, RenewalKind


def everybody() -> dict:
    return {"all": []}


class Course(models.Model):
    slug = models.SlugField(unique=True)

    def __str__(self) -> str:
        return self.slug

    @property
    def current(self) -> "Edition | None":
        """The newest edition. Costs a query."""
        return self.editions.order_by("-number").first()


class Edition(models.Model):
    """A published version of a course. Never changed; ``fingerprint`` is over the bytes of all its files."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    languages = models.JSONField(help_text="List, the first is the source")
    title = models.JSONField(help_text="Text per language")
    summary = models.JSONField(help_text="Text per language")
    pass_percent = models.PositiveSmallIntegerField()
    renewal_months = models.PositiveSmallIntegerField()
    sources = models.JSONField(help_text="{id: {kind, jurisdiction, short, name, number, body, link, checked}}")
    published_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "number"], name="training_edition_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.course} edition {self.number}"


class Module(models.Model):
    edition = models.ForeignKey(Edition, models.PROTECT, related_name="modules")
    slug = models.SlugField(max_length=80)
    position = models.PositiveSmallIntegerField()
    title = models.JSONField(help_text="Text per language")
    summary = models.JSONField(help_text="Text per language")
    objectives = models.JSONField(help_text="List of text per language")
    quiz = models.ForeignKey(Quiz, models.PROTECT, related_name="modules")

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["edition", "slug"], name="training_module_slug_once"),
            models.UniqueConstraint(fields=["edition", "position"], name="training_module_position_once"),
        ]

    def __str__(self) -> str:
        return self.slug


class Lesson(models.Model):
    module = models.ForeignKey(Module, models.PROTECT, related_name="lessons")
    slug = models.SlugField(max_length=80)
    position = models.PositiveSmallIntegerField()
    minutes = models.PositiveSmallIntegerField()
    title = models.JSONField(help_text="Text per language")
    body = models.JSONField(help_text="Blocks per language, as training.blocks parses them")

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["module", "slug"], name="training_lesson_slug_once"),
            models.UniqueConstraint(fields=["module", "position"], name="training_lesson_position_once"),
        ]

    def __str__(self) -> str:
        return self.slug


class Rule(models.Model):
    """Who owes a course, and by when. What it says now; each earlier version is kept as a RuleVersion."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="rules")
    name = models.CharField(max_length=120, unique=True)
    version = models.PositiveSmallIntegerField(default=1)
    audience = models.JSONField(default=everybody, blank=True, help_text="Tree, as training.audiences describes it")
    due_kind = models.CharField(max_length=16, choices=DueKind, default=DueKind.DAYS)
    due_days = models.PositiveSmallIntegerField(help_text="Days from joining, or from the rule's start")
    due_date = models.DateField(null=True, blank=True, help_text="Empty: due after so many days")
    renewal_kind = models.CharField(max_length=16, choices=RenewalKind, default=RenewalKind.COUNTED)
    renewal_months = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: as the course says")
    window_days = models.PositiveSmallIntegerField(default=30, help_text="A renewal opens so many days before")
    season = models.JSONField(null=True, blank=True, help_text="[[month, day], [month, day]]; empty: no season")
    grace_days = models.PositiveSmallIntegerField(default=0, help_text="Days after the due day before one is overdue")
    starts_on = models.DateField(help_text="Who joined earlier counts from here")
    is_active = models.BooleanField(default=True)
    applied_on = models.DateField(null=True, blank=True, help_text="When everybody was last looked at; empty: never")

    class Meta:
        permissions: ClassVar = [
            ("manage_rules", "Can change who owes what, import completions and try rules"),
            ("approve_exemptions", "Can approve exemptions"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(due_kind=DueKind.DATE) | Q(due_date__isnull=False), name="training_rule_date_is_told"
            ),
            models.CheckConstraint(
                condition=~Q(renewal_kind=RenewalKind.SEASON) | Q(season__isnull=False),
                name="training_rule_season_is_told",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AssignmentQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "AssignmentQuerySet":
        return self.filter(employee__in=Employee.objects.visible_to(viewer))

    def for_list(self) -> "AssignmentQuerySet":
        return self.select_related("course", "edition", "completion").order_by("due_on", "pk")

    def open(self) -> "AssignmentQuerySet":
        """Those that have not ended: at most one for a person and course."""
        return self.filter(ended_on=None)

    def latest(self) -> "AssignmentQuerySet":
        """Of each person and course the open cycle, or else the one that ended last."""
        newest = (
            Assignment.objects.filter(employee=models.OuterRef("employee"), course=models.OuterRef("course"))
            .order_by(F("ended_on").desc(nulls_first=True), "-cycle")
            .values("pk")[:1]
        )
        return self.filter(pk=models.Subquery(newest))


class Assignment(models.Model):
    """Somebody owes a course once. A renewal is the next cycle: a new row, never a reset."""

    class Why(models.TextChoices):
        COMPLETED = "completed", _("Completed")
        LEFT = "left", _("Left the firm")
        MOVED = "moved", _("No rule calls for it any more")
        EXEMPT = "exempt", _("Exempt")
        NEW_EDITION = "new_edition", _("A new edition asks more")

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="assignments")
    course = models.ForeignKey(Course, models.PROTECT, related_name="assignments")
    cycle = models.PositiveSmallIntegerField()
    edition = models.ForeignKey(
        Edition, models.PROTECT, null=True, blank=True, related_name="assignments", help_text="Empty: not begun"
    )
    rule = models.ForeignKey(Rule, models.PROTECT, null=True, blank=True, help_text="Empty: assigned by hand")
    assigned_on = models.DateField()
    due_on = models.DateField(help_text="On time until the end of this day, where the person works")
    grace_days = models.PositiveSmallIntegerField(default=0, help_text="Days after it before one is overdue")
    because = models.JSONField(default=dict, blank=True, help_text="By which facts it was made: see training.reasons")
    ended_on = models.DateField(null=True, blank=True, help_text="Empty: open")
    ended_why = models.CharField(max_length=16, choices=Why, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "course", "cycle"], name="training_assignment_cycle_once"),
            models.CheckConstraint(condition=Q(cycle__gte=1), name="training_assignment_cycle_counts_from_one"),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("assigned_on")), name="training_assignment_due_after_assigned"
            ),
            models.UniqueConstraint(
                fields=["employee", "course"],
                condition=Q(ended_on__isnull=True),  # NULL: open
                name="training_assignment_one_open_per_duty",
            ),
            models.CheckConstraint(
                condition=Q(ended_on=None, ended_why="") | (Q(ended_on__isnull=False) & ~Q(ended_why="")),
                name="training_assignment_ends_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course} cycle {self.cycle} for {self.employee_id}"


class Exemption(models.Model):
    """Somebody need not hold a course for a while. Never of one's own approval."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="exemptions")
    course = models.ForeignKey(Course, models.PROTECT, related_name="exemptions")
    reason = models.CharField(max_length=500)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="exemptions_approved")
    starts_on = models.DateField()
    ends_on = models.DateField(help_text="The last day of it")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("starts_on")), name="training_exemption_ends_after_it_starts"
            ),
            models.CheckConstraint(condition=~Q(employee=F("approved_by")), name="training_exemption_is_not_ones_own"),
        ]
        indexes: ClassVar = [models.Index(fields=["course", "ends_on"], name="training_exemption_by_end")]

    def __str__(self) -> str:
        return f"{self.employee_id} exempt until {self.ends_on}"


class Progress(models.Model):
    """One person in one lesson: where they are, what they marked, how long they spent, by the server's clock."""

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="progress")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="progress")
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="The last sign of reading")
    seconds = models.PositiveIntegerField(default=0, help_text="Reading time, pauses left out")
    place = models.PositiveSmallIntegerField(default=0, help_text="Block last in view, counted from 0")
    answers = models.JSONField(default=dict, blank=True, help_text="{block name: what was chosen}")
    finished_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not finished")

    class Meta:
        verbose_name_plural = "progress"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["assignment", "lesson"], name="training_progress_once_per_lesson"),
            models.CheckConstraint(
                condition=Q(finished_at=None) | Q(finished_at__gte=F("opened_at")),
                name="training_progress_finishes_after_opening",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assignment_id} in {self.lesson_id}"


class ModuleResult(models.Model):
    """The attempt by which a person passed a module in a cycle. Written once, by the first passing attempt."""

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="module_results")
    module = models.ForeignKey(Module, models.PROTECT, related_name="results")
    attempt = models.OneToOneField("quizzes.Attempt", models.PROTECT, related_name="module_result")
    percent = models.PositiveSmallIntegerField()
    passed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["assignment", "module"], name="training_module_passed_once_a_cycle"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="training_module_percent_to_100"),
        ]

    def __str__(self) -> str:
        return f"{self.module_id} passed in {self.assignment_id}"


class Completion(models.Model):
    """A course completed: tied for ever to the edition that was studied. One an assignment."""

    class Origin(models.TextChoices):
        STUDIED = "studied", _("Studied here")
        IMPORTED = "imported", _("Imported")

    assignment = models.OneToOneField(Assignment, models.PROTECT, related_name="completion")
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="completions")
    edition = models.ForeignKey(Edition, models.PROTECT, related_name="completions")
    origin = models.CharField(max_length=16, choices=Origin, default=Origin.STUDIED)
    origin_file = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the file it was imported from")
    completed_at = models.DateTimeField()
    expires_on = models.DateField(help_text="The last day on which it counts")
    percent = models.PositiveSmallIntegerField(help_text="Mean of the modules, rounded down")
    study_seconds = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(percent__lte=100), name="training_completion_percent_to_100"),
            models.CheckConstraint(
                condition=(Q(origin="imported") & ~Q(origin_file="")) | (~Q(origin="imported") & Q(origin_file="")),
                name="training_completion_names_the_file_it_came_from",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["employee", "-completed_at"], name="training_completion_of_person"),
            models.Index(fields=["completed_at"], name="training_completion_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.assignment} completed"


class CertificateQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "CertificateQuerySet":
        """One's own; those of everybody for HR, who exports them."""
        if not viewer.is_active:
            return self.none()
        if viewer.has_perm("training.export_certificates"):
            return self
        return self.filter(completion__employee=viewer)

    def for_list(self) -> "CertificateQuerySet":
        """The newest first, with what a list says of them."""
        return self.select_related("superseded_by", "completion__edition__course").order_by("-issued_at", "-pk")

    def to_export(self) -> "CertificateQuerySet":
        """Those that stand for their completion today: neither revoked nor replaced."""
        return self.filter(revoked_at=None, superseded_by=None)


class Certificate(models.Model):
    """What was issued, word for word. A re-issue is a new serial; a revocation adds a date, it changes no fact."""

    serial = models.CharField(max_length=32, unique=True)
    completion = models.ForeignKey(Completion, models.PROTECT, related_name="certificates")
    facts = models.JSONField(help_text="What is printed: names, number, course, edition, score, dates")
    issued_at = models.DateTimeField()
    file = models.FileField(upload_to="certificates", blank=True, help_text="Empty: not rendered yet")
    sha256 = models.CharField(max_length=64, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not revoked")
    revoked_why = models.CharField(max_length=500, blank=True)
    superseded_by = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="supersedes", help_text="Empty: the latest"
    )

    objects = CertificateQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("export_certificates", "Can export everybody's certificates"),
            ("view_course_drafts", "Can read a course before it is published"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_why="") | (Q(revoked_at__isnull=False) & ~Q(revoked_why="")),
                name="training_certificate_revoked_with_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(file="", sha256="") | (~Q(file="") & ~Q(sha256="")),
                name="training_certificate_file_with_its_hash",
            ),
            models.CheckConstraint(
                condition=Q(superseded_by=None) | ~Q(superseded_by=F("id")),
                name="training_certificate_does_not_replace_itself",
            ),
        ]

    def __str__(self) -> str:
        return self.serial


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
    file = models.FileField(upload_to="exports", blank=True, help_text="Empty: not ready")
    sha256 = models.CharField(max_length=64, blank=True)
    count = models.PositiveIntegerField(default=0, help_text="Certificates in the file")

    objects = CertificateExportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-asked_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(file="", sha256="") | (~Q(file="") & ~Q(sha256="")),
                name="training_export_file_with_its_hash",
            )
        ]

    def __str__(self) -> str:
        return self.uid


from training.duty_models import (  # noqa: E402 - they refer to what stands above
    Attestation,
    ExemptionAsk,
    ImportedFile,
    MaterialChange,
    Policy,
    PolicyVersion,
    RuleVersion,
)

__all__ = [
    "Assignment",
    "Attestation",
    "Certificate",
    "CertificateExport",
    "Completion",
    "Course",
    "Edition",
    "Exemption",
    "ExemptionAsk",
    "ImportedFile",
    "Lesson",
    "MaterialChange",
    "Module",
    "ModuleResult",
    "Policy",
    "PolicyVersion",
    "Progress",
    "Rule",
    "RuleVersion",
]
