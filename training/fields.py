"""Fields that forms of this room share."""

from django import forms
from django.utils.translation import get_language

from training import rules
from training.models import Course


class CourseChoice(forms.ModelChoiceField):
    def label_from_instance(self, course: Course) -> str:
        newest = max(course.editions.all(), key=lambda edition: edition.number, default=None)
        return rules.told(newest.title, get_language() or "") if newest else course.slug


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")
