from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from archive.models import Finding
from portal.people.models import Department, Employee, Office, opaque_id
from portal.standing.rules import ArchiveState, TrainingState
from training.lessons import title_of
from training.models import Lesson


class StandingQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "StandingQuerySet":
        """One's own, those of everybody below, and all of them for who may see every archive record.

        HR sees training but not the archive, so a Standing, which joins the two, is not HR's.
        """
        if not viewer.is_active:
            return self.none()
        if viewer.has_perm("archive.view_every_record"):
            return self
        return self.filter(Q(employee=viewer) | Q(employee__in=viewer.lines_down.values("report")))


class Said(models.Model):
    """What a standing says of a person, and where in the firm they stood: so that a team's past can be asked."""

    training_state = models.CharField(max_length=16, choices=TrainingState)
    archive_state = models.CharField(max_length=16, choices=ArchiveState)
    may_message = models.BooleanField()
    reasons = models.JSONField(help_text="List of {code, …facts}; words.py says them in the reader's language")
    is_on_staff = models.BooleanField(default=True, help_text="On HR's list, and the last day has not passed")
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: reports to nobody"
    )
    department = models.ForeignKey(Department, models.PROTECT, null=True, related_name="+", help_text="NULL: in none")
    office = models.ForeignKey(Office, models.PROTECT, null=True, related_name="+", help_text="NULL: in none")
    policy_version = models.CharField(max_length=20, default="1")

    class Meta:
        abstract = True


class Standing(Said):
    """Training beside the archive, for one person, now. Derived: catch_up() can make it anew from what it joins."""

    employee = models.OneToOneField(settings.AUTH_USER_MODEL, models.PROTECT, related_name="standing")
    since = models.DateTimeField(help_text="When it last changed")
    entry_seq = models.PositiveBigIntegerField(default=0, help_text="The ledger Entry of its last change")
    next_change_at = models.DateTimeField(null=True, blank=True, help_text="Empty: no day changes it by itself")
    lapses_on = models.DateField(null=True, help_text="First day untrained if nobody acts. NULL: so now, or never")

    objects = StandingQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("view_firm", "Can see the firm's page")]
        indexes: ClassVar = [
            models.Index(fields=["next_change_at"], name="standing_by_next_moment"),
            models.Index(fields=["training_state", "archive_state"], name="standing_by_states"),
            models.Index(fields=["is_on_staff", "may_message"], name="standing_by_permission"),
            models.Index(fields=["entry_seq"], name="standing_by_entry"),
            models.Index(fields=["lapses_on"], name="standing_by_lapse"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id}: {self.training_state}, {self.archive_state}"


class StandingChange(Said):
    """What a Standing became, and when. Only ever added: the answer for a past date never changes."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="standing_changes")
    at = models.DateTimeField()
    entry_seq = models.PositiveBigIntegerField(unique=True, help_text="The ledger Entry of this change")

    objects = StandingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["employee", "at"], name="standing_change_of_person"),
            models.Index(fields=["at"], name="standing_change_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} at {self.at:%Y-%m-%d}: {self.training_state}, {self.archive_state}"


class MonthEnd(models.Model):
    """How a manager's line, or the firm, stood at the end of a month: counted once from StandingChange, never again."""

    month = models.DateField(help_text="First day of the month")
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="month_ends", help_text="NULL: the firm"
    )
    people = models.PositiveIntegerField()
    current = models.PositiveIntegerField(help_text="As rules.ROWS has it")
    lapsed = models.PositiveIntegerField(help_text="Likewise")
    clean = models.PositiveIntegerField()
    breach = models.PositiveIntegerField()
    barred = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["month"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["manager", "month"], name="standing_month_end_once_per_manager"),
            models.UniqueConstraint(
                fields=["month"], condition=Q(manager=None), name="standing_month_end_once_for_the_firm"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}: {self.people} people of {self.manager_id or 'the firm'}"


