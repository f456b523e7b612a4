"""A question file that an author sends."""

from crispy_forms.helper import FormHelper
from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from quizzes.formats import FORMATS, guessed
from quizzes.uploads import UPLOAD_MOST

GUESS = ""
ENDINGS = ".gift,.txt,.xml,.zip,.yaml,.yml"


class UploadForm(forms.Form):
    """Which file, into which bank. The format is guessed unless it is said."""

    file = forms.FileField(label=_("Question file"), widget=forms.FileInput(attrs={"accept": ENDINGS}))
    bank = forms.CharField(
        label=_("Bank"), max_length=160, help_text=_("One that is there, or the name of a new one."),
        widget=forms.TextInput(attrs={"list": "bank-names", "autocomplete": "off"}),
    )  # fmt: skip
    file_format = forms.ChoiceField(label=_("Format"), required=False)
    language = forms.ChoiceField(
        label=_("Language of the file"),
        choices=settings.LANGUAGES,
        help_text=_("Onchannel YAML says it itself."),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        listed = [(name, module.NAME) for name, module in FORMATS.items()]
        self.fields["file_format"].choices = [(GUESS, _("As the file looks")), *listed]
        self.fields["language"].initial = get_language()
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > UPLOAD_MOST:
            raise forms.ValidationError(
                _("The file is larger than %(most)s MiB. Use the command import_questions for it."),
                params={"most": UPLOAD_MOST // 2**20},
            )
        return file

    @property
    def as_sent(self) -> dict:
        """What uploads.keep takes."""
        data = self.cleaned_data["file"].read()
        name = self.cleaned_data["file"].name
        about = {field: self.cleaned_data[field] for field in ("bank", "language")}
        return about | {
            "data": data,
            "name": name,
            "file_format": self.cleaned_data["file_format"] or guessed(data, name),
        }
