from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Bank(models.Model):
    """A set of questions about one subject. A course's module has one; so may a firm."""

    slug = models.SlugField(max_length=160, unique=True)
    title = models.JSONField(help_text="Text per language: {'en': …, 'zh-hans': …}")

    def __str__(self) -> str:
        return self.slug


class QuestionQuerySet(models.QuerySet):
    def newest(self) -> "QuestionQuerySet":
        """The last version of each question, whatever its state."""
        later = Question.objects.filter(
            bank=models.OuterRef("bank"), slug=models.OuterRef("slug"), version__gt=models.OuterRef("version")
        )
        return self.filter(~models.Exists(later))

    def usable(self) -> "QuestionQuerySet":
        """Versions that a quiz may ask: reviewed, and not withdrawn."""
        return self.filter(state=Question.State.ACCEPTED, withdrawn_at=None)


class Question(models.Model):
    """One version of a question. An edited question is a new row: attempts keep the version they showed.

    What is asked never changes once the row is there: ``fingerprint`` is of all of it. What changes is how far its
    review has come, and whether it was withdrawn. ``words`` is the fingerprint of what a person sees and is graded by
    (not of tags, difficulty and citations): versions that differ in their tags alone share it, and with it their review
    and what answers have shown about them.
    """

    class Kind(models.TextChoices):
        SINGLE = "single", _("one answer")
        MULTIPLE = "multiple", _("all that apply")
        TRUEFALSE = "truefalse", _("true or false")
        MATCHING = "matching", _("matching")
        ORDERING = "ordering", _("putting in order")
        NUMERIC = "numeric", _("a number")
        TEXT = "text", _("short text")
        CHAT = "chat", _("marking a chat")
        SCENARIO = "scenario", _("scenario")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PROPOSED = "proposed", _("to be reviewed")
        RETURNED = "returned", _("returned")
        ACCEPTED = "accepted", _("accepted")

    bank = models.ForeignKey(Bank, models.PROTECT, related_name="questions")
    slug = models.SlugField(max_length=120)
    version = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of all that is asked, canonical")
    words = models.CharField(max_length=64, db_index=True, help_text="The same without tags, difficulty and citations")
    kind = models.CharField(max_length=12, choices=Kind)
    tags = models.JSONField(help_text="List; the first is what the draw counts")
    difficulty = models.PositiveSmallIntegerField()
    cites = models.JSONField(help_text="List of source ids")
    stem = models.JSONField(help_text="Text per language")
    options = models.JSONField(help_text="List of {id, right, text per language, why per language}; see quizzes/kinds")
    detail = models.JSONField(default=dict, blank=True, help_text="What only this kind has; see quizzes/kinds")
    explanation = models.JSONField(help_text="Text per language")
    points = models.PositiveSmallIntegerField(default=1)
    must_pass = models.BooleanField(default=False, help_text="Whoever has it wrong does not pass")
    shuffle = models.BooleanField(default=True, help_text="Options may stand in any order")
    created_at = models.DateTimeField(auto_now_add=True)

    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="questions_written",
        help_text="Empty: it came with the files of a course",
    )
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="questions_reviewed",
        help_text="Empty: not yet, or with the files of a course",
    )
    reviewed_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not yet")
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="questions_withdrawn",
        help_text="Empty: not withdrawn",
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not withdrawn")
    withdrawn_why = models.CharField(max_length=500, blank=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["bank", "slug", "version"], name="quizzes_question_version_once"),
            models.CheckConstraint(
                condition=Q(difficulty__gte=1, difficulty__lte=3), name="quizzes_question_difficulty_is_1_to_3"
            ),
            models.CheckConstraint(
                condition=Q(points__gte=1, points__lte=100), name="quizzes_question_points_are_1_to_100"
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted")
                | (Q(reviewed_at__isnull=False) & (Q(written_by=None) | Q(reviewed_by__isnull=False))),
                name="quizzes_question_accepted_after_review",
            ),
            models.CheckConstraint(
                condition=Q(written_by=None) | Q(reviewed_by=None) | ~Q(written_by=F("reviewed_by")),
                name="quizzes_question_reviewed_by_another",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None, withdrawn_why="")
                | (Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False) & ~Q(withdrawn_why="")),
                name="quizzes_question_withdrawn_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug} v{self.version}"

    @property
    def content(self) -> dict:
        """The question as quizzes.kinds takes it."""
        names = ("kind", "stem", "options", "detail", "explanation", "shuffle")
        return {name: getattr(self, name) for name in names}


class QuestionStep(models.Model):
    """What somebody did with a version of a question on its way to being asked."""

    class Deed(models.TextChoices):
        SAVED = "saved", _("saved")
        PROPOSED = "proposed", _("proposed")
        RETURNED = "returned", _("returned")
        ACCEPTED = "accepted", _("accepted")

    question = models.ForeignKey(Question, models.PROTECT, related_name="steps")
    deed = models.CharField(max_length=8, choices=Deed)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="question_steps")
    at = models.DateTimeField()
    text = models.CharField(max_length=1000, blank=True, help_text="What is to be mended, or was good")

    class Meta:
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return f"{self.question} {self.deed}"


class Quiz(models.Model):
    """What is drawn from which questions and what passing takes. Never changed: a changed quiz is a new row."""

    slug = models.SlugField(max_length=160, unique=True)
    title = models.JSONField(help_text="Text per language")
    questions = models.ManyToManyField(Question, related_name="quizzes")
    draw = models.PositiveSmallIntegerField(help_text="Questions in one attempt")
    blueprint = models.JSONField(
        default=list,
        blank=True,
        help_text="List of quizzes.drawing.Cell, as {questions, tag, bank, …}; the rest is spread evenly",
    )
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
