from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.evidence.models import Pack
from portal.people.models import Department, Employee


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PackForm(forms.Form):
    """About whom, as at which day, and what for."""

    scope = forms.ChoiceField(label=_("About"), choices=Pack.Scope)
    person = forms.CharField(
        label=_("Employee"), max_length=254, required=False, help_text=_("Employee number or e-mail, for one person.")
    )
    department = forms.ModelChoiceField(
        Department.objects.all(), label=_("Department"), required=False, help_text=_("With everything below it.")
    )
    day = forms.DateField(
        label=_("As at the end of"), widget=DayInput, initial=timezone.localdate, help_text=_("Today: as of now.")
    )
    reason = forms.CharField(
        label=_("What it is for"), max_length=500, help_text=_("Who asked for it, and under which matter.")
    )

    def __init__(self, *args, viewer: Employee, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean(self) -> dict:
        told = super().clean()
        if told.get("scope") == Pack.Scope.PERSON:
            told["person"] = self._person(told.get("person", "").strip())
            told["department"] = None
        elif told.get("scope") == Pack.Scope.DEPARTMENT:
            told["person"] = None
            if not told.get("department"):
                self.add_error("department", _("Choose a department."))
        else:
            told["person"] = told["department"] = None
        return told

    def _person(self, text: str) -> Employee | None:
        people = Employee.objects.visible_to(self.viewer)
        found = people.filter(Q(employee_no=text) | Q(email__iexact=text)).first() if text else None
        if found is None:
            self.add_error("person", _("Nobody has this employee number or e-mail."))
        return found
