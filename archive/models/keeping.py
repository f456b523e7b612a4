from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.feeds import Batch, Source
from portal.jobs.models import Job
from portal.people.models import Employee, Office, opaque_id


class HoldQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "HoldQuerySet":
        return self if viewer.is_active and viewer.has_perm("archive.view_keeping") else self.none()

    def active(self) -> "HoldQuerySet":
        return self.filter(lifted_at=None)

    def for_list(self) -> "HoldQuerySet":
        """Active ones first, each group with the newest on top."""
        return self.select_related("employee", "made_by", "lifted_by").order_by(
            F("lifted_at").desc(nulls_first=True), "-made_at", "-pk"
        )


class Hold(models.Model):
    """Messages that nobody may dispose of, whatever their retention: those that meet every criterion that is given.

    A hold is lifted, never deleted.
    """

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    name = models.CharField(max_length=100, unique=True)
    reason = models.CharField(max_length=500)
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="holds", help_text="NULL: anybody's"
    )
    room = models.CharField(max_length=128, blank=True, help_text=_("Empty: any conversation"))
    contact = models.CharField(max_length=128, blank=True, help_text=_("Empty: any outside contact"))
    first_on = models.DateField(null=True, help_text="NULL: from the beginning")
    last_on = models.DateField(null=True, help_text="NULL: without end")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: it is active"
    )
    lifted_at = models.DateTimeField(null=True, help_text="NULL: it is active")
    lifted_why = models.CharField(max_length=500, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("view_keeping", "Can see holds, retention schedules and disposals"),
            ("manage_keeping", "Can hold messages and ask for and approve their disposal"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(employee__isnull=False)
                | ~Q(room="")
                | ~Q(contact="")
                | Q(first_on__isnull=False)
                | Q(last_on__isnull=False),
                name="archive_hold_holds_something",
            ),
            models.CheckConstraint(
                condition=Q(first_on=None) | Q(last_on=None) | Q(last_on__gte=F("first_on")),
                name="archive_hold_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(lifted_by=None, lifted_at=None) | Q(lifted_by__isnull=False, lifted_at__isnull=False),
                name="archive_hold_lifted_by_and_at",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.lifted_at is None


class Posting(models.Model):
    """Under which law an employee has worked from a moment on: the jurisdiction of the office that HR named.

    How long a message is kept depends on where people worked when it was sent, so a move must not change that.
    The first one of a person reaches back to the beginning.
    """

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    jurisdiction = models.CharField(max_length=2, choices=Office.Jurisdiction)
    since = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "since"], name="archive_posting_begins_once")
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} in {self.jurisdiction} since {self.since:%Y-%m-%d}"


class DisposalQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "DisposalQuerySet":
        return self if viewer.is_active and viewer.has_perm("archive.view_keeping") else self.none()

    def open(self) -> "DisposalQuerySet":
        """Waiting for a second person, or running."""
        return self.filter(state__in=Disposal.OPEN)

    def for_list(self) -> "DisposalQuerySet":
        return self.select_related("asked_by", "decided_by", "job", "count_job").order_by("-asked_at", "-pk")


class Disposal(models.Model):
    """A run that takes messages away whose retention is over. One person asks with a preview, another approves.

    asked: being counted until counted_at, then waits for a second person · approved: the job works · done · refused ·
    stopped: a person, or changed schedules, ended it on the way · withdrawn: by who asked, before anybody decided ·
    preview: what will be over on a day to come, which nobody can approve.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("waits for approval")
        APPROVED = "approved", _("running")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")
        STOPPED = "stopped", _("stopped")
        WITHDRAWN = "withdrawn", _("withdrawn")
        PREVIEW = "preview", _("a preview only")

    OPEN: ClassVar = ("asked", "approved")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    as_of = models.DateField(help_text="What was over on this day is taken away, nothing that runs out later")
    schedule_version = models.CharField(max_length=20, help_text="Of the retention schedules that applied")
    schedule_digest = models.CharField(max_length=64, help_text="SHA-256 of these schedules, hex")
    reason = models.CharField(max_length=500)
    preview = models.JSONField(default=dict, help_text="Counts by rule and month when it was asked for")
    count_job = models.OneToOneField(
        Job, models.SET_NULL, null=True, related_name="+", help_text="What made the preview; NULL: its row is gone"
    )
    counted_at = models.DateTimeField(null=True, help_text="When the preview was ready; NULL: still counting")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: nobody yet"
    )
    decided_at = models.DateTimeField(null=True, help_text="NULL: nobody yet")
    decided_why = models.CharField(max_length=500, blank=True, help_text="Why it was refused or stopped")
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="+", help_text="NULL: not approved")
    disposed = models.PositiveBigIntegerField(default=0, help_text="Messages taken away so far")
    kept_back = models.PositiveBigIntegerField(default=0, help_text="Messages that a hold kept, seen while it ran")
    ended_at = models.DateTimeField(null=True, help_text="NULL: not ended")

    objects = DisposalQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="archive_disposal_takes_two_people"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "withdrawn", "preview"], decided_by=None)
                | (~Q(state__in=["asked", "withdrawn", "preview"]) & Q(decided_by__isnull=False)),
                name="archive_disposal_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "refused", "withdrawn", "preview"]) | Q(counted_at__isnull=False),
                name="archive_disposal_counted_before_it_runs",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "approved", "preview"], ended_at=None)
                | (~Q(state__in=["asked", "approved", "preview"]) & Q(ended_at__isnull=False)),
                name="archive_disposal_ended_has_a_time",
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=Q(state__in=["asked", "approved"]),
                name="archive_disposal_one_waits_or_runs",
            ),
        ]

    def __str__(self) -> str:
        return self.uid

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def is_being_counted(self) -> bool:
        return self.counted_at is None and self.state in (self.State.ASKED, self.State.PREVIEW)

    @property
    def finds_nothing(self) -> bool:
        """Whether it was counted and nothing is over: then there is nothing to approve."""
        return self.counted_at is not None and not self.preview.get("going") and not self.preview.get("lines")


class Tombstone(models.Model):
    """What stays of a delivered record that was disposed of: enough to prove it was there, and not to take it again.

    A message leaves one for each of its copies: every leaf of a batch is a Message, a Delivery or a Tombstone.
    """

    disposal = models.ForeignKey(Disposal, models.PROTECT, related_name="tombstones", db_index=False)
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_index=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="tombstones", db_index=False)
    leaf = models.PositiveSmallIntegerField()
    seq = models.PositiveBigIntegerField(null=True, help_text="NULL: the feed has no numbers")
    id_digest = models.BinaryField(max_length=32, help_text="SHA-256 of channel, NUL, msgid")
    fingerprint = models.BinaryField(max_length=32)
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry of the step that made it")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["batch", "leaf"], name="archive_tombstone_once_per_leaf")
        ]
        indexes: ClassVar = [
            models.Index(fields=["id_digest"], name="archive_tombstone_by_id"),
            models.Index(fields=["entry_seq"], name="archive_tombstone_by_entry"),
            models.Index(fields=["source", "seq"], condition=Q(seq__isnull=False), name="archive_tombstone_by_number"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.leaf}"
