from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import Employee, opaque_id
from quizzes.models.attempts import Attempt
from quizzes.models.questions import Question


class RecallQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "RecallQuerySet":
        """Those who may review attempts: a recall lists people and what became of their results."""
        return self if viewer.is_active and viewer.has_perm("quizzes.review_attempts") else self.none()


class Recall(models.Model):
    """A faulty question is called back after it was asked: every result in which it counted is looked at again.

    Whoever asks for it does not settle it: somebody else does, or sends it back, and then it can be asked for again.
    All versions of the same words are withdrawn with it. ``rule`` says how the question counts from now on. The old
    results stay as they are; what they come to now is in the Regrades.
    """

    class Rule(models.TextChoices):
        LEFT_OUT = "left-out", _("it does not count")
        FULL = "full", _("everybody gets its points")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    question = models.OneToOneField(Question, models.PROTECT, related_name="recall")
    words = models.CharField(max_length=64, unique=True, help_text="Question.words: of all versions called back")
    rule = models.CharField(max_length=8, choices=Rule)
    reason = models.CharField(max_length=500)
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="recalls_begun")
    begun_at = models.DateTimeField()
    job = models.OneToOneField(
        "jobs.Job", models.PROTECT, related_name="recall", help_text="Looks at the results again"
    )
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="recalls_settled"
    )
    settled_at = models.DateTimeField(null=True, blank=True, help_text="Empty: nobody has been told yet")
    sent_back_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="recalls_sent_back"
    )
    sent_back_at = models.DateTimeField(
        null=True, blank=True, help_text="Empty: it waits for a decision, or is settled"
    )
    sent_back_why = models.CharField(max_length=500, blank=True)

    objects = RecallQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [("recall_question", "Can call back a question that was asked")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(settled_at=None, settled_by=None) | Q(settled_at__isnull=False, settled_by__isnull=False),
                name="quizzes_recall_settled_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(sent_back_at=None, sent_back_by=None, sent_back_why="")
                | Q(sent_back_at__isnull=False, sent_back_by__isnull=False, settled_at=None) & ~Q(sent_back_why=""),
                name="quizzes_recall_sent_back_with_a_reason_and_not_settled",
            ),
        ]

    def __str__(self) -> str:
        return f"recall of {self.question}"


class Regrade(models.Model):
    """What an attempt comes to after a recall, beside what it came to before. The better of the two counts."""

    class Outcome(models.TextChoices):
        OPEN = "", _("not settled yet")
        NONE = "none", _("nothing follows")
        CONFIRMED = "confirmed", _("the certificate is confirmed")
        REPLACED = "replaced", _("the certificate is replaced")
        PASSED = "passed", _("the module is passed")
        COMPLETED = "completed", _("the course is completed")

    recall = models.ForeignKey(Recall, models.PROTECT, related_name="regrades")
    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="regrades")
    percent_before = models.PositiveSmallIntegerField()
    passed_before = models.BooleanField()
    percent_after = models.PositiveSmallIntegerField()
    passed_after = models.BooleanField()
    outcome = models.CharField(max_length=9, choices=Outcome, blank=True, default=Outcome.OPEN)
    certificate = models.CharField(max_length=32, blank=True, help_text="The serial that stands now. Empty: none")
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="When the mail was handed over. Empty: none was due"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["recall", "attempt"], name="quizzes_regrade_once_a_recall"),
            models.CheckConstraint(
                condition=Q(percent_before__lte=100, percent_after__lte=100), name="quizzes_regrade_percent_to_100"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id}: {self.percent_before} → {self.percent_after}"

    @property
    def changes_pass(self) -> bool:
        return self.passed_before != self.passed_after

    @property
    def counts_percent(self) -> int:
        return max(self.percent_before, self.percent_after)

    @property
    def counts_passed(self) -> bool:
        return self.passed_before or self.passed_after
