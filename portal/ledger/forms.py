from django import forms
from django.utils.translation import gettext_lazy as _


class EntryForm(forms.Form):
    """The number of an Entry."""

    seq = forms.IntegerField(label=_("Entry number"), min_value=1, max_value=2**62)
