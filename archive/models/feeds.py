from datetime import date, datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from portal.jobs.models import Job
from portal.people.models import Employee, opaque_id


def _firm_zone() -> str:
    return settings.TIME_ZONE


class Source(models.Model):
    """A configured feed. ``first_seq`` and ``last_seq`` with the Holes between them say which numbers are here.

    ``channel`` is where people talked. Sources of one channel may deliver the same message, by its own id in the
    channel: it is then one Message.
    """

    class Kind(models.TextChoices):
        WECOM = "wecom", _("WeCom archive")
        MAIL = "mail", _("journal mail")
        CSV = "csv", _("CSV file")

    class Granularity(models.TextChoices):
        MESSAGE = "message", _("one item is one message")
        CONVERSATION = "conversation", _("one item is a day of a conversation")

    name = models.SlugField(unique=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.WECOM)
    channel = models.CharField(max_length=20, default="wecom", help_text=_("Where people talk: wecom, mail …"))
    granularity = models.CharField(max_length=12, choices=Granularity, default=Granularity.MESSAGE)
    mapping = models.JSONField(
        default=dict, blank=True, help_text=_("Journal mail: header of each field. CSV: column of each field.")
    )
    time_zone = models.CharField(max_length=64, default=_firm_zone)
    expected_latency_seconds = models.PositiveIntegerField(
        default=3600, help_text=_("What the source promises: from sending to being pulled")
    )
    is_contiguous = models.BooleanField(default=True, help_text=_("Off: its numbers skip normally, holes tell little"))
    first_seq = models.PositiveBigIntegerField(null=True, editable=False, help_text="NULL: nothing here yet")
    last_seq = models.PositiveBigIntegerField(null=True, editable=False, help_text="NULL: nothing here yet")
    first_sent_at = models.DateTimeField(null=True, editable=False, help_text="NULL: nothing here yet")
    last_sent_at = models.DateTimeField(null=True, editable=False, help_text="NULL: nothing here yet")
    last_captured_at = models.DateTimeField(null=True, editable=False, help_text="NULL: no record told it")
    last_pull_at = models.DateTimeField(
        null=True, editable=False, help_text="When a delivery was last taken in whole, be it empty; NULL: never"
    )
    retired_on = models.DateField(
        null=True, blank=True, help_text=_("Empty: it delivers. From that day on it may be silent")
    )
    held_by = models.CharField(max_length=120, blank=True, editable=False, help_text="Who imports just now")
    held_until = models.DateTimeField(null=True, editable=False, help_text="NULL: nobody imports")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]
        permissions: ClassVar = [("manage_sources", "Can set up archive feeds and settle what is wrong with them")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(first_seq=None, last_seq=None) | Q(last_seq__gte=F("first_seq")),
                name="archive_source_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(held_by="", held_until=None) | (~Q(held_by="") & Q(held_until__isnull=False)),
                name="archive_source_held_by_somebody_until",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_retired(self, today: date) -> bool:
        return self.retired_on is not None and self.retired_on <= today


class SourceToken(models.Model):
    """What a puller shows to push into one source. Only its digest is kept; a lost one is replaced, never read."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="tokens")
    label = models.CharField(max_length=60, help_text=_("Which machine uses it"))
    hint = models.CharField(max_length=8, help_text="How it begins, to tell it from others")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, hex")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, help_text="NULL: until it is ended")
    ended_at = models.DateTimeField(null=True, help_text="NULL: not ended by anybody")
    last_used_at = models.DateTimeField(null=True, help_text="NULL: never")

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.source_id}: {self.label}"

    def opens(self, now: datetime) -> bool:
        """Whether it lets a machine in: neither ended nor expired."""
        return self.ended_at is None and (self.expires_at is None or now < self.expires_at)


class ImportQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "ImportQuerySet":
        return self if viewer.is_active and viewer.has_perm("archive.view_imports") else self.none()

    def for_list(self) -> "ImportQuerySet":
        return self.select_related("source", "job", "started_by").order_by("-started_at", "-pk")


class Import(models.Model):
    """One run over one file. It is never run twice: the same file again is another Import that finds it all known.

    waiting: uploaded, no worker yet · reading: lines are being stored · judging: records and findings are being
    brought up to date · asking: its numbers seem to be another feed's, nothing more is stored until a person has
    answered · done · failed: its file is gone or was changed, or it was another feed's; a person should look.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        READING = "reading", _("reading")
        JUDGING = "judging", _("judging")
        ASKING = "asking", _("waiting for an answer")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    COUNTS: ClassVar = (
        "lines",
        "stored",
        "duplicates",
        "conflicts",
        "set_aside",
        "content",
        "recalls",
        "consents",
        "control",
        "unreadable",
    )

    class Via(models.TextChoices):
        FILE = "file", _("a file")
        PUSH = "push", _("pushed by a machine")
        REPAIR = "repair", _("repaired lines")

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    source = models.ForeignKey(Source, models.PROTECT, related_name="imports", db_index=False)
    via = models.CharField(max_length=6, choices=Via, default=Via.FILE)
    job = models.OneToOneField(
        Job, models.SET_NULL, null=True, related_name="archive_import", help_text="NULL: run by the command"
    )
    label = models.CharField(max_length=255, help_text=_("The file's name, as it came; never a path"))
    stored_file = models.CharField(
        max_length=255, blank=True, help_text="Name in the private storage; empty: read from where it lay, or removed"
    )
    digest = models.CharField(max_length=64, help_text="SHA-256 of the file, hex")
    size = models.PositiveBigIntegerField(help_text="Bytes")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    offset = models.PositiveBigIntegerField(
        default=0, help_text="First byte not yet read, of what the file holds when it is unpacked"
    )
    passed = models.PositiveBigIntegerField(default=0, help_text="Bytes of the file itself that have been read")
    line_no = models.PositiveBigIntegerField(default=0, help_text="Lines passed, empty ones too")
    batch_no = models.PositiveIntegerField(default=0)
    lines = models.PositiveBigIntegerField(default=0)
    stored = models.PositiveBigIntegerField(default=0)
    duplicates = models.PositiveBigIntegerField(default=0)
    conflicts = models.PositiveBigIntegerField(default=0)
    set_aside = models.PositiveBigIntegerField(default=0)
    asides_settled = models.PositiveBigIntegerField(
        default=0,
        help_text="Lines set aside that were read again, or of which a person has said what they are",
    )
    content = models.PositiveBigIntegerField(default=0)
    recalls = models.PositiveBigIntegerField(default=0)
    consents = models.PositiveBigIntegerField(default=0)
    control = models.PositiveBigIntegerField(default=0)
    unreadable = models.PositiveBigIntegerField(default=0)
    first_sent_at = models.DateTimeField(null=True, help_text="Of the messages stored; NULL: none had a time")
    last_sent_at = models.DateTimeField(null=True, help_text="Of the messages stored; NULL: none had a time")
    judging = models.JSONField(default=dict, help_text="How far what it brings to light has been looked at")
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", help_text="NULL: a command or a machine"
    )
    token = models.ForeignKey(
        SourceToken,
        models.SET_NULL,
        null=True,
        related_name="+",
        help_text="Of the machine that pushed it; NULL: not pushed",
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="NULL: not ended")

    objects = ImportQuerySet.as_manager()

    class Meta:
        permissions: ClassVar = [
            ("view_imports", "Can see archive feeds and their imports"),
            ("run_imports", "Can import an archive feed"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(lines=F("stored") + F("duplicates") + F("conflicts") + F("set_aside")),
                name="archive_import_every_line_is_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(stored=F("content") + F("recalls") + F("consents") + F("control") + F("unreadable")),
                name="archive_import_every_record_has_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "failed"], ended_at__isnull=False)
                | Q(state__in=["waiting", "reading", "judging", "asking"], ended_at=None),
                name="archive_import_ended_has_a_time",
            ),
            models.UniqueConstraint(
                fields=["source", "digest"],
                condition=Q(ended_at=None, via="file"),  # NULL: a second start goes on with it
                name="archive_import_one_open_per_file",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-started_at", "-id"], name="archive_import_newest"),
            models.Index(fields=["via", "-started_at", "-id"], name="archive_import_by_way"),
            models.Index(fields=["source", "-started_at"], name="archive_import_of_source"),
            models.Index(fields=["source"], condition=Q(ended_at=None), name="archive_import_not_ended"),
            models.Index(
                fields=["source"],
                condition=Q(set_aside__gt=F("asides_settled")),
                name="archive_import_with_open_lines",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.label}"

    @property
    def is_ended(self) -> bool:
        return self.state in (self.State.DONE, self.State.FAILED)

    @property
    def open_asides(self) -> int:
        """How many lines that were set aside nobody has settled yet."""
        return self.set_aside - self.asides_settled

    @property
    def has_stopped(self) -> bool:
        """Whether the job behind it was given up before the end. Uploading the file again begins anew."""
        return not self.is_ended and self.job is not None and self.job.state == Job.State.FAILED

    @property
    def percent(self) -> int:
        """Whole percent of the file that has been read; below 100 until the end."""
        if self.state == self.State.DONE:
            return 100
        return min(99, self.passed * 100 // self.size) if self.size else 0

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in self.COUNTS}


class Batch(models.Model):
    """What one transaction of an Import stored. Its Entry holds ``root``, so each Message can be proved from it."""

    run = models.ForeignKey(Import, models.PROTECT, related_name="batches")
    number = models.PositiveIntegerField()
    first_line = models.PositiveBigIntegerField()
    last_line = models.PositiveBigIntegerField()
    count = models.PositiveIntegerField(help_text="Messages, the leaves of the tree")
    root = models.BinaryField(max_length=32, help_text="RFC 9162 Merkle root of the messages' fingerprints")
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry that holds the root")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "number"], name="archive_batch_number_once"),
            models.CheckConstraint(condition=Q(count__gte=1), name="archive_batch_is_not_empty"),
        ]
        indexes: ClassVar = [models.Index(fields=["entry_seq"], name="archive_batch_by_entry")]

    def __str__(self) -> str:
        return f"{self.run_id}:{self.number}"


class PushAnswer(models.Model):
    """What a push with an Idempotency-Key was told: the same key again is told the same. Kept for two days."""

    token = models.ForeignKey(SourceToken, models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255, help_text="As the machine chose it")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the unpacked body, hex: a key stands for one body")
    run = models.ForeignKey(Import, models.CASCADE, null=True, related_name="+", help_text="NULL: it held no line")
    lines = models.JSONField(help_text="[first line, last line, result, reason or null] of each stretch of lines")
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["token", "key"], name="archive_push_answer_once")]

    def __str__(self) -> str:
        return f"{self.token_id}: {self.pk}"


