"""Course folders that authors sent. Models of training.models: they are imported there."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from portal.people.models import opaque_id


class CourseUpload(models.Model):
    """A ZIP of a course folder, looked at until another author publishes it, or for a while."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="course_uploads")
    at = models.DateTimeField()
    name = models.CharField(max_length=200, help_text="Of the file, as it was sent")
    course = models.SlugField(help_text="Slug of the course in it")
    sha256 = models.CharField(max_length=64)
    data = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.course} from {self.by_id}"
