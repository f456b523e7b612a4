"""Who may message clients, as machines read it."""

import csv
import io
import json

import pytest
from django.urls import reverse

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people import services as people
from portal.standing import permission_feed, services
from portal.standing.models import FeedToken, Standing
from tests import studying

pytestmark = pytest.mark.django_db
API, PAGE = reverse("standing:api"), reverse("standing:feed")


@pytest.fixture
def compliance(make_employee):
    return make_employee(roles=("Compliance",), employee_no=None)


@pytest.fixture
def secret(compliance) -> str:
    return permission_feed.make_token(label="Device manager", by=compliance)


@pytest.fixture
def two(make_employee) -> list:
    trained, untrained = make_employee(wecom_userid="li.na"), make_employee(wecom_userid="zhangwei")
    studying.complete(studying.assign(trained))
    services.catch_up()
    return [trained, untrained]


@pytest.fixture
def ask(client, secret):
    def go(query: str = "", token: str | None = None, **headers):
        return client.get(f"{API}{query}", headers={"Authorization": f"Bearer {token or secret}", **headers})

    return go


def body(response) -> dict:
    assert response.status_code == 200
    return json.loads(b"".join(response))


def test_everybody_with_the_reason_that_decided(ask, two):
    told = body(ask())
    assert {one["wecom_userid"]: (one["may_message"], one["reason"]) for one in told["people"]} == {
        "li.na": (True, "training_current"),
        "zhangwei": (False, "training_not_assigned"),
    }
    assert told["seq"] == max(one["seq"] for one in told["people"])


def test_since_gives_only_what_changed_after_it(ask, two):
    seq = body(ask())["seq"]
    assert body(ask(f"?since={seq}"))["people"] == []
    studying.assign(two[1])
    services.catch_up()
    [row] = body(ask(f"?since={seq}"))["people"]
    assert (row["wecom_userid"], row["may_message"], row["reason"]) == ("zhangwei", True, "training_assigned")


def test_a_leaver_is_told_as_not_permitted(ask, two):
    people.set_active(employee=two[0], active=False, by="system:test", reason="left")
    services.catch_up()
    [row] = [one for one in body(ask())["people"] if one["wecom_userid"] == "li.na"]
    assert (row["may_message"], row["reason"]) == (False, "not_on_staff")


def test_the_tag_says_that_nothing_has_changed(ask, two):
    first = ask()
    same = ask(**{"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert ask("?format=csv", **{"If-None-Match": first.headers["ETag"]}).status_code == 200
    studying.assign(two[1])
    services.catch_up()
    assert ask(**{"If-None-Match": first.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(("query", "headers"), [("?format=csv", {}), ("", {"Accept": "text/csv"})])
def test_csv_says_the_same(ask, two, query, headers):
    rows = list(csv.DictReader(io.StringIO(b"".join(ask(query, **headers)).decode())))
    expected = body(ask())["people"]
    assert [(one["employee_no"], one["may_message"] == "yes", one["reason"], int(one["seq"])) for one in rows] == [
        (one["employee_no"], one["may_message"], one["reason"], one["seq"]) for one in expected
    ]


def test_a_cell_cannot_be_a_formula(ask, make_employee):
    make_employee(employee_no="=1+1", wecom_userid="@cmd")
    services.catch_up()
    [row] = list(csv.DictReader(io.StringIO(b"".join(ask("?format=csv")).decode())))
    assert (row["employee_no"], row["wecom_userid"]) == ("'=1+1", "'@cmd")


@pytest.mark.parametrize("token", ["wrong", "ocs_" + "x" * 43, " "])
def test_a_wrong_token_opens_nothing(ask, two, token):
    response = ask(token=token)
    assert (response.status_code, response.json()) == (401, {"error": "no valid token"})
    assert "Bearer" in response.headers["WWW-Authenticate"]


def test_a_session_is_no_token(sign_in, compliance, two):
    assert sign_in(compliance).get(API).status_code == 401


def test_an_ended_token_and_one_of_somebody_suspended_open_nothing(ask, compliance, two):
    people.set_active(employee=compliance, active=False, by="system:test", reason="left")
    assert ask().status_code == 401
    people.set_active(employee=compliance, active=True, by="system:test", reason="back")
    assert ask().status_code == 200
    assert permission_feed.end_token(token=FeedToken.objects.get(), by=compliance)
    assert not permission_feed.end_token(token=FeedToken.objects.get(), by=compliance)
    assert ask().status_code == 401
    assert Entry.objects.filter(verb="standing.feed_token_ended").count() == 1


@pytest.mark.parametrize("since", ["x", "-1", "1.5", "９", "1" * 19])
def test_a_number_that_is_none_is_refused(ask, since):
    assert ask(f"?since={since}").status_code == 400


def test_who_asks_too_often_waits(ask, monkeypatch):
    monkeypatch.setattr("portal.standing.views.machines.A_MINUTE", 2)
    assert [ask().status_code for _n in range(3)] == [200, 200, 429]
    assert ask().headers["Retry-After"] == "60"


def test_the_secret_is_shown_once_and_only_its_digest_is_kept(sign_in, compliance):
    client = sign_in(compliance)
    page = client.post(PAGE, {"label": "Device manager", "opens": "standing"}).text
    token = FeedToken.objects.get()
    [shown] = [
        word for word in page.replace("<", " ").replace(">", " ").split() if word.startswith("ocs_") and len(word) > 40
    ]
    assert permission_feed.token_for(shown) == token
    assert shown not in client.get(PAGE).text
    assert shown not in str(FeedToken.objects.values().get())
    told = ledger.body_of(Entry.objects.get(verb="standing.feed_token_made"))
    assert told == {"label": "Device manager", "hint": token.hint, "opens": "standing"}


def test_the_feed_is_read_in_a_constant_number_of_queries(ask, two, make_employee, count_queries):
    few = count_queries(lambda: body(ask()))
    for _n in range(20):
        make_employee()
    services.catch_up()
    assert Standing.objects.count() == 22
    assert count_queries(lambda: body(ask())) <= few
