from typing import ClassVar

from django.conf import settings
from django.db import models


class Link(models.Model):
    """That an account of the firm's identity provider is a person here: made on first sign-in, and found by ever after.

    Addresses are given to others when somebody leaves; an account's own id at the provider is not.
    """

    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    way = models.CharField(max_length=30, help_text="Which way in, as the environment names it")
    subject = models.CharField(max_length=64, help_text="SHA-256 of the provider and the account's id there")
    made_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(help_text="Last sign-in")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["way", "subject"], name="signon_link_account_is_one_persons"),
            models.UniqueConstraint(fields=["employee", "way"], name="signon_link_one_account_a_way"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id} by {self.way}"
