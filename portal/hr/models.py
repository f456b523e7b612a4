from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.hr.comparing import Kind, Wrong
from portal.people.models import Employee, opaque_id


class HrFileQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "HrFileQuerySet":
        """All of them for who may import people; nobody else needs them."""
        return self if viewer.is_active and viewer.has_perm("hr.import_people") else self.none()

    def for_list(self) -> "HrFileQuerySet":
        return self.select_related("given_by", "compare_job", "apply_job").order_by("-given_at", "-pk")


class HrFile(models.Model):
    """A list of people that HR gave: read, compared, shown, and only then made so.

    The file and the rows of the difference are personal data: they go when it is applied or put away. What stays is
    the counts and the fingerprint; each person's change is an Entry.
    """

    class State(models.TextChoices):
        NEW = "new", _("columns to be chosen")
        COMPARING = "comparing", _("being compared")
        SHOWN = "shown", _("to be looked at")
        APPLYING = "applying", _("being applied")
        APPLIED = "applied", _("applied")
        AWAY = "away", _("put away")
        UNREADABLE = "unreadable", _("not readable")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    name = models.CharField(max_length=200, help_text="As it was called where it came from")
    file = models.FileField(upload_to="hr", blank=True, help_text="Empty: removed")
    sha256 = models.CharField(max_length=64)
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="hr_files")
    given_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    headers = models.JSONField(default=list, blank=True, help_text="The first row")
    mapping = models.JSONField(default=dict, blank=True, help_text="{our column: its heading}")
    is_complete = models.BooleanField(default=False, help_text="Who is not in it has left")
    why_not = models.CharField(max_length=300, blank=True, help_text="Why it could not be read")
    counts = models.JSONField(default=dict, blank=True, help_text="{kind of change: how many}, unchanged, staff, stale")
    compare_job = models.ForeignKey("jobs.Job", models.PROTECT, null=True, blank=True, related_name="+")
    apply_job = models.OneToOneField("jobs.Job", models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Applied or put away; empty: open")

    objects = HrFileQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("import_people", "Can bring HR's list of people up to date")]
        constraints: ClassVar = [
            # Two differences at once would be shown against the same people and follow each other blindly.
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="applying"), name="hr_one_file_is_applied_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["applied", "away"], ended_at__isnull=False)
                | (~Q(state__in=["applied", "away"]) & Q(ended_at=None)),
                name="hr_file_ended_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.state not in (self.State.APPLIED, self.State.AWAY)


class HrChange(models.Model):
    """One line of the difference, as it is shown and as it will be done."""

    class Done(models.TextChoices):
        NO = "", _("not yet")
        YES = "yes", _("done")
        STALE = "stale", _("not done: the person was changed in the meantime")
        CIRCLE = "circle", _("done, but for the manager: it would have made a circle")

    file = models.ForeignKey(HrFile, models.CASCADE, related_name="changes")
    kind = models.CharField(max_length=8, choices=Kind)
    line = models.PositiveIntegerField(help_text="In the file; 0: not in it")
    employee_no = models.CharField(max_length=64)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+")
    before = models.JSONField(default=dict, blank=True, help_text="Only the columns that differ, as text")
    after = models.JSONField(default=dict, blank=True)
    wrong = models.CharField(max_length=20, choices=Wrong, blank=True)
    about = models.CharField(max_length=120, blank=True)
    done = models.CharField(max_length=6, choices=Done, default="", blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["file", "kind", "id"], name="hr_change_by_kind")]

    def __str__(self) -> str:
        return f"{self.employee_no} {self.kind}"

    @property
    def reason(self) -> str:
        """Why the line is refused, in the reader's language; empty if it is not."""
        return str(Wrong(self.wrong).label) % {"about": self.about} if self.wrong else ""
