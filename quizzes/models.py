from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.people.models import opaque_id


class Bank(models.Model):
    """A set of questions about one subject. A course's module has one; so may a firm."""

    slug = models.SlugField(max_length=160, unique=True)
    title = models.JSONField(help_text="Text per language: {'en': …, 'zh-hans': …}")

    def __str__(self) -> str:
        return self.slug


class Question(models.Model):
    """One version of a question. An edited question is a new row: attempts keep the version they showed."""

    class Kind(models.TextChoices):
        SINGLE = "single", _("one answer")
        MULTIPLE = "multiple", _("all that apply")
        TRUEFALSE = "truefalse", _("true or false")

    bank = models.ForeignKey(Bank, models.PROTECT, related_name="questions")
    slug = models.SlugField(max_length=120)
    version = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of everything below, canonical")
    kind = models.CharField(max_length=12, choices=Kind)
    tags = models.JSONField(help_text="List; the first is what the draw counts")
    difficulty = models.PositiveSmallIntegerField()
    cites = models.JSONField(help_text="List of source ids")
    stem = models.JSONField(help_text="Text per language")
    options = models.JSONField(help_text="List of {id, right, text per language, why per language}")
    explanation = models.JSONField(help_text="Text per language")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "slug", "version"], name="quizzes_question_version_once"),
            models.UniqueConstraint(fields=["bank", "slug", "fingerprint"], name="quizzes_question_same_text_once"),
            models.CheckConstraint(
                condition=Q(difficulty__gte=1, difficulty__lte=3), name="quizzes_question_difficulty_is_1_to_3"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} v{self.version}"


class Quiz(models.Model):
    """What is drawn from which questions and what passing takes. Never changed: a changed quiz is a new row."""

    slug = models.SlugField(max_length=160, unique=True)
    title = models.JSONField(help_text="Text per language")
    questions = models.ManyToManyField(Question, related_name="quizzes")
    draw = models.PositiveSmallIntegerField(help_text="Questions in one attempt")
    pass_percent = models.PositiveSmallIntegerField()
    tries_before_wait = models.PositiveSmallIntegerField(help_text="Failures in a row before a wait")
    wait_minutes = models.PositiveIntegerField()
    time_limit_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit")

    class Meta:
        verbose_name_plural = "quizzes"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(pass_percent__gte=1, pass_percent__lte=100), name="quizzes_quiz_pass_mark_is_a_percent"
            ),
            models.CheckConstraint(condition=Q(draw__gte=1), name="quizzes_quiz_draws_something"),
            models.CheckConstraint(condition=Q(tries_before_wait__gte=1), name="quizzes_quiz_allows_a_first_try"),
            models.CheckConstraint(
                condition=Q(time_limit_minutes=None) | Q(time_limit_minutes__gte=1),
                name="quizzes_quiz_time_limit_leaves_time",
            ),
        ]

    def __str__(self) -> str:
        return self.slug


class AttemptQuerySet(models.QuerySet):
    def visible_to(self, viewer) -> "AttemptQuerySet":
        """Only the person who made it: answers are nobody else's business, the outcome is."""
        return self.filter(employee=viewer) if viewer.is_active else self.none()

    def open(self) -> "AttemptQuerySet":
        return self.filter(submitted_at__isnull=True)

    def submitted(self) -> "AttemptQuerySet":
        return self.filter(submitted_at__isnull=False)


class Attempt(models.Model):
    """One try at a quiz. Its Responses freeze what was shown; graded once, when submitted."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    quiz = models.ForeignKey(Quiz, models.PROTECT, related_name="attempts")
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="attempts")
    number = models.PositiveIntegerField(help_text="1 for a person's first try at this quiz")
    seed = models.CharField(max_length=64, help_text="Draws the same questions in the same order again")
    language = models.CharField(max_length=10, help_text="Of the page when it was begun")
    pass_percent = models.PositiveSmallIntegerField(help_text="The mark when it was begun")
    started_at = models.DateTimeField()
    closes_at = models.DateTimeField(null=True, blank=True, help_text="Empty: no time limit")
    submitted_at = models.DateTimeField(null=True, blank=True, help_text="Empty: still open")
    right = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: not graded")
    percent = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: not graded")
    passed = models.BooleanField(null=True, blank=True, help_text="Empty: not graded")

    objects = AttemptQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["quiz", "employee", "number"], name="quizzes_attempt_number_once"),
            models.UniqueConstraint(
                fields=["quiz", "employee"],
                condition=Q(submitted_at__isnull=True),
                name="quizzes_attempt_one_open_per_person",
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None, percent=None, right=None, passed=None)
                | Q(submitted_at__isnull=False, percent__isnull=False, right__isnull=False, passed__isnull=False),
                name="quizzes_attempt_graded_when_submitted",
            ),
            models.CheckConstraint(
                condition=Q(percent=None) | Q(percent__lte=100), name="quizzes_attempt_percent_to_100"
            ),
            models.CheckConstraint(
                condition=Q(submitted_at=None) | Q(submitted_at__gte=F("started_at")),
                name="quizzes_attempt_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=Q(closes_at=None) | Q(closes_at__gt=F("started_at")),
                name="quizzes_attempt_closes_after_it_starts",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["employee", "quiz", "submitted_at"], name="quizzes_attempt_of_person")
        ]

    def __str__(self) -> str:
        return f"{self.quiz} try {self.number}"

    @property
    def is_open(self) -> bool:
        return self.submitted_at is None


class Response(models.Model):
    """A question as an attempt showed it, and what was chosen.

    ``order`` lists the option ids as shown; ``tokens`` maps the opaque id that the page used to the option id, so
    that nothing on the page sorts by correctness. ``chosen`` holds option ids; None: not answered.
    """

    attempt = models.ForeignKey(Attempt, models.PROTECT, related_name="responses")
    position = models.PositiveSmallIntegerField()
    question = models.ForeignKey(Question, models.PROTECT, related_name="responses")
    order = models.JSONField()
    tokens = models.JSONField()
    chosen = models.JSONField(null=True, blank=True, help_text="Empty: not answered")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not answered")
    is_right = models.BooleanField(null=True, blank=True, help_text="Empty: not graded")

    class Meta:
        ordering: ClassVar = ["position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attempt", "position"], name="quizzes_response_position_once"),
            models.UniqueConstraint(fields=["attempt", "question"], name="quizzes_response_question_once"),
            models.CheckConstraint(
                condition=Q(chosen__isnull=True, answered_at__isnull=True)
                | Q(chosen__isnull=False, answered_at__isnull=False),
                name="quizzes_response_answered_when_chosen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.attempt_id}"
