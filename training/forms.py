from datetime import date

from crispy_forms.helper import FormHelper
from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portal.people.models import Department, Employee, Office
from quizzes.formats.base import tag_of
from quizzes.models import Bank, Recall
from training import exports, rules
from training.fields import CourseChoice, DayInput
from training.models import Certificate, Course, Edition
from training.supply import own_bank

REASON = Certificate.Reason


class SerialForm(forms.Form):
    """A serial typed from paper."""

    serial = forms.CharField(
        label=_("Serial"),
        max_length=60,
        help_text=_("As printed on the certificate: OC and four groups of four. Capitals and hyphens do not matter."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True  # asked by GET: it changes nothing

    def clean_serial(self) -> str:
        serial = rules.normal_serial(self.cleaned_data["serial"])
        if serial is None:
            raise forms.ValidationError(_("That is not a serial: it has sixteen letters and digits after OC."))
        return serial


class CertificateSearchForm(forms.Form):
    """Which of everybody's certificates to list. Everything left empty: all of them."""

    q = forms.CharField(label=_("Name, employee number or serial"), max_length=100, required=False)
    state = forms.ChoiceField(label=_("State"), choices=[("", _("Any")), *rules.Validity.choices], required=False)

    def narrowed(self, found: QuerySet[Certificate], today: date) -> QuerySet[Certificate]:
        """Return those of the certificates that fit, once the form is valid."""
        asked, state = self.cleaned_data["q"].strip(), self.cleaned_data["state"]
        if state:
            found = found.worth(rules.Validity(state), today)
        if serial := rules.normal_serial(asked):
            return found.filter(serial=serial)
        if asked:
            named = Q(name_en__icontains=asked) | Q(name_zh__contains=asked) | Q(employee_no=asked)
            found = found.filter(completion__employee__in=Employee.objects.filter(named))
        return found


class RevokeForm(forms.Form):
    """Why a certificate is taken back: in a word for everybody, and in full for the firm."""

    kind = forms.ChoiceField(
        label=_("What everybody may read"),
        choices=[(kind.value, kind.label) for kind in (REASON.WITHDRAWN, REASON.UNFAIR, REASON.ERROR)],
        help_text=_("Shown with the date to whoever checks the serial. Issued in error: the name is not shown either."),
    )
    reason = forms.CharField(
        label=_("Reason, for the firm"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept with the certificate and in the evidence log; not shown outside."),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, prefix="revoke", **kwargs)


class ReissueForm(forms.Form):
    """Why a certificate is replaced by one with the names as they are now."""

    reason = forms.CharField(
        label=_("Reason, for the firm"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kept in the evidence log; not shown outside."),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, prefix="reissue", **kwargs)


class ExportForm(forms.Form):
    """Which certificates HR wants. Everything left empty: all of them."""

    department = forms.ModelChoiceField(
        Department.objects.all(),
        required=False,
        label=_("Department"),
        empty_label=_("All departments"),
        help_text=_("With everything below it."),
    )
    office = forms.ModelChoiceField(
        Office.objects.order_by("name"), required=False, label=_("Office"), empty_label=_("All offices")
    )
    course = CourseChoice(
        Course.objects.prefetch_related("editions").order_by("slug"),
        required=False,
        label=_("Course"),
        empty_label=_("All courses"),
    )
    completed_from = forms.DateField(required=False, label=_("Completed from"), widget=DayInput())
    completed_to = forms.DateField(required=False, label=_("Completed to"), widget=DayInput())
    state = forms.ChoiceField(
        choices=exports.STATES,
        required=False,
        label=_("State today"),
        initial=exports.STANDING,
    )

    def clean_state(self) -> str:
        return self.cleaned_data["state"] or exports.STANDING

    def clean(self) -> dict:
        data = super().clean()
        first, last = data.get("completed_from"), data.get("completed_to")
        if first and last and last < first:
            self.add_error("completed_to", _("This day lies before the first."))
        return data

    @property
    def choice(self) -> exports.Choice:
        """What was chosen, once the form is valid."""
        data = self.cleaned_data
        return exports.Choice(
            department=data["department"].pk if data["department"] else None,
            office=data["office"].pk if data["office"] else None,
            course=data["course"].pk if data["course"] else None,
            completed_from=data["completed_from"],
            completed_to=data["completed_to"],
            state=data["state"],
        )


class RecallForm(forms.Form):
    """Why a question is called back, and how it counts from now on."""

    reason = forms.CharField(
        label=_("What is wrong with it"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Whoever audits this reads it. It does not appear in the mails to those who were asked."),
    )
    rule = forms.ChoiceField(label=_("From now on"), choices=Recall.Rule, widget=forms.RadioSelect, initial="left-out")

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False


class ExtraTimeForm(forms.Form):
    """More time in quizzes for one person, who is named as HR knows them."""

    employee = forms.CharField(label=_("Employee number or e-mail"), max_length=254)
    percent = forms.TypedChoiceField(
        label=_("More time"), coerce=int, choices=[(n, f"{n}%") for n in (10, 25, 33, 50, 75, 100, 200)], initial=25
    )
    reason = forms.CharField(
        label=_("Why"),
        max_length=300,
        help_text=_("Whoever audits this reads it. Say no more about health than needed."),
    )
    starts_on = forms.DateField(label=_("From"), widget=DayInput())
    ends_on = forms.DateField(
        label=_("To"), required=False, widget=DayInput(), help_text=_("Empty: until it is ended here.")
    )

    def __init__(self, *args, viewer: Employee, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer
        self.fields["starts_on"].initial = timezone.localdate()
        self.helper = FormHelper()
        self.helper.form_tag = False

    def clean_employee(self) -> Employee:
        named = self.cleaned_data["employee"].strip()
        people = Employee.objects.visible_to(self.viewer).filter(is_active=True)
        found = people.filter(employee_no=named).first() or people.filter(email=named.lower()).first()
        if found is None:
            raise forms.ValidationError(_("There is nobody with this number or address."))
        return found

    def clean_starts_on(self):
        day = self.cleaned_data["starts_on"]
        if day < timezone.localdate():
            raise forms.ValidationError(_("It cannot begin in the past: attempts of that time are over."))
        return day

    def clean(self) -> dict:
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("This day lies before the first."))
        return data


class BankChoice(forms.ModelChoiceField):
    def label_from_instance(self, bank: Bank) -> str:
        return f"{rules.told(bank.title, get_language() or '')} ({bank.slug})"


class ConnectionForm(forms.Form):
    """Which bank a module's quiz is to ask of as well."""

    module = forms.ChoiceField(label=_("Module"))
    bank = BankChoice(Bank.objects.order_by("slug"), label=_("Question bank"))
    tag = forms.CharField(label=_("Only questions with this tag"), required=False, max_length=80)
    questions = forms.IntegerField(
        label=_("Questions of it in each attempt"),
        min_value=0,
        max_value=100,
        initial=0,
        help_text=_("0: they are drawn with the others, spread evenly over the tags."),
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False

    def offer(self, edition: Edition, language: str) -> None:
        """Offer the modules of the edition, and every bank that is not a module's own."""
        modules = list(edition.modules.all())
        self.fields["module"].choices = [(one.slug, rules.told(one.title, language)) for one in modules]
        own = [own_bank(edition.course.slug, one.slug) for one in modules]
        self.fields["bank"].queryset = Bank.objects.exclude(slug__in=own).order_by("slug")

    def clean_tag(self) -> str:
        return tag_of(self.cleaned_data["tag"])


class CourseUploadForm(forms.Form):
    """A course's folder, packed."""

    file = forms.FileField(
        label=_("The course's folder as a ZIP"),
        help_text=_("course.yaml, sources.yaml and the modules' folders, as they lie on your disk. At most 2 MB."),
        widget=forms.FileInput(attrs={"accept": ".zip"}),
    )


class PublishForm(forms.Form):
    """Whether an edition is minor or material. There is no answer beforehand: one is chosen."""

    change = forms.ChoiceField(
        label=_("What changes for who knows the edition before"),
        widget=forms.RadioSelect,
        choices=[
            (Edition.Change.MINOR, _("Minor: nobody is disturbed.")),
            (
                Edition.Change.MATERIAL,
                _("Material: the rules ask everybody who completed an older edition for what changed, and only that."),
            ),
        ],
    )
