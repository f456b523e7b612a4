import pytest
import time_machine
from bs4 import BeautifulSoup
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from django.test import Client
from django.urls import reverse

from portal.jobs.models import Job
from training import certificates, services, tasks
from training.models import Certificate

LIST = reverse("training:certificate_list")
FORM = reverse("training:verify_form")
KEYS = reverse("training:signing_keys")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def certificate(make_certificate, make_employee, make_department) -> Certificate:
    department = make_department("Fixed Income")
    employee = make_employee(name_en="Lin Yue", name_zh="林悦", employee_no="100482", department=department)
    return make_certificate(employee)


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def file_url(certificate: Certificate) -> str:
    return reverse("training:certificate_file", args=[certificate.serial])


def verify_url(serial: str) -> str:
    return reverse("training:verify", args=[serial])


# --- mine --------------------------------------------------------------------------------------------------------


def test_until_the_file_is_there_its_progress_is(certificate, sign_in):
    page = soup(sign_in(certificate.completion.employee).get(LIST))
    job = Job.objects.get(kind=certificates.RENDER)
    assert page.select_one(f"#job-{job.uid}")["hx-get"] == reverse("jobs:progress", args=[job.uid])
    assert page.find("a", string="Download PDF") is None


def test_the_file_comes_as_an_attachment_named_by_its_serial(certificate, sign_in):
    tasks.render_certificate(Job.objects.get(kind=certificates.RENDER).pk)
    client = sign_in(certificate.completion.employee)
    [link] = soup(client.get(LIST)).find_all("a", string="Download PDF")
    response = client.get(link["href"])
    assert response.headers["Content-Disposition"] == f'attachment; filename="{certificate.serial}.pdf"'
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response.streaming_content).startswith(b"%PDF")


def test_a_file_that_is_not_there_yet_is_not_found(certificate, sign_in, settings):
    settings.PRIVATE_DIR.mkdir()
    assert sign_in(certificate.completion.employee).get(file_url(certificate)).status_code == 404


def test_a_file_that_was_changed_behind_our_back_is_not_handed_out(certificate, sign_in, caplog):
    services.draw(certificate)
    with open(certificate.file.path, "ab") as stream:
        stream.write(b"!")
    assert sign_in(certificate.completion.employee).get(file_url(certificate)).status_code == 404
    assert "is not what was written" in caplog.text


def test_its_owner_and_those_who_look_after_certificates_get_the_file(certificate, make_employee, sign_in):
    services.draw(certificate)
    owner = certificate.completion.employee
    boss = make_employee()
    people = {
        "owner": owner,
        "hr": make_employee(roles=("HR",)),
        "compliance": make_employee(roles=("Compliance",)),
        "auditor": make_employee(roles=("Auditor",)),
        "boss": boss,
        "peer": make_employee(manager=boss),
    }
    seen = {}
    for role, person in people.items():
        response = sign_in(person).get(file_url(certificate))
        seen[role] = response.status_code
        list(response)  # read to the end, which closes the file
    assert seen == {"owner": 200, "hr": 200, "compliance": 200, "auditor": 200, "boss": 404, "peer": 404}


def test_hr_sees_only_their_own_among_their_certificates(certificate, make_employee, sign_in):
    assert "None yet" in sign_in(make_employee(roles=("HR",))).get(LIST).text


def test_the_list_says_what_each_is_worth(certificate, sign_in, clock):
    client = sign_in(certificate.completion.employee)
    assert "Valid" in soup(client.get(LIST)).select_one(".certificate .tag").text
    services.revoke(certificate=certificate, reason="Why", by="system:test")
    assert soup(client.get(LIST)).select_one(".certificate .tag").text == "Revoked"


def test_ten_certificates_cost_what_one_does(certificate, make_certificate, make_edition, sign_in, count_queries):
    client = sign_in(certificate.completion.employee)
    client.get(LIST)
    one = count_queries(lambda: client.get(LIST))
    course = make_edition(modules=1, lessons=1).course
    for _ in range(3):
        certificate = services.reissue(certificate=certificate, reason="Why", by="system:test")
    make_certificate(certificate.completion.employee, course)
    assert count_queries(lambda: client.get(LIST)) == one


# --- what a stranger sees ----------------------------------------------------------------------------------------


def test_a_stranger_sees_what_is_printed_and_that_it_is_valid_and_nothing_else(certificate):
    response = Client().get(verify_url(certificate.serial))
    page = soup(response)
    assert page.h1.text == "This certificate is valid"
    told = dict(zip([dt.text for dt in page.select("dt")], [dd.text for dd in page.select("dd")], strict=True))
    assert told == {
        "Name as printed": "Lin Yue 林悦",
        "Issued by": "Onchannel",
        "Course": certificate.facts["course"]["en"],
        "Edition": "1",
        "Completed": "15 March 2030",
        "Valid until": "14 March 2031",
        "Serial": certificate.serial,
    }
    for secret in ("100482", "Fixed Income", certificate.completion.employee.uid, "100%", "example.com"):
        assert secret not in response.text
    inside = [a["href"] for a in page.select("a[href]") if a["href"] != FORM]
    assert inside == []


def test_who_is_signed_in_sees_no_more_than_a_stranger(certificate, make_employee, sign_in):
    def told(client: Client) -> list[str]:
        return [tag.text for tag in soup(client.get(verify_url(certificate.serial))).select("h1, dt, dd, p.note")]

    assert told(sign_in(make_employee(roles=("HR",)))) == told(Client())