class Intake(models.Model):
    """What a source took in on one day, by the way it came: the sum of its imports' lines, kept as they are stored.

    So no page adds up imports, of which a puller makes thousands a day.
    """

    COUNTS: ClassVar = ("lines", "stored", "duplicates", "conflicts", "set_aside")
    KINDS: ClassVar = ("content", "recalls", "consents", "control", "unreadable")

    source = models.ForeignKey(Source, models.PROTECT, related_name="intake", db_index=False)
    day = models.DateField(help_text="On which the lines were read, in the firm's zone")
    via = models.CharField(max_length=6, choices=Import.Via)
    deliveries = models.PositiveIntegerField(default=0, help_text="Read to their end on this day")
    lines = models.PositiveBigIntegerField(default=0)
    stored = models.PositiveBigIntegerField(default=0)
    duplicates = models.PositiveBigIntegerField(default=0)
    conflicts = models.PositiveBigIntegerField(default=0)
    set_aside = models.PositiveBigIntegerField(default=0)
    content = models.PositiveBigIntegerField(null=True, help_text="Kinds of what was stored; NULL: not counted then")
    recalls = models.PositiveBigIntegerField(null=True, help_text="NULL: as above")
    consents = models.PositiveBigIntegerField(null=True, help_text="NULL: as above")
    control = models.PositiveBigIntegerField(null=True, help_text="NULL: as above")
    unreadable = models.PositiveBigIntegerField(null=True, help_text="NULL: as above")
    first_seq = models.PositiveBigIntegerField(null=True, help_text="Of what was stored; NULL: none had a number")
    last_seq = models.PositiveBigIntegerField(null=True, help_text="Of what was stored; NULL: none had a number")
    longest_pause = models.PositiveIntegerField(
        null=True, help_text="Seconds from one delivery to the next, which ended on this day; NULL: none ended"
    )

    class Meta:
        verbose_name_plural = "intake"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "day", "via"], name="archive_intake_once_a_day"),
            models.CheckConstraint(
                condition=Q(lines=F("stored") + F("duplicates") + F("conflicts") + F("set_aside")),
                name="archive_intake_every_line_is_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(stored=F("content") + F("recalls") + F("consents") + F("control") + F("unreadable"))
                | Q(content=None, recalls=None, consents=None, control=None, unreadable=None),
                name="archive_intake_every_record_has_a_kind",
            ),
            models.CheckConstraint(
                condition=Q(first_seq=None, last_seq=None) | Q(last_seq__gte=F("first_seq")),
                name="archive_intake_ends_after_it_begins",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["via", "-day"], name="archive_intake_by_day")]

    def __str__(self) -> str:
        return f"{self.source_id} on {self.day}"


