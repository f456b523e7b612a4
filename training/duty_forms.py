"""Forms of rules, exemptions and past completions. An audience is rows of conditions, in groups one level deep."""

import re
from datetime import date

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.people import roles
from portal.people.models import Department, Employee, Office, Tag
from training.audiences import MANAGER, Kind, Tree
from training.duties import DueKind, RenewalKind
from training.fields import CourseChoice, DayInput
from training.models import Course, Rule
from training.taking_over import MOST

ROWS = 6
GROUPS = "ABC"
WITH_VALUE = (Kind.HIRED_BEFORE, Kind.HIRED_AFTER, Kind.HIRED_WITHIN)


class RuleForm(forms.Form):
    """A rule in plain words."""

    name = forms.CharField(label=_("Name of the rule"), max_length=120)
    course = CourseChoice(Course.objects.prefetch_related("editions").order_by("slug"), label=_("Course"))
    starts_on = forms.DateField(label=_("Begins on"), widget=DayInput())
    due_kind = forms.ChoiceField(label=_("How it is due"), choices=DueKind)
    due_days = forms.IntegerField(label=_("Days"), min_value=1, max_value=1000)
    due_date = forms.DateField(label=_("Date"), required=False, widget=DayInput())
    renewal_kind = forms.ChoiceField(label=_("Again"), choices=RenewalKind)
    renewal_months = forms.IntegerField(
        label=_("Every so many months"),
        required=False,
        min_value=1,
        max_value=120,
        help_text=_("Empty: as the course says."),
    )
    window_days = forms.IntegerField(
        label=_("Window in days"), min_value=0, max_value=365, help_text=_("A renewal opens so many days before.")
    )
    season_first = forms.CharField(label=_("Season from"), required=False, help_text=_("Month and day, as 03-01."))
    season_last = forms.CharField(label=_("Season to"), required=False, help_text=_("Month and day, as 05-31."))
    grace_days = forms.IntegerField(
        label=_("Days of grace"),
        min_value=0,
        max_value=365,
        help_text=_("So many days after it is due nobody is overdue."),
    )
    is_active = forms.BooleanField(label=_("The rule holds"), required=False)
    together = forms.ChoiceField(
        label=_("Groups of conditions"),
        choices=[("all", _("all groups must hold; in a group one condition is enough")),
                 ("any", _("one group is enough; in a group all conditions must hold"))],
    )  # fmt: skip

    def __init__(self, *args, rule: Rule | None = None, **kwargs) -> None:
        self.rule = rule
        self.rows_told = rows_of(rule.audience) if rule else ("all", [])
        super().__init__(*args, initial=_initial(rule, self.rows_told), **kwargs)
        if rule:
            self.fields["name"].disabled = self.fields["course"].disabled = True
        for n in range(ROWS):
            self._add_row(n)

    def _add_row(self, n: int) -> None:
        told = self.rows_told[1][n] if self.rows_told and n < len(self.rows_told[1]) else ("A", "", False, "")
        group, fact, is_not, value = told
        choices = [(letter, letter) for letter in GROUPS]
        self.fields[f"group_{n}"] = forms.ChoiceField(label=_("Group"), choices=choices, required=False, initial=group)
        self.fields[f"not_{n}"] = forms.BooleanField(label=_("not"), required=False, initial=is_not)
        if n == 0:
            self.facts = fact_choices()
        self.fields[f"fact_{n}"] = forms.ChoiceField(
            label=_("Condition"), choices=self.facts, required=False, initial=fact
        )
        self.fields[f"value_{n}"] = forms.CharField(
            label=_("Date or days"), required=False, initial=value, max_length=10
        )

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        return [[self[f"{name}_{n}"] for name in ("group", "not", "fact", "value")] for n in range(ROWS)]

    @property
    def is_plain(self) -> bool:
        """Whether the rows can say the rule's audience. If not, it stays as it is."""
        return self.rows_told is not None

    def clean(self) -> dict:
        data = super().clean()
        if data.get("due_kind") == DueKind.DATE and not data.get("due_date"):
            self.add_error("due_date", _("Say the date."))
        data["season"] = self._season(data) if data.get("renewal_kind") == RenewalKind.SEASON else None
        data["audience"] = self._audience(data) if self.is_plain else self.rule.audience
        name = data.get("name")
        if not self.rule and name and Rule.objects.filter(name=name).exists():
            self.add_error("name", _("There is a rule of this name."))
        return data

    def _season(self, data: dict) -> list | None:
        found = []
        for field in ("season_first", "season_last"):
            match = re.fullmatch(r"([0-9]{1,2})-([0-9]{1,2})", data.get(field) or "")
            try:
                month, day = (int(one) for one in match.groups()) if match else (0, 0)
                date(2024, month, day)
                found.append([month, day])
            except ValueError:
                self.add_error(field, _("That is not a month and a day, as 03-01."))
        return found if len(found) == 2 else None

    def _audience(self, data: dict) -> Tree:
        groups: dict[str, list[Tree]] = {}
        for n in range(ROWS):
            told = data.get(f"fact_{n}")
            if not told:
                continue
            kind, _sep, value = told.partition(":")
            if kind in WITH_VALUE:
                value = data.get(f"value_{n}", "").strip()
                if not self._is_value(kind, value, n):
                    continue
            leaf: Tree = {"fact": kind, "is": [int(value) if kind in (Kind.DEPARTMENT, Kind.HIRED_WITHIN) else value]}
            groups.setdefault(data.get(f"group_{n}") or "A", []).append({"not": leaf} if data[f"not_{n}"] else leaf)
        outer = data.get("together") or "all"
        inner = "any" if outer == "all" else "all"
        parts = [{inner: leaves} if len(leaves) > 1 else leaves[0] for _letter, leaves in sorted(groups.items())]
        return {outer: parts} if parts else {"all": []}

    def _is_value(self, kind: str, value: str, n: int) -> bool:
        try:
            if kind == Kind.HIRED_WITHIN:
                if not 0 < int(value) < 10_000:
                    raise ValueError
            else:
                date.fromisoformat(value)
        except ValueError:
            self.add_error(f"value_{n}", _("Say a date as 2026-03-31, or a number of days."))
            return False
        return True

    @property
    def draft(self) -> Rule:
        """The rule as the form says it, not saved. Once the form is valid."""
        rule = self.rule or Rule(name=self.cleaned_data["name"], course=self.cleaned_data["course"])
        for field, value in self.said.items():
            setattr(rule, field, value)
        return rule

    @property
    def said(self) -> dict:
        names = (
            "audience", "due_kind", "due_days", "due_date", "renewal_kind", "renewal_months", "window_days", "season",
            "grace_days", "starts_on", "is_active",
        )  # fmt: skip
        return {name: self.cleaned_data[name] for name in names}


