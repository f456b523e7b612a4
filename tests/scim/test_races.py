"""Two requests of a directory at the same moment, on both databases."""

import json

import pytest
from django.test import Client

from portal.hr.writing import Stale
from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee, ReportingLine
from portal.scim import views
from portal.scim.models import Account, Group
from tests.quizzes.test_races import at_once
from tests.scim.conftest import ENTERPRISE, GROUP, PATCH, USER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ask(secret, monkeypatch):
    """Return a call that can be made by several threads: each has a client of its own."""
    monkeypatch.setattr("portal.scim.views.PACE", 5000)

    def go(method: str, path: str, body: dict, **headers: str):
        client = Client(headers={"Authorization": f"Bearer {secret}", **headers})
        told = json.dumps(body)
        answer = client.generic(method, f"/scim/v2{path}", told, content_type="application/scim+json")
        return answer.status_code, json.loads(answer.content) if answer.content else {}

    return go


def user(name: str, number: str) -> dict:
    return {"schemas": [USER], "userName": f"{name}@example.com", ENTERPRISE: {"employeeNumber": number}}


def patch(*operations: dict) -> dict:
    return {"schemas": [PATCH], "Operations": operations}


def test_one_person_is_made_once(ask):
    said = at_once(*[lambda: ask("POST", "/Users", user("ann", "E1"))] * 3)
    assert sorted(status for status, _told in said) == [201, 409, 409]
    assert Account.objects.count() == Employee.objects.filter(employee_no="E1").count() == 1
    assert ledger.verify()[1] is None


def test_one_group_is_made_once(ask):
    said = at_once(*[lambda: ask("POST", "/Groups", {"schemas": [GROUP], "displayName": "Desk"})] * 3)
    assert sorted(status for status, _told in said) == [201, 409, 409]
    assert Group.objects.count() == 1


def test_of_two_who_read_the_same_version_one_writes(ask):
    _status, ann = ask("POST", "/Users", user("ann", "E1"))
    deeds = [
        lambda title=title: ask(
            "PATCH", f"/Users/{ann['id']}", patch({"op": "replace", "path": "title", "value": title}),
            **{"If-Match": ann["meta"]["version"]},
        )
        for title in ("Broker", "Trader")
    ]  # fmt: skip
    assert sorted(status for status, _told in at_once(*deeds)) == [204, 412]


def test_two_who_would_stand_above_each_other_do_not(ask):
    (_s, ann), (_t, bob) = ask("POST", "/Users", user("ann", "E1")), ask("POST", "/Users", user("bob", "E2"))

    def under(who: dict, boss: dict):
        operation = {"op": "replace", "path": f"{ENTERPRISE}:manager", "value": {"value": boss["id"]}}
        return lambda: ask("PATCH", f"/Users/{who['id']}", patch(operation))

    said = at_once(under(ann, bob), under(bob, ann))
    assert sorted(status for status, _told in said) in ([204, 400], [204, 503])
    assert ReportingLine.objects.count() == 1


def test_members_that_are_added_at_once_are_all_there(ask):
    uids = [ask("POST", "/Users", user(f"p{n}", f"E{n}"))[1]["id"] for n in range(4)]
    _status, group = ask("POST", "/Groups", {"schemas": [GROUP], "displayName": "Desk"})
    deeds = [
        lambda uid=uid: ask(
            "PATCH", f"/Groups/{group['id']}", patch({"op": "add", "path": "members", "value": [{"value": uid}]})
        )
        for uid in uids
    ]
    assert {status for status, _told in at_once(*deeds)} == {204}
    assert Employee.objects.filter(tags__group__uid=group["id"]).count() == 4
    assert Entry.objects.filter(verb="people.tags_set").count() == 4


@pytest.mark.parametrize(("times", "expected"), [(1, 201), (3, 503)])
def test_who_finds_the_person_changed_in_between_begins_again_and_in_the_end_is_told_to_wait(
    ask, monkeypatch, times, expected
):
    handle, stale = views.ScimHandler.handle, [Stale] * times

    def sometimes(self, asked):
        if stale:
            raise stale.pop()
        return handle(self, asked)

    monkeypatch.setattr(views.ScimHandler, "handle", sometimes)
    assert ask("POST", "/Users", user("ann", "E1"))[0] == expected
    assert Employee.objects.filter(employee_no="E1").count() == (expected == 201)
