import re
from datetime import date

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from portal.reminders import rounds
from portal.reminders.rules import LATEST_HOUR, Terms

MOST_DAYS, MOST_MARKS = 180, 10


class AheadForm(forms.Form):
    """Which day is looked ahead to; tomorrow where nothing is said."""

    on = forms.TypedChoiceField(
        label=_("What goes out on"), coerce=date.fromisoformat, required=False, empty_value=None
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].choices = [
            (day.isoformat(), f"{date_format(day, 'DATE_FORMAT')} · {date_format(day, 'l')}")
            for day in rounds.days_ahead()
        ]
        self.helper = FormHelper()
        self.helper.form_tag = False


class TermsForm(forms.Form):
    """When reminders go out."""

    is_on = forms.BooleanField(label=_("Reminders go out"), required=False)
    hour = forms.IntegerField(
        label=_("From this hour on"),
        min_value=6,
        max_value=LATEST_HOUR - 2,
        help_text=_("By the clock where each person works, on their working days."),
    )
    before_days = forms.CharField(
        label=_("Days before it is due"), max_length=60, help_text=_("Numbers with commas between, as 14, 7, 1.")
    )
    on_the_day = forms.BooleanField(label=_("On the day it is due"), required=False)
    when_new = forms.BooleanField(
        label=_("When it is new"), required=False, help_text=_("The working day after something was assigned.")
    )
    after_every = forms.IntegerField(label=_("When it is late, every so many working days"), min_value=1, max_value=60)
    days_to_do = forms.IntegerField(
        label=_("Days for what has no date of its own"),
        min_value=1,
        max_value=MOST_DAYS,
        help_text=_("A policy to sign, a statement, a lesson that a finding calls for."),
    )
    escalate_after = forms.IntegerField(
        label=_("The manager is told after so many working days"), min_value=1, max_value=MOST_DAYS
    )
    escalate_again = forms.IntegerField(
        label=_("…and whoever is next above, and each again, after so many more"), min_value=1, max_value=MOST_DAYS
    )
    levels = forms.IntegerField(
        label=_("How many managers up the line"), min_value=0, max_value=4, help_text=_("0: nobody above is told.")
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_before_days(self) -> tuple[int, ...]:
        told = [part for part in re.split(r"[,，、\s]+", self.cleaned_data["before_days"].strip()) if part]
        if not all(part.isdecimal() and 1 <= int(part) <= MOST_DAYS for part in told) or len(told) > MOST_MARKS:
            raise forms.ValidationError(
                _("At most %(count)s whole numbers from 1 to %(most)s."),
                params={"count": MOST_MARKS, "most": MOST_DAYS},
            )
        return tuple(sorted({int(part) for part in told}, reverse=True))

    @property
    def terms(self) -> Terms:
        return Terms(**{name: value for name, value in self.cleaned_data.items() if name != "seen"})

    @classmethod
    def initial_of(cls, terms: Terms, seen: int) -> dict:
        return {**terms.as_json(), "before_days": ", ".join(map(str, terms.before_days)), "seen": seen}
