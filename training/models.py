from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import Employee
from quizzes.models import Bank, Quiz
from training.certificate_models import (  # noqa: F401 - the room has one front door for its rows
    Certificate,
    CertificateExport,
    ExportPart,
    LeftOut,
    SigningKey,
    StatusList,
)
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

    class Change(models.TextChoices):
        """What the edition changes for who knows the one before it, as chosen when it was published."""

        MINOR = "minor", _("Minor")
        MATERIAL = "material", _("Material")

    course = models.ForeignKey(Course, models.PROTECT, related_name="editions")
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    languages = models.JSONField(help_text="List, the first is the source")
    title = models.JSONField(help_text="Text per language")
    summary = models.JSONField(help_text="Text per language")
    pass_percent = models.PositiveSmallIntegerField()
    renewal_months = models.PositiveSmallIntegerField()
    sources = models.JSONField(help_text="{id: {kind, jurisdiction, short, name, number, body, link, checked}}")
    questions_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of all that its quizzes may ask, see supply.print_of. Empty: before"
    )
    published_at = models.DateTimeField()
    change = models.CharField(max_length=8, choices=Change, default=Change.MATERIAL)

    class Meta:
        permissions: ClassVar = [("publish_edition", "Can publish what question banks hold as a new edition")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["course", "number"], name="training_edition_number_once"),
            models.CheckConstraint(condition=Q(change__in=["minor", "material"]), name="training_edition_change_known"),
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
    given = models.JSONField(
        default=dict, blank=True, help_text="What the files say of each question: {slug: [fingerprint, version then]}"
    )

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["edition", "slug"], name="training_module_slug_once"),
            models.UniqueConstraint(fields=["edition", "position"], name="training_module_position_once"),
        ]

    def __str__(self) -> str:
        return self.slug


class Connection(models.Model):
    """The quiz of a module also asks what a bank holds, from the next edition on. Editions keep what they drew from."""

    course = models.ForeignKey(Course, models.PROTECT, related_name="connections")
    module = models.SlugField(max_length=80, help_text="Of the module, through all editions")
    bank = models.ForeignKey(Bank, models.PROTECT, related_name="connections")
    tag = models.SlugField(max_length=80, blank=True, allow_unicode=True, help_text="Empty: all of the bank")
    questions = models.PositiveSmallIntegerField(help_text="How many each attempt asks of it. 0: as the spread will")
    connected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="connections")
    connected_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["course", "module", "bank", "tag"], name="training_connection_once_a_module_and_tag"
            ),
            models.CheckConstraint(condition=Q(questions__lte=100), name="training_connection_asks_at_most_100"),
        ]

    def __str__(self) -> str:
        return f"{self.bank} for {self.module}"


class Lesson(models.Model):
    module = models.ForeignKey(Module, models.PROTECT, related_name="lessons")
    slug = models.SlugField(max_length=80)
    position = models.PositiveSmallIntegerField()
    minutes = models.PositiveSmallIntegerField()
    title = models.JSONField(help_text="Text per language")
    body = models.JSONField(help_text="Blocks per language, as training.blocks parses them")
    kept = models.JSONField(
        default=dict, blank=True, help_text="{owner: text per language, reviewed, review_by: days}; empty: not told"
    )
    cites = models.JSONField(default=list, blank=True, help_text="Ids of the sources, in the order in which they come")

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
        return self.select_related("course", "edition", "delta__before", "completion").order_by("due_on", "pk")

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
    delta = models.ForeignKey(
        "training.Delta",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        help_text="What changed since an older edition is all that is asked. Empty: the whole course, or not begun",
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
            models.CheckConstraint(
                condition=Q(delta=None) | Q(edition__isnull=False), name="training_assignment_delta_is_of_an_edition"
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


class OneTry(models.Model):
    """The one try, in a cycle, to pass a module without its lessons. What came of it is told by the attempt."""

    assignment = models.ForeignKey(Assignment, models.PROTECT, related_name="test_outs")
    module = models.ForeignKey(Module, models.PROTECT, related_name="test_outs")
    attempt = models.OneToOneField("quizzes.Attempt", models.PROTECT, related_name="test_out")
    began_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["assignment", "module"], name="training_test_out_once_a_cycle"),
        ]

    def __str__(self) -> str:
        return f"{self.module_id} tested out of in {self.assignment_id}"


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


from training.delta_models import Delta, DeltaModule  # noqa: E402, F401 - they refer to what stands above
from training.duty_models import (  # noqa: E402, F401 - they refer to what stands above
    Attestation,
    ExemptionAsk,
    ImportedFile,
    MaterialChange,
    Policy,
    PolicyVersion,
    RuleVersion,
)
from training.fresh_models import FreshAsk, FreshCard, FreshMail  # noqa: E402, F401 - as above
from training.upload_models import CourseUpload  # noqa: E402, F401 - as above
