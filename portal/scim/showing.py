"""People and groups as the SCIM server shows them, in a number of queries that does not grow with them."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import Max, Q, QuerySet
from scim2_models import GroupMembership, Meta, Resource

from portal.ledger.models import Entry
from portal.people.models import Employee, EmployeeTag
from portal.scim import models
from portal.scim.names import Told
from portal.scim.schemas import Email, Enterprise, Group, Manager, Member, Name, Person

# Entries that say that a person has changed as the server shows them.
VERBS = (
    "people.added", "people.changed", "people.manager_set", "people.suspended", "people.readmitted", "people.tags_set",
    "scim.person_named",
)  # fmt: skip


def people() -> QuerySet[Employee]:
    """Everybody whom a directory may see and change: on HR's list, or brought by it. Nobody who runs this site."""
    known = Q(employee_no__isnull=False) | Q(account__isnull=False)
    return Employee.objects.filter(known, is_superuser=False, account__ended_at=None)


def groups() -> QuerySet[models.Group]:
    return models.Group.objects.filter(ended_at=None)


def account_of(employee: Employee) -> models.Account | None:
    """Return how the directory calls a person, ended or not; None for who is known from HR's list alone."""
    return getattr(employee, "account", None)


def is_here(employee: Employee, today: date) -> bool:
    return employee.is_active and (employee.left_on is None or employee.left_on >= today)


def show_people(found: Sequence[Employee], today: date) -> list[Person]:
    """Return these people, read with department, manager and account. Two queries."""
    changed = last_changes(employee.uid for employee in found)
    memberships = _memberships(found)
    return [
        _person(employee, today, memberships[employee.pk], changed.get(employee.uid, employee.created_at))
        for employee in found
    ]


def last_changes(uids: Iterable[str]) -> dict[str, datetime]:
    rows = Entry.objects.filter(subject__in=list(uids), verb__in=VERBS).order_by()
    return dict(rows.values_list("subject").annotate(Max("at")))


def _memberships(found: Sequence[Employee]) -> dict[int, list[GroupMembership]]:
    held = EmployeeTag.objects.filter(employee__in=found, tag__group__isnull=False, tag__group__ended_at=None)
    rows = held.order_by("tag__group__pk").values_list("employee", "tag__group__uid", "tag__group__display_name")
    gathered: defaultdict[int, list[GroupMembership]] = defaultdict(list)
    for pk, uid, name in rows:
        gathered[pk].append(GroupMembership(value=uid, ref=f"Groups/{uid}", display=name, type="direct"))
    return gathered


def told_names(employee: Employee) -> Told:
    """Return the names that the directory told, as long as they are still those of the person; else what HR says."""
    account = account_of(employee)
    if account and (account.name_en, account.name_zh) == (employee.name_en, employee.name_zh):
        return Told(account.display_name, account.formatted, account.given_name, account.family_name)
    return Told(display=employee.name)


def _person(employee: Employee, today: date, memberships: list[GroupMembership], changed_at: datetime) -> Person:
    account, told, here = account_of(employee), told_names(employee), is_here(employee, today)
    is_untold = account is not None and account.told_active is None
    shown = Person(
        id=employee.uid,
        external_id=(account and account.external_id) or None,
        user_name=account.user_name if account else employee.email,
        display_name=told.display or None,
        title=employee.title or None,
        active=None if here and is_untold else here,
        emails=[_email(employee, account)],
        groups=memberships or None,
    )
    if told.formatted or told.given or told.family:
        shown.name = Name(
            formatted=told.formatted or None, family_name=told.family or None, given_name=told.given or None
        )
    boss = employee.manager
    if employee.employee_no or employee.department or boss:
        shown[Enterprise] = Enterprise(
            employee_number=employee.employee_no,
            department=employee.department.name if employee.department else None,
            manager=Manager(value=boss.uid, ref=f"Users/{boss.uid}") if boss else None,
        )
    return _finished(shown, "User", employee.created_at, changed_at)


def _email(employee: Employee, account: models.Account | None) -> Email:
    if account is None:
        return Email(value=employee.email, type="work", primary=True)
    return Email(value=employee.email, type=account.email_type or None, primary=account.email_primary)


def show_group(group: models.Group, *, with_members: bool = True) -> Group:
    return show_groups([group], with_members=with_members)[0]


def show_groups(found: Sequence[models.Group], *, with_members: bool = True) -> list[Group]:
    """Return these groups, with their members. One query, or none."""
    members: defaultdict[int, list[Member]] = defaultdict(list)
    if with_members:
        borne = people().filter(tag_links__tag__in=[group.tag_id for group in found]).order_by("pk")
        for tag, uid in borne.values_list("tag_links__tag", "uid"):
            members[tag].append(Member(value=uid, ref=f"Users/{uid}", type="User"))
    return [_group(group, members[group.tag_id]) for group in found]


def _group(group: models.Group, members: list[Member]) -> Group:
    shown = Group(
        id=group.uid, external_id=group.external_id or None, display_name=group.display_name, members=members or None
    )
    return _finished(shown, "Group", group.made_at, group.changed_at)


def bearers(group: models.Group) -> QuerySet[Employee]:
    """Who is in a group and may be seen by a directory."""
    return people().filter(tag_links__tag=group.tag_id)


def _finished(shown: Resource[Any], kind: str, created: datetime, changed: datetime) -> Any:
    """Give a resource its meta. The version is the fingerprint of what is shown, whoever changed it."""
    told = json.dumps(shown.model_dump(), sort_keys=True, default=str)
    version = hashlib.sha256(f"{told}{changed.isoformat()}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    shown.meta = Meta(
        resource_type=kind, created=created, last_modified=max(created, changed), version=f'W/"{version}"'
    )
    return shown
