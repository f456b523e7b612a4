from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portal.people.models import Department
from training import exports, rules
from training.models import Course


class SerialForm(forms.Form):
    """A serial typed from paper."""

    serial = forms.CharField(
        label=_("Serial"),
        max_length=60,
        help_text=_("As printed on the certificate: OC and four groups of four. Capitals and hyphens do not matter."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True  # asked by GET: it changes nothing

    def clean_serial(self) -> str:
        serial = rules.normal_serial(self.cleaned_data["serial"])
        if serial is None:
            raise forms.ValidationError(_("That is not a serial: it has sixteen letters and digits after OC."))
        return serial


class CourseChoice(forms.ModelChoiceField):
    def label_from_instance(self, course: Course) -> str:
        newest = max(course.editions.all(), key=lambda edition: edition.number, default=None)
        return rules.told(newest.title, get_language() or "") if newest else course.slug


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class ExportForm(forms.Form):
    """Which certificates HR wants. Everything left empty: all of them."""

    department = forms.ModelChoiceField(
        Department.objects.all(),
        required=False,
        label=_("Department"),
        empty_label=_("All departments"),
        help_text=_("With everything below it."),
    )
    course = CourseChoice(
        Course.objects.prefetch_related("editions").order_by("slug"),
        required=False,
        label=_("Course"),
        empty_label=_("All courses"),
    )
    completed_from = forms.DateField(required=False, label=_("Completed from"), widget=DayInput())
    completed_to = forms.DateField(required=False, label=_("Completed to"), widget=DayInput())

    def clean(self) -> dict:
        data = super().clean()
        first, last = data.get("completed_from"), data.get("completed_to")
        if first and last and last < first:
            self.add_error("completed_to", _("This day lies before the first."))
        return data

    @property
    def choice(self) -> exports.Choice:
        """What was chosen, once the form is valid."""
        data = self.cleaned_data
        return exports.Choice(
            department=data["department"].pk if data["department"] else None,
            course=data["course"].pk if data["course"] else None,
            completed_from=data["completed_from"],
            completed_to=data["completed_to"],
        )