def _initial(rule: Rule | None, told: tuple | None) -> dict:
    if rule is None:
        return {
            "starts_on": timezone.localdate(), "due_kind": DueKind.WORKING_DAYS, "due_days": 20, "window_days": 60,
            "renewal_kind": RenewalKind.ROLLING, "grace_days": 0, "is_active": True, "together": "all",
        }  # fmt: skip
    names = (
        "name", "course", "starts_on", "due_kind", "due_days", "due_date", "renewal_kind", "renewal_months",
        "window_days", "grace_days", "is_active",
    )  # fmt: skip
    first, last = rule.season or (None, None)
    season = {
        "season_first": first and "{:02}-{:02}".format(*first),
        "season_last": last and "{:02}-{:02}".format(*last),
    }
    return {name: getattr(rule, name) for name in names} | season | {"together": told[0] if told else "all"}


def fact_choices() -> list:
    """Return what a condition can be, by kind. Three queries."""
    named = {
        Kind.DEPARTMENT: [(one.pk, str(one)) for one in Department.objects.all()],
        Kind.OFFICE: [(one.code, str(one)) for one in Office.objects.all()],
        Kind.JURISDICTION: Office.Jurisdiction.choices,
        Kind.ROLE: [(MANAGER, _("manager")), *((name, name) for name in roles.PERMISSIONS)],
        Kind.TAG: [(one.slug, str(one)) for one in Tag.objects.all()],
    }
    groups = [(kind.label, [(f"{kind}:{value}", label) for value, label in rows]) for kind, rows in named.items()]
    joined = [(f"{kind}:", kind.label) for kind in WITH_VALUE]
    return [("", _("no condition")), *((label, rows) for label, rows in groups if rows), (_("Joining"), joined)]


