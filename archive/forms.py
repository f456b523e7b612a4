from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from archive.services import UPLOAD_LIMIT


class UploadForm(forms.Form):
    """A feed file for a source."""

    source = forms.SlugField(
        label=_("Source"), max_length=50, help_text=_("Letters, digits, - and _. A new name begins a new WeCom feed.")
    )
    file = forms.FileField(
        label=_("Feed file"), help_text=_("As the source delivers it: JSON lines, mail, mbox, ZIP or CSV.")
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > UPLOAD_LIMIT:
            raise forms.ValidationError(_("The file is larger than 8 GiB. Use the command import_archive for it."))
        return file
