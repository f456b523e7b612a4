"""Signing in with a real OpenID Connect provider on this machine, which signs what each test has it say."""

import time
from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import SESSION_KEY
from django.core.management import call_command
from django.test import Client

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from portal.people.models import Employee
from portal.signon.models import Link
from portal.signon.rules import Refusal
from tests.signon.conftest import OTHER_KEY

ADA = {"email": "ada@example.com", "email_verified": True}


@pytest.fixture
def ada(make_employee) -> Employee:
    return make_employee(email="ada@example.com")


def told() -> list[tuple[str, str]]:
    """What the evidence log has of signing on: verb and reason."""
    entries = Entry.objects.filter(verb__startswith="signon.").order_by("seq")
    return [(entry.verb.removeprefix("signon."), ledger.body_of(entry).get("reason", "")) for entry in entries]


def is_in(browser: Client) -> str | None:
    return browser.session.get(SESSION_KEY)


def assert_refused(browser, answer, why: Refusal) -> None:
    assert answer.status_code == 403
    assert str(why.label) in answer.text.replace("&#x27;", "'")
    assert is_in(browser) is None


def test_who_is_on_the_list_comes_in_and_is_linked_once(go_in, ada):
    browser, answer = go_in(onward="?next=/record/", **ADA)
    assert (answer.status_code, answer["Location"]) == (302, "/record/")
    assert is_in(browser) == str(ada.pk)
    go_in(**ADA)
    assert Link.objects.get().employee == ada
    assert told() == [("linked", "")]


def test_afterwards_the_account_counts_and_not_what_it_is_called(go_in, ada, make_employee):
    go_in(**ADA)
    make_employee(email="grace@example.com")
    browser, _answer = go_in(email="grace@example.com", email_verified=False)
    assert is_in(browser) == str(ada.pk)


def test_nobody_is_sent_to_another_host_afterwards(go_in, ada):
    _browser, answer = go_in(onward="?next=https://elsewhere.example/", **ADA)
    assert answer["Location"] == "/"


def test_the_address_cannot_ask_for_more(provider, db):
    answer = Client().get("/accounts/oidc/entra/login/?scope=all&auth_params=prompt%3Dnone&process=connect")
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert "prompt" not in asked


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["portal", "another"]},
        {"azp": "another"},
        {"iss": "https://elsewhere.example"},
        {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200},
        {"exp": None},
        {"sub": None},
    ],
    ids=lambda claims: " ".join(f"{name}={str(value)[:8]}" for name, value in claims.items()),
)
def test_a_token_for_another_purpose_opens_nothing(go_in, ada, claims):
    browser, answer = go_in(**ADA, **claims)
    assert_refused(browser, answer, Refusal.UNPROVEN)
    assert [verb for verb, _reason in told()] == ["proof_refused"]
    assert not Link.objects.exists()


def test_a_token_that_somebody_else_signed_opens_nothing(go_in, ada, provider):
    provider.key = OTHER_KEY
    browser, answer = go_in(**ADA)
    assert_refused(browser, answer, Refusal.UNPROVEN)
    assert told() == [("proof_refused", "InvalidSignatureError")]


@pytest.mark.parametrize(("key", "alg"), [("a secret of the client" * 3, "HS256"), (None, "none")])
def test_a_token_signed_by_no_key_pair_opens_nothing(go_in, ada, provider, key, alg):
    provider.key, provider.alg = key, alg
    browser, answer = go_in(**ADA)
    assert_refused(browser, answer, Refusal.UNPROVEN)


def test_a_provider_that_speaks_for_another_is_not_talked_to(ada, provider):
    provider.speaks_for = "https://elsewhere.example"
    browser = Client()
    assert_refused(browser, browser.get("/accounts/oidc/entra/login/"), Refusal.AWAY)


def test_a_provider_that_does_not_answer_is_told_in_words(ada, provider):
    provider.shutdown()
    provider.server_close()
    browser = Client()
    assert_refused(browser, browser.get("/accounts/oidc/entra/login/"), Refusal.AWAY)
    assert told() == []


