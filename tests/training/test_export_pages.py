import io
import zipfile
from pathlib import Path

import pytest
import time_machine
from bs4 import BeautifulSoup
from django.urls import reverse

from portal.ledger import services as ledger
from portal.ledger.models import Entry
from training import certificates, exports, tasks
from training.models import CertificateExport

LIST = reverse("training:export_list")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel("2030-03-15T04:00:00Z", tick=False) as traveller:
        yield traveller


PASSWORD = "a password that is long"


@pytest.fixture
def hr(make_employee, sign_in):
    """Somebody of HR who has just confirmed the password: (client, employee)."""
    employee = make_employee(roles=("HR",), employee_no=None)
    employee.set_password(PASSWORD)
    employee.save()
    client = sign_in(employee)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client, employee


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "html.parser")


def file_url(export: CertificateExport) -> str:
    return reverse("training:export_file", args=[export.uid, 1])


def test_the_page_says_how_many_fit_before_anything_is_made(hr, make_certificate, make_department):
    client, _hr = hr
    make_certificate()
    empty = make_department("Empty")
    assert "1 certificate fits this choice" in client.get(LIST).text
    page = soup(client.get(LIST, {"department": empty.pk}))
    assert "No certificate fits" in page.text
    assert page.select_one("#export-count form") is None
    assert CertificateExport.objects.count() == 0


def test_courses_are_called_by_their_newest_title(hr, make_edition):
    client, _hr = hr
    edition = make_edition(title={"en": "An old title"})
    make_edition(edition.course, title={"en": "WeChat archiving", "zh-hans": "微信留档"})
    options = [option.text for option in soup(client.get(LIST)).select("select[name=course] option")]
    assert options == ["All courses", "WeChat archiving"]


def test_the_button_asks_for_exactly_what_was_counted(hr, make_certificate, make_edition):
    client, employee = hr
    certificate = make_certificate()
    make_certificate()
    course = certificate.completion.edition.course
    chosen = {"course": course.pk, "completed_from": "2030-03-01", "completed_to": "2030-03-15"}
    page = soup(client.get(LIST, chosen))
    fields = {tag["name"]: tag["value"] for tag in page.select("#export-count input") if tag["name"] in chosen}
    assert client.post(LIST, fields).headers["Location"] == LIST
    export = CertificateExport.objects.get()
    assert (export.asked_by, export.job.total) == (employee, 1)
    assert export.choice == {
        "department": None, "office": None, "course": course.pk,
        "completed_from": "2030-03-01", "completed_to": "2030-03-15", "state": "standing", "as_of": "2030-03-15",
    }  # fmt: skip


def test_the_fragment_is_the_part_of_the_page_it_replaces(hr, make_certificate):
    client, _hr = hr
    make_certificate()
    [in_page] = soup(client.get(LIST, {"completed_from": "2030-03-01"})).select("#export-count")
    fragment = client.get(LIST, {"completed_from": "2030-03-01"}, headers={"HX-Request": "true"})
    [alone] = soup(fragment).select("div")
    for part in (in_page, alone):
        part.select_one("[name=csrfmiddlewaretoken]").decompose()  # masked anew each time
    assert alone == in_page


def test_a_last_day_before_the_first_is_a_mistake_and_counts_nothing(hr, make_certificate):
    client, _hr = hr
    make_certificate()
    data = {"completed_from": "2030-03-15", "completed_to": "2030-03-14"}
    assert "lies before the first" in client.get(LIST, data).text
    assert "Correct the dates first" in client.post(LIST, data).text
    assert CertificateExport.objects.count() == 0


def test_a_choice_that_came_to_nothing_meanwhile_makes_nothing(hr):
    client, _hr = hr
    assert "No certificate fits" in client.post(LIST, {}).text
    assert CertificateExport.objects.count() == 0


def test_from_the_asking_over_the_progress_to_the_file(hr, make_certificate):
    client, _hr = hr
    certificate = make_certificate()
    client.post(LIST, {})
    export = CertificateExport.objects.get()
    assert soup(client.get(LIST)).select_one(f"#job-{export.job.uid}")["hx-get"]
    tasks.export_certificates(export.job.pk)
    [link] = soup(client.get(LIST)).find_all("a", string="Download ZIP")
    response = client.get(link["href"])
    assert response.headers["Content-Disposition"] == 'attachment; filename="certificates-2030-03-15-1.zip"'
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    serial = certificate.serial
    assert archive.namelist() == [f"{serial}.pdf", f"{serial}.jwt", "index.csv", "manifest.txt"]


