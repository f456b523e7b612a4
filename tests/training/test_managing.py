"""The pages on which HR and Compliance find, revoke and re-issue certificates, and auditors see what was done."""

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse

from portal.ledger.models import Entry
from training import services
from training.models import Certificate

SEARCH = reverse("training:certificate_search")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def certificate(make_certificate, make_employee) -> Certificate:
    return make_certificate(make_employee(name_en="Lin Yue", name_zh="林悦", employee_no="100482"))


@pytest.fixture(params=["HR", "Compliance"])
def client(request, make_employee, sign_in):
    return sign_in(make_employee(roles=(request.param,)))


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def url(name: str, certificate: Certificate) -> str:
    return reverse(f"training:{name}", args=[certificate.serial])


def serials(response) -> list[str]:
    return [code.text for code in soup(response).select("tbody th code")]


@pytest.mark.parametrize("asked", ["lin y", "林悦", "100482"])
def test_a_certificate_is_found_by_name_number_or_serial(client, certificate, make_certificate, asked):
    make_certificate()
    assert len(serials(client.get(SEARCH))) == 2
    assert serials(client.get(SEARCH, {"q": asked})) == [certificate.serial]
    assert serials(client.get(SEARCH, {"q": certificate.serial.lower().replace("-", " ")})) == [certificate.serial]
    assert serials(client.get(SEARCH, {"q": "nobody"})) == []


def test_the_list_can_be_narrowed_to_a_state(client, certificate, make_certificate):
    valid = make_certificate()
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    assert serials(client.get(SEARCH, {"state": "revoked"})) == [certificate.serial]
    assert serials(client.get(SEARCH, {"state": "valid"})) == [valid.serial]


def test_a_revocation_with_its_reason_is_recorded_with_who_did_it(client, certificate):
    data = {"revoke-kind": "unfair", "revoke-reason": "Somebody else took the quiz"}
    response = client.post(url("certificate_revoke", certificate), data, follow=True)
    certificate.refresh_from_db()
    assert (certificate.revoked_for, certificate.revoked_why) == ("unfair", "Somebody else took the quiz")
    assert Entry.objects.get(verb="training.certificate_revoked").actor == response.wsgi_request.user.uid
    page = soup(response)
    assert "Somebody else took the quiz" in page.text
    assert page.select("form[action$='/revoke/'], form[action$='/reissue/']") == []


def test_a_new_one_is_issued_and_its_page_leads_back_to_the_old(client, certificate):
    employee = certificate.completion.employee
    employee.name_en = "Lin Yue-Chen"
    employee.save()
    page = soup(client.post(url("certificate_reissue", certificate), {"reissue-reason": "She married"}, follow=True))
    new = Certificate.objects.get(supersedes=certificate)
    assert page.h1.text == "Lin Yue-Chen 林悦"
    assert page.select_one(f"a[href='{url('certificate', certificate)}']").text == certificate.serial
    old = soup(client.get(url("certificate", certificate)))
    assert old.select_one(f"a[href='{url('certificate', new)}']").text == new.serial
    assert old.select("form[action$='/reissue/']") == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("certificate_revoke", {"revoke-kind": "unfair", "revoke-reason": " "}),
        ("certificate_revoke", {"revoke-kind": "recalled", "revoke-reason": "Why"}),
        ("certificate_revoke", {}),
        ("certificate_reissue", {"reissue-reason": ""}),
    ],
)
def test_without_a_reason_nothing_happens_and_the_page_says_so(client, certificate, name, data):
    response = client.post(url(name, certificate), data)
    assert response.status_code == 200
    assert soup(response).select_one(".errors")
    certificate.refresh_from_db()
    assert (certificate.revoked_at, certificate.superseded_by) == (None, None)


def test_a_revocation_that_came_first_stands(client, certificate):
    services.revoke(certificate=certificate, reason="First", by="system:test")
    response = client.post(url("certificate_revoke", certificate), {"revoke-kind": "error", "revoke-reason": "Second"})
    assert "that stands" in response.text
    certificate.refresh_from_db()
    assert certificate.revoked_why == "First"


def test_nobody_is_offered_to_decide_about_their_own(make_certificate, make_employee, sign_in):
    hr = make_employee(roles=("HR",))
    own = make_certificate(hr)
    client = sign_in(hr)
    page = soup(client.get(url("certificate", own)))
    assert "your own certificate" in page.text
    assert page.select("form[action$='/revoke/'], form[action$='/reissue/']") == []
    response = client.post(url("certificate_reissue", own), {"reissue-reason": "Why"})
    assert "somebody else has to decide" in response.text
    own.refresh_from_db()
    assert own.superseded_by is None


def test_an_auditor_sees_what_became_of_it_and_changes_nothing(certificate, make_employee, sign_in):
    services.revoke(certificate=certificate, reason="Seen by the auditor", by="system:test")
    client = sign_in(make_employee(roles=("Auditor",)))
    assert serials(client.get(SEARCH)) == [certificate.serial]
    page = soup(client.get(url("certificate", certificate)))
    assert "Seen by the auditor" in page.text
    assert page.select("form[action$='/revoke/'], form[action$='/reissue/']") == []


def test_the_deeds_lead_to_the_page_when_they_are_only_looked_at(client, certificate):
    assert client.get(url("certificate_revoke", certificate)).headers["Location"] == url("certificate", certificate)


def test_ten_certificates_cost_what_one_does(client, certificate, make_certificate, make_edition, count_queries):
    client.get(SEARCH)
    one = count_queries(lambda: client.get(SEARCH))
    course = make_edition(modules=1, lessons=1).course
    for _ in range(5):
        make_certificate(course=course)
    services.reissue(certificate=certificate, reason="Why", by="system:test")
    assert count_queries(lambda: client.get(SEARCH)) == one
