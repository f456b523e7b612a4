"""People by SCIM: the same rules as by HR's list, and nobody is anybody else."""

import json
from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client

from portal.ledger.models import Entry
from portal.people import services as people
from portal.people.models import Department, Employee, ReportingLine
from portal.scim.models import Account, Token
from tests.scim.conftest import ENTERPRISE, USER, Directory

pytestmark = pytest.mark.django_db


def test_a_new_person_stands_on_hrs_list_as_a_file_would_have_put_them(directory, number, bells):
    told = directory.add(
        "wang@example.com",
        displayName="王伟",
        name={"givenName": "Wei", "familyName": "Wang"},
        title="Trader",
        **number("E7", department="Equities"),
    )
    wei = Employee.objects.get(uid=told["id"])
    assert (wei.name_en, wei.name_zh, wei.email) == ("Wei Wang", "王伟", "wang@example.com")
    assert (wei.employee_no, wei.title, wei.department.name) == ("E7", "Trader", "Equities")
    assert not wei.has_usable_password()
    entry = Entry.objects.get(verb="people.added", subject=wei.uid)
    assert entry.actor == f"system:scim:{Token.objects.get().hint}"
    assert json.loads(entry.body.content)["after"]["employee_no"] == "E7"
    assert told["meta"]["location"].endswith(f"/scim/v2/Users/{wei.uid}")
    assert Employee.objects.on_staff(date(2026, 11, 25)).filter(pk=wei.pk).exists()


def test_who_is_known_from_hrs_list_is_found_and_not_doubled(directory, make_employee, number):
    lee = make_employee(email="lee@example.com", employee_no="E1", name_zh="李", joined_on=date(2020, 1, 1))
    found = directory.get('/Users?filter=userName eq "LEE@example.com"')
    assert [one["id"] for one in found["Resources"]] == [lee.uid]
    told = directory.add("lee@corp.example", emails=[{"value": "lee@example.com", "type": "work"}], **number("E1"))
    assert told["id"] == lee.uid
    lee.refresh_from_db()
    assert (lee.name_zh, lee.joined_on) == ("李", date(2020, 1, 1))
    assert Employee.objects.filter(email="lee@example.com").count() == 1


def test_the_same_person_twice_is_a_conflict(directory, number):
    directory.add("ann@example.com", **number("E1"))
    status, told = directory.ask("POST", "/Users", {"schemas": [USER], "userName": "ANN@example.com"})
    assert (status, told["scimType"]) == (409, "uniqueness")
    other = {"schemas": [USER], "userName": "x@example.com", **number("E1")}
    assert directory.ask("POST", "/Users", other)[0] == 409
    other = {"schemas": [USER], "userName": "x", "emails": [{"value": "ann@example.com"}], **number("E2")}
    assert directory.ask("POST", "/Users", other)[0] == 409
    assert Employee.objects.filter(employee_no__in=["E1", "E2"]).count() == 1


def test_a_leaver_is_signed_out_at_once_and_has_left(directory, number, bells):
    told = directory.add(**number("E1"))
    ann = Employee.objects.get(uid=told["id"])
    browser = Client()
    browser.force_login(ann, backend="django.contrib.auth.backends.ModelBackend")
    assert browser.get("/").status_code == 200
    status, _ = directory.patch(f"/Users/{ann.uid}", {"op": "Replace", "path": "active", "value": "False"})
    assert status == 204
    assert browser.get("/").status_code == 302
    assert not Session.objects.exists()
    ann.refresh_from_db()
    assert not ann.is_active
    assert ann.left_on is not None
    assert directory.get(f"/Users/{ann.uid}")["active"] is False
    assert [e.verb for e in Entry.objects.filter(subject=ann.uid).order_by("seq")][-2:] == [
        "people.changed",
        "people.suspended",
    ]


def test_who_comes_back_is_the_same_person(directory, number):
    first = directory.add("ann@example.com", **number("E1"))
    directory.patch(f"/Users/{first['id']}", {"op": "replace", "value": {"active": False}})
    directory.patch(f"/Users/{first['id']}", {"op": "replace", "value": {"active": True}})
    ann = Employee.objects.get(uid=first["id"])
    assert (ann.is_active, ann.left_on) == (True, None)
    assert directory.ask("DELETE", f"/Users/{ann.uid}")[0] == 204
    assert directory.ask("GET", f"/Users/{ann.uid}")[0] == 404
    ann.refresh_from_db()
    assert not ann.is_active
    again = directory.add("ann.new@example.com", **number("E1"))
    assert again["id"] == ann.uid
    ann.refresh_from_db()
    assert (ann.is_active, ann.left_on, ann.email) == (True, None, "ann.new@example.com")


def test_a_rehire_under_another_number_is_recognised_by_the_address(directory, make_employee, number):
    old = make_employee(email="li@example.com", employee_no="E1", left_on=date(2024, 5, 31), is_active=False)
    told = directory.add("li@example.com", **number("E900"))
    old.refresh_from_db()
    assert told["id"] == old.uid
    assert (old.employee_no, old.left_on, old.is_active) == ("E900", None, True)


