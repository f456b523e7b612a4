from datetime import date, timedelta

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from archive.models import SelfReport
from portal.standing.models import FeedToken


class TokenForm(forms.Form):
    """A new token for a machine."""

    opens = forms.ChoiceField(label=_("What it opens"), choices=FeedToken.Opens)
    label = forms.CharField(label=_("Which machine will use it"), max_length=60)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class ReportForm(forms.Form):
    """A slip of one's own, told in two minutes."""

    happened_on = forms.DateField(label=_("When was it?"), widget=forms.DateInput(attrs={"type": "date"}))
    where = forms.ChoiceField(label=_("Where?"), choices=SelfReport.Where, widget=forms.RadioSelect)
    began = forms.ChoiceField(label=_("How did it begin?"), choices=SelfReport.Began, widget=forms.RadioSelect)
    about = forms.ChoiceField(label=_("What was it about?"), choices=SelfReport.About, widget=forms.RadioSelect)
    has_moved = forms.BooleanField(label=_("I have moved the chat to the firm’s channel"), required=False)
    has_kept = forms.BooleanField(
        label=_("The messages are still there, and I have handed them to Compliance"), required=False
    )
    note = forms.CharField(
        label=_("Anything else?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("No client’s name and no message text, please: Compliance asks for them where they are needed."),
    )

    def __init__(self, *args, today: date, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["happened_on"].widget.attrs |= {"max": today.isoformat()}
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_happened_on(self) -> date:
        day = self.cleaned_data["happened_on"]
        if day > self.today:
            raise forms.ValidationError(_("This day has not come yet."))
        if day < self.today - timedelta(days=3653):
            raise forms.ValidationError(_("That is more than ten years ago."))
        return day


class MoreForm(forms.Form):
    """What there is to add to a slip that one has told of: only what was not done yet is asked."""

    has_moved = forms.BooleanField(label=ReportForm.base_fields["has_moved"].label, required=False)
    has_kept = forms.BooleanField(label=ReportForm.base_fields["has_kept"].label, required=False)
    note = forms.CharField(
        label=_("Anything to add?"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, *args, report: SelfReport, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name in ("has_moved", "has_kept"):
            if getattr(report, name):
                self.fields[name].widget = forms.HiddenInput()
        self.helper = FormHelper()
        self.helper.form_tag = False
