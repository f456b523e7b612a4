"""What is stored of delta courses. Models of training.models: they are imported there."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class Delta(models.Model):
    """What an edition asks of who completed an older one: the lessons that changed, and questions about them."""

    before = models.ForeignKey("training.Edition", models.PROTECT, related_name="deltas_onward")
    edition = models.ForeignKey("training.Edition", models.PROTECT, related_name="deltas")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["before", "edition"], name="training_delta_once"),
            models.CheckConstraint(condition=~Q(before=F("edition")), name="training_delta_leads_onward"),
        ]

    def __str__(self) -> str:
        return f"{self.before_id} to {self.edition_id}"


class DeltaModule(models.Model):
    """A module in which something changed. ``lessons``: those to be read; none: only questions changed."""

    delta = models.ForeignKey(Delta, models.PROTECT, related_name="modules")
    module = models.ForeignKey("training.Module", models.PROTECT, related_name="delta_modules")
    quiz = models.OneToOneField("quizzes.Quiz", models.PROTECT, related_name="delta_module")
    lessons = models.ManyToManyField("training.Lesson", related_name="delta_modules")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delta", "module"], name="training_delta_module_once"),
        ]

    def __str__(self) -> str:
        return f"{self.module_id} in {self.delta_id}"
