from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.jobs.models import Job
from portal.people.models import Employee, opaque_id


class TermsVersion(models.Model):
    """When reminders go out, as HR set it from one change to the next. Never changed; digests name theirs."""

    number = models.PositiveIntegerField(unique=True)
    terms = models.JSONField(help_text="Every field of rules.Terms")
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=64, help_text="uid, or system:<name>")

    class Meta:
        ordering: ClassVar = ["-number"]
        permissions: ClassVar = [
            ("view_reminders", "Can see which reminders go out"),
            ("manage_reminders", "Can set when reminders go out, and settle bounced addresses"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class Round(models.Model):
    """One day's reminders in one time zone: made once, by a job that a killed worker leaves to the next."""

    zone = models.CharField(max_length=64)
    on = models.DateField(help_text="The day there")
    since = models.DateField(
        help_text="The day of the round before: what fell due for a reminder after it is caught up"
    )
    terms_version = models.PositiveIntegerField(help_text="0: as it ships")
    job = models.OneToOneField(Job, models.PROTECT, related_name="reminder_round")

    class Meta:
        ordering: ClassVar = ["-on", "zone"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["zone", "on"], name="reminders_round_once_a_day_and_zone"),
            models.CheckConstraint(condition=Q(since__lt=models.F("on")), name="reminders_round_follows_another"),
        ]

    def __str__(self) -> str:
        return f"{self.on} in {self.zone}"


class DigestQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "DigestQuerySet":
        """Of people whom the viewer may see; what speaks of the archive alone, only for who sees every record."""
        if not viewer.has_perm("reminders.view_reminders"):
            return self.none()
        rows = self.filter(employee__in=Employee.objects.visible_to(viewer))
        return rows if viewer.has_perm("archive.view_every_record") else rows.filter(is_of_archive=False)


class Said(models.Model):
    """What one person is told on one day, frozen: the mail is written from it, and again from it after a crash."""

    language = models.CharField(max_length=10)
    content = models.JSONField(help_text="As making.Draft has it: items, people, done, calendar")
    is_of_archive = models.BooleanField(help_text="Nothing in it but what the archive calls for: not for HR's eyes")

    class Meta:
        abstract = True


class Digest(Said):
    """All that one person is told on one day. One a day, by the database."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="digests", db_index=False)
    on = models.DateField(help_text="The day where the person works")
    made_at = models.DateTimeField()
    terms_version = models.PositiveIntegerField()

    objects = DigestQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-on", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "on"], name="reminders_digest_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} on {self.on}"


class DeliveryQuerySet(models.QuerySet):
    def visible_to(self, viewer: Employee) -> "DeliveryQuerySet":
        return self.filter(digest__in=Digest.objects.visible_to(viewer).order_by())

    def due(self, now) -> "DeliveryQuerySet":
        """What waits and whose time has come, and what a worker took whose lease has run out."""
        return self.filter(
            Q(state=Delivery.State.WAITING, due_at__lte=now) | Q(state=Delivery.State.LEASED, lease_until__lt=now)
        )


class Delivery(models.Model):
    """A digest on its way by one channel: the outbox. One a person, day and channel, by the database.

    waiting: due at due_at · leased: a worker has it until lease_until · sent · bounced: the address refused it ·
    late: its day was over before anybody took it · failed: given up.
    """

    class Channel(models.TextChoices):
        MAIL = "mail", _("e-mail")
        WECOM = "wecom", _("WeCom message")
        ROBOT = "robot", _("WeCom group robot")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        LEASED = "leased", _("being sent")
        SENT = "sent", _("sent")
        BOUNCED = "bounced", _("bounced")
        LATE = "late", _("not sent in time")
        FAILED = "failed", _("given up")

    digest = models.ForeignKey(Digest, models.PROTECT, related_name="deliveries", db_index=False)
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    on = models.DateField(help_text="The digest's day")
    channel = models.CharField(max_length=10, choices=Channel)
    address = models.CharField(max_length=254, help_text="Where to: an e-mail address or a WeCom userid")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, help_text="Empty: nobody has it")
    lease_token = models.CharField(max_length=32, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    handed_at = models.DateTimeField(null=True, help_text="When it was last about to be handed over. Empty: never")
    may_be_twice = models.BooleanField(default=False, help_text="A worker died while handing it over, so it went again")
    sent_at = models.DateTimeField(null=True, help_text="Empty: not taken yet")
    error = models.CharField(max_length=500, blank=True, help_text="What the server said last")
    entry_seq = models.PositiveBigIntegerField(null=True, help_text="The ledger Entry that says it was sent")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "on", "channel"], name="reminders_delivery_once_a_channel"),
            models.CheckConstraint(
                condition=Q(state="leased", lease_until__isnull=False) | (~Q(state="leased") & Q(lease_until=None)),
                name="reminders_delivery_is_sent_under_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None, entry_seq=None) | Q(sent_at__isnull=False, entry_seq__isnull=False),
                name="reminders_delivery_sent_has_an_entry",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["digest"], name="reminders_delivery_of_digest"),
            models.Index(fields=["-on", "-id"], name="reminders_delivery_by_day"),
            models.Index(
                fields=["due_at"], condition=Q(state__in=["waiting", "leased"]), name="reminders_delivery_waiting"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.digest_id} by {self.channel}"

    @property
    def tone(self) -> str:
        if self.state == self.State.SENT:
            return "good"
        return "warn" if self.state in (self.State.WAITING, self.State.LEASED) else "bad"


class CalendarEntry(models.Model):
    """What stands in a person's calendar because a mail put it there: its UID stays, its sequence counts changes."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=80, help_text="What is owed, among those of its kind")
    uid = models.CharField(max_length=32, default=opaque_id)
    title = models.CharField(max_length=300)
    due_on = models.DateField()
    sequence = models.PositiveIntegerField(default=0)
    digest = models.ForeignKey(
        Digest, models.PROTECT, null=True, related_name="+", help_text="Which told it last; empty: must be told"
    )
    closed_on = models.DateField(null=True, help_text="Done, or not owed any more. Empty: stands")

    class Meta:
        verbose_name_plural = "calendar entries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["employee", "kind", "key"],
                condition=Q(closed_on=None),
                name="reminders_calendar_entry_stands_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id}: {self.kind} {self.key}"


class Handled(models.Model):
    """A manager says that they look after somebody who is late: nobody further up is told of it then."""

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    on = models.DateField()
    at = models.DateTimeField()
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry that says so")

    class Meta:
        verbose_name_plural = "handled"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "by", "on"], name="reminders_handled_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} by {self.by_id} on {self.on}"


