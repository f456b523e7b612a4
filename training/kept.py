"""Which lessons of the courses as they stand should have been reviewed by now."""

from datetime import date

from django.db.models import Exists, OuterRef

from training import review
from training.models import Edition, Lesson


def overdue_lessons(today: date) -> list[Lesson]:
    """Return the lessons of each course's newest edition whose review is overdue, in their order. One query."""
    newer = Edition.objects.filter(
        course=OuterRef("module__edition__course"), number__gt=OuterRef("module__edition__number")
    )
    rows = Lesson.objects.filter(~Exists(newer)).exclude(kept={}).defer("body").select_related("module__edition")
    in_order = rows.order_by("module__edition__course", "module__position", "position")
    return [row for row in in_order if review.is_overdue(row.kept, today)]
