from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from portal.people.models import Tag, opaque_id


class Token(models.Model):
    """What a directory shows to bring people and groups. Only its digest is kept."""

    label = models.CharField(max_length=60, help_text="Which directory uses it")
    hint = models.CharField(max_length=8, help_text="How it begins, to tell it from others")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token, hex")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="NULL: it opens")
    last_used_at = models.DateTimeField(null=True, help_text="NULL: never")

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]
        permissions: ClassVar = [("manage_directory", "Can let a directory bring people and groups")]

    def __str__(self) -> str:
        return self.label


class Account(models.Model):
    """How the directory calls a person, and what it told that the person's own row has no place for.

    A person from HR's list has none until the directory tells something of them. What is deleted there is ended here:
    the person has left and stays, and comes back as the same person.
    """

    employee = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="account")
    user_name = models.CharField(max_length=255)
    external_id = models.CharField(max_length=255, blank=True, db_index=True)
    display_name = models.CharField(max_length=255, blank=True)
    formatted = models.CharField(max_length=255, blank=True)
    given_name = models.CharField(max_length=255, blank=True)
    family_name = models.CharField(max_length=255, blank=True)
    name_en = models.CharField(max_length=120, blank=True, help_text="The person's name that the four above made")
    name_zh = models.CharField(max_length=60, blank=True)
    email_type = models.CharField(max_length=40, blank=True)
    email_primary = models.BooleanField(null=True, help_text="NULL: not told")
    told_active = models.BooleanField(null=True, help_text="What it said last; NULL: nothing")
    ended_at = models.DateTimeField(null=True, help_text="NULL: the directory has them")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("user_name"), condition=Q(ended_at=None), name="scim_account_user_name_is_one_persons"
            ),
        ]

    def __str__(self) -> str:
        return f"account of {self.employee_id}"


class Group(models.Model):
    """A group of the directory: a tag whose bearers the directory names."""

    tag = models.OneToOneField(Tag, models.PROTECT, related_name="group")
    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    display_name = models.CharField(max_length=255)
    external_id = models.CharField(max_length=255, blank=True, db_index=True)
    made_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, help_text="NULL: the directory has it; else its tag is borne by nobody")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("display_name"), name="scim_group_name_is_one_groups"),
        ]

    def __str__(self) -> str:
        return self.display_name
