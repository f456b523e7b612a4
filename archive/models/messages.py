from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from archive.models.feeds import Batch, Import, Source


class PartyKind(models.TextChoices):
    EMPLOYEE = "employee", _("employee")
    CONTACT = "contact", _("outside contact")
    ROBOT = "robot", _("robot")
    UNKNOWN = "unknown", _("looks internal, matches nobody")


class MessageQuerySet(models.QuerySet):
    def content(self) -> "MessageQuerySet":
        """What people said: not recalls, answers about consent, control records or unreadable ones."""
        return self.filter(category=Message.Category.CONTENT)

    def of_room(self, room: str) -> "MessageQuerySet":
        """What was said in a room. SQLite takes the index of rooms only where the query says, literally, in a room."""
        is_one = Func(F("room"), template="NOT (%(expressions)s = '')", output_field=models.BooleanField())
        return self.filter(is_one, room=room)


class Message(models.Model):
    """One delivered record: who, whom, when, what kind, and a fingerprint. Never its words: those are MessageText.

    ``leaf`` is its place in the Merkle tree of its batch, whose root stands in the ledger. ``source`` is the one whose
    copy is kept, whichever came first: rules.outranks decides. Other copies of the same message are its Deliveries.
    """

    class Category(models.TextChoices):
        CONTENT = "content", _("content")
        RECALL = "recall", _("recall")
        CONSENT = "consent", _("consent")
        CONTROL = "control", _("control")
        UNREADABLE = "unreadable", _("unreadable")

    source = models.ForeignKey(Source, models.PROTECT, related_name="messages", db_index=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="messages")
    leaf = models.PositiveSmallIntegerField(help_text="From 0, within the batch")
    line_no = models.PositiveBigIntegerField(help_text="In the file of the import")
    channel = models.CharField(max_length=20, default="wecom", help_text="The source's: msgid is unique within it")
    seq = models.PositiveBigIntegerField(null=True, help_text="NULL: the feed has no numbers")
    msgid = models.CharField(max_length=200)
    category = models.CharField(max_length=10, choices=Category)
    msgtype = models.CharField(max_length=64, blank=True, help_text="Empty: unreadable")
    is_known_kind = models.BooleanField(default=True)
    sender = models.CharField(max_length=128, blank=True, help_text="As it came")
    sender_kind = models.CharField(max_length=8, choices=PartyKind, default=PartyKind.UNKNOWN)
    room = models.CharField(max_length=128, blank=True, help_text="Empty: outside rooms")
    sent_at = models.DateTimeField(null=True, help_text="NULL: neither told nor to be had from captured_at")
    sent_at_is_known = models.BooleanField(default=True, help_text="False: captured_at stands in for it")
    captured_at = models.DateTimeField(null=True, help_text="First time that it was pulled; NULL: not told")
    latency_seconds = models.PositiveIntegerField(
        null=True, help_text="From sending to being pulled; NULL: not known, or the clocks disagree"
    )
    is_external = models.BooleanField(default=False, help_text="An outside contact takes part")
    contacts = models.JSONField(default=list, blank=True, help_text="Outside contacts who take part, the sender first")
    fingerprint = models.BinaryField(max_length=32, help_text="SHA-256 of the canonical JSON")
    publickey_ver = models.PositiveIntegerField(null=True, help_text="NULL: not told")
    media_refs = models.PositiveSmallIntegerField(default=0)
    media_missing = models.PositiveSmallIntegerField(
        default=0, help_text="Of these, reported as not fetched or fetched with another hash"
    )
    forwards_room = models.BooleanField(
        default=False, db_default=False, help_text="A forwarded conversation that was held in a room, or part of it was"
    )
    recalled_at = models.DateTimeField(null=True, help_text="NULL: not taken back")
    error_code = models.PositiveIntegerField(null=True, help_text="Why it is unreadable; NULL: it is readable")
    was_repaired = models.BooleanField(default=False, help_text="Characters that no database takes were replaced")

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "msgid"], name="archive_message_id_once_per_channel"),
            models.UniqueConstraint(fields=["source", "seq"], name="archive_message_number_once_per_source"),
            models.CheckConstraint(
                condition=Q(category="unreadable", error_code__isnull=False)
                | (~Q(category="unreadable") & Q(error_code=None)),
                name="archive_message_unreadable_says_why",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["source", "sent_at"], name="archive_message_by_time"),
            models.Index(fields=["room", "sent_at"], condition=~Q(room=""), name="archive_message_of_room"),
            models.Index(
                fields=["source", "publickey_ver"],
                condition=Q(error_code__isnull=False),
                name="archive_message_unreadable",
            ),
            models.Index(
                fields=["source", "msgtype"], condition=Q(is_known_kind=False), name="archive_message_new_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id}#{self.seq}"


class MessageText(models.Model):
    """A message's words, kept apart so that they can be disposed of without touching the record."""

    class Why(models.TextChoices):
        SIGNAL = "signal", _("words that may point off channel")
        POLICY = "policy", _("the firm keeps all text")
        UNKNOWN = "unknown", _("the whole record, of a kind that no documentation names")

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="text")
    sealed = models.BinaryField(help_text="The words, encrypted: archive.sealing opens them")
    key_id = models.CharField(max_length=16, help_text="Which key they are encrypted with")
    why = models.CharField(max_length=10, choices=Why)
    delete_after = models.DateTimeField(null=True, help_text="NULL: as long as its finding is open or policy says")

    class Meta:
        indexes: ClassVar = [
            models.Index(
                fields=["delete_after"], condition=Q(delete_after__isnull=False), name="archive_text_to_delete"
            )
        ]

    def __str__(self) -> str:
        return f"text of {self.message_id}"


