from django import forms
from django.utils.translation import gettext_lazy as _


class EntryForm(forms.Form):
    """The number of an Entry."""

    seq = forms.IntegerField(
        label=_("Entry number"),
        min_value=1,
        max_value=2**62,
        error_messages={
            "min_value": _("Entries are counted from 1."),
            "max_value": _("There is no entry of so high a number."),
            "invalid": _("That is not a number."),
        },
    )
