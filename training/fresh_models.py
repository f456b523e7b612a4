"""What is stored of the questions that keep a course fresh. Models of training.models: they are imported there."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import Employee, opaque_id
from training.fresh.schedule import A_WEEK, ENOUGH


class FreshCard(models.Model):
    """Where a person stands with one question, through all its versions: see training.fresh.schedule."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="fresh_cards")
    bank = models.ForeignKey("quizzes.Bank", models.PROTECT, related_name="fresh_cards")
    slug = models.SlugField(max_length=120, help_text="Of the question")
    course = models.ForeignKey("training.Course", models.PROTECT, related_name="fresh_cards")
    module = models.SlugField(max_length=80, help_text="Of the module, through all editions")
    right_in_a_row = models.PositiveSmallIntegerField(default=0)
    due_on = models.DateField(null=True, blank=True, help_text="Not asked before this day. Empty: retired")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "bank", "slug"], name="training_fresh_card_once"),
            models.CheckConstraint(
                condition=Q(due_on__isnull=True, right_in_a_row=ENOUGH)
                | Q(due_on__isnull=False, right_in_a_row__lt=ENOUGH),
                name="training_fresh_card_retired_when_right_twice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} for {self.employee_id}"


class FreshAskQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "FreshAskQuerySet":
        """Only one's own: what somebody answers here is nobody else's business."""
        return self.filter(employee=viewer) if viewer.is_active else self.none()


class FreshAsk(models.Model):
    """A question asked to keep fresh: at most two of a person and week. Written once more, when it is answered.

    ``order`` and ``tokens`` as in quizzes.Response. One that is not answered in its week lapses; the next week asks
    again.
    """

    class Sure(models.IntegerChoices):
        GUESSING = 1, _("I am guessing")
        FAIRLY = 2, _("Fairly sure")
        CERTAIN = 3, _("Certain")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    card = models.ForeignKey(FreshCard, models.PROTECT, related_name="asks")
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="fresh_asks")
    question = models.ForeignKey("quizzes.Question", models.PROTECT, related_name="fresh_asks", db_index=False)
    week = models.DateField(help_text="Its Monday, where the person works")
    place = models.PositiveSmallIntegerField(help_text="1 or 2")
    order = models.JSONField()
    tokens = models.JSONField()
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not answered")
    chosen = models.CharField(max_length=40, blank=True, help_text="Id of the option. Empty: not answered")
    is_right = models.BooleanField(null=True, blank=True, help_text="Empty: not answered")
    sure = models.PositiveSmallIntegerField(choices=Sure, null=True, blank=True, help_text="Empty: not told")
    language = models.CharField(max_length=10, blank=True, help_text="Of the page when it was answered")

    objects = FreshAskQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["week", "place"]
        permissions: ClassVar = [("view_beliefs", "Can see which wrong answers people are certain of")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "week", "place"], name="training_fresh_ask_place_once"),
            models.UniqueConstraint(fields=["card", "week"], name="training_fresh_ask_once_a_week"),
            models.CheckConstraint(
                condition=Q(place__gte=1, place__lte=A_WEEK), name="training_fresh_ask_at_most_two_a_week"
            ),
            models.CheckConstraint(
                condition=Q(answered_at=None, is_right=None, sure=None, chosen="", language="")
                | (Q(answered_at__isnull=False, is_right__isnull=False) & ~Q(chosen="")),
                name="training_fresh_ask_graded_when_answered",
            ),
            models.CheckConstraint(
                condition=Q(sure=None) | Q(sure__gte=1, sure__lte=3), name="training_fresh_ask_sure_in_three_grades"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["question", "answered_at"], condition=Q(sure__isnull=False), name="training_fresh_how_sure"
            ),
            models.Index(fields=["answered_at"], condition=Q(is_right=False, sure=3), name="training_fresh_firm_wrong"),
        ]

    def __str__(self) -> str:
        return f"{self.place} of {self.week} for {self.employee_id}"


class FreshMail(models.Model):
    """Somebody was looked at in a week: a mail went out, or nothing was to be asked."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="fresh_mails")
    week = models.DateField(help_text="Its Monday, where the person works")
    questions = models.PositiveSmallIntegerField(help_text="0: nothing to ask, no mail")
    sent_at = models.DateTimeField(null=True, blank=True, help_text="Empty: no mail")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "week"], name="training_fresh_mail_once_a_week"),
            models.CheckConstraint(
                condition=Q(questions=0, sent_at=None) | Q(questions__gte=1, sent_at__isnull=False),
                name="training_fresh_mail_sent_when_there_is_something",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.week} to {self.employee_id}"