class Stock(models.Model):
    """What is counted of the whole firm once a day, because it reads more rows than a page should."""

    on = models.DateField(unique=True)
    counted_at = models.DateTimeField(null=True, help_text="What came later is not in it. NULL: not kept yet then")
    first_tries = models.JSONField(help_text="List of {slug, quiz, tried, passed, percent}, a module each, in order")

    class Meta:
        verbose_name_plural = "stock"

    def __str__(self) -> str:
        return f"{self.on}"


class Nudge(models.Model):
    """A reminder that somebody sent by hand to a person below them, at most one a day to each person."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="nudges")
    on = models.DateField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, help_text="NULL: still waiting for the mail server")
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry that says so")

    class Meta:
        permissions: ClassVar = [("remind_anybody", "Can remind everybody of training that is due")]
        constraints: ClassVar = [models.UniqueConstraint(fields=["employee", "on"], name="standing_nudge_once_a_day")]
        indexes: ClassVar = [
            models.Index(fields=["asked_at"], condition=Q(sent_at=None), name="standing_nudge_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} on {self.on}"


class Look(models.Model):
    """How far in the ledger catch_up() has read. One row."""

    seq = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="standing_look_is_one_row")]

    def __str__(self) -> str:
        return f"up to {self.seq}"


class FeedToken(models.Model):
    """What a machine shows to follow the permission feed, or to read the firm's figures. Only its digest is kept."""

    class Opens(models.TextChoices):
        STANDING = "standing", _("who may message clients")
        FIRM = "firm", _("the firm’s figures")

    opens = models.CharField(max_length=10, choices=Opens, default=Opens.STANDING)
    label = models.CharField(max_length=60, help_text="Which machine uses it")
    hint = models.CharField(max_length=8, help_text="How it begins, to tell it from others")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, hex")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="NULL: it opens what it is for")
    last_used_at = models.DateTimeField(null=True, help_text="NULL: never")

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]
        permissions: ClassVar = [("manage_feed", "Can make and end tokens of the permission feed")]

    def __str__(self) -> str:
        return self.label


class Remedy(models.Model):
    """Which lesson a kind of finding calls for, where compliance has chosen another than remedies.yaml. None: empty."""

    kind = models.CharField(max_length=24, choices=Finding.Kind, unique=True)
    course = models.SlugField(max_length=80, blank=True)
    module = models.SlugField(max_length=80, blank=True)
    lesson = models.SlugField(max_length=80, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "remedies"
        permissions: ClassVar = [("choose_remedies", "Can choose which lesson a kind of finding calls for")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(course="", module="", lesson="") | ~(Q(course="") | Q(module="") | Q(lesson="")),
                name="standing_remedy_names_a_whole_lesson_or_none",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.lesson or 'none'}"


class RemedyTaskQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "RemedyTaskQuerySet":
        """Whose finding one may see: one's own, of people below, everybody's for who sees every record."""
        return self.filter(finding__in=Finding.objects.visible_to(viewer))

    def open(self) -> "RemedyTaskQuerySet":
        return self.filter(done_at=None, withdrawn_at=None)


class RemedyTask(models.Model):
    """A lesson that a finding has assigned to its person: read it again, with the facts of the finding beside it."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    finding = models.OneToOneField(Finding, models.PROTECT, related_name="remedy_task")
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="remedy_tasks")
    lesson = models.ForeignKey(Lesson, models.PROTECT, related_name="+")
    assigned_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text="NULL: not opened")
    done_at = models.DateTimeField(null=True, help_text="NULL: not done")
    withdrawn_at = models.DateTimeField(null=True, help_text="The finding was settled before; NULL: it stands")
    answers = models.JSONField(default=dict, help_text="By the name of the block, as in Progress.answers")

    objects = RemedyTaskQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(done_at=None) | (Q(opened_at__isnull=False) & Q(withdrawn_at=None)),
                name="standing_remedy_task_done_after_opening",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["employee"], condition=Q(done_at=None, withdrawn_at=None), name="standing_remedy_task_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.employee_id}: {self.lesson_id}"

    @property
    def title(self) -> str:
        """The lesson's title in the language of the page. Reads the lesson."""
        return title_of(self.lesson)
