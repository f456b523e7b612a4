from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class LexiconVersion(models.Model):
    """A lexicon as compliance wrote it. Its text never changes once it has been switched on.

    draft: may be edited and tried · active: what imports look with · retired: was active once. Without any, the
    lexicon that ships is what counts.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("switched on")
        RETIRED = "retired", _("switched off")

    number = models.PositiveIntegerField(unique=True)
    content = models.TextField(help_text="YAML, as archive/lexicon.yaml")
    note = models.CharField(max_length=300, help_text=_("What changed, and why"))
    state = models.CharField(max_length=8, choices=State, default=State.DRAFT)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    switched_on_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: never switched on"
    )
    switched_on_at = models.DateTimeField(null=True, help_text="NULL: never switched on")

    class Meta:
        ordering: ClassVar = ["-number"]
        permissions: ClassVar = [("edit_lexicon", "Can edit the lexicon and switch a version on")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="archive_lexicon_one_active"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(switched_on_by__isnull=False, switched_on_at__isnull=False),
                name="archive_lexicon_switched_on_by_and_at",
            ),
        ]

    def __str__(self) -> str:
        return str(self.number)