class Attachment(models.Model):
    """A file that came with a message: what it is and its fingerprint. Its bytes and its name stay in the archive."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="From 1, in the order of the mail")
    media_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField(help_text="Bytes")
    digest = models.BinaryField(max_length=32, help_text="SHA-256 of the decoded bytes")

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "number"], name="archive_attachment_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.number}"


class Delivery(models.Model):
    """Another copy of a message: by another source of its channel, or the unreadable one that came before it.

    It counts as a duplicate and is no second Message; like every delivered record it is a leaf of its batch.
    """

    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries", db_index=False)
    source = models.ForeignKey(Source, models.PROTECT, related_name="deliveries", db_index=False)
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="deliveries", db_index=False)
    leaf = models.PositiveSmallIntegerField(help_text="From 0, within the batch")
    line_no = models.PositiveBigIntegerField(help_text="In the file of the import")
    seq = models.PositiveBigIntegerField(null=True, help_text="NULL: the feed has no numbers")
    fingerprint = models.BinaryField(max_length=32)
    captured_at = models.DateTimeField(null=True, help_text="NULL: not told")
    error_code = models.PositiveIntegerField(null=True, help_text="Why it is unreadable; NULL: it is readable")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message", "source", "fingerprint"], name="archive_delivery_once_per_content"
            ),
            models.UniqueConstraint(fields=["batch", "leaf"], name="archive_delivery_once_per_leaf"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["source", "seq"], condition=Q(seq__isnull=False), name="archive_delivery_by_number")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} by {self.source_id}"


class Recall(models.Model):
    """A record that takes a message back. The original may come later, or never: then its text is lost."""

    message = models.OneToOneField(Message, models.CASCADE, primary_key=True, related_name="recall")
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_index=False)
    recalls_msgid = models.CharField(max_length=200, blank=True, help_text="Empty: the record does not say")
    original = models.ForeignKey(
        Message, models.SET_NULL, null=True, related_name="taken_back_by", help_text="NULL: not stored"
    )

    class Meta:
        indexes: ClassVar = [models.Index(fields=["source", "recalls_msgid"], name="archive_recall_by_original")]

    def __str__(self) -> str:
        return f"{self.message_id} takes back {self.original_id}"


class Conflict(models.Model):
    """A record that contradicts one that is here: the same id with other content, or another id on the same number."""

    class Kind(models.TextChoices):
        CONTENT = "content", _("same id, other content")
        NUMBER = "number", _("same number, other id")

    kind = models.CharField(max_length=8, choices=Kind)
    source = models.ForeignKey(Source, models.PROTECT, related_name="conflicts")
    run = models.ForeignKey(Import, models.PROTECT, related_name="conflict_rows")
    line_no = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField(help_text="First byte of the line in the file")
    msgid = models.CharField(max_length=200)
    seq = models.PositiveBigIntegerField(null=True, help_text="NULL: the feed has no numbers")
    msgtype = models.CharField(max_length=64, blank=True)
    sender = models.CharField(max_length=128, blank=True)
    sent_at = models.DateTimeField(null=True, help_text="NULL: not told")
    fingerprint = models.BinaryField(max_length=32)
    first = models.ForeignKey(
        Message, models.SET_NULL, null=True, related_name="contradicted_by", help_text="NULL: no longer stored"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "msgid", "seq", "fingerprint"], name="archive_conflict_once_per_content"
            ),
            models.UniqueConstraint(
                fields=["source", "msgid", "fingerprint"],
                condition=Q(seq=None),  # NULL: the feed has no numbers, and two NULLs differ
                name="archive_conflict_once_without_number",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.msgid} on {self.seq}"


class Participant(models.Model):
    """Somebody who sent a message or was sent it, with the employee whom the handle meant at that time."""

    class Role(models.TextChoices):
        SENDER = "s", _("sender")
        RECIPIENT = "r", _("recipient")

    message = models.ForeignKey(Message, models.CASCADE, related_name="participants", db_index=False)
    role = models.CharField(max_length=1, choices=Role)
    handle = models.CharField(max_length=128, help_text="As it came")
    handle_folded = models.CharField(max_length=128, help_text="For comparing: userids know no case")
    kind = models.CharField(max_length=8, choices=PartyKind)
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="NULL: not an employee, or not matched",
    )
    sent_at = models.DateTimeField(null=True, help_text="The message's, for one person's month")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message", "role", "handle_folded"], name="archive_participant_once_per_role"
            ),
            models.CheckConstraint(
                condition=Q(kind="employee", employee__isnull=False) | (~Q(kind="employee") & Q(employee=None)),
                name="archive_participant_employee_is_matched",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["employee", "sent_at"], name="archive_participant_of_person"),
            models.Index(fields=["handle_folded", "sent_at"], name="archive_participant_by_handle"),
        ]

    def __str__(self) -> str:
        return f"{self.handle} in {self.message_id}"


class Signal(models.Model):
    """A lexicon hit in a message: which rule, where, how heavy. Never the words themselves."""

    class Kind(models.TextChoices):
        OFF_CHANNEL = "off_channel", _("points off channel")
        DELETION = "deletion", _("asks for deleting")

    message = models.ForeignKey(Message, models.CASCADE, related_name="signals", db_index=False)
    rule = models.CharField(max_length=40)
    kind = models.CharField(max_length=12, choices=Kind)
    weight = models.SmallIntegerField(help_text="After context, before looking for a recall")
    start = models.PositiveIntegerField(help_text="In the normalised text")
    end = models.PositiveIntegerField(help_text="In the normalised text")
    language = models.CharField(
        max_length=2,
        blank=True,
        help_text="Whose patterns: they read the text each in its way. Empty: not told, or no text",
    )
    is_forwarded = models.BooleanField(default=False, help_text="Other people's words inside a forwarded chat")
    lexicon_version = models.CharField(max_length=20)
    sent_at = models.DateTimeField(null=True, help_text="The message's, for the hits of a time; NULL: not told")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "rule", "is_forwarded"], name="archive_signal_once_per_rule"),
            models.CheckConstraint(condition=Q(end__gte=F("start")), name="archive_signal_ends_after_it_begins"),
        ]
        indexes: ClassVar = [models.Index(fields=["sent_at", "rule"], name="archive_signal_by_time")]

    def __str__(self) -> str:
        return f"{self.rule} in {self.message_id}"