def rows_of(tree: Tree) -> tuple[str, list[tuple]] | None:
    """Return (all or any, rows of the form) for a tree that the form can say; None for one that it cannot."""
    if "fact" in tree or "not" in tree:
        tree = {"all": [tree]}
    [(outer, parts)] = tree.items()
    inner = "any" if outer == "all" else "all"
    rows: list[tuple] = []
    for letter, part in zip(GROUPS, _grouped(parts, inner), strict=False):
        for leaf in part:
            is_not = "not" in leaf
            fact = leaf["not"] if is_not else leaf
            if "fact" not in fact or (is_not and len(fact["is"]) > 1) or (inner == "all" and len(fact["is"]) > 1):
                return None
            for value in fact["is"]:
                told = ("", str(value)) if fact["fact"] in WITH_VALUE else (str(value), "")
                rows.append((letter, f"{fact['fact']}:{told[0]}", is_not, told[1]))
    return (outer, rows) if len(rows) <= ROWS and len(parts) <= len(GROUPS) else None


def _grouped(parts: list[Tree], inner: str) -> list[list[Tree]]:
    return [part.get(inner, [part]) for part in parts]


class ExemptionForm(forms.Form):
    """Somebody need not hold a course for a while."""

    employee = forms.CharField(label=_("Employee number or e-mail"), max_length=254)
    course = CourseChoice(Course.objects.prefetch_related("editions").order_by("slug"), label=_("Course"))
    reason = forms.CharField(label=_("Why"), max_length=500, help_text=_("Whoever audits this reads it."))
    starts_on = forms.DateField(label=_("From"), widget=DayInput())
    ends_on = forms.DateField(label=_("To"), widget=DayInput(), help_text=_("The last day. No exemption is for ever."))

    def __init__(self, *args, viewer: Employee, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.viewer = viewer

    def clean_employee(self) -> Employee:
        named = self.cleaned_data["employee"].strip()
        people = Employee.objects.visible_to(self.viewer).on_staff()
        found = people.filter(employee_no=named).first() or people.filter(email=named.lower()).first()
        if found is None:
            raise forms.ValidationError(_("There is nobody with this number or address."))
        return found

    def clean(self) -> dict:
        data = super().clean()
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("This day lies before the first."))
        return data


class PastForm(forms.Form):
    """A file of past completions."""

    file = forms.FileField(
        label=_("CSV file"), help_text=_("Columns: employee_no, course, completed_on, percent, valid_until.")
    )

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file.size > MOST * 100:
            raise forms.ValidationError(_("The file is too large."))
        return file


class PolicyForm(forms.Form):
    """The next version of a policy, in both languages."""

    slug = forms.SlugField(label=_("Short name"), max_length=50, help_text=_("The same name: the next version."))
    title_en = forms.CharField(label=_("Title in English"), max_length=120)
    title_zh = forms.CharField(label=_("Title in Chinese"), max_length=120)
    text_en = forms.CharField(label=_("Text in English"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 10}))
    text_zh = forms.CharField(label=_("Text in Chinese"), max_length=20_000, widget=forms.Textarea(attrs={"rows": 10}))
    effective_from = forms.DateField(label=_("To be signed from"), widget=DayInput())
    is_quarterly = forms.BooleanField(
        label=_("A statement for each quarter"), required=False,
        help_text=_("Signed anew for every quarter, beside one's gaps and own reports. Holds for a new name only."),
    )  # fmt: skip

    def clean_effective_from(self) -> date:
        day = self.cleaned_data["effective_from"]
        if day < timezone.localdate():
            raise forms.ValidationError(_("This day is over."))
        return day

    @property
    def said(self) -> dict:
        data = self.cleaned_data
        return {
            "slug": data["slug"],
            "title": {"en": data["title_en"], "zh-hans": data["title_zh"]},
            "text": {"en": data["text_en"], "zh-hans": data["text_zh"]},
            "effective_from": data["effective_from"],
            "is_quarterly": data["is_quarterly"],
        }
