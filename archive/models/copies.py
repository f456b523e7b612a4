"""What the interfaces beside the feed answered, as delivered, and what the newest answers say of rooms and robots.

The permit list that is no error is a SeatCopy; every other answer, and every error, is an AnswerCopy.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.models.feeds import Source


class AnswerCopy(models.Model):
    """A dated copy of one answer. It is never changed: the same answer of the same moment again is known.

    ``number`` tells several answers of one interface apart where nothing was asked by name, as the calls of a hundred
    pairs each. The Entry ``entry_seq`` holds a digest over the digests of all copies that were kept with it.
    """

    class Asked(models.TextChoices):
        PERMIT = "permit", _("who has a seat")
        SINGLE = "single", _("consent in two-person chats")
        ROOM = "room", _("consent in a room")
        GROUP = "group", _("who is in a room of the firm")
        OUTSIDE = "outside", _("who is in a room with outsiders")
        ROBOT = "robot", _("what a robot is")
        EVENT = "event", _("a contact agreed")

    source = models.ForeignKey(Source, models.PROTECT, related_name="answer_copies", db_index=False)
    asked = models.CharField(max_length=8, choices=Asked)
    about = models.CharField(
        max_length=260, blank=True, help_text="Room, robot, or the two whom an event names; empty: nothing by name"
    )
    number = models.PositiveIntegerField(default=1)
    taken_at = models.DateTimeField(help_text="When the answer was given")
    rows = models.PositiveIntegerField(help_text="Seats, words on consent, or members in it")
    error_code = models.IntegerField(default=0, help_text="The interface's errcode; 0: an answer")
    error_text = models.CharField(max_length=200, blank=True)
    answer = models.TextField(help_text="As it was delivered, as canonical JSON")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical JSON, hex")
    entry_seq = models.PositiveBigIntegerField(help_text="The ledger Entry that says that it was kept")

    class Meta:
        verbose_name_plural = "answer copies"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "taken_at", "asked", "about", "number"], name="archive_answer_copy_once_a_moment"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["entry_seq"], name="archive_answer_copy_by_entry")]

    def __str__(self) -> str:
        return f"{self.asked} {self.about} at {self.taken_at:%Y-%m-%d}"


class Room(models.Model):
    """A room as the newest answer about it tells. ``is_outside``: the interface for rooms with outsiders knew it."""

    channel = models.CharField(max_length=20, default="wecom")
    room = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True)
    owner = models.CharField(max_length=128, blank=True, help_text="Handle; empty: not told")
    is_outside = models.BooleanField()
    begun_at = models.DateTimeField(null=True, help_text="NULL: not told")
    told_at = models.DateTimeField(help_text="When the answer was given that this is from")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "room"], name="archive_room_once_per_channel")
        ]

    def __str__(self) -> str:
        return f"{self.channel}: {self.room}"


class RoomMember(models.Model):
    """Somebody was in a room from one moment to another, as far as the copies tell."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="members", db_index=False)
    handle = models.CharField(max_length=128, help_text="As it was told")
    handle_folded = models.CharField(max_length=128)
    since = models.DateTimeField(help_text="When they joined, or the first copy that names them")
    gone_at = models.DateTimeField(null=True, help_text="The first copy that names them no more; NULL: still there")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["room", "handle_folded"], condition=Q(gone_at=None), name="archive_room_member_once_now"
            ),
            models.CheckConstraint(
                condition=Q(gone_at=None) | Q(gone_at__gte=F("since")), name="archive_room_member_goes_after_they_came"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["handle_folded"], name="archive_room_member_by_handle"),
            models.Index(fields=["room", "handle_folded"], name="archive_room_member_of_room"),
        ]

    def __str__(self) -> str:
        return f"{self.handle} in {self.room_id}"


class RobotName(models.Model):
    """What a robot is called and who made it, as the newest answer about it tells."""

    channel = models.CharField(max_length=20, default="wecom")
    handle = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True)
    maker = models.CharField(max_length=128, blank=True, help_text="Handle; empty: not told")
    told_at = models.DateTimeField(help_text="When the answer was given that this is from")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "handle"], name="archive_robot_name_once_per_channel")
        ]

    def __str__(self) -> str:
        return f"{self.handle}: {self.name}"
