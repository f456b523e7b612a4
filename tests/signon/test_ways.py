"""Ways in as the environment sets them up: what is offered, what is half set, and passwords for few."""

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth import SESSION_KEY
from django.core.checks import run_checks
from django.test import Client

from portal import env

GOOD = {"ISSUER": "https://id.example.com", "CLIENT_ID": "portal", "SECRET": "x"}
PASSWORD = "a long and dull password"


def said() -> list[str]:
    return [one.msg for one in run_checks() if one.id == "signon.E001"]


def test_a_field_may_stand_in_a_file(monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hush\n", encoding="utf-8")
    monkeypatch.setenv("SIGNON_OIDC", "entra, okta")
    monkeypatch.setenv("SIGNON_OIDC_ENTRA_SECRET_FILE", str(secret))
    monkeypatch.setenv("SIGNON_OIDC_OKTA_NAME", "Okta")
    assert env.groups("SIGNON_OIDC") == {"entra": {"SECRET": "hush"}, "okta": {"NAME": "Okta"}}


@pytest.mark.parametrize(
    ("slug", "change", "sentence"),
    [
        ("entra", {"SECRET": ""}, "SIGNON_OIDC_ENTRA_SECRET is not set"),
        ("entra", {"ISSUER": "http://id.example.com"}, "SIGNON_OIDC_ENTRA_ISSUER must be an https address"),
        ("entra", {"MATCH": "name"}, "SIGNON_OIDC_ENTRA_MATCH='name' is not one of"),
        ("entra", {"MATCH": "employee_no"}, "SIGNON_OIDC_ENTRA_CLAIM must name the claim that holds the employee_no"),
        ("entra", {"CLAIM": "upn"}, "SIGNON_OIDC_ENTRA_CLAIM is only for"),
        ("entra", {"SECRETS": "x"}, "SIGNON_OIDC_ENTRA_SECRETS is no setting"),
        ("entra", {"TRUST_EMAIL": "1", "ISSUER": "https://login.example.com/common"}, "serves many"),
        ("My-IdP", {}, "use up to 20 small letters and digits"),
    ],
    ids=str,
)
def test_what_is_half_set_is_said_in_words_and_offered_to_nobody(settings, client, db, slug, change, sentence):
    settings.SIGNON_OIDC = {slug: {**GOOD, **change}}
    assert [one for one in said() if sentence in one]
    assert "Sign in with" not in client.get("/accounts/login/").text


def test_what_is_set_up_is_offered_and_leads_on(settings, client, db):
    settings.SIGNON_OIDC = {"entra": {**GOOD, "NAME": "Entra ID"}, "okta": GOOD}
    page = client.get("/accounts/login/?next=/record/").text
    assert said() == []
    assert page.index("Sign in with Entra ID") < page.index("Sign in with Okta")
    assert 'href="/accounts/oidc/entra/login/?next=%2Frecord%2F"' in page
    assert 'type="password"' in page


def test_sign_on_alone_needs_a_way_and_an_emergency_account(settings):
    settings.SIGNON_ONLY, settings.SIGNON_BREAK_GLASS, settings.SIGNON_OIDC = True, [], {}
    assert [one.split(":")[0].split(" ")[0] for one in said()] == ["SIGNON_ONLY=1", "SIGNON_ONLY=1"]


def test_passwords_open_to_emergency_accounts_alone(settings, make_employee):
    settings.SIGNON_OIDC, settings.SIGNON_ONLY = {"entra": GOOD}, True
    settings.SIGNON_BREAK_GLASS = ["Glass@example.com"]
    browser = Client()
    assert 'type="password"' not in browser.get("/accounts/login/").text
    assert 'type="password"' in browser.get("/accounts/login/?with=password").text
    for name in ("ada", "glass"):
        person = make_employee(email=f"{name}@example.com")
        person.set_password(PASSWORD)
        person.save()
        browser.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
        assert (browser.session.get(SESSION_KEY) == str(person.pk)) is (name == "glass")


def test_allauths_own_tables_have_no_page():
    assert not [model for model in (SocialAccount, SocialApp, SocialToken) if admin.site.is_registered(model)]