def test_an_export_is_stopped_and_let_go_on_from_its_page(hr, make_certificate):
    client, _hr = hr
    make_certificate()
    client.post(LIST, {})
    job = CertificateExport.objects.get().job
    [form] = [form for form in soup(client.get(LIST)).select("form") if form.button and form.button.text == "Stop"]
    client.post(form["action"])
    page = soup(client.get(LIST))
    assert "hx-get" not in page.select_one(f"#job-{job.uid}").attrs  # nothing changes by itself: nothing asks
    [form] = [form for form in page.select("form") if form.button and form.button.text == "Go on"]
    client.post(form["action"])
    job.refresh_from_db()
    assert job.state == job.State.WAITING


def test_parts_can_be_fetched_as_soon_as_they_are_there(hr, make_certificate, settings):
    client, _hr = hr
    make_certificate()
    make_certificate()
    settings.EXPORT_PART_BYTES = 10
    client.post(LIST, {})
    tasks.export_certificates(CertificateExport.objects.get().job.pk)
    links = [link for link in soup(client.get(LIST)).select("a") if link.text.startswith("Download ZIP")]
    assert [link.text for link in links] == ["Download ZIP 1", "Download ZIP 2"]
    for link in links:
        assert zipfile.ZipFile(io.BytesIO(b"".join(client.get(link["href"]).streaming_content))).testzip() is None


def test_a_file_that_is_not_ready_is_not_found(hr, make_certificate):
    client, _hr = hr
    make_certificate()
    client.post(LIST, {})
    assert client.get(file_url(CertificateExport.objects.get())).status_code == 404


def test_an_export_is_for_who_asked_for_it(hr, make_certificate, make_employee, sign_in):
    client, _hr = hr
    make_certificate()
    client.post(LIST, {})
    export = CertificateExport.objects.get()
    tasks.export_certificates(export.job.pk)
    other = sign_in(make_employee(roles=("HR",)))
    assert other.get(file_url(export)).status_code == 404
    assert "Download ZIP" not in other.get(LIST).text


def test_who_left_hr_gets_no_file_any_more(hr, make_certificate):
    client, employee = hr
    make_certificate()
    client.post(LIST, {})
    export = CertificateExport.objects.get()
    tasks.export_certificates(export.job.pk)
    employee.groups.clear()
    assert client.get(file_url(export)).status_code == 403


@pytest.mark.parametrize("role", ["Compliance", "Auditor", "Author"])
def test_other_roles_do_not_export(role, make_employee, sign_in):
    client = sign_in(make_employee(roles=(role,)))
    assert [client.get(LIST).status_code, client.post(LIST, {}).status_code] == [403, 403]


def test_before_everybodys_certificates_are_taken_out_the_password_is_asked_again(hr, make_certificate, clock):
    client, _hr = hr
    make_certificate()
    clock.shift(3600)
    response = client.post(LIST, {})
    assert response.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert CertificateExport.objects.count() == 0
    client.post(response.headers["Location"], {"password": PASSWORD})
    assert CertificateExport.objects.count() == 1


def test_ten_exports_cost_what_one_does(hr, make_certificate, count_queries):
    client, _hr = hr
    make_certificate()
    client.post(LIST, {})
    client.get(LIST)
    one = count_queries(lambda: client.get(LIST))
    for _ in range(9):
        client.post(LIST, {})
    assert count_queries(lambda: client.get(LIST)) == one


def test_the_page_tells_what_was_left_out_and_each_fetch_is_an_entry(hr, make_certificate, clock):
    client, employee = hr
    good, bad = make_certificate(), make_certificate()
    certificates.draw(bad)
    Path(bad.file.path).unlink()
    client.post(LIST, {"state": "standing"})
    export = CertificateExport.objects.get()
    tasks.export_certificates(export.job_id)
    page = soup(client.get(LIST))
    assert bad.serial in page.text
    assert "The stored file is gone." in page.text
    assert good.serial not in page.select_one(".asked").text
    for _ in range(2):
        b"".join(client.get(file_url(export)))
    entries = Entry.objects.filter(verb="training.export_fetched")
    assert [(one.actor, ledger.body_of(one)["export"]) for one in entries] == [(employee.uid, export.uid)] * 2

    clock.shift(exports.KEPT.total_seconds() + 1)
    tasks.forget_old_exports()
    client.force_login(employee, backend="django.contrib.auth.backends.ModelBackend")
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = soup(client.get(LIST))
    assert "The ZIPs were deleted on" in page.text
    assert page.select_one(".asked a") is None
    assert client.get(file_url(export)).status_code == 404
    assert entries.count() == 2
