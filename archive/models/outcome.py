from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.feeds import Source
from archive.models.keeping import Disposal
from archive.models.messages import Message
from portal.people.models import Employee, opaque_id


def _people_of(viewer: Employee) -> Q:
    """Whose archive the viewer may see without a permission for all: the own, and that of everybody below.

    Narrower than Employee.objects.visible_to: HR sees every person but no archive record.
    """
    return Q(employee=viewer) | Q(employee__in=Employee.objects.below(viewer))


class FindingQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "FindingQuerySet":
        """Findings about oneself and people below; those about sources only with the permission for every record."""
        if not viewer.is_active:
            return self.none()
        return self if viewer.has_perm("archive.view_every_record") else self.filter(_people_of(viewer))

    def open(self) -> "FindingQuerySet":
        return self.filter(state__in=Finding.OPEN)

    def overdue(self, today) -> "FindingQuerySet":
        return self.open().filter(due_on__lt=today)

    def for_list(self) -> "FindingQuerySet":
        return self.select_related("employee", "source").order_by("due_on", "-severity", "pk")


class Finding(models.Model):
    """Something wrong with how messages are kept. The same facts never open a second one: ``key`` names them.

    new: nobody has decided · confirmed: a reviewer says it is so, still open · dismissed: a false alarm ·
    closed: settled, ``closed_why`` says by what.
    """

    class Kind(models.TextChoices):
        OFF_CHANNEL = "off_channel", _("Off-channel communication")
        DELETION_REQUEST = "deletion_request", _("Deletion request")
        RECALL_PATTERN = "recall_pattern", _("Excessive recalls")
        CONSENT_MISSING = "consent_missing", _("Consent missing")
        AFTER_REFUSAL = "after_refusal", _("Messaging after refusal")
        UNSEATED_CLIENT_TALK = "unseated_client_talk", _("Client messages without a licence")
        BARRED_TALK = "barred_talk", _("Client messages while not permitted")
        SELF_REPORT = "self_report", _("Self-report")
        SILENT_SEAT = "silent_seat", _("Inactive licence")
        MEDIA_MISSING = "media_missing", _("Attachments not archived")
        CLIENT_GIFT = "client_gift", _("Monetary gifts to clients")
        CAPTURE_LATE = "capture_late", _("Late capture")
        SOURCE_SILENT = "source_silent", _("Feed interrupted")
        HOLE = "hole", _("Sequence gap")
        CONFLICT = "conflict", _("Conflicting records")
        UNMATCHED_IDENTITY = "unmatched_identity", _("Unmatched ID")
        UNKNOWN_KIND = "unknown_kind", _("Unknown message type")
        UNREADABLE = "unreadable", _("Decryption failure")
        TEXT_REPAIRED = "text_repaired", _("Invalid characters replaced")
        INTEGRITY = "integrity", _("Integrity failure")

    class How(models.TextChoices):
        """By what a finding was closed."""

        FACTS = "facts", _("the facts have changed")
        REMEDIED = "remedied", _("lesson taken, matter settled")
        EXPLAINED = "explained", _("explained")
        SEAT = "seat", _("a licence was assigned")
        LOST = "lost", _("confirmed lost")
        NOT_A_PERSON = "not_a_person", _("no person")
        DECLARED = "declared", _("looked at and declared")
        THANKED = "thanked", _("acknowledged with thanks, nothing further")

    class Severity(models.IntegerChoices):
        LOW = 1, _("low")
        MEDIUM = 2, _("medium")
        HIGH = 3, _("high")
        CRITICAL = 4, _("critical")

    class State(models.TextChoices):
        NEW = "new", _("to review")
        CONFIRMED = "confirmed", _("confirmed")
        DISMISSED = "dismissed", _("dismissed")
        CLOSED = "closed", _("closed")

    OPEN: ClassVar = ("new", "confirmed")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    kind = models.CharField(max_length=24, choices=Kind)
    key = models.CharField(max_length=300, unique=True, help_text="Kind, person or source, and what it is about")
    severity = models.PositiveSmallIntegerField(choices=Severity)
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="findings", help_text="NULL: about a source"
    )
    source = models.ForeignKey(
        Source, models.PROTECT, null=True, related_name="findings", help_text="NULL: over all sources"
    )
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, related_name="findings", help_text="NULL: not about one message"
    )
    about_on = models.DateField(help_text="Day of the facts, which may be long before it was found")
    opened_at = models.DateTimeField()
    due_on = models.DateField(help_text="In time until the end of this day")
    state = models.CharField(max_length=10, choices=State, default=State.NEW)
    facts = models.JSONField(default=dict, help_text="Ids, numbers and times; never words of a message")
    policy_version = models.CharField(max_length=20)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: no person decided"
    )
    decided_at = models.DateTimeField(null=True, help_text="NULL: no person decided")
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: nobody works on it"
    )
    claimed_at = models.DateTimeField(null=True, help_text="NULL: nobody works on it")
    seconded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: no second pair of eyes"
    )
    seconded_at = models.DateTimeField(null=True, help_text="NULL: no second pair of eyes")
    asked_at = models.DateTimeField(null=True, help_text="When the person was asked; NULL: not asked")
    answered_at = models.DateTimeField(null=True, help_text="When the person answered last; NULL: no answer")
    is_self_reported = models.BooleanField(default=False, help_text="The person had told of it before it was found")
    closed_how = models.CharField(max_length=16, choices=How, blank=True)
    closed_at = models.DateTimeField(null=True, help_text="NULL: open")
    closed_why = models.CharField(max_length=500, blank=True, help_text="Evidence or the reviewer's reason")

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(employee__isnull=False) | Q(source__isnull=False) | Q(kind="integrity"),
                name="archive_finding_is_about_somebody_or_a_source",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["new", "confirmed"], closed_at=None)
                | Q(state__in=["dismissed", "closed"], closed_at__isnull=False),
                name="archive_finding_closed_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None, decided_at=None) | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="archive_finding_decided_by_and_at",
            ),
            models.CheckConstraint(
                condition=Q(claimed_by=None, claimed_at=None) | Q(claimed_by__isnull=False, claimed_at__isnull=False),
                name="archive_finding_claimed_by_and_at",
            ),
            models.CheckConstraint(
                condition=Q(seconded_by=None, seconded_at=None)
                | Q(seconded_by__isnull=False, seconded_at__isnull=False),
                name="archive_finding_seconded_by_and_at",
            ),
            models.CheckConstraint(
                condition=Q(seconded_by=None) | ~Q(seconded_by=F("decided_by")),
                name="archive_finding_seconded_by_another",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["employee", "state"], name="archive_finding_of_person"),
            models.Index(fields=["state", "due_on"], name="archive_finding_by_due"),
            models.Index(
                fields=["due_on", "-severity", "id"],
                condition=Q(state__in=["new", "confirmed"]),
                name="archive_finding_queue",
            ),
            models.Index(fields=["kind", "state", "due_on"], name="archive_finding_by_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class RecordDue(models.Model):
    """A Record that must be computed (again). Written with what made it so, gone when it has been done."""

    class Why(models.TextChoices):
        MESSAGES = "messages", _("messages of the month came later")
        EARLIER = "earlier", _("a message was pulled earlier than was known")
        RECALL = "recall", _("a message was taken back, or its original came")
        CONSENT = "consent", _("a contact's word on being archived came")
        SEATS = "seats", _("a list of archive seats came")
        IDENTITY = "identity", _("a handle was matched with a person, or with another one")
        BAR = "bar", _("the permission to message changed")
        FINDING = "finding", _("a finding was opened, decided or closed")
        LEAVE = "leave", _("days of leave were told")
        MONTHS = "months", _("a month before it changed")
        POLICY = "policy", _("the firm's thresholds changed")
        TIME = "time", _("time has passed")

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    month = models.DateField()
    why = models.CharField(max_length=40, choices=Why, default=Why.MESSAGES, help_text="The first that made it due")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["month", "employee"], name="archive_record_due_once")]

    def __str__(self) -> str:
        return f"{self.employee_id} {self.month:%Y-%m} is due"


class RecordQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "RecordQuerySet":
        """One's own and those of people below; all with the permission. HR has none."""
        if not viewer.is_active:
            return self.none()
        return self if viewer.has_perm("archive.view_every_record") else self.filter(_people_of(viewer))


class Record(models.Model):
    """How well one person's messages of one month were kept: a pure function of what is stored.

    Provisional until the sixth day after the month; what changes it later makes the next version, and the old one
    stays in the ledger. Shares are computed from the counts where they are shown.
    """

    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="archive_records", db_index=False
    )
    month = models.DateField(help_text="First day of the month, in the firm's zone")
    is_final = models.BooleanField(default=False)
    version = models.PositiveSmallIntegerField(default=1)
    version_why = models.CharField(
        max_length=40,
        choices=RecordDue.Why,
        blank=True,
        help_text="What made this version; empty: the first one that was final",
    )
    frozen_by = models.ForeignKey(
        Disposal,
        models.PROTECT,
        null=True,
        related_name="+",
        help_text="Its messages were disposed of, so it can never be computed again; NULL: they are here",
    )
    sent = models.PositiveIntegerField()
    received = models.PositiveIntegerField()
    captured = models.PositiveIntegerField()
    client_captured = models.PositiveIntegerField()
    client_sent = models.PositiveIntegerField()
    active_days = models.PositiveSmallIntegerField()
    unknown_contacts = models.PositiveIntegerField(help_text="Contacts with no word on consent")
    is_silent_seat = models.BooleanField(default=False)
    metrics = models.JSONField(help_text="All metrics, whole numbers; as archive.metrics names them")
    covered_to = models.DateField(help_text="Last day that the feed speaks for within the month")
    last_message_at = models.DateTimeField(null=True, help_text="NULL: nothing captured")
    policy_version = models.CharField(max_length=20)
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry that recorded this computation")

    objects = RecordQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("view_every_record", "Can see everybody's archive record and findings"),
            ("review_findings", "Can work on findings and read the words they are about"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "month"], name="archive_record_once_a_month"),
            models.CheckConstraint(condition=Q(month__day=1), name="archive_record_month_is_its_first_day"),
            models.CheckConstraint(condition=Q(version__gte=1), name="archive_record_counts_from_one"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["month", "is_final"], name="archive_record_by_month"),
            models.Index(fields=["entry_seq"], name="archive_record_by_entry"),
            # All that is asked of everybody's month, so that the rows, which are long, need not be read for it.
            models.Index(
                fields=["month", "employee", "captured", "client_captured", "is_silent_seat"],
                name="archive_record_reach",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} {self.month:%Y-%m}"


class RecordVersion(models.Model):
    """What a final Record said before it was changed, and why it was. Never changed, never deleted."""

    record = models.ForeignKey(Record, models.PROTECT, related_name="versions", db_index=False)
    version = models.PositiveSmallIntegerField()
    metrics = models.JSONField(help_text="All metrics as this version had them")
    policy_version = models.CharField(max_length=20)
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry that recorded this version")
    replaced_at = models.DateTimeField()
    replaced_why = models.CharField(max_length=40, choices=RecordDue.Why)

    class Meta:
        ordering: ClassVar = ["-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "version"], name="archive_record_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.record_id} v{self.version}"