class SourceMonth(models.Model):
    """What cannot be added up as lines come: a month's strangers, new kinds and seats, counted anew every hour."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="months", db_index=False)
    month = models.DateField(help_text="First day of the month in which the messages were sent, in the firm's zone")
    unmatched_handles = models.PositiveIntegerField()
    unmatched_messages = models.PositiveIntegerField(help_text="Content in which such a handle takes part")
    unknown_kinds = models.PositiveIntegerField(help_text="Kinds of message that no documentation names")
    seats = models.PositiveIntegerField(null=True, help_text="On the last list that speaks for it; NULL: none does")
    seats_silent = models.PositiveIntegerField(null=True, help_text="Of these, whose owner's month is one of silence")
    counted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "month"], name="archive_source_month_once"),
            models.CheckConstraint(condition=Q(month__day=1), name="archive_source_month_is_its_first_day"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.month:%Y-%m}"


class Heard(models.Model):
    """The first and the last moment at which a record of a source was sent, of one hour: from these its rhythm is told.

    Copies of messages that another source brought are heard too.
    """

    source = models.ForeignKey(Source, models.PROTECT, related_name="heard", db_index=False)
    hour = models.DateTimeField(help_text="Its beginning, a whole hour in UTC")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "heard"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "hour"], name="archive_heard_once_an_hour"),
            models.CheckConstraint(
                condition=Q(first_at__gte=F("hour"), last_at__gte=F("first_at")), name="archive_heard_within_its_hour"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} at {self.hour:%Y-%m-%d %H}"
