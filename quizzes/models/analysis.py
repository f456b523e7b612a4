from django.db import models

from quizzes.models.questions import Quiz


class ItemFigures(models.Model):
    """What answers have shown about the words of a question, over all versions that share them. Computed anew at will.

    ``figures``: {n, blank, sums, facility, discrimination, median_seconds, parts, advice}, see quizzes.analysis.
    """

    words = models.CharField(max_length=64, unique=True, help_text="Question.words")
    n = models.PositiveIntegerField(help_text="Answers that were counted")
    figures = models.JSONField()
    urgency = models.PositiveSmallIntegerField(help_text="Of the first advice: 3 look at it first, 0 nothing to do")
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "item figures"

    def __str__(self) -> str:
        return f"{self.n} answers to {self.words[:8]}"


class QuizFigures(models.Model):
    """How far a quiz tells people apart. Computed anew at will."""

    quiz = models.OneToOneField(Quiz, models.CASCADE, related_name="figures")
    people = models.PositiveIntegerField()
    figures = models.JSONField(help_text="{reliability: [value, low, high] or None, passed, percent}")
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "quiz figures"

    def __str__(self) -> str:
        return f"{self.people} people in {self.quiz_id}"
