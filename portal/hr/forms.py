from collections.abc import Sequence

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from portal.hr import columns, sheets


class Plain:
    """Gives a form its crispy helper: the fields alone, for the template has the form and its buttons."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class GiveForm(Plain, forms.Form):
    """A list of people as HR's system gives it out."""

    file = forms.FileField(
        label=_("List of people"),
        help_text=_("CSV or XLSX, headings in the first row."),
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    is_complete = forms.BooleanField(
        label=_("This is everybody"),
        required=False,
        help_text=_(
            "Whoever works here and is not on the list leaves today. Otherwise people leave by their last day alone."
        ),
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > sheets.LARGEST:
            raise forms.ValidationError(
                _("The file is larger than 32 MiB. Leave out columns that are not needed, or split it.")
            )
        return file


class ColumnsForm(Plain, forms.Form):
    """Which of the file's headings holds which column."""

    def __init__(self, headers: Sequence[str], *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("(not in the file)")), *((header, header) for header in dict.fromkeys(headers) if header)]
        for column in columns.COLUMNS:
            self.fields[column.name] = forms.ChoiceField(label=column.label, choices=choices, required=column.is_needed)

    @property
    def mapping(self) -> dict[str, str]:
        """{our column: its heading}, of those that are in the file."""
        return {name: header for name, header in self.cleaned_data.items() if header}
