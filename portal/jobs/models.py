from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import opaque_id

LONGEST = timedelta(minutes=15)  # more than any lease, and than the longest pause between two attempts


class JobQuerySet(models.QuerySet):
    def visible_to(self, viewer) -> "JobQuerySet":
        """Who started a job may follow it."""
        return self.filter(started_by=viewer) if viewer.is_active else self.none()

    def due(self, now) -> "JobQuerySet":
        """Waiting and due, or running under a lease that has run out: whoever claims it may work.

        Nothing waits or is leased for longer than LONGEST. What says so was written by a machine whose clock is ahead,
        and would else lie until that time has come.
        """
        never = now + LONGEST
        return self.filter(
            Q(state=Job.State.WAITING) & (Q(due_at__lte=now) | Q(due_at__gt=never))
            | Q(state=Job.State.RUNNING) & (Q(lease_until__lt=now) | Q(lease_until__gt=never))
        )


class Job(models.Model):
    """Long work. The row is the work; Celery is only its bell.

    waiting: due at due_at · running: leased until lease_until · stopped: by a person, until they let it go on · done ·
    failed: given up, a person should look.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    kind = models.CharField(max_length=100, help_text="Name of the Celery task that works on it")
    key = models.CharField(max_length=120, help_text="Same kind and key: the same work")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    params = models.JSONField(default=dict, blank=True, help_text="Opaque ids only")
    cursor = models.JSONField(default=dict, blank=True, help_text="How far it came")
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty: not known")
    result = models.JSONField(default=dict, blank=True)
    error = models.CharField(max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Since it last came forward")
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Empty: nobody works on it")
    lease_token = models.CharField(max_length=32, blank=True)
    may_stop = models.BooleanField(default=False, help_text="Whoever started it may stop it and let it go on")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="jobs", help_text="Empty: the system"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not ended")

    objects = JobQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("operate", "Can see how the machinery stands and let given up jobs be tried again")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "key"], name="jobs_job_once_per_kind_and_key"),
            models.CheckConstraint(
                condition=Q(state="running", lease_until__isnull=False) | (~Q(state="running") & Q(lease_until=None)),
                name="jobs_job_runs_under_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], ended_at__isnull=False)
                | Q(state__in=["waiting", "running", "stopped"], ended_at=None),
                name="jobs_job_ended_has_a_time",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "due_at"], name="jobs_job_by_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @property
    def is_ended(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)

    @property
    def is_resting(self) -> bool:
        """Nothing of it will change by itself."""
        return self.is_ended or self.state == self.State.STOPPED

    @property
    def percent(self) -> int | None:
        """Whole percent done, None while the total is not known."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.done * 100 // self.total) if self.total else None