def test_a_way_back_works_once_and_in_the_browser_that_set_out(provider, ada):
    browser, other = Client(), Client()
    back = urlsplit(provider.consent(browser.get("/accounts/oidc/entra/login/")["Location"], **ADA))
    address = f"{back.path}?{back.query}"
    assert_refused(other, other.get(address), Refusal.UNPROVEN)
    assert browser.get(address).status_code == 302
    assert browser.get(address).status_code == 403


def test_who_turns_back_at_the_provider_reads_so(provider, ada):
    browser = Client()
    asked = parse_qs(urlsplit(browser.get("/accounts/oidc/entra/login/")["Location"]).query)
    answer = browser.get(f"/accounts/oidc/entra/callback/?error=access_denied&state={asked['state'][0]}")
    assert_refused(browser, answer, Refusal.CANCELLED)
    assert told() == []


@pytest.mark.parametrize("is_verified", [False, None, "no"])
def test_an_address_that_is_not_verified_names_nobody(go_in, ada, is_verified):
    browser, answer = go_in(email=ada.email, email_verified=is_verified)
    assert_refused(browser, answer, Refusal.UNVERIFIED)
    assert told() == [("stranger_refused", "unverified")]


def test_a_provider_of_the_firm_alone_may_be_trusted_with_addresses(go_in, ada, settings):
    settings.SIGNON_OIDC["entra"]["TRUST_EMAIL"] = "1"
    browser, _answer = go_in(email="Ada@Example.com")
    assert is_in(browser) == str(ada.pk)


def test_nobody_is_made_who_is_not_on_the_list(go_in, ada):
    browser, answer = go_in(email="stranger@example.com", email_verified=True)
    assert_refused(browser, answer, Refusal.UNKNOWN)
    assert told() == [("stranger_refused", "unknown")]
    assert Employee.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"left_on": date(2020, 1, 1)}, Refusal.LEFT),
        ({"is_active": False}, Refusal.ENDED),
        ({"employee_no": None}, Refusal.UNKNOWN),
        ({"is_superuser": True}, Refusal.UNKNOWN),
    ],
    ids=str,
)
def test_whose_access_has_ended_is_told_so_linked_or_not(go_in, make_employee, fields, why):
    person = make_employee(email="ada@example.com", **fields)
    assert_refused(*go_in(**ADA), why)
    Employee.objects.filter(pk=person.pk).update(left_on=None, is_active=True, is_superuser=False, employee_no="N1")
    go_in(**ADA)
    Employee.objects.filter(pk=person.pk).update(**fields)
    assert_refused(*go_in(**ADA), why)
    assert told() == [("refused", why.value), ("linked", ""), ("refused", why.value)]


def test_a_second_account_of_the_same_name_waits_until_the_link_is_ended(go_in, ada):
    go_in(**ADA)
    browser, answer = go_in(sub="account-2", **ADA)
    assert_refused(browser, answer, Refusal.OTHER)
    call_command("end_link", ada.email, "entra", reason="a new account")
    browser, _answer = go_in(sub="account-2", **ADA)
    assert is_in(browser) == str(ada.pk)
    assert [verb for verb, _reason in told()] == ["linked", "refused", "link_ended", "linked"]


@pytest.mark.parametrize(
    ("match", "claim", "value"), [("employee_no", "employeeid", "N77"), ("wecom_userid", "userid", "ADA.L")]
)
def test_people_are_found_by_the_claim_that_the_firm_names(go_in, make_employee, settings, match, claim, value):
    settings.SIGNON_OIDC["entra"] |= {"MATCH": match, "CLAIM": claim}
    person = make_employee(email="ada@example.com", employee_no="N77", wecom_userid="ada.l")
    assert_refused(*go_in(**ADA), Refusal.UNNAMED)
    browser, _answer = go_in(**{claim: value})
    assert is_in(browser) == str(person.pk)


def test_the_log_of_refused_proofs_cannot_be_filled_from_one_place(db, provider):
    for _try in range(22):
        Client().get("/accounts/oidc/entra/callback/?code=x&state=y")
    assert len(told()) == 20
