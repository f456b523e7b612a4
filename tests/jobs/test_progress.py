import pytest
from bs4 import BeautifulSoup
from django.urls import reverse

from portal.jobs import services
from portal.jobs.models import Job


@pytest.fixture
def my_job(make_employee):
    owner = make_employee()
    return services.start(kind="tests.count", key="one", by=owner, total=4)


def test_the_fragment_asks_again_until_the_job_has_ended(my_job, sign_in):
    url = reverse("jobs:progress", args=[my_job.uid])
    client = sign_in(my_job.started_by)
    running = client.get(url, headers={"HX-Request": "true"})
    assert 'hx-trigger="every 1s"' in running.text
    Job.objects.update(state="failed", ended_at=my_job.created_at, error="OSError")
    ended = client.get(url, headers={"HX-Request": "true"})
    assert "hx-trigger" not in ended.text
    assert ended.headers["HX-Refresh"] == "true"


def test_the_fragment_is_the_part_of_the_page_it_replaces(my_job, sign_in):
    url = reverse("jobs:progress", args=[my_job.uid])
    client = sign_in(my_job.started_by)
    [in_page] = BeautifulSoup(client.get(url).text, "html.parser").select(f"#job-{my_job.uid}")
    [alone] = BeautifulSoup(client.get(url, headers={"HX-Request": "true"}).text, "html.parser").select("div")
    assert in_page == alone


def test_somebody_elses_job_does_not_exist(my_job, make_employee, sign_in):
    response = sign_in(make_employee()).get(reverse("jobs:progress", args=[my_job.uid]))
    assert response.status_code == 404
