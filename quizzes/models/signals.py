from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import Employee, opaque_id
from quizzes.models.attempts import Attempt


class SignalQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "SignalQuerySet":
        """Those about people whom the viewer may see, for who may review attempts."""
        if not viewer.is_active or not viewer.has_perm("quizzes.review_attempts"):
            return self.none()
        return self.filter(attempt__employee__in=Employee.objects.visible_to(viewer))


class Signal(models.Model):
    """A sign that an attempt may not be somebody's own work. A person looks at it; it changes no result."""

    class Kind(models.TextChoices):
        FAST = "fast", _("far too fast")
        ALIKE = "alike", _("rare wrong answers alike")
        PLACES = "places", _("two devices in turn")

    class Verdict(models.TextChoices):
        OPEN = "", _("not looked at yet")
        NOTHING = "nothing", _("nothing in it")
        TALKED = "talked", _("talked about with the person")
        REPEATED = "repeated", _("the quiz is to be repeated")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    kind = models.CharField(max_length=6, choices=Kind)
    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="signals")
    other = models.ForeignKey(
        Attempt, models.PROTECT, null=True, blank=True, related_name="signals_as_other", help_text="Empty: of one alone"
    )
    figures = models.JSONField(help_text="{seconds, reading} or {shared, bits} or {turns}: see quizzes.signals")
    found_at = models.DateTimeField()
    verdict = models.CharField(max_length=8, choices=Verdict, blank=True, default=Verdict.OPEN)
    note = models.CharField(max_length=1000, blank=True)
    judged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="signals_judged"
    )
    judged_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not looked at yet")

    objects = SignalQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind", "attempt"], condition=Q(other=None), name="quizzes_signal_once_an_attempt"
            ),
            models.UniqueConstraint(
                fields=["kind", "attempt", "other"], condition=Q(other__isnull=False), name="quizzes_signal_once_a_pair"
            ),
            models.CheckConstraint(
                condition=Q(verdict="", judged_at=None, judged_by=None)
                | (~Q(verdict="") & Q(judged_at__isnull=False, judged_by__isnull=False)),
                name="quizzes_signal_judged_by_somebody",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["verdict", "-found_at"], name="quizzes_signal_waiting")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.attempt_id}"
