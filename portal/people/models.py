import uuid
from datetime import date
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from portal.people import rules


def opaque_id() -> str:
    """A random id that says nothing about the person; the only name that logs and the ledger may use."""
    return uuid.uuid4().hex


class Office(models.Model):
    class Jurisdiction(models.TextChoices):
        CN = "CN", _("Mainland China")
        HK = "HK", _("Hong Kong")
        US = "US", _("United States")
        UK = "UK", _("United Kingdom")
        EU = "EU", _("European Union")
        SG = "SG", _("Singapore")

    code = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    name_zh = models.CharField(max_length=80, blank=True)
    time_zone = models.CharField(max_length=64)
    jurisdiction = models.CharField(max_length=2, choices=Jurisdiction)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return rules.in_language(get_language(), self.name, self.name_zh)


class Department(models.Model):
    name = models.CharField(max_length=120, unique=True)
    name_zh = models.CharField(max_length=120, blank=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", help_text=_("Empty: top level")
    )

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return rules.in_language(get_language(), self.name, self.name_zh)


def is_on_staff(today: date, of: str = "") -> Q:
    """Return the condition of on_staff(), for rows that reach the employee by the path ``of``, as "employee__"."""
    last_day = Q(**{f"{of}left_on": None}) | Q(**{f"{of}left_on__gte": today})
    return last_day & Q(**{f"{of}is_active": True, f"{of}employee_no__isnull": False})


class EmployeeQuerySet(models.QuerySet):
    def visible_to(self, viewer: "Employee") -> "EmployeeQuerySet":
        """Whom the viewer may see: everybody for HR, compliance and auditors; otherwise self and everybody below."""
        if not viewer.is_active:
            return self.none()
        if viewer.has_perm("people.view_everyone"):
            return self
        return self.filter(Q(pk=viewer.pk) | Q(pk__in=viewer.lines_down.values("report")))

    def below(self, manager: "Employee") -> "EmployeeQuerySet":
        """Everybody who reports to the manager, directly or through others."""
        return self.filter(pk__in=manager.lines_down.values("report"))

    def on_staff(self, today: date | None = None) -> "EmployeeQuerySet":
        """People on HR's list whose last day has not passed: not an outside auditor, not a service account."""
        return self.filter(is_on_staff(today or timezone.localdate()))

    def left_before(self, today: date) -> "EmployeeQuerySet":
        """Whose last day has passed and who can still sign in."""
        return self.filter(is_active=True, left_on__lt=today)

    def for_list(self) -> "EmployeeQuerySet":
        return self.select_related("department", "office", "manager").order_by("name_en", "pk")


class EmployeeManager(BaseUserManager.from_queryset(EmployeeQuerySet)):
    use_in_migrations = False

    def create_user(self, email: str, password: str | None = None, **fields) -> "Employee":
        employee = self.model(email=email, **fields)
        employee.set_password(password)
        employee.save()
        return employee

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "Employee":
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, email: str) -> "Employee":
        return self.get(email=email.lower())


class Employee(AbstractBaseUser, PermissionsMixin):
    """A person: login and HR record are one. An outside auditor is one too, without an HR number."""

    uid = models.CharField(max_length=32, unique=True, default=opaque_id, editable=False)
    email = models.EmailField(_("e-mail"), max_length=254)
    employee_no = models.CharField(
        max_length=64, unique=True, null=True, blank=True, help_text=_("Empty: not on HR's list")
    )
    wecom_userid = models.CharField(max_length=64, blank=True, help_text=_("As HR last told it"))
    name_en = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=60, blank=True)
    title = models.CharField(max_length=120, blank=True)
    title_zh = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=10, blank=True, help_text=_("Empty: as the browser asks"))
    department = models.ForeignKey(Department, models.PROTECT, null=True, blank=True, related_name="employees")
    office = models.ForeignKey(Office, models.PROTECT, null=True, blank=True, related_name="employees")
    manager = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="direct_reports")
    joined_on = models.DateField(null=True, blank=True, help_text=_("Empty: before the portal's first day"))
    left_on = models.DateField(null=True, blank=True, help_text=_("Empty: still here"))
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EmployeeManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name_en"]

    class Meta:
        permissions: ClassVar = [("view_everyone", "Can see every person")]
        constraints: ClassVar = [
            models.UniqueConstraint(Lower("email"), name="people_employee_email_is_one_persons"),
            models.UniqueConstraint(
                Lower("wecom_userid"), condition=~Q(wecom_userid=""), name="people_employee_userid_is_one_persons"
            ),
            models.CheckConstraint(
                condition=Q(left_on__isnull=True) | Q(joined_on__isnull=True) | Q(left_on__gte=models.F("joined_on")),
                name="people_employee_leaves_after_joining",
            ),
            models.CheckConstraint(
                condition=Q(manager__isnull=True) | ~Q(manager=models.F("id")),
                name="people_employee_is_not_own_manager",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["name_en", "id"], name="people_employee_by_name"),
            models.Index(Lower("name_en"), name="people_employee_by_lower_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args, **kwargs) -> None:
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    @property
    def name(self) -> str:
        """Both scripts: certificates and lists show a person as colleagues know them."""
        return f"{self.name_en} {self.name_zh}".strip()

    @property
    def short_name(self) -> str:
        """What a greeting says in the language of the page."""
        return rules.in_language(get_language(), self.name_en, self.name_zh)

    @property
    def job_title(self) -> str:
        return rules.in_language(get_language(), self.title, self.title_zh)

    def get_full_name(self) -> str:
        return self.name

    def is_manager(self) -> bool:
        """Whether anybody reports to this person. Costs a query."""
        return self.lines_down.exists()


class ReportingLine(models.Model):
    """Who is above whom, at any depth: the closure of Employee.manager, kept by people.services."""

    manager = models.ForeignKey(Employee, models.CASCADE, related_name="lines_down")
    report = models.ForeignKey(Employee, models.CASCADE, related_name="lines_up")
    depth = models.PositiveSmallIntegerField(help_text=_("1: reports directly"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["manager", "report"], name="people_line_once_per_pair"),
            models.CheckConstraint(condition=Q(depth__gte=1), name="people_line_depth_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} under {self.manager_id}"


class Leave(models.Model):
    """Days on which an employee is away: they are no working days, and silence on them means nothing."""

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="leaves", db_index=False)
    first_on = models.DateField()
    last_on = models.DateField(help_text=_("The last day away"))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "first_on"], name="people_leave_begins_once"),
            models.CheckConstraint(
                condition=Q(last_on__gte=models.F("first_on")), name="people_leave_ends_after_it_begins"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id}: {self.first_on} to {self.last_on}"


class Tag(models.Model):
    """A word that HR keeps of people beside what the file says: "licensed", "sales trader". Training rules read it."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    name_zh = models.CharField(max_length=60, blank=True)
    of_directory = models.BooleanField(
        default=False, help_text=_("A group of the directory says who bears it, not HR's list")
    )
    people = models.ManyToManyField(Employee, through="EmployeeTag", related_name="tags")

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return rules.in_language(get_language(), self.name, self.name_zh)


class EmployeeTag(models.Model):
    """That a person bears a tag."""

    employee = models.ForeignKey(Employee, models.CASCADE, related_name="tag_links", db_index=False)
    tag = models.ForeignKey(Tag, models.PROTECT, related_name="people_links")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["employee", "tag"], name="people_tag_once_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_id}: {self.tag_id}"
