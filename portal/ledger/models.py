from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


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
            models.Index(fields=["actor", "seq"], name="ledger_entry_by_actor"),
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


class Key(models.Model):
    """A public key under which Seals were signed since ``begun_by``, until the next Key. The private one is a file."""

    number = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(max_length=200, help_text="The log's origin, the same for all keys")
    public = models.BinaryField(max_length=32)
    since = models.DateTimeField()
    begun_by = models.OneToOneField(Entry, models.PROTECT, related_name="+")

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(number__gte=1), name="ledger_key_counts_from_one"),
            models.UniqueConstraint(fields=["public"], name="ledger_key_begins_once"),
        ]

    def __str__(self) -> str:
        return f"key {self.number} of {self.name}"


class Seal(models.Model):
    """One size of the tree over all Entries, signed. ``note`` is what was signed and sent; the rest is for looking up.

    ``prev`` is the digest of the Seal before it, 32 zero bytes for the first; ``edge`` lets the tree grow from here.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    size = models.PositiveBigIntegerField(help_text="Entries 1 to this one are under the root")
    root = models.BinaryField(max_length=32)
    key_id = models.CharField(max_length=8)
    note = models.TextField()
    prev = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of the note")
    edge = models.BinaryField(help_text="Roots of the tree's full subtrees, left to right")

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["prev"], name="ledger_seal_follows_one"),
            models.CheckConstraint(condition=Q(number__gte=1, size__gte=1), name="ledger_seal_counts_from_one"),
        ]
        indexes: ClassVar = [models.Index(fields=["size"], name="ledger_seal_by_size")]

    def __str__(self) -> str:
        return f"seal {self.number} over {self.size}"


class Node(models.Model):
    """The root of a full subtree: level 1 over 256 Entries, level 2 over 65 536. So a proof reads a few rows only."""

    level = models.PositiveSmallIntegerField()
    index = models.PositiveBigIntegerField()
    digest = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["level", "index"], name="ledger_node_has_one_place")]

    def __str__(self) -> str:
        return f"node {self.level}:{self.index}"


class DeliveryQuerySet(models.QuerySet):
    def due(self, now) -> "DeliveryQuerySet":
        """Not yet delivered, its time has come, and nobody is at it."""
        nobody = Q(lease_until=None) | Q(lease_until__lt=now)
        return self.filter(nobody, delivered_at=None, due_at__lte=now)


class Delivery(models.Model):
    """That a Seal is to be sent to a place that the portal cannot rewrite, and what came of it."""

    class Place(models.TextChoices):
        FOLDER = "folder", _("folder")
        MAIL = "mail", _("mailbox")
        S3 = "s3", _("object lock storage")
        TIMESTAMP = "timestamp", _("time stamp")

    seal = models.ForeignKey(Seal, models.PROTECT, related_name="deliveries")
    place = models.CharField(max_length=10, choices=Place)
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Empty: nobody is at it")
    lease_token = models.CharField(max_length=32, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="Empty: not delivered yet")
    receipt = models.CharField(max_length=500, blank=True, help_text="Where it is now")
    stamp = models.BinaryField(null=True, blank=True, help_text="RFC 3161 response; empty for other places")
    error = models.CharField(max_length=500, blank=True, help_text="Of the last attempt")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["seal", "place"], name="ledger_delivery_once_per_seal_and_place"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], name="ledger_delivery_by_due", condition=Q(delivered_at=None)),
        ]

    def __str__(self) -> str:
        return f"seal {self.seal_id} to {self.place}"


class Verification(models.Model):
    """One reading of the ledger and what it found. Not evidence itself: whoever doubts it reads again.

    ``fault_seq`` is 0 where what is wrong is a row of which no Entry tells.
    """

    is_full = models.BooleanField(help_text="From the first Entry on, not from a Seal that was verified before")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    after = models.PositiveBigIntegerField(help_text="The last Entry before the first that was read")
    upto = models.PositiveBigIntegerField(help_text="The last Entry that was read")
    seals = models.PositiveBigIntegerField(help_text="Seals compared")
    outside = models.PositiveBigIntegerField(help_text="Copies of Seals compared that had left the machine")
    fault_seq = models.PositiveBigIntegerField(null=True, blank=True, help_text="The first bad Entry; empty: none")
    fault_code = models.CharField(max_length=20, blank=True)
    fault_detail = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True, help_text="What is odd and no tampering")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["ended_at"], name="ledger_verification_by_end")]

    def __str__(self) -> str:
        return f"{'sound' if self.is_sound else 'unsound'} up to {self.upto}"

    @property
    def is_sound(self) -> bool:
        return self.fault_seq is None

    @property
    def entries(self) -> int:
        return self.upto - self.after
