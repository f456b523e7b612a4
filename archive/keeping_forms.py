from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from archive.services import Criteria, candidates
from portal.people.models import Employee

MOST_HELD = 50  # people for whom holds are made at once
MOST_NAMED = 50  # people of one name that are looked at


def _is_called(one: Employee, told: str) -> bool:
    return " ".join(told.casefold().split()) in {one.name_en.casefold(), one.name_zh.casefold(), one.name.casefold()}


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class WithHelper(forms.Form):
    """Rendered by crispy inside a form tag of the page's own."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class HoldForm(WithHelper):
    """What to hold. All criteria that are given must be met by a message."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("By which the hold is known, such as a matter.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=500)
    person = forms.CharField(
        label=_("Employee"),
        max_length=4000,
        required=False,
        help_text=_("Number, e-mail or name; of several people with ; between, each gets a hold. Empty: anybody."),
    )
    room = forms.CharField(
        label=_("Conversation"), max_length=128, required=False, help_text=_("Id of the room. Empty: any.")
    )
    contact = forms.CharField(
        label=_("Outside contact"), max_length=128, required=False, help_text=_("Handle of the contact. Empty: any.")
    )
    first_on = forms.DateField(
        label=_("From"), required=False, widget=DayInput, help_text=_("Empty: from the beginning.")
    )
    last_on = forms.DateField(
        label=_("To"), required=False, widget=DayInput, help_text=_("This day included. Empty: without end.")
    )

    def __init__(self, *args, viewer: Employee, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def clean_person(self) -> list[Employee]:
        told = [one.strip() for one in self.cleaned_data["person"].replace("；", ";").split(";") if one.strip()]
        if len(told) > MOST_HELD:
            raise forms.ValidationError(_("At most %(n)d people at once.") % {"n": MOST_HELD})
        return list({one.pk: one for one in map(self._person, told)}.values())

    def _person(self, told: str) -> Employee:
        people = Employee.objects.visible_to(self.viewer)
        found = people.filter(Q(employee_no=told) | Q(email__iexact=told)).first()
        return found or self._of_that_name(told)

    def _of_that_name(self, told: str) -> Employee:
        """Return the only person of that name, in either script or both. Of several, say by what to tell them apart."""
        named = [one for one in candidates(self.viewer, told)[:MOST_NAMED] if _is_called(one, told)]
        if not named:
            named = [one for word in told.split() for one in candidates(self.viewer, word)[:MOST_NAMED]]
            named = list({one.pk: one for one in named if _is_called(one, told)}.values())
        if len(named) == 1:
            return named[0]
        if named:
            who = " · ".join(f"{one.name} ({one.employee_no})" for one in named)
            raise forms.ValidationError(_("Several people have this name. Give the number: %(who)s") % {"who": who})
        raise forms.ValidationError(_("Nobody has this employee number, e-mail or name: %(told)s") % {"told": told})

    def clean(self) -> dict:
        told = super().clean()
        first, last = told.get("first_on"), told.get("last_on")
        if first and last and last < first:
            self.add_error("last_on", _("It ends before it begins."))
        return told

    def criteria(self) -> list[Criteria]:
        """Return what to hold: for each person, or once for anybody."""
        told = self.cleaned_data
        rest = told["room"].strip(), told["contact"].strip(), told["first_on"], told["last_on"]
        return [Criteria(one, *rest) for one in told["person"] or [None]]


class DisposalForm(WithHelper):
    """What was over on a day is to go."""

    as_of = forms.DateField(
        label=_("As of"),
        widget=DayInput,
        help_text=_("What must still be kept on this day stays. A day to come gives a preview."),
        initial=timezone.localdate,
    )
    reason = forms.CharField(label=_("Reason"), max_length=500)