class BounceQuerySet(models.QuerySet):
    def open(self) -> "BounceQuerySet":
        return self.filter(settled_at=None)

    def visible_to(self, viewer: Employee) -> "BounceQuerySet":
        return self.filter(employee__in=Employee.objects.visible_to(viewer))


class Bounce(models.Model):
    """A mail came back, or was refused. While a lasting one is open, its address is not written to."""

    class How(models.TextChoices):
        REFUSED = "refused", _("refused at once")
        REPORT = "report", _("reported later")

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="bounces")
    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="bounces")
    address = models.CharField(max_length=254)
    how = models.CharField(max_length=10, choices=How)
    status = models.CharField(max_length=12, help_text="As RFC 3463 has it: 5.1.1")
    is_lasting = models.BooleanField(help_text="Writing again is of no use until somebody has done something")
    said = models.CharField(max_length=500, blank=True, help_text="The server's words")
    at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, help_text="Empty: open")
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry that says so")

    objects = BounceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["delivery"], name="reminders_bounce_once_a_delivery"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["employee"], condition=Q(settled_at=None), name="reminders_bounce_open"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id}: {self.status}"


class Preview(models.Model):
    """What would go out on a day, worked out ahead for HR by a job; the newest replaces those before."""

    on = models.DateField()
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    job = models.OneToOneField(Job, models.PROTECT, related_name="reminder_preview")

    def __str__(self) -> str:
        return f"{self.on}"


class ForeseenQuerySet(models.QuerySet):
    visible_to = DigestQuerySet.visible_to


class Foreseen(Said):
    """One person's digest in a preview."""

    preview = models.ForeignKey(Preview, models.CASCADE, related_name="lines", db_index=False)
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    channels = models.JSONField(help_text="By what it would go; none: the person cannot be reached")

    objects = ForeseenQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "foreseen"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["preview", "employee"], name="reminders_foreseen_once_a_person"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} in {self.preview_id}"
