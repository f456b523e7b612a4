"""Numbers that are missing in a feed."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.feeds import Source


class Hole(models.Model):
    """A maximal run of numbers that are absent between two that are present. It belongs to the source, to nobody else.

    suspected: nobody has said anything yet · asked: the puller was told to ask again · confirmed: a person says it is
    lost · explained: a person says why it is none. When the numbers come the row goes; its Finding tells the story.
    """

    class State(models.TextChoices):
        SUSPECTED = "suspected", _("suspected")
        ASKED = "asked", _("asked for again")
        CONFIRMED = "confirmed", _("confirmed lost")
        EXPLAINED = "explained", _("explained")

    source = models.ForeignKey(Source, models.PROTECT, related_name="holes")
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    before_at = models.DateTimeField(null=True, help_text="When its left neighbour was sent; NULL: not known")
    after_at = models.DateTimeField(null=True, help_text="When its right neighbour was sent; NULL: not known")
    state = models.CharField(max_length=10, choices=State, default=State.SUSPECTED)
    is_told = models.BooleanField(default=False, help_text="It was looked at and has its finding")

    class Meta:
        ordering: ClassVar = ["first"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "first"], name="archive_hole_begins_once"),
            models.CheckConstraint(condition=Q(last__gte=F("first")), name="archive_hole_ends_after_it_begins"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["source", "last"], name="archive_hole_by_end"),
            models.Index(fields=["source", "first"], condition=Q(is_told=False), name="archive_hole_untold"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.first}-{self.last}"

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class FilledHole(models.Model):
    """A hole that has a finding and is no more, or is smaller now. Gone when the finding has been closed."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="+")
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.source_id}: {self.first}-{self.last}"