def test_what_a_directory_repeats_brings_no_leaver_back(directory, number):
    told = directory.add(**number("E1"))
    ann = Employee.objects.get(uid=told["id"])
    yesterday = date.today() - timedelta(days=1)  # noqa: DTZ011
    Employee.objects.filter(pk=ann.pk).update(left_on=yesterday)
    people.retire_leavers(today=date.today())  # noqa: DTZ011
    body = {"schemas": [USER], "userName": "ann@example.com", "active": True, "title": "Broker"}
    status, said = directory.ask("PUT", f"/Users/{ann.uid}", body)
    assert (status, said["title"], said["active"]) == (200, "Broker", False)
    ann.refresh_from_db()
    assert (ann.is_active, ann.left_on) == (False, yesterday)


def test_a_suspension_is_lifted_by_who_imposed_it(directory, number):
    told = directory.add(**number("E1"))
    ann = Employee.objects.get(uid=told["id"])
    people.set_active(employee=ann, active=False, by="system:test", reason="inquiry")
    directory.patch(f"/Users/{ann.uid}", {"op": "replace", "path": "active", "value": True})
    ann.refresh_from_db()
    assert not ann.is_active


def test_a_manager_is_set_and_no_circle_is_made(directory, number):
    head, ann = directory.add("head@example.com", **number("E1")), directory.add("ann@example.com", **number("E2"))
    for value in (head["id"], [{"value": head["id"]}], {"value": head["id"], "$ref": "x"}):
        operation = {"op": "Add", "path": f"{ENTERPRISE}:manager", "value": value}
        assert directory.patch(f"/Users/{ann['id']}", operation)[0] == 204
    assert ReportingLine.objects.get().report.uid == ann["id"]
    assert Entry.objects.filter(verb="people.manager_set").count() == 1
    operation = {"op": "replace", "value": {f"{ENTERPRISE}:manager": ann["id"]}}
    status, told = directory.patch(f"/Users/{head['id']}", operation)
    assert (status, told["scimType"]) == (400, "invalidValue")
    assert directory.patch(f"/Users/{ann['id']}", {"op": "remove", "path": f"{ENTERPRISE}:manager"})[0] == 204
    assert not ReportingLine.objects.exists()
    nobody = {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": "f" * 32}}
    assert directory.patch(f"/Users/{ann['id']}", nobody)[0] == 400


def test_a_refused_change_leaves_nothing_behind(directory, number):
    ann = directory.add(**number("E1"))
    entries = Entry.objects.count()
    status, _ = directory.patch(
        f"/Users/{ann['id']}",
        {"op": "replace", "path": "title", "value": "Head"},
        {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": ann["id"]}},
    )
    assert status == 400
    assert Employee.objects.get(uid=ann["id"]).title == ""
    assert Entry.objects.count() == entries


def test_a_put_leaves_alone_what_it_does_not_name(directory, number):
    ann = directory.add(title="Broker", displayName="Ann", **number("E1", department="Desk"))
    body = {"schemas": [USER], "userName": "ann@example.com", "displayName": "Ann Lee", "title": None}
    _, told = directory.ask("PUT", f"/Users/{ann['id']}", body)
    assert "title" not in told
    assert told[ENTERPRISE] == {"employeeNumber": "E1", "department": "Desk"}
    assert Employee.objects.get(uid=ann["id"]).name_en == "Ann Lee"


def test_a_put_without_an_address_keeps_the_address(directory, number):
    ann = directory.add("ann", emails=[{"value": "ann.lee@example.com", "type": "work"}], **number("E1"))
    for name in ("ann", "ann@elsewhere.example"):
        body = {"schemas": [USER], "userName": name, "title": f"is {name}"}
        status, told = directory.ask("PUT", f"/Users/{ann['id']}", body)
        assert (status, told["userName"], told["title"]) == (200, name, f"is {name}")
        assert [one["value"] for one in told["emails"]] == ["ann.lee@example.com"]


def test_hrs_change_of_a_name_is_what_the_directory_reads_next(directory, number):
    ann = directory.add(displayName="Ann Lee", **number("E1"))
    Employee.objects.filter(uid=ann["id"]).update(name_en="Ann Chan", email="chan@example.com")
    told = directory.get(f"/Users/{ann['id']}")
    assert (told["displayName"], told["emails"][0]["value"]) == ("Ann Chan", "chan@example.com")
    assert told["meta"]["version"] != ann["meta"]["version"]
    assert directory.get('/Users?filter=displayName eq "ann chan"')["totalResults"] == 1
    assert directory.get('/Users?filter=displayName eq "ann lee"')["totalResults"] == 0


def test_who_runs_the_site_and_outsiders_are_not_the_directorys(directory, make_employee, number):
    root = make_employee(email="root@example.com", is_superuser=True)
    auditor = make_employee(email="auditor@example.com", employee_no=None)
    for one in (root, auditor):
        assert directory.ask("GET", f"/Users/{one.uid}")[0] == 404
        assert directory.ask("DELETE", f"/Users/{one.uid}")[0] == 404
        assert directory.ask("POST", "/Users", {"schemas": [USER], "userName": one.email})[0] == 409
    other = directory.add(**number("E1"))
    operation = {"op": "replace", "path": 'emails[type eq "work"].value', "value": "root@example.com"}
    assert directory.patch(f"/Users/{other['id']}", operation)[0] == 409


def test_who_comes_without_a_number_is_shown_to_hr(directory, sign_in, make_employee):
    directory.add("guest@example.com", displayName="Some Guest")
    assert Employee.objects.get(email="guest@example.com").employee_no is None
    page = sign_in(make_employee(roles=("HR",))).get("/people/directory/").content.decode()
    assert "Some Guest" in page


def test_an_address_is_needed(directory):
    status, told = directory.ask("POST", "/Users", {"schemas": [USER], "userName": "ann"})
    assert status == 400
    status, told = directory.ask(
        "POST", "/Users", {"schemas": [USER], "userName": "ann", "emails": [{"value": "no address"}]}
    )
    assert (status, told["scimType"]) == (400, "invalidValue")


def test_what_a_directory_sends_beside_is_dropped(directory):
    told = directory.add(
        password="geheim-geheim",
        phoneNumbers=[{"type": "mobile", "value": "+86 1"}],
        addresses=[{"type": "work", "locality": "Shanghai"}],
        roles=[],
        groups=[],
    )
    assert not {"password", "phoneNumbers", "addresses"} & told.keys()
    operation = {"op": "Add", "path": 'phoneNumbers[type eq "work"].value', "value": "1"}
    assert directory.patch(f"/Users/{told['id']}", operation)[0] == 204
    assert not Employee.objects.get(uid=told["id"]).has_usable_password()


def test_an_etag_keeps_two_writers_apart(directory, number):
    ann = directory.add(**number("E1"))
    path, tag = f"/Users/{ann['id']}", ann["meta"]["version"]
    title = {"op": "replace", "path": "title", "value": "Broker"}
    assert directory.ask("GET", path, **{"If-None-Match": tag})[0] == 304
    assert directory.patch(path, title, **{"If-Match": tag})[0] == 204
    assert directory.headers["ETag"] != tag
    assert directory.patch(path, {**title, "value": "Head"}, **{"If-Match": tag})[0] == 412
    assert directory.ask("DELETE", path, **{"If-Match": tag})[0] == 412
    assert Employee.objects.get(uid=ann["id"]).title == "Broker"


def test_a_patch_that_changes_nothing_writes_nothing(directory, number):
    ann = directory.add(title="Broker", **number("E1"))
    entries = Entry.objects.count()
    assert directory.patch(f"/Users/{ann['id']}", {"op": "replace", "path": "title", "value": "Broker"})[0] == 204
    assert Entry.objects.count() == entries
    assert directory.get(f"/Users/{ann['id']}")["meta"]["version"] == ann["meta"]["version"]


def test_the_last_change_is_told_by_the_entries(directory, number):
    with time_machine.travel("2026-03-01T08:00:00Z", tick=False):
        ann = directory.add(**number("E1"))
    with time_machine.travel("2026-03-02T08:00:00Z", tick=False):
        directory.patch(f"/Users/{ann['id']}", {"op": "replace", "path": "title", "value": "Broker"})
    told = directory.get(f"/Users/{ann['id']}")["meta"]
    assert (told["created"], told["lastModified"]) == ("2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z")


def test_every_change_rings_the_training_rules(directory, number, bells, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ann = directory.add(**number("E1"))
    pk = Employee.objects.get(uid=ann["id"]).pk
    assert ("training.tasks.apply_to_people", [[pk]]) in bells


def test_departments_are_those_of_hrs_list(directory, number):
    desk = Department.objects.create(name="Equities")
    directory.add(**number("E1", department="Equities"))
    assert desk.employees.count() == 1


def test_the_account_is_one_per_name(directory, number):
    ann = directory.add(**number("E1"))
    directory.ask("DELETE", f"/Users/{ann['id']}")
    other = directory.add("ann@example.com", emails=[{"value": "another@example.com"}], **number("E2"))
    assert other["id"] != ann["id"]
    assert Account.objects.filter(user_name="ann@example.com").count() == 2


def test_a_token_opens_until_it_is_ended_and_tells_its_last_use(directory, secret):
    token = Token.objects.get()
    assert token.last_used_at is None
    assert secret not in {token.digest, token.hint}
    directory.get("/Users")
    token.refresh_from_db()
    assert token.last_used_at is not None
    token.ended_at = token.made_at
    token.save()
    assert directory.ask("GET", "/Users")[0] == 401
    assert Directory("ocd_wrong").ask("GET", "/Users")[0] == 401
    assert Directory("").ask("GET", "/ServiceProviderConfig")[0] == 401
