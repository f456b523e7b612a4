from django import forms
from django.utils.translation import gettext_lazy as _

from portal.ledger.models import Seal


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


class JoinForm(forms.Form):
    """Two seals, each by how many entries it covers, as its second line says."""

    first = forms.IntegerField(label=_("Entries under the earlier seal"), min_value=1, max_value=2**62)
    second = forms.IntegerField(
        label=_("Entries under the later one"),
        min_value=1,
        max_value=2**62,
        required=False,
        help_text=_("Empty: the newest."),
    )

    def clean_first(self) -> Seal:
        return self._seal(self.cleaned_data["first"])

    def clean_second(self) -> Seal:
        size = self.cleaned_data["second"]
        return self._seal(size) if size else Seal.objects.order_by("number").last()

    def clean(self) -> dict:
        told = super().clean()
        if not self.errors and told["first"].size > told["second"].size:
            told["first"], told["second"] = told["second"], told["first"]
        return told

    @staticmethod
    def _seal(size: int) -> Seal:
        found = Seal.objects.filter(size=size).order_by("number").last()
        if found is None:
            raise forms.ValidationError(_("No seal covers just so many entries. Its second line says how many."))
        return found
