from typing import ClassVar

from django.db import models
from django.db.models import Q


class Head(models.Model):
    """The last Entry's number and digest. One row; locking it is the last lock that a transaction takes."""

    seq = models.PositiveBigIntegerField(default=0)
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="ledger_head_is_one_row")]

    def __str__(self) -> str:
        return f"after {self.seq}"


class Entry(models.Model):
    """Who did what, when, about whom. Holds no personal data and is never changed: see guards.py.

    ``digest`` is computed by rules.entry_digest over all other columns; ``prev`` is the digest of seq - 1.
    """

    seq = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    verb = models.CharField(max_length=64)
    actor = models.CharField(max_length=64, help_text="Employee.uid or system:<name>")
    subject = models.CharField(max_length=64, help_text="Employee.uid or system:<name>")
    commitment = models.BinaryField(max_length=32)
    prev = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    v = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["seq"]
        verbose_name_plural = "entries"
        permissions: ClassVar = [("view_entries", "Can read the evidence log")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["prev"], name="ledger_entry_follows_one"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="ledger_entry_counts_from_one"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["subject", "seq"], name="ledger_entry_by_subject"),
            models.Index(fields=["verb", "seq"], name="ledger_entry_by_verb"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.verb}"


class Body(models.Model):
    """What an Entry says, with the salt of its commitment. The only place for personal data; can be disposed of."""

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, related_name="body")
    content = models.BinaryField(help_text="Canonical JSON, UTF-8")
    salt = models.BinaryField(max_length=32)

    class Meta:
        verbose_name_plural = "bodies"

    def __str__(self) -> str:
        return f"body of {self.entry_id}"


class Disposal(models.Model):
    """Names the Body that may be deleted, and by which Entry it was ordered. Without it the database refuses."""

    seq = models.PositiveBigIntegerField(unique=True)
    ordered_by = models.ForeignKey(Entry, models.PROTECT, related_name="disposals")

    def __str__(self) -> str:
        return f"disposal of {self.seq}"
