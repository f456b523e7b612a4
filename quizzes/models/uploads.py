from django.conf import settings
from django.db import models

from portal.people.models import opaque_id


class Upload(models.Model):
    """A question file that somebody has sent and looks at before it is imported. One a person: the next replaces it.

    Deleted when it is imported; the ledger keeps its fingerprint.
    """

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    by = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="question_upload")
    at = models.DateTimeField()
    name = models.CharField(max_length=200, help_text="Of the file, as it was sent: a label, never a path")
    data = models.BinaryField(max_length=2**23)
    file_format = models.CharField(max_length=10)
    bank = models.CharField(max_length=160, help_text="The name or slug of the bank it is for")
    language = models.CharField(max_length=10)

    def __str__(self) -> str:
        return self.name
