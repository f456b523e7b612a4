from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.copies import AnswerCopy
from archive.models.feeds import Source


class Identity(models.Model):
    """A handle of a channel meant an employee from one moment to another. A handle may be given to somebody new.

    Two identities of one handle never overlap: services.identities keeps that; the constraint keeps one open at most.
    """

    class Origin(models.TextChoices):
        HR = "hr", _("HR's list")
        ADMIN = "admin", _("matched by hand")
        SELF = "self", _("claimed by the person and confirmed")

    channel = models.CharField(max_length=20, default="wecom")
    handle = models.CharField(max_length=128, help_text="As it was told")
    handle_folded = models.CharField(max_length=128)
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="identities")
    valid_from = models.DateTimeField(null=True, help_text="NULL: since ever")
    valid_to = models.DateTimeField(null=True, help_text="First moment at which it is not valid; NULL: still valid")
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.HR)

    class Meta:
        verbose_name_plural = "identities"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["channel", "handle_folded"],
                condition=Q(valid_to=None),
                name="archive_identity_means_one_person_now",
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="archive_identity_ends_after_it_begins",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["channel", "handle_folded"], name="archive_identity_by_handle")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.handle}"


class Robot(models.Model):
    """A handle that looks internal and is no person, as somebody declared: an app, a machine, a shared account.

    It counts from one moment to another, as an Identity does; an Identity of the same handle and moment goes before.
    """

    channel = models.CharField(max_length=20, default="wecom")
    handle = models.CharField(max_length=128, help_text="As it was told")
    handle_folded = models.CharField(max_length=128)
    valid_from = models.DateTimeField(null=True, help_text="NULL: since ever")
    valid_to = models.DateTimeField(null=True, help_text="First moment at which it is not valid; NULL: still valid")
    reason = models.CharField(max_length=500)
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    declared_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["channel", "handle_folded"], condition=Q(valid_to=None), name="archive_robot_declared_once_now"
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gt=F("valid_from")),
                name="archive_robot_ends_after_it_begins",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["channel", "handle_folded"], name="archive_robot_by_handle")]

    def __str__(self) -> str:
        return f"{self.channel}: {self.handle}"


class Unmatched(models.Model):
    """A handle that looks internal and meant nobody when a message came. Goes when it is matched."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="unmatched")
    handle = models.CharField(max_length=128, help_text="As it first came")
    handle_folded = models.CharField(max_length=128)
    is_told = models.BooleanField(default=False, help_text="It was looked at and has its finding")

    class Meta:
        verbose_name_plural = "unmatched"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "handle_folded"], name="archive_unmatched_once_per_handle")
        ]
        indexes: ClassVar = [
            models.Index(fields=["source"], condition=Q(is_told=False), name="archive_unmatched_untold")
        ]

    def __str__(self) -> str:
        return self.handle


class SeatCopy(models.Model):
    """A dated copy of the permit list: who had an archive seat. It speaks for its day and up to three days more.

    ``holds_from`` is earlier than the copy's own day where a person says that the list was the same since then.
    """

    source = models.ForeignKey(Source, models.PROTECT, related_name="seat_copies")
    taken_at = models.DateTimeField()
    holds_from = models.DateField(help_text="First day it speaks for")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the sorted handles, hex")

    class Meta:
        verbose_name_plural = "seat copies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "taken_at"], name="archive_seat_copy_once_a_moment")
        ]

    def __str__(self) -> str:
        return f"{self.source_id} at {self.taken_at:%Y-%m-%d}"


class Seat(models.Model):
    copy = models.ForeignKey(SeatCopy, models.CASCADE, related_name="seats", db_index=False)
    handle = models.CharField(max_length=128)
    handle_folded = models.CharField(max_length=128)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["copy", "handle_folded"], name="archive_seat_once_per_copy")
        ]
        indexes: ClassVar = [models.Index(fields=["handle_folded"], name="archive_seat_by_handle")]

    def __str__(self) -> str:
        return self.handle


class ConsentWord(models.Model):
    """A contact's word on being archived, with where it was said. The newest before a moment is what counted then.

    ``default`` is WeCom's for a contact who has not objected: whether it counts is the firm's policy, each time it is
    asked.
    """

    class Word(models.TextChoices):
        AGREED = "agreed", _("agreed")
        REFUSED = "refused", _("refused")
        DEFAULT = "default", _("has not objected")

    class Origin(models.TextChoices):
        RECORD = "record", _("the contact's own answer in the feed")
        SINGLE = "single", _("list of two-person chats")
        ROOM = "room", _("list of a room")
        EVENT = "event", _("WeCom's notice that a contact agreed")

    source = models.ForeignKey(Source, models.PROTECT, related_name="consent_words")
    employee_folded = models.CharField(
        max_length=128, blank=True, help_text="Handle of the employee it was said to; empty: whoever is in the room"
    )
    contact = models.CharField(max_length=128)
    room = models.CharField(max_length=128, blank=True, help_text="Empty: a two-person chat")
    word = models.CharField(max_length=8, choices=Word)
    said_at = models.DateTimeField()
    origin = models.CharField(max_length=8, choices=Origin)
    copy = models.ForeignKey(
        AnswerCopy,
        models.PROTECT,
        null=True,
        related_name="words",
        db_index=False,
        help_text="The first copy that told it; NULL: a record of the feed did, or it came before copies were kept",
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "contact", "employee_folded", "room", "said_at", "word", "origin"],
                name="archive_consent_word_once",
            ),
            models.CheckConstraint(
                condition=~Q(employee_folded="") | ~Q(room=""), name="archive_consent_word_is_said_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} {self.word}"


class Bar(models.Model):
    """A time in which an employee might not message clients, as the roof told: training had lapsed, say.

    The archive does not decide this; it needs it to see who wrote to clients all the same.
    """

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bars", db_index=False)
    begins_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, help_text="First moment at which it is over; NULL: still barred")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["employee"], condition=Q(ends_at=None), name="archive_bar_one_open_per_person"
            ),
            models.UniqueConstraint(fields=["employee", "begins_at"], name="archive_bar_begins_once"),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("begins_at")), name="archive_bar_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} from {self.begins_at:%Y-%m-%d}"
