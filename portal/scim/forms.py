from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _


class TokenForm(forms.Form):
    """A new token for a directory."""

    label = forms.CharField(label=_("Which directory will use it"), max_length=60)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
