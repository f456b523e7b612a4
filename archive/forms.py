import json
from zoneinfo import available_timezones

from crispy_forms.helper import FormHelper
from django import forms
from django.utils.translation import gettext_lazy as _

from archive.models import Source
from archive.services import ENDINGS, PUSH_BYTES, STATE_BYTES, TOO_LARGE, UPLOAD_LIMIT
from archive.sources import strict
from archive.sources.kinds import channel_of
from archive.sources.mapping import BadMapping, check

OF_MAIL = (".eml", ".mbox", ".zip")  # as files of mail are mostly named; others are taken too
ZONES = sorted(available_timezones())
A_NAME = {"invalid": _("A name has letters without accents, digits, - and _, and no spaces.")}


def a_day(label: str, help_text: str) -> forms.DateField:
    """Return a field for a day that may be left out."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, help_text=help_text, required=False, widget=widget)


class Plain:
    """Gives a form its crispy helper: the fields alone, for the template has the form and its buttons."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class UploadForm(Plain, forms.Form):
    """A feed file for a source."""

    source = forms.SlugField(
        label=_("Source"),
        max_length=50,
        error_messages=A_NAME,
        help_text=_(
            "Letters, digits, - and _. A new name begins a new WeCom feed; for mail or CSV set up the new source first."
        ),
    )
    file = forms.FileField(
        label=_("Feed file"), help_text=_("As the source delivers it: JSON lines, mail, mbox, ZIP or CSV.")
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["source"].widget.attrs["list"] = "source-names"
        self.fields["file"].widget.attrs["accept"] = ",".join(
            dict.fromkeys([*(ending for some in ENDINGS.values() for ending in some), *OF_MAIL])
        )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > UPLOAD_LIMIT:
            raise forms.ValidationError(TOO_LARGE)
        return file


class StateForm(Plain, forms.Form):
    """A dated copy of seats and consent for a source."""

    name = forms.SlugField(label=_("Source"), max_length=50, error_messages=A_NAME)
    answers = forms.FileField(
        label=_("File of answers"),
        help_text=_("JSON: the permit list, consent, rooms and robots, as the puller wrote."),
    )
    taken_at = forms.DateTimeField(
        label=_("When they were given"),
        required=False,
        help_text=_("Empty: as the file says, or now. A copy is dated by it."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    holds_from = a_day(
        _("The permit list is the same since"), _("Empty: it speaks for its own day and a few days more.")
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["list"] = "source-names"
        self.fields["answers"].widget.attrs["accept"] = ".json"

    def clean_answers(self):
        file = self.cleaned_data["answers"]
        if file.size > STATE_BYTES:
            raise forms.ValidationError(
                _("The file is larger than 8 MiB. Use the command import_archive_state for it.")
            )
        return file


class SettingsForm(Plain, forms.Form):
    """What a source is and what it promises."""

    kind = forms.ChoiceField(label=_("Kind"), choices=Source.Kind.choices)
    channel = forms.SlugField(
        label=_("Channel"),
        max_length=20,
        help_text=_(
            "Where people talk: wecom, mail … Sources of one channel may bring the same message; it is kept once."
        ),
    )
    time_zone = forms.CharField(label=_("Time zone"), max_length=64, help_text=_("A name such as Asia/Shanghai."))
    minutes = forms.IntegerField(
        label=_("Expected latency in minutes"),
        min_value=0,
        max_value=60 * 24 * 366,
        help_text=_("What the source promises: from sending to being pulled."),
    )
    is_contiguous = forms.BooleanField(
        label=_("Its numbers have no holes"),
        required=False,
        help_text=_("Off: its numbers skip normally, and a hole is told but opens no finding."),
    )
    granularity = forms.ChoiceField(label=_("Granularity"), choices=Source.Granularity.choices)
    mapping = forms.CharField(
        label=_("Mapping"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=_("JSON. Journal mail: the header of each field. CSV: the column of each field. Empty for WeCom."),
    )

    def __init__(self, *args, is_settled: bool = False, **kwargs) -> None:
        """``is_settled``: it has delivered, so its kind and channel cannot be changed any more."""
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget.attrs["list"] = "zone-names"
        for name in ("kind", "channel", "granularity"):
            self.fields[name].disabled = is_settled
            if is_settled:
                self.fields[name].help_text = _("It has delivered, so this cannot be changed any more.")

    @classmethod
    def initial_of(cls, source: Source | None = None) -> dict:
        source = source or Source()
        return {
            "kind": source.kind,
            "channel": source.channel,
            "time_zone": source.time_zone,
            "minutes": source.expected_latency_seconds // 60,
            "is_contiguous": source.is_contiguous,
            "granularity": source.granularity,
            "mapping": json.dumps(source.mapping, ensure_ascii=False, indent=2) if source.mapping else "",
            "retired_on": source.retired_on,
        }

    def clean_time_zone(self) -> str:
        zone = self.cleaned_data["time_zone"]
        if zone not in ZONES:
            raise forms.ValidationError(_("This is not a time zone. Use a name such as Asia/Shanghai."))
        return zone

    def clean_channel(self) -> str:
        channel = self.cleaned_data["channel"]
        if channel_of(channel, {}) != channel:
            raise forms.ValidationError(_("A channel's name has small letters, digits, - and _, at most 20."))
        return channel

    def clean_mapping(self) -> object:
        text = self.cleaned_data["mapping"].strip()
        try:
            return strict.loads(text) if text else {}
        except strict.Refused as error:
            raise forms.ValidationError(_("This is not JSON, or a key stands in it twice.")) from error

    def clean(self) -> dict:
        given = super().clean()
        if "kind" in given and "mapping" in given:
            try:
                check(given["kind"], given["mapping"])
            except BadMapping as error:
                self.add_error("mapping", str(error))
        return given

    def settings(self, source: Source | None = None) -> dict:
        """Return what the service takes. Seconds that the form does not show stay as they are."""
        given = dict(self.cleaned_data)
        minutes = given.pop("minutes")
        given["expected_latency_seconds"] = minutes * 60
        if source and source.expected_latency_seconds // 60 == minutes:
            given["expected_latency_seconds"] = source.expected_latency_seconds
        return given


class NewSourceForm(SettingsForm):
    """A source that does not exist yet."""

    name = forms.SlugField(
        label=_("Name"),
        max_length=50,
        help_text=_("Letters, digits, - and _. It is part of addresses and never changes."),
    )
    field_order = ("name",)

    def settings(self, source: Source | None = None) -> dict:
        given = super().settings(source)
        return {name: value for name, value in given.items() if name != "name"}


class ChangeSourceForm(SettingsForm):
    """A source that is there."""

    retired_on = a_day(_("Retired on"), _("Empty: it delivers. From that day on it may be silent. End its tokens too."))


class TokenForm(Plain, forms.Form):
    """A token for a machine."""

    label = forms.CharField(label=_("Which machine uses it"), max_length=60)
    expires_on = a_day(_("Last day"), _("Empty: until it is ended."))


class DaysForm(Plain, forms.Form):
    """From which day to which something holds."""

    first_on = a_day(_("First day"), _("Empty: ever since."))
    last_on = a_day(_("Last day"), _("Empty: still."))


class UndoForm(forms.Form):
    """From which day on a match holds no more, and why."""

    ends_on = forms.DateField(required=False)
    reason = forms.CharField(required=False, max_length=500)


class RepairForm(Plain, forms.Form):
    """Repaired lines, pasted or as a file."""

    text = forms.CharField(
        label=_("The repaired line, or lines"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(label=_("Or a file with them"), required=False)

    def clean(self) -> dict:
        given = super().clean()
        file = given.get("file")
        if file and file.size > PUSH_BYTES:
            raise forms.ValidationError(_("That is more than one delivery takes: 2 MiB and 2,000 lines."))
        given["raw"] = file.read() if file else given.get("text", "").encode("utf-8", "surrogatepass")
        return given
