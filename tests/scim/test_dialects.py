"""What Microsoft Entra and Okta send, as their documentation shows it."""

import pytest

from portal.people.models import Employee
from tests.scim.conftest import ENTERPRISE, GROUP, PATCH, USER

pytestmark = pytest.mark.django_db
ENTRA_USER = {
    "schemas": [USER, ENTERPRISE],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test_User_ab6490ee-1e48-479e-a20b-2d77186b5dd1",
    "active": True,
    "emails": [{"primary": True, "type": "work", "value": "Test_User_fd0ea19b@testuser.com"}],
    "meta": {"resourceType": "User"},
    "name": {"formatted": "givenName familyName", "familyName": "familyName", "givenName": "givenName"},
    "roles": [],
}
OKTA_USER = {
    "schemas": [USER],
    "userName": "test.user@okta.local",
    "name": {"givenName": "Test", "familyName": "User"},
    "emails": [{"primary": True, "value": "test.user@okta.local", "type": "work"}],
    "displayName": "Test User",
    "locale": "en-US",
    "externalId": "00ujl29u0le5T6Aj10h7",
    "groups": [],
    "password": "1mz050nq",
    "active": True,
}


def test_entra_brings_changes_and_disables_a_person(directory):
    assert directory.get('/Users?filter=externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"')["totalResults"] == 0
    status, told = directory.ask("POST", "/Users", ENTRA_USER)
    assert status == 201
    path, uid = f"/Users/{told['id']}", told["id"]
    assert directory.get(f'/Users?filter=userName eq "{ENTRA_USER["userName"].upper()}"')["totalResults"] == 1
    work = {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "updatedEmail@microsoft.com"}
    family = {"op": "Replace", "path": "name.familyName", "value": "updatedFamilyName"}
    assert directory.patch(path, work, family)[0] == 204
    told = directory.get(path)
    assert told["emails"] == [{"value": "updatedemail@microsoft.com", "type": "work", "primary": True}]
    assert told["name"]["familyName"] == "updatedFamilyName"
    without_path = {
        "op": "replace",
        "value": {
            "displayName": "Wei Wang",
            "name.givenName": "Wei",
            f"{ENTERPRISE}:employeeNumber": "E7",
            f"{ENTERPRISE}:department": "Desk",
            'emails[type eq "work"].value': "wei@example.com",
            "active": "True",
        },
    }
    assert directory.patch(path, without_path)[0] == 204
    wei = Employee.objects.get(uid=uid)
    assert (wei.name_en, wei.employee_no, wei.department.name, wei.email) == (
        "Wei Wang", "E7", "Desk", "wei@example.com"
    )  # fmt: skip
    assert directory.patch(path, {"op": "Add", "path": "nickName", "value": "Babs"})[0] == 204
    assert directory.patch(path, {"op": "Replace", "path": "active", "value": "False"})[0] == 204
    assert directory.get(f"{path}?attributes=active")["active"] is False
    assert directory.patch(path, {"op": "Replace", "path": "active", "value": "True"})[0] == 204
    assert directory.ask("DELETE", path)[0] == 204


def test_entra_brings_groups(directory):
    _status, user = directory.ask("POST", "/Users", ENTRA_USER)
    schema = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
    body = {"schemas": [GROUP, schema], "externalId": "8aa1a0c0", "displayName": "Desk", "members": []}
    status, group = directory.ask("POST", "/Groups", body | {"meta": {"resourceType": "Group"}})
    assert status == 201, group
    path, member = f"/Groups/{group['id']}", [{"$ref": None, "value": user["id"]}]
    asked = f'/Groups?excludedAttributes=members&filter=id eq "{group["id"]}" and members eq "{user["id"]}"'
    assert directory.get(asked)["totalResults"] == 0
    assert directory.patch(path, {"op": "Add", "path": "members", "value": member})[0] == 204
    assert directory.get(asked)["totalResults"] == 1
    assert directory.patch(path, {"op": "Replace", "path": "displayName", "value": "Other desk"})[0] == 204
    assert directory.patch(path, {"op": "Remove", "path": "members", "value": member})[0] == 204
    told = directory.get(path)
    assert (told["displayName"], told.get("members")) == ("Other desk", None)
    assert directory.ask("DELETE", path)[0] == 204


def test_okta_brings_changes_and_deactivates_a_person(directory):
    asked = '/Users?filter=userName eq "test.user@okta.local"&startIndex=1&count=100'
    assert directory.get(asked)["totalResults"] == 0
    status, told = directory.ask("POST", "/Users", OKTA_USER)
    assert status == 201
    assert directory.get(asked)["Resources"][0]["id"] == told["id"]
    path = f"/Users/{told['id']}"
    changed = OKTA_USER | {
        "id": told["id"],
        "meta": told["meta"],
        "name": {"givenName": "Another", "familyName": "User"},
    }
    status, told = directory.ask("PUT", path, changed)
    assert (status, told["name"]["givenName"]) == (200, "Another")
    deactivate = {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": False}}]}
    assert directory.ask("PATCH", path, deactivate)[0] == 204
    assert not Employee.objects.get(uid=told["id"]).is_active
    assert directory.ask("PUT", path, changed | {"active": True})[1]["active"] is True


def test_okta_pushes_groups(directory):
    _status, user = directory.ask("POST", "/Users", OKTA_USER)
    status, group = directory.ask("POST", "/Groups", {"schemas": [GROUP], "displayName": "Sales", "members": []})
    assert status == 201
    path, member = f"/Groups/{group['id']}", {"value": user["id"], "display": "test.user@okta.local"}
    value = {"id": group["id"], "displayName": "Sales desk"}
    operations = (
        {"op": "replace", "value": value},
        {"op": "add", "path": "members", "value": [member]},
    )
    assert directory.patch(path, *operations)[0] == 204
    assert [one["value"] for one in directory.get(path)["members"]] == [user["id"]]
    assert directory.patch(path, {"op": "remove", "path": f'members[value eq "{user["id"]}"]'})[0] == 204
    whole = {"schemas": [GROUP], "id": group["id"], "displayName": "Sales desk", "members": [member]}
    status, told = directory.ask("PUT", path, whole)
    assert (status, len(told["members"])) == (200, 1)
