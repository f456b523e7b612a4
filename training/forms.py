from crispy_forms.helper import FormHelper
from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.people.models import Department, Employee
from quizzes.models import Recall
from training import exports, rules
from training.fields import CourseChoice, DayInput
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


class RecallForm(forms.Form):
    """Why a question is called back, and how it counts from now on."""

    reason = forms.CharField(
        label=_("What is wrong with it"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Whoever audits this reads it. It does not appear in the mails to those who were asked."),
    )
    rule = forms.ChoiceField(label=_("From now on"), choices=Recall.Rule, widget=forms.RadioSelect, initial="left-out")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class ExtraTimeForm(forms.Form):
    """More time in quizzes for one person, who is named as HR knows them."""

    employee = forms.CharField(label=_("Employee number or e-mail"), max_length=254)
    percent = forms.TypedChoiceField(
        label=_("More time"), coerce=int, choices=[(n, f"{n}%") for n in (10, 25, 33, 50, 75, 100, 200)], initial=25
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=300,
        help_text=_("Whoever audits this reads it. Say no more about health than needed."),
    )
    starts_on = forms.DateField(label=_("From"), widget=DayInput())
    ends_on = forms.DateField(
        label=_("To"), required=False, widget=DayInput(), help_text=_("Empty: until it is ended here.")
    )

    def __init__(self, *args, viewer: Employee, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        self.fields["starts_on"].initial = timezone.localdate()
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_employee(self) -> Employee:
        named = self.cleaned_data["employee"].strip()
        people = Employee.objects.visible_to(self.viewer).filter(is_active=True)
        found = people.filter(employee_no=named).first() or people.filter(email=named.lower()).first()
        if found is None:
            raise forms.ValidationError(_("There is nobody with this number or address."))
        return found

    def clean_starts_on(self):
        day = self.cleaned_data["starts_on"]
        if day < timezone.localdate():
            raise forms.ValidationError(_("It cannot begin in the past: attempts of that time are over."))
        return day

    def clean(self) -> dict:
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("This day lies before the first."))
        return data
