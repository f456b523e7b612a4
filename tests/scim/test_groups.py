"""Groups of the directory are tags, for which training rules can ask."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.ledger.models import Entry
from portal.people import services as people
from portal.people.models import Employee, Tag
from portal.scim.models import Group
from tests.scim.conftest import GROUP, USER

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(directory, number) -> str:
    return directory.add("ann@example.com", **number("E1"))["id"]


@pytest.fixture
def bob(directory, number) -> str:
    return directory.add("bob@example.com", **number("E2"))["id"]


def tags_of(uid: str) -> set[str]:
    return set(Employee.objects.get(uid=uid).tags.values_list("slug", flat=True))


def test_members_bear_the_tag_of_the_group(directory, ann, bob):
    group = directory.add_group("Sales Traders", ann)
    assert (tags_of(ann), tags_of(bob)) == ({"sales-traders"}, set())
    assert [one["value"] for one in group["members"]] == [ann]
    assert directory.get(f"/Users/{ann}")["groups"][0]["value"] == group["id"]
    assert Entry.objects.filter(verb="people.tags_set", subject=ann).count() == 1
    assert Entry.objects.filter(verb="people.tag_made").count() == 1


@pytest.mark.parametrize(
    "remove",
    [
        lambda uid: {"op": "remove", "path": f'members[value eq "{uid}"]'},  # RFC 7644, Okta
        lambda uid: {"op": "Remove", "path": "members", "value": [{"value": uid}]},  # Microsoft Entra
    ],
)
def test_members_come_and_go_as_directories_say_it(directory, ann, bob, remove):
    group = directory.add_group("Desk", ann)
    path = f"/Groups/{group['id']}"
    assert directory.patch(path, {"op": "Add", "path": "members", "value": [{"value": bob, "display": "B"}]})[0] == 204
    assert tags_of(ann) == tags_of(bob) == {"desk"}
    assert directory.patch(path, remove(ann))[0] == 204
    assert (tags_of(ann), tags_of(bob)) == (set(), {"desk"})
    both = {"op": "replace", "path": "members", "value": [{"value": ann}, {"value": bob}]}
    assert directory.patch(path, both)[0] == 204
    assert directory.patch(path, {"op": "remove", "path": "members"})[0] == 204
    assert tags_of(ann) == tags_of(bob) == set()


def test_a_group_is_renamed_as_okta_says_it(directory, ann):
    group = directory.add_group("Desk", ann)
    value = {"id": group["id"], "displayName": "Equities desk"}
    assert directory.patch(f"/Groups/{group['id']}", {"op": "replace", "value": value})[0] == 204
    assert (Tag.objects.get().slug, Tag.objects.get().name) == ("desk", "Equities desk")
    assert tags_of(ann) == {"desk"}


def test_what_hr_tags_is_not_the_directorys_and_the_other_way_round(directory, ann):
    people.make_tag(slug="licensed", name="Licensed", by="system:test")
    employee = Employee.objects.get(uid=ann)
    group = directory.add_group("Licensed", ann)
    assert tags_of(ann) == {Group.objects.get().tag.slug}
    assert Group.objects.get().tag.slug.startswith("licensed-")
    people.set_tags(employee=employee, tags=["licensed"], by="system:test")
    assert len(tags_of(ann)) == 2
    directory.ask("DELETE", f"/Groups/{group['id']}")
    assert tags_of(ann) == {"licensed"}


def test_a_group_that_ended_comes_back_with_its_tag(directory, ann):
    group = directory.add_group("Desk", ann)
    assert directory.ask("DELETE", f"/Groups/{group['id']}")[0] == 204
    assert directory.ask("GET", f"/Groups/{group['id']}")[0] == 404
    assert tags_of(ann) == set()
    assert "groups" not in directory.get(f"/Users/{ann}")
    directory.add_group("desk", ann)
    assert tags_of(ann) == {"desk"}
    assert Entry.objects.filter(verb="scim.group_ended").count() == 1


def test_a_name_is_one_groups(directory):
    directory.add_group("Desk")
    assert directory.ask("POST", "/Groups", {"schemas": [GROUP], "displayName": "DESK"})[0] == 409
    other = directory.add_group("销售")
    assert directory.ask("PUT", f"/Groups/{other['id']}", {"schemas": [GROUP], "displayName": "desk"})[0] == 409


def test_a_member_is_a_person(directory, ann):
    group = directory.add_group("Desk")
    inner = {"op": "add", "path": "members", "value": [{"value": group["id"]}]}
    assert directory.patch(f"/Groups/{group['id']}", inner)[0] == 400
    body = {"schemas": [GROUP], "displayName": "Other", "members": [{"value": ann}, {"value": "nobody"}]}
    assert directory.ask("POST", "/Groups", body)[0] == 400
    assert (Group.objects.count(), tags_of(ann)) == (1, set())


def test_members_are_left_out_when_nobody_asks(directory, ann):
    group = directory.add_group("Desk", ann)
    assert "members" not in directory.get(f"/Groups/{group['id']}?excludedAttributes=members")
    assert "members" not in directory.get("/Groups?attributes=displayName")["Resources"][0]
    asked = '/Groups?excludedAttributes=members&filter=displayName eq "desk"'
    assert [one["id"] for one in directory.get(asked)["Resources"]] == [group["id"]]


def test_a_list_costs_as_many_queries_for_many_as_for_one(directory, ann, bob):
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            directory.get(path)
        return len(captured)

    directory.add_group("One", ann)
    few = queries("/Users"), queries("/Groups")
    for n in range(5):
        directory.add(f"p{n}@example.com")
        directory.add_group(f"Group {n}", ann, bob)
    assert (queries("/Users"), queries("/Groups")) == few


def test_users_and_groups_are_found_together(directory, ann):
    directory.add_group("ann")
    found = directory.get('/?filter=displayName eq "ann" or userName eq "ann@example.com"')
    assert [one["meta"]["resourceType"] for one in found["Resources"]] == ["User", "Group"]
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 1, "startIndex": 3}
    status, found = directory.ask("POST", "/.search", body)
    assert (status, found["totalResults"], len(found["Resources"])) == (200, 3, 1)
    assert USER not in found["Resources"][0]["schemas"]