@pytest.mark.parametrize(
    ("happens", "says"),
    [
        (lambda c, clock: clock.move_to("2031-03-14T16:30:00Z"), "This certificate has lapsed"),
        (lambda c, clock: services.revoke(certificate=c, reason="Secret", by="system:test"), "was revoked"),
        (lambda c, clock: services.reissue(certificate=c, reason="Secret", by="system:test"), "was replaced"),
    ],
)
def test_what_became_of_a_certificate_is_said_without_what_the_firm_wrote_to_itself(certificate, clock, happens, says):
    happens(certificate, clock)
    response = Client().get(verify_url(certificate.serial))
    assert response.status_code == 200
    assert says in soup(response).h1.text
    assert "Secret" not in response.text


def facts_told(response) -> dict[str, str]:
    page = soup(response)
    return dict(zip([dt.text for dt in page.select("dt")], [dd.text for dd in page.select("dd")], strict=True))


def test_a_revocation_is_told_with_its_date_and_its_kind(certificate):
    services.revoke(certificate=certificate, reason="Why", by="system:test", kind=Certificate.Reason.UNFAIR)
    response = Client().get(verify_url(certificate.serial))
    assert "taken back on 15 March 2030" in response.text
    told = facts_told(response)
    assert (told["Reason"], told["Name as printed"]) == ("It was not earned fairly", "Lin Yue 林悦")


def test_what_was_never_true_is_not_repeated(certificate):
    services.revoke(certificate=certificate, reason="Why", by="system:test", kind=Certificate.Reason.ERROR)
    response = Client().get(verify_url(certificate.serial))
    assert facts_told(response) == {"Reason": "It was issued in error", "Serial": certificate.serial}
    assert "Lin Yue" not in response.text


def test_a_replacement_is_told_with_its_date_and_its_kind(certificate, clock):
    clock.move_to("2030-04-01T04:00:00Z")
    services.reissue(certificate=certificate, reason="Why", by="system:test")
    response = Client().get(verify_url(certificate.serial))
    assert "On 1 April 2030 a newer one took its place" in response.text
    assert facts_told(response)["Reason"] == "What it said was corrected"


def test_the_fingerprint_of_the_issued_file_can_be_compared(certificate):
    services.draw(certificate)
    assert certificate.sha256 in Client().get(verify_url(certificate.serial)).text


def test_a_stranger_fetches_the_certificates_of_the_keys(certificate):
    assert Client().get(KEYS).text == ""
    services.draw(certificate)
    [key] = x509.load_pem_x509_certificates(Client().get(KEYS).content)
    assert key.fingerprint(hashes.SHA256()).hex() == certificate.signed_by.fingerprint


def test_a_replacement_does_not_tell_its_serial(certificate):
    new = services.reissue(certificate=certificate, reason="Why", by="system:test")
    assert new.serial not in Client().get(verify_url(certificate.serial)).text


@pytest.mark.parametrize("serial", ["OC-0000-0000-0000-0000", "nothing", "x" * 300])
def test_an_unknown_serial_is_said_to_be_unknown(db, serial):
    response = Client().get(verify_url(serial))
    assert response.status_code == 404
    assert "No such certificate" in response.text
    assert ("letter by letter" in response.text) is (serial == "OC-0000-0000-0000-0000")
    assert ("That is not a serial" in response.text) is (serial != "OC-0000-0000-0000-0000")
    assert len(soup(response).select_one(".card code").text) <= 60


def test_markup_in_a_serial_is_text(db):
    assert "<script>alert" not in Client().get("/verify/<script>alert(1)<%2Fscript>/").text


def test_a_serial_typed_by_hand_finds_its_certificate(certificate):
    typed = certificate.serial.lower().replace("-", " ").replace("0", "o")
    response = Client().get(FORM, {"serial": typed}, follow=True)
    assert response.redirect_chain[0][0] == verify_url(certificate.serial)
    assert "This certificate is valid" in response.text
    assert Client().get(verify_url(typed), follow=True).redirect_chain == [(verify_url(certificate.serial), 302)]


@pytest.mark.parametrize("typed", ["", "OC-12"])
def test_what_is_no_serial_is_said_under_the_field(db, typed):
    page = soup(Client().get(FORM, {"serial": typed}))
    assert page.select_one(".errors li").text
    assert page.select_one("input[name=serial]")["aria-invalid"] == "true"


def test_guessing_serials_is_stopped_for_an_address_and_not_for_others(certificate):
    guesser, honest = Client(REMOTE_ADDR="203.0.113.9"), Client(REMOTE_ADDR="203.0.113.10")
    seen = [guesser.get(verify_url(f"OC-0000-0000-0000-{n:04}")).status_code for n in range(31)]
    assert seen == [404] * 30 + [429]
    assert guesser.get(verify_url(certificate.serial)).status_code == 429
    assert honest.get(verify_url(certificate.serial)).status_code == 200


def test_the_limit_ends_by_itself(certificate, clock):
    client = Client()
    for _ in range(30):
        client.get(verify_url(certificate.serial))
    assert client.get(verify_url(certificate.serial)).status_code == 429
    clock.shift(601)
    assert client.get(verify_url(certificate.serial)).status_code == 200


def test_no_address_is_kept_in_the_clear(certificate, monkeypatch):
    kept = []

    class Watched:
        def get_many(self, keys) -> dict:
            kept.extend(keys)
            return {}

        def add(self, *args) -> bool:
            return True

    monkeypatch.setattr("portal.limits.cache", Watched())
    Client(REMOTE_ADDR="203.0.113.9").get(verify_url(certificate.serial))
    assert len(kept) == 30
    assert "203.0.113.9" not in "".join(kept)


def test_the_answer_to_a_stranger_is_kept_in_no_cache(certificate):
    assert "no-store" in Client().get(verify_url(certificate.serial)).headers["Cache-Control"]
