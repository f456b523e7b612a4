from datetime import date

import pytest
from django.contrib import admin
from django.core.management import CommandError, call_command
from django.urls import reverse

from portal.ledger.models import Entry
from portal.people import services
from portal.people.models import Employee

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 23)


def test_a_session_from_before_a_suspension_never_works_again(make_employee, sign_in):
    employee, other = make_employee(), make_employee()
    client, bystander = sign_in(employee), sign_in(other)
    services.set_active(employee=employee, active=False, by="system:test", reason="lost phone")
    services.set_active(employee=employee, active=True, by="system:test", reason="new phone")
    assert client.get("/").headers["Location"].startswith(reverse("account_login"))
    assert bystander.get("/").status_code == 200


def test_roles_are_given_with_an_entry_and_once(make_employee):
    employee = make_employee()
    for typed in (["HR"], ["HR"], ["HR", "HR"]):
        call_command("give_roles", employee.email, *typed, "--reason", "new job")
    assert Employee.objects.get(pk=employee.pk).has_perm("people.view_everyone")
    assert Entry.objects.filter(verb="people.roles_given", subject=employee.uid).count() == 1
    call_command("give_roles", employee.email, "--reason", "moved on")
    assert not Employee.objects.get(pk=employee.pk).has_perm("people.view_everyone")


def test_a_role_that_does_not_exist_is_refused(make_employee):
    with pytest.raises(CommandError, match="Roles are HR"):
        call_command("give_roles", make_employee().email, "King", "--reason", "x")


def test_who_leaves_later_is_on_staff_to_the_last_day(make_employee):
    make_employee(name_en="Stays")
    make_employee(name_en="Last day", left_on=TODAY)
    make_employee(name_en="Gone", left_on=date(2026, 11, 22))
    assert set(Employee.objects.on_staff(TODAY).values_list("name_en", flat=True)) == {"Stays", "Last day"}


def test_who_has_left_is_suspended_the_day_after(make_employee):
    make_employee(left_on=TODAY)
    gone = make_employee(left_on=date(2026, 11, 22))
    assert services.retire_leavers(today=TODAY) == 1
    assert services.retire_leavers(today=TODAY) == 0
    gone.refresh_from_db()
    assert gone.is_active is False
    assert Entry.objects.filter(verb="people.suspended", subject=gone.uid).exists()


def test_only_rules_can_be_changed_in_the_admin_and_they_leave_an_entry(make_employee, rf):
    request = rf.get("/admin/")
    request.user = make_employee(is_staff=True, is_superuser=True)
    deeds = ("has_add_permission", "has_change_permission", "has_delete_permission")
    writable = {
        model._meta.label
        for model, page in admin.site._registry.items()
        if any(getattr(page, deed)(request) for deed in deeds)
    }
    assert writable == {"training.Rule"}
