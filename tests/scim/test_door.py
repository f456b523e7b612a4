"""The door: how much, how often, and that no body makes the server fail."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.people.models import Employee
from portal.scim import views
from tests.scim.conftest import ENTERPRISE, GROUP, PATCH, USER, Directory

pytestmark = pytest.mark.django_db


def test_too_often_is_told_so(secret, monkeypatch):
    monkeypatch.setattr(views, "PACE", 3)
    monkeypatch.setattr(views, "PACE_SECONDS", 600)
    directory = Directory(secret)
    assert [directory.ask("GET", "/Users")[0] for _n in range(4)] == [200, 200, 200, 429]
    assert directory.headers["Retry-After"] == "600"


def test_who_guesses_tokens_is_made_to_wait(secret, monkeypatch):
    monkeypatch.setattr(views, "REFUSALS", 3)
    stranger = Directory("ocd_guess")
    assert [stranger.ask("GET", "/Users")[0] for _n in range(5)] == [401, 401, 401, 429, 429]
    assert Directory(secret).ask("GET", "/Users")[0] == 200


def test_a_body_that_is_too_large_is_not_read(directory):
    status, told = directory.ask("POST", "/Users", b" " * (views.MOST_BYTES + 1))
    assert (status, told["status"]) == (413, "413")
    assert directory.headers["Content-Type"] == "application/scim+json"


def test_what_it_can_and_cannot_do_is_said(directory):
    told = directory.get("/ServiceProviderConfig")
    can = {name: told[name]["supported"] for name in ("patch", "bulk", "filter", "changePassword", "sort", "etag")}
    assert can == {
        "patch": True, "bulk": False, "filter": True, "changePassword": False, "sort": True, "etag": True
    }  # fmt: skip
    assert directory.ask("POST", "/Bulk", {"Operations": []})[0] == 501
    assert {one["id"] for one in directory.get("/Schemas")["Resources"]} == {USER, GROUP, ENTERPRISE}
    assert [one["name"] for one in directory.get("/ResourceTypes")["Resources"]] == ["User", "Group"]
    assert directory.ask("GET", "/Nothing")[0] == 404
    assert directory.ask("GET", "")[0] == 200
    assert directory.ask("PUT", "/Users")[0] == 405


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b'"x"', b'{"a":' * 5000, b'{"userName": "\\u0000@example.com"}', b"NaN",
     b'{"userName": "\\ud800@example.com", "schemas": []}', b"1e999", b'{"Operations": {}}'],
)  # fmt: skip
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/Users"), ("PATCH", "/Users/{}"), ("PUT", "/Users/{}"), ("POST", "/Groups"), ("PUT", "/Groups/{}")],
)
def test_a_broken_body_is_told_so(directory, body, method, path):
    uid = directory.add_group("Desk")["id"] if "Groups" in path else directory.add()["id"]
    assert directory.ask(method, path.format(uid), body)[0] == 400


NAMES = st.sampled_from((
    "schemas", "userName", "displayName", "name", "givenName", "active", "emails", "value", "type", "primary", "title",
    "externalId", "id", "meta", "groups", "members", "$ref", ENTERPRISE, "manager", "employeeNumber", "department",
    "Operations", "op", "path", "filter", "count", "startIndex", "sortBy", "attributes", "excludedAttributes", "x",
    f"{ENTERPRISE}:manager", "name.givenName", "EMAILS", "sortOrder", "cursor",
))  # fmt: skip
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=12),
    st.sampled_from((USER, GROUP, PATCH, "add", "Replace", "remove", "members", 'emails[type eq "work"].value', "True",
                     "active", "a@example.com", 'members[value eq "x"]', f"{ENTERPRISE}:manager", "emails[", "",
                     "a" * 300, "a" * 300 + "@example.com", "userName", "meta.created", 'userName eq "x"')),
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
PATCHES = st.fixed_dictionaries({
    "schemas": st.just([PATCH]),
    "Operations": st.lists(
        st.fixed_dictionaries(
            {"op": st.sampled_from(("add", "Replace", "remove"))}, optional={"path": SCALARS | NAMES, "value": ANYTHING}
        ),
        min_size=1, max_size=3,
    ),
})  # fmt: skip
USERS = st.dictionaries(NAMES, ANYTHING, max_size=6).map(
    lambda told: {"schemas": [USER], "userName": "fuzz@example.com", **told}
)
METHODS = st.sampled_from(
    (("POST", "/Users"), ("PUT", "/Users/{}"), ("PATCH", "/Users/{}"), ("POST", "/Groups"), ("PUT", "/Groups/{}"),
     ("PATCH", "/Groups/{}"), ("POST", "/Users/.search"), ("POST", "/Groups/.search"), ("POST", "/.search"))
)  # fmt: skip


@settings(max_examples=120, suppress_health_check=list(HealthCheck), deadline=None)
@given(door=METHODS, body=ANYTHING | PATCHES | USERS, data=st.data())
def test_nothing_that_is_said_makes_the_server_fail(directory, door, body, data):
    user, group = _two(directory)
    method, path = door
    uid = group if "Groups" in path else user
    status, _told = directory.ask(method, path.format(uid), body)
    assert status in (200, 201, 204, 400, 404, 409, 412, 501), (method, path, body)


@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(query=st.dictionaries(NAMES, st.text(max_size=30) | SCALARS.map(str), max_size=3), path=st.text(max_size=20))
def test_no_question_makes_the_server_fail(directory, query, path):
    for place in ("/Users", "/Groups", "/", f"/Users/{path}", f"/{path}"):
        answer = directory.client.get(f"/scim/v2{place.split('?')[0]}", query_params=query)
        assert answer.status_code in (200, 301, 302, 304, 400, 403, 404, 405, 501), (place, query, answer.content)


def _two(directory: Directory) -> tuple[str, str]:
    """Return a user and a group, made if an earlier example has removed them."""
    user = Employee.objects.filter(employee_no="FUZZ").first()
    uid = user.uid if user else directory.add("f@example.com", **{ENTERPRISE: {"employeeNumber": "FUZZ"}})["id"]
    found = directory.get("/Groups?count=1").get("Resources")
    return uid, found[0]["id"] if found else directory.add_group("Fuzz", uid)["id"]


def test_errors_are_scim_errors(directory):
    _, told = directory.ask("GET", "/Users/nobody")
    assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert json.dumps(told)
